// The network of a power-loss run, as parent and replicas make it from one network file: as few voters as wanted, and quick timers,
// because each kill costs an election.

import { faultModelOf } from '../../../src/kernel/ids.ts'
import { votersMin } from '../../../src/kernel/quorum.ts'
import type { ReadNetwork } from '../../../src/kernel/network-file.ts'

/** How many voters of which protocol: a group that loses all of its power is a whole network, or raft's smallest. */
export const powerLossShapes = [
  { protocol: 'raft', replicas: 1 },
  { protocol: 'raft', replicas: 3 },
  { protocol: 'pbft', replicas: 4 },
  { protocol: 'hotstuff', replicas: 4 },
] as const
export type PowerLossShape = (typeof powerLossShapes)[number]

/** So many are set up: a network file with fewer is refused, and rightly. */
export function membersInFile({ protocol }: PowerLossShape): number {
  return votersMin(faultModelOf(protocol))
}

export function powerLossNetwork(network: ReadNetwork, replicas: number): ReadNetwork {
  const { epoch } = network
  const timers = {
    ...epoch.parameters.timers,
    timeoutMsBase: 150,
    // A view change of pbft costs signatures, and must get through on a machine that does much else.
    timeoutMsMax: epoch.protocol === 'raft' ? 600 : 5_000,
    heartbeatMs: 30,
    retransmitMs: 60,
  }
  return {
    ...network,
    epoch: { ...epoch, members: epoch.members.slice(0, replicas), parameters: { ...epoch.parameters, timers } },
  }
}
