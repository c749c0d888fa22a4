// The network of a power-loss run, as parent and replicas make it from one network file: as few voters as wanted, and quick timers,
// because each kill costs an election.

import type { ReadNetwork } from '../../../src/kernel/network-file.ts'

/** So many are set up: a network file with fewer is refused, and rightly. */
export const membersInFile = 3

export function powerLossNetwork(network: ReadNetwork, replicas: number): ReadNetwork {
  const { epoch } = network
  const timers = {
    ...epoch.parameters.timers,
    timeoutMsBase: 150,
    timeoutMsMax: 600,
    heartbeatMs: 30,
    retransmitMs: 60,
  }
  return {
    ...network,
    epoch: { ...epoch, members: epoch.members.slice(0, replicas), parameters: { ...epoch.parameters, timers } },
  }
}
