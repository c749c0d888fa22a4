// A report of two contenders in two runs, whose figures a person can work out in the head.

import type { PlannedPoint, PlannedRound } from '../../../src/benchmark/plan/plan.ts'
import type { PointResult } from '../../../src/benchmark/round.ts'
import type { Report, RoundReport } from '../../../src/benchmark/report/report.ts'
import { point, result } from '../fake-round.ts'

export const closed = (outstanding: number, changes: Partial<PlannedPoint> = {}): PlannedPoint => ({
  ...point,
  load: { loop: 'closed', outstanding },
  ...changes,
})

/** One point each, unless others are named; so many operations in two seconds. */
export function measuredRound(
  system: string,
  run: number,
  operations: number,
  changes: Partial<PlannedRound> = {},
  measured: Partial<PointResult> = {},
): RoundReport {
  const replicas = system === 'pbft' ? 4 : 3
  const plan = { run, system, replicas, fsync: true, roundTripMs: 0, profile: false, points: [closed(256)], ...changes }
  const results = plan.points.map((one) => {
    const load = one.load.loop === 'closed' ? one.load : { loop: 'open' as const, perSecond: 100 }
    return result({ point: { ...one, load }, operations, ...measured })
  })
  return { plan, processes: ['replica-1', 'replica-2', 'replica-3'], results, failure: null, profiles: [] }
}

export function smallReport(rounds: RoundReport[], changes: Partial<Report> = {}): Report {
  return {
    version: 1,
    quorate: { version: '0.1.0', commit: null },
    startedAt: '2026-01-02T03:04:05.000Z',
    seconds: 90,
    state: 'complete',
    machine: {
      cpuModel: 'a CPU',
      cores: 2,
      memoryMegabytes: 1000,
      kernel: 'Linux 6',
      node: 'v20',
      platform: 'linux x64',
    },
    yardsticks: [
      { verifies: 10_000, hashMegabytes: 500, syncMs: { median: 0.5, p99: 2 } },
      { verifies: 8000, hashMegabytes: 400, syncMs: { median: 0.7, p99: 3 } },
    ],
    systems: [{ name: 'pbft', version: 'quorate 0.1.0' }],
    rounds,
    ...changes,
  }
}

export const contenders: RoundReport[] = [
  measuredRound('pbft', 1, 6000),
  measuredRound('etcd', 1, 2000),
  measuredRound('pbft', 2, 8000),
  measuredRound('etcd', 2, 4000),
]
