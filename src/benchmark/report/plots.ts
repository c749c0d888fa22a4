// The pictures of a report.

import { LatencyHistogram } from '../latency-histogram.ts'
import type { Line, Plot } from '../plot/line-plot.ts'
import { spread, type Figure } from './figures.ts'
import type { Section } from './sections.ts'

/** Of one section; those without anything to draw are left out. */
export function plotsOf(section: Section): Plot[] {
  const { name, figures } = section
  const drawn = ((): Plot[] => {
    switch (name) {
      case 'outstanding':
        return [curve(section, 'p50'), curve(section, 'p99'), percentiles(figures), cpuByProcess(figures)]
      case 'failures':
        return failures(figures)
      case 'open-loop':
        return [curve(section, 'p50'), curve(section, 'p99')]
      case 'bytes':
        return [along(section, 'bytes of an operation', 'log')]
      case 'clients':
        return [along(section, 'independent clients', 'linear')]
      case 'replicas':
        return [along(section, 'replicas', 'linear'), cpuAlong(section)]
      default:
        return []
    }
  })()
  return drawn.filter(({ lines }) => lines.some(({ points }) => points.length > 1))
}

/** Throughput and latency of one load after another. */
function curve({ figures }: Section, percentile: 'p50' | 'p99'): Plot {
  const of = (figure: Figure): { x: number; y: number }[] => {
    const x = spread(figure, (one) => one.operationsPerSecond)?.median
    const y = spread(figure, (one) => (percentile === 'p50' ? one.p50Ms : one.p99Ms))?.median
    return x === undefined || y === undefined ? [] : [{ x: Math.round(x), y }]
  }
  return {
    title: `Throughput and latency (${percentile})`,
    xName: 'operations a second',
    yName: `${percentile} ms`,
    lines: lines(figures, of),
    xIsMeasured: true,
    yScale: 'log',
  }
}

/** Of all runs together. An axis of 1 / (1 - share) makes 90, 99 and 99.9 per cent stand equally far apart. */
function percentiles(figures: readonly Figure[]): Plot {
  const shares = [0, 0.5, 0.75, 0.9, 0.95, 0.99, 0.995, 0.999, 0.9995, 0.9999]
  const most = Math.max(0, ...figures.map(({ runs }) => runs.length))
  const outstanding = figures.map(({ point }) => (point.load.loop === 'closed' ? point.load.outstanding : 0))
  // Where most is known: usually the base point.
  const chosen = outstanding.includes(256) ? 256 : Math.max(0, ...outstanding)
  const of = ({ runs }: Figure): { x: number; y: number }[] => {
    const all = new LatencyHistogram()
    for (const { measured } of runs) all.merge(LatencyHistogram.decode(measured.result.latency))
    return shares
      .filter((share) => (1 - share) * all.count >= 5)
      .map((share) => ({ x: Math.round(1 / (1 - share)), y: (all.percentile(share) ?? 0) / 1000 }))
  }
  return {
    title: `Latency at ${chosen} outstanding, by one operation in so many (${most} runs together)`,
    xName: 'one in … takes longer (10: p90, 100: p99, 1,000: p99.9)',
    yName: 'ms',
    lines: lines(
      figures.filter((_, index) => outstanding[index] === chosen),
      of,
    ),
    xScale: 'log',
    yScale: 'log',
  }
}

function cpuByProcess(figures: readonly Figure[]): Plot {
  const chosen = figures.filter(({ point }) => point.load.loop === 'closed' && point.load.outstanding === 256)
  const of = (figure: Figure): { x: number; y: number }[] =>
    Array.from({ length: figure.setup.replicas }, (_, rank) => ({
      x: rank + 1,
      y: (spread(figure, (one) => one.replicaCpuSeconds[rank] ?? null)?.median ?? 0) * 1000,
    }))
  return {
    title: 'CPU of each replica at 256 outstanding, the busiest first',
    xName: 'replica, by how busy it is',
    yName: 'CPU µs for an operation',
    lines: lines(chosen, of),
  }
}

function along({ figures, value }: Section, xName: string, xScale: 'linear' | 'log'): Plot {
  const of = (figure: Figure): { x: number; y: number }[] => {
    const [x, y] = [value(figure), spread(figure, (one) => one.operationsPerSecond)?.median]
    return x === null || y === undefined ? [] : [{ x, y }]
  }
  return { title: `Throughput by ${xName}`, xName, yName: 'operations a second', lines: lines(figures, of), xScale }
}

function cpuAlong({ figures, value }: Section): Plot {
  const of = (figure: Figure): { x: number; y: number }[] => {
    const y = spread(
      figure,
      ({ replicaCpuSeconds: all }) => all.reduce((sum, one) => sum + one, 0) / all.length,
    )?.median
    const x = value(figure)
    return x === null || y === undefined ? [] : [{ x, y: y * 1000 }]
  }
  return { title: 'CPU of a replica', xName: 'replicas', yName: 'CPU µs for an operation', lines: lines(figures, of) }
}

const stepSeconds = 0.1
const stepsTogether = 5

/** One picture for each failure: operations that ended, half a second at a time. */
function failures(figures: readonly Figure[]): Plot[] {
  const kinds = [...new Set(figures.flatMap(({ point }) => point.failure ?? []))]
  return kinds.map((failure) => {
    const chosen = figures.filter(({ point }) => point.failure === failure)
    const seconds = chosen[0]?.runs[0]?.measured.result.seconds ?? 0
    return {
      title: `Throughput: ${failure} after ${(seconds / 3).toFixed(0)} s`,
      xName: 'seconds',
      yName: 'operations a second',
      lines: lines(chosen, overTime),
      xIsMeasured: true,
    }
  })
}

function overTime({ runs }: Figure): { x: number; y: number }[] {
  const timeline = runs[0]?.measured.result.timeline ?? []
  const halfSeconds = Math.floor(timeline.length / stepsTogether)
  return Array.from({ length: halfSeconds }, (_, index) => {
    const steps = timeline.slice(index * stepsTogether, (index + 1) * stepsTogether)
    const ended = steps.reduce((sum, one) => sum + one, 0)
    return { x: (index + 1) * stepsTogether * stepSeconds, y: ended / (stepsTogether * stepSeconds) }
  })
}

/** One for each system, in the order of its figures. */
function lines(figures: readonly Figure[], of: (figure: Figure) => { x: number; y: number }[]): Line[] {
  const systems = [...new Set(figures.map(({ setup }) => setup.system))]
  return systems
    .map((name) => ({ name, points: figures.filter(({ setup }) => setup.system === name).flatMap(of) }))
    .filter(({ points }) => points.length > 0)
}
