// Epochs as the simulator makes them, for tests that need no world.

import { replicaId, type ProtocolName } from '../../src/kernel/ids.ts'
import type { Epoch } from '../../src/kernel/membership.ts'
import { defaultParameters } from '../../src/kernel/parameters.ts'
import { createSimulatedSuite } from '../../src/simulator/simulated-suite.ts'

export function epochOf(protocol: ProtocolName, replicas: number): Epoch {
  const suite = createSimulatedSuite()
  return {
    network: new Uint8Array(32).fill(7),
    number: 1,
    firstHeight: 1,
    protocol,
    members: Array.from({ length: replicas }, (_, index) => ({
      id: replicaId(index + 1),
      name: `replica-${index + 1}`,
      role: 'voter',
      consensusKey: suite.signer(new Uint8Array(32).fill(index + 1)).publicKey,
      linkKey: new Uint8Array(32).fill(index + 101),
      addresses: [],
      priority: 0,
    })),
    parameters: defaultParameters('required'),
  }
}
