// How far away a quorum is, as this replica's links measure it: on slow links every primary is slow, and none is to blame (docs/decisions/0018).

import { timeoutBaseMs, type Step } from './state.ts'

/**
 * The round trip to the farthest of the nearest peers that make a quorum with this replica: whoever answers late, or never, is left out as long
 * as others make up a quorum. With fewer that are measured it stays as it was: there is no quorum, and when it comes back it is as far away as before.
 */
export function measureRoundTrips({ state, effects }: Step): void {
  const { membership, self, ports, parameters } = state
  const measured = membership.voters.flatMap((voter) => (voter === self ? [] : (ports.roundTripMs(voter) ?? [])))
  measured.sort((left, right) => left - right)
  const nearest = measured[membership.quorum - 2]
  if (nearest === undefined) return
  const beforeMs = timeoutBaseMs(state)
  state.roundTripMs = nearest
  const afterMs = timeoutBaseMs(state)
  // What was armed for longer is armed anew. Who was armed for less looks at the time when it fires, and waits for the rest.
  if (afterMs < beforeMs) state.requestArmed = false
  const { timeoutMsBase } = parameters.timers
  if (beforeMs === timeoutMsBase && afterMs > beforeMs)
    effects.note({ kind: 'links-slow', detail: { timeoutMs: afterMs } })
}
