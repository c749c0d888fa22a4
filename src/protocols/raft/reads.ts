// Linearizable reads without a log entry: ReadIndex (thesis §6.4).
//
// A read that arrives at the leader notes the commit index, and waits until a quorum has answered a message that was sent after its
// arrival: then no later leader can have committed anything before the read came. Rounds of such messages are numbered, and the
// number rides on every append and heartbeat; a number is never used twice, because it only rises while a replica runs, and a
// replica that was restarted leads only in a later term.

import type { ReplicaId } from '../../kernel/ids.ts'
import { askLeader } from './follower-reads.ts'
import type { ReadRequest } from './messages.ts'
import { extendLease, holdsLease, leasesAreOn, noteRound } from './lease.ts'
import { flushCommit, heartbeatAll } from './sending.ts'
import { counted, waitingReadsMax, type RaftState, type Reader, type Step } from './state.ts'

export function onRead(step: Step, id: number): void {
  const { state, effects } = step
  if (state.role !== 'leader') return askLeader(step, id)
  if (state.reads.length >= waitingReadsMax) return effects.readFailed(id, 'overloaded')
  waitForRound(step, { kind: 'own', id })
}

/** A follower's question is a read like any other; whoever asks somebody that does not lead hears nothing, and asks again. */
export function onReadRequest(step: Step, from: ReplicaId, { incarnation, number }: ReadRequest): void {
  const { state } = step
  if (state.role !== 'leader' || state.reads.length >= waitingReadsMax) return
  waitForRound(step, { kind: 'follower', replica: from, incarnation, number })
}

function waitForRound(step: Step, reader: Reader): void {
  const { state } = step
  if (holdsLease(step)) {
    step.effects.note({ kind: 'read-by-lease' })
    return answer(step, reader, state.commitIndex)
  }
  const known = state.commitIndex >= state.termStartIndex
  state.reads.push({ reader, index: known ? state.commitIndex : null, round: null })
  beginRound(step)
}

/** One round at a time: whoever comes while one is under way shares the next. */
function beginRound(step: Step): void {
  const { state } = step
  // Whoever waits without a round came last.
  if (state.reads.at(-1)?.round !== null || isUnderWay(state)) return
  startRound(step)
  heartbeatAll(step)
  confirmRounds(step)
}

/** Where leases are on, rounds begin all the time: what counts is whether a read waits for one. */
function isUnderWay(state: RaftState): boolean {
  return leasesAreOn(state) ? state.reads[0]?.round !== null : state.confirmedRound < state.round
}

function startRound(step: Step): void {
  const { state } = step
  state.round++
  for (const read of state.reads) read.round ??= state.round
  noteRound(step)
}

/** With every heartbeat, where leases are on: its answers extend the lease. */
export function beginRoundForLease(step: Step): void {
  if (!leasesAreOn(step.state)) return
  startRound(step)
  confirmRounds(step)
}

/** A round that nobody waits for: whoever hears it knows that whatever was said before it is old. */
export function beginEmptyRound(step: Step): void {
  startRound(step)
  heartbeatAll(step)
  confirmRounds(step)
}

/** The latest round that a quorum has answered, counting the leader itself. */
export function confirmRounds(step: Step): void {
  const { state } = step
  if (state.confirmedRound === state.round) return
  const rounds: number[] = []
  for (const voter of state.membership.voters) {
    rounds.push(voter === state.self ? state.round : (counted(state, voter)?.round ?? 0))
  }
  rounds.sort((left, right) => right - left)
  const confirmed = rounds[state.membership.quorum - 1] ?? 0
  if (confirmed <= state.confirmedRound) return
  state.confirmedRound = confirmed
  extendLease(step, confirmed)
  answerReads(step)
  beginRound(step)
}

/** The no-op of the term is committed: reads that came before it now know what they must see. */
export function onTermCommitted(step: Step): void {
  const { state } = step
  for (const read of state.reads) read.index ??= state.commitIndex
  answerReads(step)
}

function answerReads(step: Step): void {
  const { state, effects } = step
  if (state.reads.length === 0) return
  const waiting = state.reads.filter((read) => {
    const ready = read.index !== null && read.round !== null && read.round <= state.confirmedRound
    if (ready) answer(step, read.reader, read.index!)
    return !ready
  })
  if (waiting.length < state.reads.length) effects.note({ kind: 'read-confirmed' })
  state.reads = waiting
}

function answer(step: Step, reader: Reader, index: number): void {
  const { state, effects } = step
  // Promises nothing that is not decided: it need not wait for this replica's own disk.
  if (reader.kind === 'own') return effects.readReady(reader.id, index, state.hardStatePersisted)
  const { replica, incarnation, number } = reader
  effects.send(replica, { kind: 'read-answer', term: state.term, incarnation, number, index })
  const progress = state.progress.get(replica)
  if (progress === undefined) return
  progress.awaitedIndex = Math.max(progress.awaitedIndex, index)
  flushCommit(step, replica, progress)
}

/** A follower that asked learns by the next leader's messages that it must ask that one. */
export function failReads({ state, effects }: Step, reason: string): void {
  for (const { reader } of state.reads) if (reader.kind === 'own') effects.readFailed(reader.id, reason)
  state.reads = []
}
