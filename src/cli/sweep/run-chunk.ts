// Runs some seeds one after the other; a share of them twice, because a history that differs from itself makes every verdict void.

import type { FaultFamily, SeedReport, SimulationOptions } from '../../simulator/report.ts'
import type { ProtocolName } from '../../kernel/ids.ts'
import { addFailure, addReport, emptySummary, type Summary } from './summary.ts'

export interface SweepOptions {
  protocol: ProtocolName
  replicas: number
  faults: FaultFamily
}

export interface Chunk {
  from: number
  to: number
}

export type RunSeed = (options: SimulationOptions) => SeedReport

/** One seed in so many is run twice. */
export const determinismShare = 50

export function runChunk(runSeed: RunSeed, options: SweepOptions, chunk: Chunk): Summary {
  const summary = emptySummary()
  const started = process.cpuUsage()
  for (let seed = chunk.from; seed <= chunk.to; seed++) {
    const report = runSeed({ ...options, seed })
    addReport(summary, report)
    if (seed % determinismShare !== 0) continue
    const again = runSeed({ ...options, seed })
    if (again.traceHash === report.traceHash) continue
    const explanation = `two runs of one seed came to the histories ${report.traceHash} and ${again.traceHash}`
    addFailure(summary, { seed, invariant: 'determinism', explanation })
  }
  const used = process.cpuUsage(started)
  summary.cpuSeconds = (used.user + used.system) / 1e6
  return summary
}
