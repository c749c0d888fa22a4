// Two reports of one plan side by side: of each point what it was, what it is, and how much that is of it.

import type { Report } from './report.ts'
import { figuresOf, spread, spreadOf, type Figure, type Spread } from './figures.ts'
import { sentenceOf } from './sections.ts'
import { shownNumber, shownSpread } from './columns.ts'

export interface Comparison {
  figure: Figure
  throughput: Pair
  p50Ms: Pair | null
  /** Of all replicas together. */
  cpu: Pair
}

export interface Pair {
  before: Spread
  now: Spread
  /** Of the medians. */
  ratio: number
}

/** Points that both have. */
export function compare(before: Pick<Report, 'rounds'>, now: Pick<Report, 'rounds'>): Comparison[] {
  const earlier = new Map(figuresOf(before).map((figure) => [figure.key, figure]))
  return figuresOf(now).flatMap((figure) => {
    const old = earlier.get(figure.key)
    if (old === undefined) return []
    const pair = (of: Parameters<typeof spread>[1]): Pair | null => pairOf(spread(old, of), spread(figure, of))
    const throughput = pair((one) => one.operationsPerSecond)
    const cpu = pair((one) => one.replicaCpuSeconds.reduce((sum, seconds) => sum + seconds, 0))
    if (throughput === null || cpu === null) return []
    return [{ figure, throughput, p50Ms: pair((one) => one.p50Ms), cpu }]
  })
}

function pairOf(before: Spread | null, now: Spread | null): Pair | null {
  if (before === null || now === null) return null
  return { before, now, ratio: before.median === 0 ? 0 : now.median / before.median }
}

export const comparisonTitles = [
  'system',
  'what',
  'ops/s then',
  'now',
  '×',
  'p50 ms then',
  'now',
  '×',
  'CPU ms then',
  'now',
  '×',
]

/** A row of words for each point, the machine's own change first. */
export function comparisonRows(before: Report, now: Report): string[][] {
  const machine = pairOf(verifies(before), verifies(now))
  const first = ['machine', 'verifies in a CPU second', ...cellsOf(machine), ...cellsOf(null), ...cellsOf(null)]
  return [first, ...compare(before, now).map(rowOf)]
}

function rowOf({ figure: { setup, point }, throughput, p50Ms, cpu }: Comparison): string[] {
  const what = [
    `${setup.replicas} replicas`,
    ...(setup.fsync ? [] : ['no disk']),
    ...(setup.roundTripMs === 0 ? [] : [`${setup.roundTripMs} ms`]),
    sentenceOf(point),
    ...(point.failure === undefined ? [] : [point.failure]),
  ].join(', ')
  return [setup.system, what, ...cellsOf(throughput), ...cellsOf(p50Ms), ...cellsOf(cpu)]
}

function cellsOf(pair: Pair | null): string[] {
  return pair === null ? ['–', '–', '–'] : [shownSpread(pair.before), shownSpread(pair.now), shownNumber(pair.ratio)]
}

function verifies({ yardsticks }: Report): Spread | null {
  return spreadOf(yardsticks.map((one) => one.verifies))
}
