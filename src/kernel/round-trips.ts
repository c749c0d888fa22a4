// How far away a quorum is, as this replica's links measure it: on slow links every leader is slow, and none is to blame (docs/decisions/0018).

import type { ReplicaId } from './ids.ts'
import type { Membership } from './membership.ts'
import type { Parameters, TimerParameters } from './parameters.ts'
import type { Effects, ProtocolPorts } from './protocol.ts'

export interface Measuring {
  readonly self: ReplicaId
  readonly membership: Membership
  readonly parameters: Pick<Parameters, 'timers'>
  readonly ports: Pick<ProtocolPorts, 'roundTripMs'>
  /** To the farthest of the nearest peers that make a quorum with this replica; null: was never known. */
  roundTripMs: number | null
}

/**
 * The round trip to the farthest of the nearest peers that make a quorum with this replica: whoever answers late, or never, is left out as long
 * as others make up a quorum. With fewer that are measured it stays as it was: there is no quorum, and when it comes back it is as far away as before.
 * Returned is by how much the base of the timeout has changed, where so many round trips have room in it.
 */
export function measureRoundTrips(
  state: Measuring,
  roundTrips: number,
  effects: Pick<Effects<unknown, unknown>, 'note'>,
): number {
  const { membership, self, ports, parameters } = state
  const measured = membership.voters.flatMap((voter) => (voter === self ? [] : (ports.roundTripMs(voter) ?? [])))
  measured.sort((left, right) => left - right)
  const nearest = measured[membership.quorum - 2]
  if (nearest === undefined) return 0
  const { timers } = parameters
  const beforeMs = timeoutBaseMs(timers, roundTrips, state.roundTripMs)
  state.roundTripMs = nearest
  const afterMs = timeoutBaseMs(timers, roundTrips, nearest)
  if (beforeMs === timers.timeoutMsBase && afterMs > beforeMs)
    effects.note({ kind: 'links-slow', detail: { timeoutMs: afterMs } })
  return afterMs - beforeMs
}

/** What the network file says, or room for so many round trips where the links are slow. */
export function timeoutBaseMs(
  { timeoutMsBase, timeoutMsMax }: TimerParameters,
  roundTrips: number,
  roundTripMs: number | null,
): number {
  return Math.min(timeoutMsMax, Math.max(timeoutMsBase, Math.ceil(roundTrips * (roundTripMs ?? 0))))
}

/** For a status. Nothing, while the links let the network file's timeout stand. */
export function slowLinksInWords({ parameters, roundTripMs }: Measuring, roundTrips: number): string {
  const { timers } = parameters
  const baseMs = timeoutBaseMs(timers, roundTrips, roundTripMs)
  if (baseMs === timers.timeoutMsBase) return ''
  return `; a quorum is ${Math.round(roundTripMs ?? 0)} ms there and back, so a view has ${baseMs} ms`
}
