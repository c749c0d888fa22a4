// What is said of a figure: one list for the screen, the document and comparisons.

import {
  counterpart,
  countNames,
  ratio,
  spread,
  type CountName,
  type Figure,
  type Measured,
  type Spread,
} from './figures.ts'

export interface Column {
  title: string
  /** Longer, for whoever wonders. */
  meaning: string
  /** What matters most at a glance. */
  brief: boolean
  spread: (figure: Figure) => Spread | null
}

const throughput: Column = {
  title: 'ops/s',
  meaning: 'operations that ended well, a second',
  brief: true,
  spread: (figure) => spread(figure, ({ operationsPerSecond }) => operationsPerSecond),
}

const cpu: readonly Column[] = [
  cpuColumn('CPU busiest', 'CPU ms for an operation, of the busiest replica', true, ({ replicaCpuSeconds }) =>
    replicaCpuSeconds.length === 0 ? null : replicaCpuSeconds[0]!,
  ),
  cpuColumn('CPU replicas', 'CPU ms for an operation, of all replicas together', true, ({ replicaCpuSeconds }) =>
    replicaCpuSeconds.reduce((sum, one) => sum + one, 0),
  ),
  cpuColumn('CPU client', 'CPU ms for an operation, of the load generator', false, (one) => one.generatorCpuSeconds),
  cpuColumn('client %', 'what the load generator had of all CPU', false, clientPercent),
]

function clientPercent({ replicaCpuSeconds, generatorCpuSeconds }: Measured): number | null {
  const all = replicaCpuSeconds.reduce((sum, one) => sum + one, generatorCpuSeconds)
  return all === 0 ? null : (100 * generatorCpuSeconds) / all
}

/** A second for 1,000 operations is a millisecond for one. */
function cpuColumn(title: string, meaning: string, brief: boolean, of: (one: Measured) => number | null): Column {
  return { title, meaning, brief, spread: (figure) => spread(figure, of) }
}

const countTitles: Readonly<Record<CountName, string>> = {
  fsyncs: 'fsyncs',
  framesSent: 'frames',
  bytesSent: 'bytes',
  signaturesMade: 'signed',
  signaturesChecked: 'verified',
}

const counts: readonly Column[] = countNames.map((name) => ({
  title: countTitles[name],
  meaning: `${countTitles[name]} for 1,000 operations, of all replicas together`,
  brief: name === 'fsyncs',
  spread: (figure) => spread(figure, (one) => one.counts[name]),
}))

const latency: readonly Column[] = [
  latencyColumn('p50 ms', true, (one) => one.p50Ms),
  latencyColumn('p90 ms', false, (one) => one.p90Ms),
  latencyColumn('p99 ms', true, (one) => one.p99Ms),
  latencyColumn('p99.9 ms', false, (one) => one.p999Ms),
  {
    title: 'loop p99 ms',
    meaning: 'how late timers fired, ninety-ninth percentile, of the replica that was latest',
    brief: false,
    spread: (figure) => spread(figure, (one) => one.eventLoopDelayP99Ms),
  },
]

function latencyColumn(title: string, brief: boolean, of: (one: Measured) => number | null): Column {
  return { title, meaning: 'latency as a client sees it', brief, spread: (figure) => spread(figure, of) }
}

const failed: Column = {
  title: 'failed %',
  meaning: 'operations that failed, of all that ended',
  brief: false,
  spread: (figure) => spread(figure, (one) => 100 * one.failedShare),
}

/** Where processes wait for cores, what they cost says more than how long they took. */
export function columnsFor(figures: readonly Figure[], cores: number): readonly Column[] {
  const ordered = figures.some((figure) => isCrowded(figure, cores))
    ? [...cpu, ...counts, ...latency]
    : [...latency, ...cpu, ...counts]
  return [throughput, ...ordered, failed].filter((column) => figures.some((figure) => column.spread(figure) !== null))
}

/** Replicas and the load generator are more than there are cores: latency is also time spent waiting for one. */
export function isCrowded({ setup }: Figure, cores: number): boolean {
  return setup.replicas + 1 > cores
}

/** How a figure stands to a peer, in operations a second; null where the peer has none to compare with. */
export function peerRatio(figure: Figure, figures: readonly Figure[], peer: string): Spread | null {
  if (figure.setup.system === peer) return null
  const other = counterpart(figure, figures, peer)
  return other === null ? null : ratio(figure, other, ({ operationsPerSecond }) => operationsPerSecond)
}

/** Three digits, or all that stand before the point. */
export function shownNumber(value: number): string {
  if (value === 0) return '0'
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))))
  return value.toLocaleString('en', { maximumFractionDigits: Math.min(6, digits) })
}

/** Lowest and highest only where several runs differ. */
export function shownSpread(one: Spread | null): string {
  if (one === null) return '–'
  const [median, least, most] = [one.median, one.least, one.most].map(shownNumber)
  return least === most ? median! : `${median} (${least} to ${most})`
}
