// A backup's part in fairness (PBFT §4.4): it hands requests on to the primary, and asks for another one when they come to nothing.

import type { ReplicaId } from '../../kernel/ids.ts'
import { forwardedAgainBytesMax } from '../../kernel/limits.ts'
import { decidedByOthers } from '../../kernel/catching-up.ts'
import { hasVoice, high, isPrimary, primaryOf, timeoutMs, timer, type PbftState, type Step } from './state.ts'
import { askForView } from './view-changes.ts'

/**
 * While blocks are being decided, a request may wait for so many timeouts before its primary is blamed: with a full pool the oldest one waits
 * long though nothing is wrong (README.md, deviation 2).
 */
export const patienceTimeouts = 10

/** What came in since then. A primary keeps what it has. Whoever asks for another view may do so alone, and the last one may do well. */
export function handOn({ state }: Step): void {
  const primary = primaryOf(state, state.active ? state.view : (state.entered?.newView.view ?? 0))
  if (primary !== state.self) state.ports.pool.forward(primary)
}

/** Runs while something may wait that this replica cannot propose. While blocks are under way nobody looks, which would mean into all of them. */
export function armForward({ state, effects }: Step): void {
  const { forwardArmed, proposedHeight, decidedHeight, ports } = state
  if (forwardArmed || isPrimary(state)) return
  if (proposedHeight <= decidedHeight && ports.pool.oldestWaitingSinceMs() === null) return
  state.forwardArmed = true
  effects.arm(timer.forward, timeoutMs(state) / 2)
}

/**
 * Half of the patience is over: the primary gets it again, and everybody else, so that all of them watch it. And again while this replica asks
 * for another view: it may be the only one that does, because what it had handed on was lost, and nobody else has anything to wait for.
 */
export function onForwardTimer({ state, now }: Step): void {
  const { pool } = state.ports
  state.forwardArmed = false
  const sinceMs = pool.oldestWaitingSinceMs()
  if (isPrimary(state) || sinceMs === null) return
  if (now.monotonicMs - Math.max(sinceMs, state.viewSinceMs) < timeoutMs(state) / 2) return
  pool.forwardAgain(forwardedAgainBytesMax)
  for (const voter of state.membership.voters) if (voter !== state.self) pool.forward(voter, forwardedAgainBytesMax)
}

/** Null: nothing is waited for that the primary could bring about. */
export function requestDueMs(state: PbftState): number | null {
  const { active, decidedHeight, executedHeight, parameters } = state
  // R20: a slow application is not a bad leader.
  if (!active || !hasVoice(state) || decidedHeight - executedHeight >= parameters.flow.executionLagBlocksMax)
    return null
  // The window is full and waits for a checkpoint; or others have decided, and it is this replica that lags.
  if (decidedHeight >= high(state) || decidedByOthers(state) > decidedHeight) return null
  const sinceMs = waitingSinceMs(state)
  if (sinceMs === null) return null
  const begunMs = Math.max(sinceMs, state.viewSinceMs)
  const patientMs = timeoutMs(state)
  const isMoving = state.lastDecidedMs > state.viewSinceMs
  const movingMs = Math.min(state.lastDecidedMs + patientMs, begunMs + patienceTimeouts * patientMs)
  return isMoving ? Math.max(begunMs + patientMs, movingMs) : begunMs + patientMs
}

/** A request that nobody has decided, or a proposal that was begun. */
function waitingSinceMs(state: PbftState): number | null {
  let sinceMs = state.ports.pool.oldestWaitingSinceMs()
  for (const { proposal, decision } of state.slots.values()) {
    if (proposal === null || decision !== null) continue
    if (sinceMs === null || proposal.sinceMs < sinceMs) sinceMs = proposal.sinceMs
  }
  return sinceMs
}

/** Runs while something is waited for. */
export function armRequest({ state, now, effects }: Step): void {
  const { active, requestArmed, proposedHeight, decidedHeight, ports } = state
  if (requestArmed || !active || !hasVoice(state)) return
  if (proposedHeight <= decidedHeight && ports.pool.oldestWaitingSinceMs() === null) return
  state.requestArmed = true
  effects.arm(timer.request, Math.max(1, (requestDueMs(state) ?? now.monotonicMs + timeoutMs(state)) - now.monotonicMs))
}

export function onRequestTimer(step: Step): void {
  const { state, now, effects } = step
  state.requestArmed = false
  const dueMs = requestDueMs(state)
  if (dueMs === null || dueMs > now.monotonicMs || state.stalled) return
  effects.note({ kind: 'request-timeout', detail: { view: state.view } })
  askForView(step, state.view + 1)
}

/** Whom clients and reads are sent to. */
export function leaderOf(state: PbftState): ReplicaId | null {
  return state.active ? primaryOf(state, state.view) : null
}
