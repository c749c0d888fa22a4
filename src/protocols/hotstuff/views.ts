// Which view this replica is in: a certificate moves whoever is behind, and so does a quorum that has given a view up.

import type { View } from '../../kernel/ids.ts'
import type { QuorumCertificate } from '../../kernel/proof.ts'
import { timeoutBaseMs } from '../../kernel/round-trips.ts'
import { detachedTimeouts } from './certificates.ts'
import { letGoOfOthers } from './holding.ts'
import { leaderNow } from './node-header.ts'
import type { TimeoutCertificate } from './messages.ts'
import { highestIn } from './rules.ts'
import { persist, timer, type HotstuffState, type Step } from './state.ts'

/**
 * So many round trips have room in a view timeout: a view takes three at the most until it is over for the last of a quorum, and the fourth is
 * for disks and for checking (docs/decisions/0018).
 */
export const roundTripsPerTimeout = 4

/** One dead leader costs two views, and no reason to wait longer: its own, and the one before, whose votes were on their way to it. */
const viewsOfOneFailure = 2

/** The timeout of the present view: twice as long with each view more that fails since the last certificate, exact up to the cap (B6). */
export function timeoutMs(state: HotstuffState): number {
  const { timers } = state.parameters
  const baseMs = timeoutBaseMs(timers, roundTripsPerTimeout, state.roundTripMs)
  const failed = Math.max(0, state.view - viewsOfOneFailure - state.high.view)
  return Math.min(timers.timeoutMsMax, baseMs * 2 ** Math.min(failed, 30))
}

/** A certificate moves whoever is behind to the view after it at once. */
export function enterAfter(step: Step, { view }: QuorumCertificate): void {
  if (view >= step.state.view) enter(step, view + 1, null)
}

/**
 * Its signatures hold: a quorum has given up its view. On disk before anything is said in the view after it. A liar may have signed for a
 * certificate that there is not, and a leader that entered with its word could propose nothing: what it signs for has to be known here.
 */
export function onTimeoutCertificate(step: Step, timeouts: TimeoutCertificate): void {
  const { state } = step
  const { high } = state
  if (timeouts.view < state.view || highestIn(timeouts) > high.view) return
  const kept = detachedTimeouts(timeouts)
  state.timeoutsPersisted = persist(step, { kind: 'timeouts', timeouts: kept, certificate: high })
  enter(step, kept.view + 1, kept)
  letGoOfOthers(state)
}

function enter({ state, effects }: Step, view: View, timeouts: TimeoutCertificate | null): void {
  state.view = view
  state.timeouts = timeouts
  state.busySinceMs = null
  state.viewDueMs = null
  effects.disarm(timer.view)
  effects.note({ kind: 'view-entered', detail: { view, leader: leaderNow(state), given: timeouts !== null } })
}
