// A round without anything to measure: a process that says lines of its own.

import type { PointResult, Point, RoundLine } from '../../src/benchmark/round.ts'
import type { RoundCommand } from '../../src/benchmark/run-round.ts'

/** The program sees its round as `round`, and says lines with `say`. */
export function fakeRound(program: string, round: unknown = null): RoundCommand {
  const head = 'const round = JSON.parse(process.argv[1]); const say = (line) => console.log(JSON.stringify(line));'
  return { file: process.execPath, args: ['-e', `${head}${program}`, JSON.stringify(round)] }
}

export const point: Point = {
  kind: 'put',
  load: { loop: 'closed', outstanding: 1 },
  operationBytes: 128,
  clients: 1,
  warmUpSeconds: 1,
  seconds: 2,
}

export function result(changes: Partial<PointResult> = {}): PointResult {
  return {
    point,
    seconds: 2,
    operations: 2000,
    failed: 0,
    // Of a histogram: so many that took a hundred microseconds, and one that took a second and a half.
    latency: {
      significantBits: 8,
      counts: [
        [100, 1999],
        [1975, 1],
      ],
    },
    cpuSeconds: { processes: [0.2, 0.6, 0.4], generator: 0.1 },
    counters: [],
    ...changes,
  }
}

export const started: RoundLine = { kind: 'started', version: 'fake 1', processes: ['replica-1'] }
