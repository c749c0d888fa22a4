// Why a healed core did not get on: who waits for what, as all concerned say themselves.

import { emptyPayload, type Block } from '../kernel/block.ts'
import type { Height } from '../kernel/ids.ts'
import { equalBytes } from '../wire/equal-bytes.ts'
import { clientAddressMin, type Address } from './network.ts'

export interface WaitingClient {
  readonly address: Address
  readonly underWay: number
  readonly completed: number
  describeUnderWay(): string
}

export interface HealedReplica {
  readonly id: number
  readonly executedHeight: Height
  describe(): string
}

/**
 * What each of a healed core must have executed when its time is up: whatever one of them has, and the last block that holds anything. Blocks
 * without anything bring others to their end, and of the last of them a replica that stays lost may be the only one to know.
 */
export function heightOwed(
  core: readonly HealedReplica[],
  heightDecided: Height,
  blocks: ReadonlyMap<Height, Block>,
): Height {
  const known = Math.max(...core.map(({ executedHeight }) => executedHeight))
  let owed = heightDecided
  while (owed > known && equalBytes(blocks.get(owed)!.payload, emptyPayload)) owed--
  return owed
}

export function explainStall(
  clients: readonly WaitingClient[],
  core: readonly HealedReplica[],
  heightDecided: Height,
): string {
  const stuck = clients.filter((client) => client.underWay > 0 || client.completed === 0)
  const behind = core.filter((replica) => replica.executedHeight < heightDecided)
  return [
    ...stuck.map((client) => `client ${client.address - clientAddressMin} waits for ${client.describeUnderWay()}`),
    ...behind.map((replica) => `replica ${replica.id} has executed ${replica.executedHeight} of ${heightDecided}`),
    ...core.map((replica) => `replica ${replica.id}: ${replica.describe()}`),
  ].join('; ')
}
