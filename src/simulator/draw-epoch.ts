// The network file of a run.

import type { SignatureSuite } from '../kernel/crypto-ports.ts'
import { replicaId, type ProtocolName } from '../kernel/ids.ts'
import type { Epoch } from '../kernel/membership.ts'
import type { Parameters } from '../kernel/parameters.ts'
import type { Random } from '../kernel/random.ts'
import type { SimulatedProtocol } from './protocols.ts'
import type { SimulationOptions } from './report.ts'
import { drawLeaseDrift, drawParameters, drawPriorities } from './run-parameters.ts'

export interface EpochSources {
  random: Random
  /** Apart, so that what a seed drew before there were paces it draws still. */
  paces: Random
  byzantine: Random
  driftPpmMax: number
  suite: SignatureSuite
}

export function drawEpoch<Message, LogRecord>(
  { protocol, replicas, rule = null }: SimulationOptions,
  { drawParameters: drawOwn }: SimulatedProtocol<Message, LogRecord>,
  { random, paces, byzantine, driftPpmMax, suite }: EpochSources,
): Epoch {
  const priorities = drawPriorities(paces.fork('priorities'), replicas)
  const common = drawParameters(random.fork('parameters'))
  const leaseDriftPerMille = drawLeaseDrift(paces.fork('leases'), driftPpmMax)
  const parameters = drawOwn({ ...common, raft: { ...common.raft, leaseDriftPerMille } }, byzantine, rule)
  return simulatedEpoch(protocol, priorities, parameters, suite)
}

/** Of voters alone: as many as there are priorities. */
export function simulatedEpoch(
  protocol: ProtocolName,
  priorities: readonly number[],
  parameters: Parameters,
  suite: SignatureSuite,
): Epoch {
  return {
    network: new Uint8Array(32).fill(7),
    number: 1,
    firstHeight: 1,
    protocol,
    members: priorities.map((priority, index) => ({
      id: replicaId(index + 1),
      name: `replica-${index + 1}`,
      role: 'voter',
      consensusKey: suite.signer(new Uint8Array(32).fill(index + 1)).publicKey,
      linkKey: new Uint8Array(32).fill(index + 101),
      addresses: [],
      priority,
    })),
    parameters,
  }
}
