/**
 * For those who write a state machine: `quorate/testing` looks for what would make replicas of it differ.
 *
 *   import { assertStateMachine } from 'quorate/testing'
 *
 *   it('keeps the rules of a state machine', () => {
 *     assertStateMachine(counter, { commands: (random) => ({ add: random.below(10) }), queries: () => null })
 *   })
 */

export { assertStateMachine, checkStateMachine, type CheckReport, type Finding } from './check-state-machine.ts'
export type { Rule } from './finding.ts'
export type { CheckOptions } from './options.ts'
export type { Counts } from './counts.ts'
export { simulate, type SimulateOptions, type SimulateReport, type SimulationFinding } from './simulate.ts'
