/**
 * A state machine in the whole simulator: replicas that crash, lose what was not synced, start again and stand still; a network that
 * loses, repeats, delays and splits; replicas that lie, where the protocol survives them; clients that retry. One seed is one history,
 * the same each time.
 *
 *   const report = simulate(counter, { commands: (random) => ({ add: random.below(10) }) })
 */

import { faultModelOf, type ProtocolName } from '../kernel/ids.ts'
import { votersMin } from '../kernel/quorum.ts'
import type { Random } from '../kernel/random.ts'
import type { StateMachineDefinition } from '../execution/state-machine.ts'
import { runApplicationSeed } from '../simulator/simulation.ts'
import { messageOf } from './finding.ts'
import { machineApplication } from './machine-application.ts'
import { requireCount } from './options.ts'

export interface SimulateOptions<Command, Query> {
  commands: (random: Random) => Command
  /** Linearizable reads, a third of the load. Default: commands alone. */
  queries?: (random: Random) => Query
  /** From 1 to this one. Default 20. */
  seeds?: number
  /** The first seed instead of 1: to replay one, give it here and 1 as `seeds`. */
  firstSeed?: number
  /** Default: as many as survive one fault, 3 or 4; 1 to 9. */
  replicas?: number
  /** Under `pbft` and `hotstuff` some of the replicas lie, as many as it survives at most. Default `raft`. */
  protocol?: ProtocolName
  /** Which families of faults are drawn from. Default `all`. */
  faults?: 'none' | 'network' | 'process' | 'disk' | 'all'
}

export interface SimulationFinding {
  /** Replays it. */
  seed: number
  /** `replica-failed`, `execution-agreement`, `executed-once`, `acknowledged-kept`, `real-time-order`, `replayed-result`, `liveness`, … */
  invariant: string
  explanation: string
}

export type SimulateReport =
  | { ok: true; seeds: number; operations: number; crashes: number }
  | { ok: false; finding: SimulationFinding }

const replicasMax = 9
const seedsMax = 1_000_000

/** Throws on options that make no sense, and never on a faulty machine. Stops at the first seed that finds something. */
export function simulate<Command, Query, Result>(
  definition: StateMachineDefinition<Command, Query, Result>,
  options: SimulateOptions<Command, Query>,
): SimulateReport {
  const { seeds = 20, firstSeed = 1, protocol = 'raft', faults = 'all' } = options
  const { replicas = votersMin(faultModelOf(protocol)) } = options
  requireCount('seeds', seeds, seedsMax)
  requireCount('firstSeed', firstSeed, Number.MAX_SAFE_INTEGER)
  requireCount('replicas', replicas, replicasMax)
  const application = machineApplication(definition, options.commands, options.queries ?? null)
  let [operations, crashes] = [0, 0]
  for (let seed = firstSeed; seed < firstSeed + seeds; seed++) {
    try {
      const report = runApplicationSeed({ protocol, replicas, seed, faults }, application)
      if (report.violation !== null) {
        const { invariant, explanation } = report.violation
        return { ok: false, finding: { seed, invariant, explanation } }
      }
      operations += report.committedOperations
      crashes += report.coverage['crashes'] ?? 0
    } catch (cause) {
      // What a machine, a codec or a generator throws where no replica catches it.
      return { ok: false, finding: { seed, invariant: 'application-threw', explanation: messageOf(cause) } }
    }
  }
  return { ok: true, seeds, operations, crashes }
}
