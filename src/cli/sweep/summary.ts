// What many seeds came to: sums that can be added up in any grouping.

import type { Coverage, CoverageMinimum, SeedReport } from '../../simulator/report.ts'

export interface SeedFailure {
  seed: number
  invariant: string
  explanation: string
}

export interface Summary {
  seeds: number
  passed: number
  excused: number
  excuses: Record<string, number>
  failures: SeedFailure[]
  violated: number
  events: number
  virtualMs: number
  committedOperations: number
  cpuSeconds: number
  coverage: Coverage
}

/** Failures kept with their words; all are counted. */
export const failuresKept = 10

export function emptySummary(): Summary {
  return {
    seeds: 0,
    passed: 0,
    excused: 0,
    excuses: {},
    failures: [],
    violated: 0,
    events: 0,
    virtualMs: 0,
    committedOperations: 0,
    cpuSeconds: 0,
    coverage: {},
  }
}

export function addReport(summary: Summary, report: SeedReport): void {
  summary.seeds++
  summary.events += report.events
  summary.virtualMs += report.virtualMs
  summary.committedOperations += report.committedOperations
  addCounts(summary.coverage, report.coverage)
  if (report.verdict === 'passed') summary.passed++
  if (report.verdict === 'excused') {
    summary.excused++
    addCounts(summary.excuses, { [report.excuse ?? 'unnamed']: 1 })
  }
  if (report.violation !== null) {
    const { invariant, explanation } = report.violation
    addFailure(summary, { seed: report.seed, invariant, explanation })
  }
}

export function addFailure(summary: Summary, failure: SeedFailure): void {
  summary.violated++
  summary.failures.push(failure)
  summary.failures.sort((left, right) => left.seed - right.seed)
  summary.failures.length = Math.min(summary.failures.length, failuresKept)
}

export function addSummary(total: Summary, part: Summary): void {
  const violated = total.violated + part.violated
  total.seeds += part.seeds
  total.passed += part.passed
  total.excused += part.excused
  total.events += part.events
  total.virtualMs += part.virtualMs
  total.committedOperations += part.committedOperations
  total.cpuSeconds += part.cpuSeconds
  addCounts(total.coverage, part.coverage)
  addCounts(total.excuses, part.excuses)
  for (const failure of part.failures) addFailure(total, failure)
  total.violated = violated
}

/** Below this many seeds, chance decides whether a rare thing was met: minima are not asked for. */
export const seedsForMinima = 200

export interface Missed {
  name: string
  seen: number
  wanted: number
  why: string
}

export function missedMinima(summary: Summary, minima: readonly CoverageMinimum[]): Missed[] {
  if (summary.seeds < seedsForMinima) return []
  return minima.flatMap(({ name, perThousandSeeds, why }) => {
    const wanted = Math.max(1, Math.floor((perThousandSeeds * summary.seeds) / 1000))
    const seen = summary.coverage[name] ?? 0
    return seen < wanted ? [{ name, seen, wanted, why }] : []
  })
}

function addCounts(total: Record<string, number>, part: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(part)) total[name] = (total[name] ?? 0) + value
}
