// What a benchmark came to, as it is kept: raw, so that others can work out what we did not. docs/benchmark.md explains each field.

import type { PlannedRound } from '../plan/plan.ts'
import type { PointResult } from '../round.ts'
import type { Yardstick } from '../yardstick.ts'
import type { CpuBreakdown } from './cpu-breakdown.ts'
import type { Machine } from './machine.ts'

export const reportVersion = 1

export interface Report {
  version: typeof reportVersion
  quorate: { version: string; commit: string | null }
  /** As ISO 8601 writes it. */
  startedAt: string
  seconds: number
  /** `late`: time was up before all rounds had begun. `failed`: something that was no round's doing has ended it. */
  state: 'complete' | 'interrupted' | 'late' | 'failed'
  /** What that was. */
  failure?: string
  machine: Machine
  /** One before each run, in their order, and one after the last. */
  yardsticks: Yardstick[]
  /** What ran, as each says of itself. */
  systems: { name: string; version: string }[]
  /** All that were planned, in their order, whether they were run or not. */
  rounds: RoundReport[]
}

export interface RoundReport {
  plan: PlannedRound
  /** Names, in the order in which results count them. */
  processes: string[]
  /** Of the plan's points, from the first: as far as it came. */
  results: PointResult[]
  /** What the system says of itself, if it was asked to check that. */
  check?: string
  /** Why it did not come to its end; null if it did. */
  failure: string | null
  /** Where a profiled round spent its CPU. */
  profiles: ProcessProfile[]
}

export interface ProcessProfile {
  /** A replica's name, or `load generator`. */
  process: string
  shares: CpuBreakdown
  /** A file beside the report. */
  flameGraph: string
}

export const notRun = 'not run'

export function emptyRound(plan: PlannedRound): RoundReport {
  return { plan, processes: [], results: [], failure: notRun, profiles: [] }
}
