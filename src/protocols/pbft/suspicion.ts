// A primary that is slow just inside its timeout (B16, Aardvark): whoever finds it slow says so, goes on voting, and asks for another one
// when `oneCorrect` have said the same. An operator's wish takes the same way.

import type { ReplicaId } from '../../kernel/ids.ts'
import type { Wish } from './messages.ts'
import { decidedByOthers } from '../../kernel/catching-up.ts'
import { hasVoice, high, isPrimary, timeoutMs, timer, type PbftState, type Step } from './state.ts'
import { isSignedWish, signWish } from './statements.ts'
import { askForView } from './view-changes.ts'

/** The pace is looked at so often in the timeout of the view. */
export const looksPerTimeout = 8
/**
 * A request is old after so many of these looks, and after so many times what the votes of a block take, or a round trip: on long links all is
 * slow, and links may have become long since there were votes.
 */
const oldAfterLooks = 2
const oldAfterVotes = 3
/** So many slow looks, in a row or nearly so, make a wish. */
export const slowLooksMax = 16

export function armPace({ state, effects }: Step): void {
  effects.arm(timer.pace, Math.max(1, lookMsOf(state)))
}

/** Longer with each view that fails, as the timeout is: else wishes would end every view before a slow network can decide anything in it. */
function lookMsOf(state: PbftState): number {
  return timeoutMs(state) / looksPerTimeout
}

/**
 * Slow: a request has waited long in this view, though since the last look no full block was proposed and the application keeps up. A primary
 * that has more to do than it can makes full blocks, and is not slow; one that only pretends can delay a block by a look.
 */
export function onPaceTimer(step: Step): void {
  const { state, now } = step
  armPace(step)
  const { pace } = state
  const oldMs = Math.max(
    oldAfterLooks * lookMsOf(state),
    oldAfterVotes * Math.max(pace.votesMs ?? 0, state.roundTripMs ?? 0),
  )
  const sinceMs = state.ports.pool.oldestWaitingSinceMs()
  const waitedMs = sinceMs === null ? 0 : now.monotonicMs - Math.max(sinceMs, state.viewSinceMs)
  const { pipelineBlocksMax, executionLagBlocksMax } = state.parameters.flow
  const lagMax = Math.min(pipelineBlocksMax, executionLagBlocksMax)
  // R20: whoever is behind, in whatever way, sees requests wait that others have decided, or that nobody could propose.
  const { decidedHeight, executedHeight } = state
  const isBehind = decidedByOthers(state) > decidedHeight
  const lags = isBehind || decidedHeight - executedHeight >= lagMax || decidedHeight >= high(state)
  const isBusy = pace.fullBlocks > 0 || lags
  pace.fullBlocks = 0
  if (!state.active || isPrimary(state)) pace.slow = 0
  else if (waitedMs >= oldMs && !isBusy) pace.slow++
  else pace.slow = Math.max(0, pace.slow - 1)
  if (pace.slow < slowLooksMax) return
  pace.slow = 0
  wish(step)
}

export function wish(step: Step): void {
  const { state, effects } = step
  if (!state.active || !hasVoice(state) || state.wished) return
  state.wished = true
  effects.note({ kind: 'wish', detail: { view: state.view } })
  sendWish(step)
  countWishes(step)
}

/** The same statement, and the same signature. */
export function repeatWish(step: Step): void {
  if (step.state.active && step.state.wished) sendWish(step)
}

function sendWish({ state, effects }: Step): void {
  effects.broadcast({ kind: 'wish', view: state.view, signature: signWish(state, state.view) })
}

export function onWish(step: Step, from: ReplicaId, { view, signature }: Wish): void {
  const { state } = step
  if (!state.active || view !== state.view || state.wishes.has(from)) return
  if (!isSignedWish(state, from, view, signature)) return
  state.wishes.add(from)
  countWishes(step)
}

function countWishes(step: Step): void {
  const { state } = step
  if (wishers(state).length >= state.membership.oneCorrect) askForView(step, state.view + 1)
}

export function wishers({ wishes, wished, self }: PbftState): ReplicaId[] {
  return wished ? [...wishes, self] : [...wishes]
}
