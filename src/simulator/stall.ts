// Why a healed core did not get on: who waits for what, as all concerned say themselves.

import type { Height } from '../kernel/ids.ts'
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
