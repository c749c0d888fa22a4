// Among the voters that could lead, the one of the highest priority should.

import type { ReplicaId } from '../../kernel/ids.ts'
import type { Progress } from './progress.ts'
import { counted, type RaftState, type Step } from './state.ts'
import { beginTransfer, isConnected } from './transfer.ts'

/** After so many attempts the wait grows no more. */
const attemptsMax = 8

/**
 * At each heartbeat. A voter of higher priority that has been connected and caught up for longer than an election timeout is handed
 * leadership. Each attempt doubles the wait, until that voter has led: one that cannot be elected must not cost a pause over and over.
 */
export function watchPriorities(step: Step): void {
  const { state, now } = step
  let best: ReplicaId | null = null
  for (const replica of state.membership.voters) {
    const progress = counted(state, replica)
    if (progress === undefined || priorityOf(state, replica) <= priorityOf(state, best ?? state.self)) continue
    if (!isFit(state, progress, now.monotonicMs)) progress.fitSinceMs = null
    else progress.fitSinceMs ??= now.monotonicMs
    if (hasBeenFit(step, replica, progress)) best = replica
  }
  state.committedAtHeartbeat = state.commitIndex
  if (best === null || state.transfer !== null) return
  state.progress.get(best)!.fitSinceMs = null
  state.handovers.set(best, Math.min(attemptsMax, (state.handovers.get(best) ?? 0) + 1))
  beginTransfer(step, best)
}

function priorityOf({ membership }: RaftState, replica: ReplicaId): number {
  return membership.member(replica)?.priority ?? 0
}

/** Under load nobody has all that is committed at this very moment: what was committed a heartbeat ago is enough. */
function isFit(state: RaftState, progress: Progress, nowMs: number): boolean {
  return isConnected(state, progress, nowMs) && progress.matchIndex >= state.committedAtHeartbeat
}

function hasBeenFit({ state, now }: Step, replica: ReplicaId, { fitSinceMs }: Progress): boolean {
  const waitMs = state.parameters.timers.timeoutMsBase * 2 ** (state.handovers.get(replica) ?? 0)
  return fitSinceMs !== null && now.monotonicMs - fitSinceMs > waitMs
}
