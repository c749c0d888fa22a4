// Growth with the number of replicas, on a logarithmic axis: a line for each protocol.

import type { Plot } from '../plot/line-plot.ts'
import type { ComplexityReport, Row } from './report.ts'

export function plotsOf({ rows, load }: ComplexityReport): Plot[] {
  const names = [...new Set(rows.map(({ name }) => name))]
  const full = `blocks of ${load.operationsPerBlock} operations of ${load.operationBytes} bytes`
  const plot = (title: string, yName: string, of: (row: Row) => number | null): Plot => ({
    title,
    xName: 'replicas',
    yName,
    yScale: 'log',
    // On this axis there is no 0: raft signs nothing. A line without points keeps its colour for it.
    lines: names.map((name) => ({ name, points: pointsOf(rows, name, of) })),
  })
  return [
    plot('Messages between replicas for a block', 'messages', ({ simulated }) => simulated.block.messages),
    plot(
      `Bytes between replicas for an operation, ${full}`,
      'bytes',
      ({ simulated }) => simulated.block.bytes / load.operationsPerBlock,
    ),
    plot(
      'Signatures checked for a block, by all replicas',
      'signatures',
      ({ simulated }) => simulated.block.signaturesChecked,
    ),
    plot('Messages of a view change', 'messages', ({ simulated }) => simulated.change?.messages ?? null),
    plot('Bytes of a view change, one block under way', 'bytes', ({ simulated }) => simulated.change?.bytes ?? null),
  ]
}

function pointsOf(rows: readonly Row[], name: string, of: (row: Row) => number | null): { x: number; y: number }[] {
  return rows.flatMap((row) => {
    const y = row.name === name ? of(row) : null
    return y === null || y <= 0 ? [] : [{ x: row.replicas, y }]
  })
}
