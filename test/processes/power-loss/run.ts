// As many kills as wanted, in batches: each has a network of its own, so that no log and no history grows without end, and an
// interrupted run goes on with the next.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runBatch } from './batch.ts'
import { bundleReplica } from './bundle.ts'
import type { PowerLossShape } from './network.ts'
import { addReport, emptyReport, type KillReport, type PowerLossReport } from './report.ts'

export interface PowerLossOptions {
  shape: PowerLossShape
  kills: number
  seed: string
  /** Batches that have been run already, by number. */
  done?: ReadonlyMap<number, PowerLossReport>
  onKill?: (kill: KillReport & { batch: number }) => void
  onBatch?: (batch: number, report: PowerLossReport) => void
  signal?: AbortSignal
}

export const killsPerBatch = 25

/** Stops at the first problem. */
export async function runPowerLoss(options: PowerLossOptions): Promise<PowerLossReport> {
  const folder = mkdtempSync(join(tmpdir(), 'quorate-power-program-'))
  try {
    return await runBatches(options, await bundleReplica(folder))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function runBatches(options: PowerLossOptions, program: string): Promise<PowerLossReport> {
  const { shape, kills, seed, done, onKill, onBatch, signal } = options
  const total = emptyReport()
  for (let batch = 1; (batch - 1) * killsPerBatch < kills && total.problem === null; batch++) {
    const known = done?.get(batch)
    const report =
      known ??
      (await runBatch({
        program,
        shape,
        kills: Math.min(killsPerBatch, kills - (batch - 1) * killsPerBatch),
        seed: `${seed}/${batch}`,
        onKill: (kill) => onKill?.({ batch, ...kill, kill: kill.kill + (batch - 1) * killsPerBatch }),
        ...(signal === undefined ? {} : { signal }),
      }))
    addReport(total, report)
    signal?.throwIfAborted()
    if (known === undefined) onBatch?.(batch, report)
  }
  return total
}
