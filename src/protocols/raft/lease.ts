// Reads without a round, where the clocks are bounded (thesis §6.4.1; README.md, proof 5). A leader that a quorum has answered knows that
// none of that quorum helps anybody else to lead for an election timeout, so until then nobody else can have committed anything.

import type { RaftState, Round, Step } from './state.ts'

export function leasesAreOn({ parameters }: RaftState): boolean {
  return parameters.raft.leaseDriftPerMille > 0
}

/** By the leader's clock, which may go slower than those of the others. */
function leaseMs({ parameters }: RaftState): number {
  return (parameters.timers.timeoutMsBase * (1000 - parameters.raft.leaseDriftPerMille)) / 1000
}

/** When the leader stops answering by its lease, unless more is confirmed; null: it has none. */
export function leaseEndMs(state: RaftState): number | null {
  const { role, transfer, leaseForfeited, leaseSinceMs, commitIndex, termStartIndex } = state
  const isEntitled = role === 'leader' && transfer === null && !leaseForfeited && commitIndex >= termStartIndex
  return isEntitled && leaseSinceMs !== null ? leaseSinceMs + leaseMs(state) : null
}

export function holdsLease({ state, now }: Step): boolean {
  const endMs = leaseEndMs(state)
  return endMs !== null && now.monotonicMs < endMs
}

/** When the round began is what a lease is counted from: whoever answers it has heard of it later, never earlier (C33). */
export function noteRound({ state, now }: Step): void {
  if (!leasesAreOn(state)) return
  const { rounds } = state
  // An answer to these would give no lease any more.
  const uselessMs = now.monotonicMs - leaseMs(state)
  while (rounds.length > 0 && rounds[0]!.begunMs <= uselessMs) rounds.shift()
  rounds.push({ number: state.round, begunMs: now.monotonicMs })
}

/** A quorum has answered this round. */
export function extendLease({ state }: Step, confirmedRound: number): void {
  let latest: Round | undefined
  while (state.rounds.length > 0 && state.rounds[0]!.number <= confirmedRound) latest = state.rounds.shift()
  if (latest !== undefined) state.leaseSinceMs = latest.begunMs
}

/**
 * Whoever has heard a leader helps nobody to take its place for a whole election timeout, whatever it has heard of others since. A voter
 * that has just started does not know what it had heard, and waits as long.
 */
export function isBound({ state, now }: Step): boolean {
  return leasesAreOn(state) && now.monotonicMs - state.heardLeaderMs < state.parameters.timers.timeoutMsBase
}
