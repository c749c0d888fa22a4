// Epochs as the simulator makes them, for tests that need no world.

import type { ProtocolName } from '../../src/kernel/ids.ts'
import type { Epoch } from '../../src/kernel/membership.ts'
import { defaultParameters } from '../../src/kernel/parameters.ts'
import { simulatedEpoch } from '../../src/simulator/draw-epoch.ts'
import { createSimulatedSuite } from '../../src/simulator/simulated-suite.ts'

export function epochOf(protocol: ProtocolName, replicas: number): Epoch {
  const priorities = Array.from({ length: replicas }, () => 0)
  return simulatedEpoch(protocol, priorities, defaultParameters('required'), createSimulatedSuite())
}
