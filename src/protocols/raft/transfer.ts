// Handing leadership over: thesis §3.10. The leader stops proposing, waits until the target has its whole log, and tells it to begin an
// election at once. When leadership has not moved within an election timeout, the leader goes on as before.

import type { ReplicaId } from '../../kernel/ids.ts'
import type { TimeoutNow } from './messages.ts'
import { beginElection } from './election.ts'
import { failAsked } from './follower-reads.ts'
import type { Progress } from './progress.ts'
import { proposeWaiting } from './proposals.ts'
import { beginEmptyRound } from './reads.ts'
import { counted, hasVoice, timer, type RaftState, type Step } from './state.ts'

// ---- The leader.

/** What an operator asks for. Null: to whoever is fit for it best. */
export function onTransferCommand(step: Step, to: ReplicaId | null): void {
  const { state } = step
  if (state.role !== 'leader') return refuse(step, 'not-leader')
  if (state.transfer !== null) return refuse(step, 'under-way')
  const target = to ?? bestTarget(step)
  if (target === null) return refuse(step, 'nobody-connected')
  if (target === state.self) return refuse(step, 'leads-already')
  if (!state.membership.isVoter(target)) return refuse(step, 'no-voter')
  if (state.progress.get(target)?.abstains === true) return refuse(step, 'abstains')
  beginTransfer(step, target)
}

function refuse({ effects }: Step, reason: string): void {
  effects.note({ kind: 'transfer-refused', detail: { reason } })
}

export function beginTransfer(step: Step, to: ReplicaId): void {
  const { state, now, effects } = step
  const { timeoutMsBase } = state.parameters.timers
  state.transfer = { to, dueMs: now.monotonicMs + timeoutMsBase, asked: false }
  effects.arm(timer.transfer, timeoutMsBase)
  effects.note({ kind: 'transfer-begun', detail: { to } })
  askTarget(step)
}

/** Upon the target's answers, until one says that it has the whole log. */
export function onTargetAnswered(step: Step, from: ReplicaId): void {
  const { transfer } = step.state
  if (transfer?.to === from && !transfer.asked) askTarget(step)
}

/** Also at every heartbeat, because messages are lost. */
export function askTarget({ state, effects }: Step): void {
  if (state.transfer === null) return
  const { to } = state.transfer
  const { lastIndex } = state.log
  if (counted(state, to)?.matchIndex !== lastIndex) return
  state.transfer.asked = true
  // For the rest of the term: a request that arrives late, or votes upon it, would not know of a lease that began since.
  state.leaseForfeited = true
  effects.send(to, { kind: 'timeout-now', term: state.term, round: state.round, lastIndex })
}

/** The target is down, or was not elected. A new round goes to all, so that whoever hears it believes no earlier request (C30). */
export function onTransferTimer(step: Step): void {
  const { state, effects } = step
  if (state.transfer === null) return
  effects.note({ kind: 'transfer-failed', detail: { to: state.transfer.to } })
  state.transfer = null
  beginEmptyRound(step)
  proposeWaiting(step)
}

/** Those who have everything committed come first, by priority; the others by how much they have. */
function bestTarget({ state, now }: Step): ReplicaId | null {
  const priority = (replica: ReplicaId): number => state.membership.member(replica)!.priority
  let best: { replica: ReplicaId; progress: Progress; caughtUp: boolean } | null = null
  for (const replica of state.membership.voters) {
    const progress = counted(state, replica)
    if (progress === undefined || !isConnected(state, progress, now.monotonicMs)) continue
    const caughtUp = progress.matchIndex >= state.commitIndex
    const better =
      best === null ||
      firstDifference(
        Number(caughtUp) - Number(best.caughtUp),
        caughtUp ? priority(replica) - priority(best.replica) : 0,
        progress.matchIndex - best.progress.matchIndex,
      ) > 0
    if (better) best = { replica, progress, caughtUp }
  }
  return best?.replica ?? null
}

function firstDifference(...differences: number[]): number {
  return differences.find((difference) => difference !== 0) ?? 0
}

export function isConnected({ parameters }: RaftState, { heardMs }: Progress, nowMs: number): boolean {
  return heardMs !== null && nowMs - heardMs < parameters.timers.timeoutMsBase
}

// ---- The target.

/** Asks for votes at once, without a pre-vote. */
export function onTimeoutNow(step: Step, from: ReplicaId, message: TimeoutNow): void {
  const { state, effects } = step
  if (!isTimely(step, from, message)) return effects.note({ kind: 'timeout-now-ignored', detail: { from } })
  state.leader = null
  failAsked(step)
  beginElection(step, 'candidate', true)
}

/**
 * C30. A request of this term that comes late must depose nobody: the leader has been heard since in a later round, or has proposed
 * since, or has not been heard lately.
 */
function isTimely({ state, now }: Step, from: ReplicaId, { round, lastIndex }: TimeoutNow): boolean {
  return (
    state.role === 'follower' &&
    state.leader === from &&
    hasVoice(state) &&
    now.monotonicMs - state.heardLeaderMs < state.parameters.timers.timeoutMsBase &&
    round >= state.leaderRound &&
    lastIndex === state.log.lastIndex
  )
}
