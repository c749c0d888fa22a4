// A snapshot in memory: its entries, packed, and the number of each chunk's record in the index, which it holds there.

import type { Checkpoint } from '../../kernel/checkpoint.ts'
import { executedHeaderCodec, type ExecutedHeader } from '../../kernel/executed-header.ts'
import type { PackedManifest } from '../../kernel/packed-manifest.ts'
import { encode } from '../../wire/codec.ts'
import { chunkState, type ChunkIndex } from './chunk-index.ts'
import { entriesPerStep } from './limits.ts'
import { equalBytes } from '../../wire/equal-bytes.ts'

export interface HeldSnapshot {
  header: ExecutedHeader
  entries: PackedManifest
  records: Int32Array
  /** So many of them are known and held, which all are but at the beginning. */
  recordsHeld: number
  checkpoint: Checkpoint | null
  /** False when a chunk of it was found damaged. */
  isWhole: boolean
  /** False when its manifest was found, and may be lost still: a killed process's unsynced writes can be read. */
  isDurable: boolean
  /** Its place among those that were finished since the start, from 1 on; 0 when it was found. */
  finishedAs: number
}

/** Nothing of it is held yet. Not whole until it is checked. */
export function emptySnapshot(header: ExecutedHeader, entries: PackedManifest): HeldSnapshot {
  const records = new Int32Array(entries.length)
  return { header, entries, records, recordsHeld: 0, checkpoint: null, isWhole: false, isDurable: false, finishedAs: 0 }
}

/** Keeps its chunks from now on: so many more of them. True: there are more. */
export function holdMore(index: ChunkIndex, snapshot: HeldSnapshot): boolean {
  const { entries, records } = snapshot
  const end = Math.min(entries.length, snapshot.recordsHeld + entriesPerStep)
  for (; snapshot.recordsHeld < end; snapshot.recordsHeld++) {
    const record = index.findOrInsert(entries.bytes, entries.digestAt(snapshot.recordsHeld))
    index.refer(record)
    records[snapshot.recordsHeld] = record
  }
  return end < entries.length
}

/** The snapshot is not to be used afterwards. */
export function release(index: ChunkIndex, { records, recordsHeld }: HeldSnapshot): void {
  for (const record of records.subarray(0, recordsHeld)) index.release(record)
}

export function allWritten(index: ChunkIndex, { records }: HeldSnapshot): boolean {
  return records.every((record) => index.state(record) === chunkState.written)
}

export function sameHeader(left: ExecutedHeader, right: ExecutedHeader): boolean {
  return equalBytes(encode(executedHeaderCodec, left), encode(executedHeaderCodec, right))
}
