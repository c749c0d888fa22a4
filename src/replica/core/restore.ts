// From a snapshot on this replica's disk into its executor.

import type { Checkpoint } from '../../kernel/checkpoint.ts'
import type { Executor } from '../../execution/executor.ts'
import type { RestoredPartChunk } from '../../execution/state-parts.ts'
import { restoredChunkOf } from '../../execution/manifest.ts'
import type { SnapshotSource, StoredSnapshot } from '../checkpoints/ports.ts'

export type RestoreProblem =
  /** A chunk of it cannot be read back: others have it. */
  | { kind: 'damaged' }
  /** It is whole, and the executor cannot make a state of it. */
  | { kind: 'refused'; reason: string }

/** Null, or why it cannot be taken over; then the executor is as it was. One chunk at a time is in memory. */
export function restoreFrom(
  executor: Executor,
  source: SnapshotSource,
  { checkpoint, entries }: StoredSnapshot,
): RestoreProblem | null {
  let damaged = false
  function* chunks(): Generator<RestoredPartChunk> {
    for (const entry of entries) {
      const bytes = source.read(entry)
      const chunk = bytes === null ? null : restoredChunkOf(entry, bytes)
      if (chunk === null) {
        damaged = true
        return
      }
      yield chunk
    }
  }
  const restored = executor.restore(checkpoint.header, chunks())
  if (restored.ok) return null
  return damaged ? { kind: 'damaged' } : { kind: 'refused', reason: restored.reason }
}

/** The newest snapshot that can be read back whole, in the executor already; null when there is none. */
export function restoreNewest(executor: Executor, source: SnapshotSource): Checkpoint | null {
  // Reading may find damage, and then the list is another one.
  for (const stored of [...source.stable]) if (restoreFrom(executor, source, stored) === null) return stored.checkpoint
  return null
}
