// An entry of the store as the bytes that it has in its chunk, in a slab with others. What is asked for is read there.

import { WireError } from '../../wire/error.ts'
import { Reader } from '../../wire/reader.ts'
import type { Entry } from './entries.ts'
import { keyBytesMax, valueBytesMax } from './limits.ts'

/** A buffer full of entries, one behind the other from its beginning. What was written into it stays as it is. */
export interface Slab {
  readonly bytes: Uint8Array
  readonly view: DataView
  /** What it keeps in memory. */
  readonly size: number
  /** Where the next entry goes. */
  end: number
  /** Bytes of the entries in it that are in the map. */
  liveBytes: number
  /** In their order; some have left the map, or moved on. To look each key up instead took a quarter of what a put costs. */
  readonly entries: PackedEntry[]
}

/** Two lengths of 4 bytes and four numbers of 8. */
export const entryOverheadBytes = 40
const numbersBytes = 32

export function createSlab(bytes: Uint8Array, end = 0): Slab {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return { bytes, view, size: bytes.buffer.byteLength, end, liveBytes: 0, entries: [] }
}

/**
 * A place and no values: 56 bytes of heap with its mention in the slab, where an object of five fields with a buffer of its own takes some 400. The place changes
 * when the slab is emptied, and with it for every view that has the entry; what stands there is the same.
 */
export class PackedEntry implements Entry {
  slab: Slab
  at: number
  isInMap = false

  constructor(slab: Slab, at: number) {
    this.slab = slab
    this.at = at
    slab.entries.push(this)
  }

  /** A view of the slab: it keeps all of it in memory. */
  get value(): Uint8Array {
    const start = this.at + 8 + keyBytesAt(this.slab, this.at)
    return this.slab.bytes.subarray(start, start + valueBytesAt(this.slab, this.at))
  }

  get createRevision(): number {
    return numberAt(this, 0)
  }

  get modRevision(): number {
    return numberAt(this, 8)
  }

  get version(): number {
    return numberAt(this, 16)
  }

  get lease(): number {
    return numberAt(this, 24)
  }

  /** What it takes, in its chunk as here. */
  get bytes(): number {
    return entryBytesAt(this.slab, this.at)
  }

  /** As it stands in its chunk. */
  get written(): Uint8Array {
    return this.slab.bytes.subarray(this.at, this.at + this.bytes)
  }
}

// No method: each instance would bear the brand of a private one.
function numberAt({ slab, at, bytes }: PackedEntry, offset: number): number {
  const start = at + bytes - numbersBytes + offset
  return slab.view.getUint32(start + 4, true) * 0x1_0000_0000 + slab.view.getUint32(start, true)
}

function keyBytesAt({ view }: Slab, at: number): number {
  return view.getUint32(at, true)
}

function valueBytesAt(slab: Slab, at: number): number {
  return slab.view.getUint32(at + 4 + keyBytesAt(slab, at), true)
}

function entryBytesAt(slab: Slab, at: number): number {
  return entryOverheadBytes + keyBytesAt(slab, at) + valueBytesAt(slab, at)
}

/** Writes an entry where there is room for it. */
export function writeEntry({ bytes, view }: Slab, at: number, key: string, entry: Entry): void {
  view.setUint32(at, key.length, true)
  const keyStart = at + 4
  for (let index = 0; index < key.length; index++) bytes[keyStart + index] = key.charCodeAt(index)
  const valueStart = keyStart + key.length + 4
  view.setUint32(valueStart - 4, entry.value.length, true)
  bytes.set(entry.value, valueStart)
  const numbers = valueStart + entry.value.length
  writeNumber(view, numbers, entry.createRevision)
  writeNumber(view, numbers + 8, entry.modRevision)
  writeNumber(view, numbers + 16, entry.version)
  writeNumber(view, numbers + 24, entry.lease)
}

function writeNumber(view: DataView, at: number, number: number): void {
  if (!Number.isSafeInteger(number) || number < 0) throw new WireError('ERR_WIRE_RANGE', `${number} is no u53`)
  view.setUint32(at, number >>> 0, true)
  view.setUint32(at + 4, Math.floor(number / 0x1_0000_0000), true)
}

/** The entries of a chunk: where each begins, and its key. Throws a WireError where they are none. */
export function* readEntries(bytes: Uint8Array): Generator<{ at: number; key: Uint8Array }> {
  const reader = new Reader(bytes)
  while (reader.remaining > 0) {
    const at = reader.offset
    const key = reader.bytes(keyBytesMax)
    if (key.length === 0) throw new WireError('ERR_WIRE_RANGE', 'a key has at least one byte')
    reader.bytes(valueBytesMax)
    for (let count = 0; count < numbersBytes / 8; count++) reader.u53()
    yield { at, key }
  }
}
