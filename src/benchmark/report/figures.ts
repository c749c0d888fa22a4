// From raw results to figures: what of several runs belongs together, its median and range, and how it stands to another system's.

import { LatencyHistogram } from '../latency-histogram.ts'
import { pointKey, type PlannedPoint, type PlannedSetup } from '../plan/plan.ts'
import type { PointResult } from '../round.ts'
import type { Counters } from '../system.ts'
import type { Report, RoundReport } from './report.ts'

export interface Spread {
  median: number
  least: number
  most: number
}

/** One point of one system, of all its runs. */
export interface Figure {
  key: string
  setup: PlannedSetup
  point: PlannedPoint
  /** By run, in their order. */
  runs: { run: number; measured: Measured }[]
}

/** One point of one run. */
export interface Measured {
  operationsPerSecond: number
  failedShare: number
  /** Null where nothing came to its end. */
  p50Ms: number | null
  p90Ms: number | null
  p99Ms: number | null
  p999Ms: number | null
  /** CPU seconds for 1,000 operations: of each replica, the busiest first, and of the load generator. */
  replicaCpuSeconds: number[]
  generatorCpuSeconds: number
  /** For 1,000 operations, of all replicas together; null where one does not tell. */
  counts: Record<CountName, number | null>
  messages: Readonly<Record<string, number>> | null
  /** Of the replica that was latest. */
  eventLoopDelayP99Ms: number | null
  result: PointResult
}

export const countNames = ['fsyncs', 'framesSent', 'bytesSent', 'signaturesMade', 'signaturesChecked'] as const
export type CountName = (typeof countNames)[number]

/** In the order of the plan. Profiled rounds say where CPU goes, and not how fast it is. */
export function figuresOf({ rounds }: Pick<Report, 'rounds'>): Figure[] {
  const byKey = new Map<string, Figure>()
  for (const round of rounds) {
    if (!round.plan.profile) for (const [index, result] of round.results.entries()) add(byKey, round, index, result)
  }
  return [...byKey.values()]
}

function add(byKey: Map<string, Figure>, { plan }: RoundReport, index: number, result: PointResult): void {
  const { run, system, replicas, fsync, roundTripMs } = plan
  const setup = { system, replicas, fsync, roundTripMs }
  const point = plan.points[index]!
  const key = pointKey(setup, point)
  const figure = byKey.get(key) ?? { key, setup, point, runs: [] }
  // A start may measure one point twice, such as what it is warm with.
  if (figure.runs.at(-1)?.run !== run) figure.runs.push({ run, measured: measuredOf(result) })
  byKey.set(key, figure)
}

function measuredOf(result: PointResult): Measured {
  const { operations, failed, seconds, latency, cpuSeconds, counters } = result
  const histogram = LatencyHistogram.decode(latency)
  const at = (share: number): number | null => {
    const microseconds = histogram.percentile(share)
    return microseconds === null ? null : microseconds / 1000
  }
  const perThousand = (value: number): number => (operations === 0 ? 0 : (value * 1000) / operations)
  const delays = counters.flatMap((one) => one?.eventLoopDelayP99Ms ?? [])
  return {
    operationsPerSecond: operations / seconds,
    failedShare: failed / Math.max(1, operations + failed),
    p50Ms: at(0.5),
    p90Ms: at(0.9),
    p99Ms: at(0.99),
    p999Ms: at(0.999),
    replicaCpuSeconds: cpuSeconds.processes.map(perThousand).sort((one, other) => other - one),
    generatorCpuSeconds: perThousand(cpuSeconds.generator),
    counts: Object.fromEntries(
      countNames.map((name) => {
        const total = totalOf(counters, name)
        return [name, total === null ? null : perThousand(total)]
      }),
    ) as Measured['counts'],
    messages: messagesOf(counters, perThousand),
    eventLoopDelayP99Ms: delays.length === 0 ? null : Math.max(...delays),
    result,
  }
}

function totalOf(counters: readonly (Counters | null)[], name: CountName): number | null {
  let total = 0
  for (const one of counters) {
    const count = one?.[name] ?? null
    if (count === null) return null
    total += count
  }
  return counters.length === 0 ? null : total
}

function messagesOf(counters: readonly (Counters | null)[], perThousand: (value: number) => number) {
  const totals = new Map<string, number>()
  for (const one of counters) {
    const sent = one?.messagesSent ?? null
    if (sent === null) return null
    for (const [name, count] of Object.entries(sent)) totals.set(name, (totals.get(name) ?? 0) + count)
  }
  return Object.fromEntries([...totals].map(([name, count]) => [name, perThousand(count)]))
}

/** Of what each run came to; null where no run has it. */
export function spread({ runs }: Figure, of: (measured: Measured) => number | null): Spread | null {
  return spreadOf(runs.flatMap(({ measured }) => of(measured) ?? []))
}

export function spreadOf(values: readonly number[]): Spread | null {
  if (values.length === 0) return null
  const sorted = values.toSorted((one, other) => one - other)
  const [low, high] = [sorted[(sorted.length - 1) >> 1]!, sorted[sorted.length >> 1]!]
  return { median: (low + high) / 2, least: sorted[0]!, most: sorted.at(-1)! }
}

/** How often as much, run by run: what the machine did in that run fell on both. */
export function ratio(figure: Figure, other: Figure, of: (measured: Measured) => number | null): Spread | null {
  const ratios = figure.runs.flatMap(({ run, measured }) => {
    const beside = other.runs.find((one) => one.run === run)
    const [mine, theirs] = [of(measured), beside === undefined ? null : of(beside.measured)]
    return mine === null || theirs === null || theirs === 0 ? [] : [mine / theirs]
  })
  return spreadOf(ratios)
}

/** The same point and setup of another system: of as many replicas, or else of those that it was measured with. */
export function counterpart({ setup, point }: Figure, figures: readonly Figure[], system: string): Figure | null {
  const of = (replicas: number): string => pointKey({ ...setup, system, replicas }, point)
  const alike = figures.filter((one) => one.setup.system === system && one.key === of(one.setup.replicas))
  return alike.find((one) => one.setup.replicas === setup.replicas) ?? alike[0] ?? null
}
