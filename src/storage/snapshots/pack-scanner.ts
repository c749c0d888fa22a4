/**
 * Finds the chunks of a pack again. Only the records' headers are read; bodies are checked when they are asked for.
 *
 * What had been synced is believed and nothing else: a record says up to where its pack was on disk when it was written, so a sound
 * record proves everything below that; a manifest proves the same of every pack that there was. Behind a bad header the next sound one is looked for, byte by byte.
 */

import { readBytesMax, type Crc32, type Directory } from '../log/file-port.ts'
import {
  decodePackHead,
  magicFirstByte,
  packFile,
  packHeadBytes,
  packRecordBytes,
  readPackRecord,
  snapshotFormatVersion,
  type PackEnd,
  type PackRecord,
} from './format.ts'
import { readRange } from '../log/read-range.ts'

export interface FoundChunk {
  digest: Uint8Array
  offset: number
  size: number
}

/** Enough for many small chunks, and little beside a large one, which is passed over. */
const windowBytes = 4096
/** Reads of one step. */
const readsPerStep = 64
/** Of one pack, before the rest of it is given up. */
const failedReadsMax = 64

/**
 * `found` gets every chunk that was surely on disk, given that everything below `end` was. Returns up to where that is so, and null if
 * the pack is of another format version.
 */
export function* scanPack(
  directory: Directory,
  crc32: Crc32,
  { pack, end }: PackEnd,
  found: (chunk: FoundChunk) => void,
): Generator<undefined, number | null> {
  const name = packFile(pack)
  const first = directory.read(name, 0, packHeadBytes)
  const head = first.ok ? decodePackHead(first.bytes, crc32) : null
  if (head !== null && head.version !== snapshotFormatVersion) return null
  const proof = new SyncProof(found, end)
  let window: Uint8Array = new Uint8Array(0)
  let windowAt = 0
  let isLost = false
  let reads = 0
  let failed = 0
  /** The newest record, until it is known that its body is there. */
  let last: { record: PackRecord; offset: number } | null = null
  for (let offset = packHeadBytes; ;) {
    if (offset + packRecordBytes > windowAt + window.length) {
      if (++reads % readsPerStep === 0 || isLost) yield
      const read = directory.read(name, offset, isLost ? readBytesMax : windowBytes)
      if (!read.ok) {
        if (++failed > failedReadsMax) return proof.synced
        isLost = true
        offset += windowBytes
        continue
      }
      const isThere = read.bytes.length > 0 || readRange(directory, name, offset - 1, 1) !== null
      if (last !== null && isThere) proof.add(last.record, last.offset)
      last = null
      if (read.bytes.length < packRecordBytes) return proof.synced
      window = read.bytes
      windowAt = offset
    }
    const record = readPackRecord(window, offset - windowAt, { pack, offset }, crc32)
    isLost = record === null
    if (last !== null) proof.add(last.record, last.offset)
    last = record === null ? null : { record, offset }
    if (record === null) {
      const next = window.indexOf(magicFirstByte, offset + 1 - windowAt)
      offset = windowAt + (next < 0 ? window.length : next)
    } else {
      offset += packRecordBytes + record.bodyBytes
    }
  }
}

/** Keeps chunks back until something behind them shows that they had been synced. */
class SyncProof {
  readonly #found: (chunk: FoundChunk) => void
  /** What was written between two syncs. */
  #unproven: FoundChunk[] = []
  synced: number

  constructor(found: (chunk: FoundChunk) => void, synced: number) {
    this.#found = found
    this.synced = synced
  }

  add(record: PackRecord, offset: number): void {
    if (record.kind === 'chunk') {
      this.#unproven.push({ digest: record.digest.slice(), offset, size: record.bodyBytes })
    }
    if (record.synced > this.synced) this.synced = record.synced
    else if (!this.#isProven(this.#unproven[0])) return
    const rest = this.#unproven.filter((chunk) => !this.#isProven(chunk))
    for (const chunk of this.#unproven) if (this.#isProven(chunk)) this.#found(chunk)
    this.#unproven = rest
  }

  #isProven(chunk: FoundChunk | undefined): boolean {
    return chunk !== undefined && chunk.offset + packRecordBytes + chunk.size <= this.synced
  }
}
