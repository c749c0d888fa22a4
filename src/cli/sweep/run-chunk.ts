// Runs some seeds one after the other; a share of them twice, because a history that differs from itself makes every verdict void.

import type { FaultFamily, SeedReport, SimulationOptions } from '../../simulator/report.ts'
import type { ProtocolName } from '../../kernel/ids.ts'
import type { HotstuffRule } from '../../kernel/parameters.ts'
import type { Chunk } from './chunks.ts'
import { addFailure, addReport, emptySummary, type Summary } from './summary.ts'

export interface SweepOptions {
  protocol: ProtocolName
  replicas: number
  faults: FaultFamily
  /** Absent: drawn for each seed. */
  adversaries?: number
  behaviour?: string
  /** hotstuff. Absent: the default of a network file. */
  rule?: HotstuffRule
  /** One seed in so many is run twice. */
  twiceEvery?: number
}

export type RunSeed = (options: SimulationOptions) => SeedReport

export const twiceEveryDefault = 50

/** `onSeed` hears of each seed before it runs: should the process die of it, someone knows which one it was. */
export function runChunk(
  runSeed: RunSeed,
  options: SweepOptions,
  chunk: Chunk,
  onSeed: (seed: number) => void = () => {},
): Summary {
  const summary = emptySummary()
  const started = process.cpuUsage()
  for (let seed = chunk.from; seed <= chunk.to; seed++) {
    onSeed(seed)
    try {
      addReport(summary, reportOf(runSeed, options, seed))
    } catch (error) {
      summary.seeds++
      addFailure(summary, { seed, invariant: 'simulator-crashed', explanation: `the simulator threw ${String(error)}` })
    }
  }
  const used = process.cpuUsage(started)
  summary.cpuSeconds = (used.user + used.system) / 1e6
  return summary
}

function reportOf(
  runSeed: RunSeed,
  { twiceEvery = twiceEveryDefault, ...options }: SweepOptions,
  seed: number,
): SeedReport {
  const report = runSeed({ ...options, seed })
  if (seed % twiceEvery !== 0) return report
  const again = runSeed({ ...options, seed })
  if (again.traceHash === report.traceHash) return report
  // Whatever the two runs said is void: the difference is the finding.
  const explanation = `two runs of one seed came to the histories ${report.traceHash} and ${again.traceHash}`
  return {
    ...report,
    verdict: 'violated',
    excuse: null,
    violation: { invariant: 'determinism', explanation, timeUs: 0 },
  }
}
