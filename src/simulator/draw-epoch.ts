// The network file of a run.

import type { SignatureSuite } from '../kernel/crypto-ports.ts'
import { replicaId } from '../kernel/ids.ts'
import type { Epoch, Member } from '../kernel/membership.ts'
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
  const members: Member[] = Array.from({ length: replicas }, (_, index) => ({
    id: replicaId(index + 1),
    name: `replica-${index + 1}`,
    role: 'voter' as const,
    consensusKey: suite.signer(new Uint8Array(32).fill(index + 1)).publicKey,
    linkKey: new Uint8Array(32).fill(index + 101),
    addresses: [],
    priority: priorities[index]!,
  }))
  return {
    network: new Uint8Array(32).fill(7),
    number: 1,
    firstHeight: 1,
    protocol,
    members,
    parameters: drawOwn({ ...common, raft: { ...common.raft, leaseDriftPerMille } }, byzantine, rule),
  }
}
