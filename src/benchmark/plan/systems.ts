// What a plan has to know of a system before it starts.

import { faultModelOf, protocolNames, type FaultModel } from '../../kernel/ids.ts'
import { votersMin } from '../../kernel/quorum.ts'

/** A peer survives crashes, as raft does. A protocol's variant has its name in front: `hotstuff/three-chain`. */
export function faultModelOfSystem(system: string): FaultModel {
  const protocol = protocolNames.find((name) => name === system.split('/')[0])
  return protocol === undefined ? 'crash' : faultModelOf(protocol)
}

/** So many survive one fault. */
export function replicasMin(system: string): number {
  return votersMin(faultModelOfSystem(system))
}

export function isOurs(system: string): boolean {
  return protocolNames.some((name) => name === system.split('/')[0])
}
