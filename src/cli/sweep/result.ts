// What a sweep came to, for a person and for a program.

import { parameterBounds } from '../../kernel/parameters.ts'
import { behaviourNames } from '../../simulator/protocols.ts'
import type { CoverageMinimum } from '../../simulator/report.ts'
import { table, type Output } from '../output.ts'
import type { SimRequest } from './request.ts'
import {
  excusedPercentMax,
  excusedTooOften,
  missedMinima,
  seedsForMinima,
  wantedOf,
  type SeedFailure,
  type Summary,
} from './summary.ts'

export interface SweepResult {
  summary: Summary
  /** `incomplete`: time was up, enough had failed, or a process died. */
  state: 'complete' | 'incomplete' | 'interrupted'
  minima: readonly CoverageMinimum[]
}

/** Minima and excuses are judged when all seeds have run; a violation always. */
export function isBad({ summary, state, minima }: SweepResult): boolean {
  if (summary.violated > 0) return true
  return state === 'complete' && (missedMinima(summary, minima).length > 0 || excusedTooOften(summary))
}

export function asJson({ sweep, from, to }: SimRequest, result: SweepResult): object {
  const { seeds: run, ...rest } = result.summary
  const { summary, minima, state } = result
  const lies =
    behaviourNames(sweep.protocol).length === 0
      ? {}
      : { adversaries: sweep.adversaries ?? 'drawn', behaviour: sweep.behaviour ?? 'drawn' }
  const rule = sweep.protocol === 'hotstuff' ? { rule: sweep.rule ?? parameterBounds.hotstuff.rule.default } : {}
  return { ...sweep, ...rule, ...lies, seeds: { from, to, run }, state, ...rest, missed: missedMinima(summary, minima) }
}

export function print(request: SimRequest, result: SweepResult, output: Output): void {
  const { protocol, replicas, faults, rule } = request.sweep
  const { summary, minima } = result
  output.out(
    output.bold(`${protocol}${rule === undefined ? '' : ` (${rule})`}, ${replicas} replicas, faults: ${faults}`),
  )
  for (const line of table(countRows(request, result))) output.out(`  ${line}`)
  output.out(output.bold('coverage'))
  for (const line of table(coverageRows(summary, minima))) output.out(`  ${line}`)
  for (const { name, seen, wanted, why } of missedMinima(summary, minima)) {
    output.out(
      output.red(`too little coverage: ${name} was seen ${seen} times, at least ${wanted} are needed (${why})`),
    )
  }
  if (excusedTooOften(summary)) {
    output.out(output.red(`too many excuses: their share must stay below ${excusedPercentMax}% of the seeds`))
  }
  for (const failure of summary.failures) printFailure(request, failure, output)
  const unsaid = summary.violated - summary.failures.length
  if (unsaid > 0) output.out(`${unsaid} more failed`)
  if (summary.violated === 0) output.out(output.green('no violation'))
}

function countRows({ from, to }: SimRequest, { summary, state }: SweepResult): string[][] {
  const { seeds, passed, violated, excused, excuses, events, committedOperations, virtualMs } = summary
  const perSecond = (committedOperations / Math.max(1, virtualMs)) * 1000
  const share = ((100 * excused) / Math.max(1, seeds)).toFixed(2)
  return [
    ['seeds', `${grouped(seeds)}${state === 'complete' ? '' : ` of ${grouped(to - from + 1)} (${state})`}`],
    ['passed', grouped(passed)],
    ['failed', grouped(violated)],
    ['excused', `${grouped(excused)} (${share}%)${words(excuses)}`],
    ['events', `${grouped(events)}, ${eventRate(summary)} a CPU second`],
    ['operations', `${grouped(committedOperations)}, ${perSecond.toFixed(0)} a virtual second`],
  ]
}

/** What was seen, and beside it what had to be; what was never seen but had to be, too. */
function coverageRows(summary: Summary, minima: readonly CoverageMinimum[]): string[][] {
  const asked = summary.seeds >= seedsForMinima
  const wanted = new Map(minima.map((minimum) => [minimum.name, wantedOf(minimum, summary.seeds)]))
  const names = [...new Set([...Object.keys(summary.coverage), ...(asked ? wanted.keys() : [])])]
  const rows = names.sort().map((name) => {
    const least = asked ? wanted.get(name) : undefined
    return [name, grouped(summary.coverage[name] ?? 0), least === undefined ? '' : `(at least ${grouped(least)})`]
  })
  return rows.length === 0 ? [['nothing was seen']] : rows
}

function printFailure({ sweep }: SimRequest, { seed, invariant, explanation }: SeedFailure, output: Output): void {
  const { protocol, replicas, faults, adversaries, behaviour, rule } = sweep
  const asked = [
    ...(rule === undefined ? [] : [` --rule ${rule}`]),
    ...(adversaries === undefined ? [] : [` --adversaries ${adversaries}`]),
    ...(behaviour === undefined ? [] : [` --behaviour ${behaviour}`]),
  ].join('')
  output.out(output.red(`seed ${seed} failed: ${invariant}`))
  output.out(`  ${explanation}`)
  // A difference between two runs shows only in two runs.
  const how = invariant === 'determinism' ? '--verify-determinism' : '--trace -'
  output.out(
    `  replay: npx quorate sim --protocol ${protocol} --replicas ${replicas} --faults ${faults}${asked} --seed ${seed} ${how}`,
  )
}

export function eventRate({ events, cpuSeconds }: Summary): string {
  return grouped(Math.round(events / Math.max(0.001, cpuSeconds)))
}

function words(counts: Readonly<Record<string, number>>): string {
  const list = Object.entries(counts).map(([name, count]) => `${name}: ${count}`)
  return list.length === 0 ? '' : ` ${list.join(', ')}`
}

function grouped(value: number): string {
  return value.toLocaleString('en')
}
