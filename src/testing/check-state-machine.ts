/**
 * Checks a state machine against everything that replicas rely on, without a network: random histories, drawn from a seed, each run on
 * several machines that are treated differently and must agree.
 *
 *   const report = checkStateMachine(counter, { commands: (random) => ({ add: random.below(10) }) })
 *   if (!report.ok) console.log(report.finding.explanation, report.finding.commands)
 */

import type { StateMachineDefinition } from '../execution/state-machine.ts'
import { noCounts, type Counts } from './counts.ts'
import { Fault, textOf, type Rule } from './finding.ts'
import { resolveOptions, type CheckOptions, type ResolvedOptions } from './options.ts'
import { drawPlan, type Plan } from './plan.ts'
import { planBlocks } from './planned-blocks.ts'
import { encodeCommands, ValidationRule } from './rules/encodings.ts'
import {
  checkDeterminism,
  checkLateSnapshots,
  checkQueries,
  checkRestore,
  checkRollback,
  referenceRun,
} from './rules/twins.ts'
import { shrink } from './shrink.ts'

export interface Finding<Command> {
  /** Which rule is broken; docs/testing-your-application.md says what each asks. */
  rule: Rule
  /** One sentence: what was seen, and where. */
  explanation: string
  /** The option that draws these histories again. */
  seed: number
  /** A short history that shows it, found by leaving out what is not needed. */
  commands: readonly Command[]
}

export type CheckReport<Command> = { ok: true; counts: Counts } | { ok: false; finding: Finding<Command> }

/** Throws on options that make no sense, and never on a faulty machine. */
export function checkStateMachine<Command, Query, Result>(
  definition: StateMachineDefinition<Command, Query, Result>,
  options: CheckOptions<Command, Query, Result>,
): CheckReport<Command> {
  const resolved = resolveOptions(options)
  const counts = noCounts()
  for (let run = 1; run <= resolved.runs; run++) {
    const plan = caught(() => drawPlan(resolved, run))
    if (plan instanceof Fault) return { ok: false, finding: findingOf(resolved, plan, []) }
    const fault = faultOf(definition, resolved, plan, counts)
    if (fault !== null) return { ok: false, finding: shortest(definition, resolved, plan, fault) }
  }
  return { ok: true, counts }
}

/** The same, for a test of any runner: throws an Error that says which rule is broken, and how. */
export function assertStateMachine<Command, Query, Result>(
  definition: StateMachineDefinition<Command, Query, Result>,
  options: CheckOptions<Command, Query, Result>,
): Counts {
  const report = checkStateMachine(definition, options)
  if (report.ok) return report.counts
  const { rule, explanation, seed, commands } = report.finding
  const lines = commands.map((command, index) => `  ${index + 1}. ${textOf(command)}`)
  throw new Error(
    [`state machine ${definition.name} breaks the rule ${rule}: ${explanation} (seed ${seed})`, ...lines].join('\n'),
  )
}

/** The one place where a fault ends. */
function caught<Value>(work: () => Value): Value | Fault {
  try {
    return work()
  } catch (cause) {
    if (cause instanceof Fault) return cause
    throw cause
  }
}

function faultOf<C, Q, R>(
  definition: StateMachineDefinition<C, Q, R>,
  options: ResolvedOptions<C, Q, R>,
  plan: Plan<C, Q>,
  counts: Counts,
): Fault | null {
  return caught(() => checkPlan(definition, options, plan, counts)) ?? null
}

function checkPlan<C, Q, R>(
  definition: StateMachineDefinition<C, Q, R>,
  options: ResolvedOptions<C, Q, R>,
  plan: Plan<C, Q>,
  counts: Counts,
): void {
  const commands = encodeCommands(definition, plan.commands)
  const validation = new ValidationRule(definition, commands)
  const blocks = planBlocks(commands, options.clients)
  const history = { definition, options, intervalHeights: plan.intervalHeights, blocks }
  const records = referenceRun(history, counts)
  validation.checkAgain()
  checkDeterminism(history, records)
  checkLateSnapshots(history, records)
  checkRestore(history, records, counts)
  checkQueries(history, records, counts)
  checkRollback(history, records, counts)
  counts.runs++
  counts.commands += commands.length
  counts.refused += validation.verdicts.filter((verdict) => verdict !== null).length
}

function shortest<C, Q, R>(
  definition: StateMachineDefinition<C, Q, R>,
  options: ResolvedOptions<C, Q, R>,
  plan: Plan<C, Q>,
  found: Fault,
): Finding<C> {
  let last = found
  const shows = (commands: Plan<C, Q>['commands']): boolean => {
    const fault = faultOf(definition, options, { ...plan, commands }, noCounts())
    if (fault?.rule !== found.rule) return false
    last = fault
    return true
  }
  const prefix = plan.commands.slice(0, found.commandsSeen)
  const commands = shrink(shows(prefix) ? prefix : plan.commands, shows)
  return findingOf(options, last, commands)
}

function findingOf<C, Q, R>(
  { seed }: ResolvedOptions<C, Q, R>,
  { rule, message }: Fault,
  commands: Plan<C, Q>['commands'],
): Finding<C> {
  return { rule, explanation: message, seed, commands: commands.map(({ command }) => command) }
}
