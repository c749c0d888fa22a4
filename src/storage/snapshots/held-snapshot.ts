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
  checkpoint: Checkpoint | null
  /** False when a chunk of it was found damaged. */
  isWhole: boolean
  /** False when its manifest was found, and may be lost still: a killed process's unsynced writes can be read. */
  isDurable: boolean
}

/** From now on its chunks are kept. Not whole until it is checked. */
export function* holdInSteps(
  index: ChunkIndex,
  header: ExecutedHeader,
  entries: PackedManifest,
): Generator<undefined, HeldSnapshot> {
  const records = new Int32Array(entries.length)
  for (let at = 0; at < entries.length; at++) {
    const record = index.findOrInsert(entries.bytes, entries.digestAt(at))
    index.refer(record)
    records[at] = record
    if (at % entriesPerStep === entriesPerStep - 1) yield
  }
  return { header, entries, records, checkpoint: null, isWhole: false, isDurable: false }
}

export function hold(index: ChunkIndex, header: ExecutedHeader, entries: PackedManifest): HeldSnapshot {
  const holding = holdInSteps(index, header, entries)
  for (;;) {
    const step = holding.next()
    if (step.done === true) return step.value
  }
}

/** The snapshot is not to be used afterwards. */
export function release(index: ChunkIndex, snapshot: HeldSnapshot): void {
  for (const record of snapshot.records) index.release(record)
}

export function allWritten(index: ChunkIndex, { records }: HeldSnapshot): boolean {
  return records.every((record) => index.state(record) === chunkState.written)
}

export function sameHeader(left: ExecutedHeader, right: ExecutedHeader): boolean {
  return equalBytes(encode(executedHeaderCodec, left), encode(executedHeaderCodec, right))
}
