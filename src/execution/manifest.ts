// A state's chunks as the lines of a manifest, and back.

import type { ManifestEntry } from '../kernel/manifest.ts'
import type { RestoredPartChunk } from './state-parts.ts'
import type { DigestedChunk } from './root-in-progress.ts'
import { chunkIdBytes } from './state-chunks.ts'
import { stateParts } from './state-parts.ts'
import { latin1 } from '../wire/latin1.ts'

export function manifestEntryOf({ part, id, digest, size }: DigestedChunk): ManifestEntry {
  return { part: stateParts.indexOf(part), id: chunkIdBytes(id), digest, size }
}

/** Null: no part of the state has this number. */
export function restoredChunkOf(entry: ManifestEntry, bytes: Uint8Array): RestoredPartChunk | null {
  const part = stateParts[entry.part]
  return part === undefined ? null : { part, id: latin1(entry.id), bytes }
}
