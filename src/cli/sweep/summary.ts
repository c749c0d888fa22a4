// What many seeds came to: sums that can be added up in any grouping.

import { weighedExcuses } from '../../simulator/excuses.ts'
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

/** Below this many seeds, chance decides whether a rare thing was met: minima are not asked for, and excuses not weighed. */
export const seedsForMinima = 200

export interface Missed {
  name: string
  seen: number
  wanted: number
  why: string
}

export function missedMinima(summary: Summary, minima: readonly CoverageMinimum[]): Missed[] {
  if (summary.seeds < seedsForMinima) return []
  return minima.flatMap((minimum) => {
    const { name, why } = minimum
    const wanted = wantedOf(minimum, summary.seeds)
    const seen = summary.coverage[name] ?? 0
    return seen < wanted ? [{ name, seen, wanted, why }] : []
  })
}

/** How often so many seeds must have seen it. */
export function wantedOf({ perThousandSeeds }: CoverageMinimum, seeds: number): number {
  return Math.max(1, Math.floor((perThousandSeeds * seeds) / 1000))
}

/** A sweep that excuses this share of its seeds, or more, has not checked enough. */
export const excusedPercentMax = 2

export function excusedTooOften({ excuses, seeds }: Summary): boolean {
  const excused = weighedExcuses.reduce((sum, name) => sum + (excuses[name] ?? 0), 0)
  return seeds >= seedsForMinima && excused * 100 >= excusedPercentMax * seeds
}

/** Whether a value from a file is a summary that can be added. */
export function isSummary(value: unknown): value is Summary {
  if (!isRecord(value)) return false
  const { excuses, coverage, failures, ...sums } = value
  return (
    isCounts(excuses) &&
    isCounts(coverage) &&
    Array.isArray(failures) &&
    failures.every(isFailure) &&
    sumNames.every((name) => isSum(sums[name]))
  )
}

const sumNames = Object.entries(emptySummary()).flatMap(([name, value]) => (typeof value === 'number' ? [name] : []))

function isFailure(value: unknown): boolean {
  return (
    isRecord(value) &&
    isSum(value['seed']) &&
    typeof value['invariant'] === 'string' &&
    typeof value['explanation'] === 'string'
  )
}

function isCounts(value: unknown): boolean {
  return isRecord(value) && Object.values(value).every(isSum)
}

function isSum(value: unknown): boolean {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function addCounts(total: Record<string, number>, part: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(part)) total[name] = (total[name] ?? 0) + value
}
