/**
 * Where each chunk lies, by its digest. Flat arrays, because there may be a million: about sixty bytes a chunk. A record keeps its number
 * as long as something refers to it, so that a snapshot names its chunks by four bytes each.
 */

import { digestBytes } from '../../kernel/crypto-ports.ts'

/** Absent: named by a snapshot, and not here. Pending: on its way to the disk. Written: may be read. */
export const chunkState = { absent: 0, pending: 1, written: 2 } as const

const recordsAtFirst = 1024

export class ChunkIndex {
  #digests = new Uint8Array(recordsAtFirst * digestBytes)
  #states = new Uint8Array(recordsAtFirst)
  #references = new Uint16Array(recordsAtFirst)
  #packs = new Uint32Array(recordsAtFirst)
  #offsets = new Uint32Array(recordsAtFirst)
  #sizes = new Uint32Array(recordsAtFirst)
  /** Number of a record plus one, or 0; a record lies behind the slot that its digest says, with no empty slot between. */
  #slots = new Int32Array(recordsAtFirst * 2)
  /** Numbers given so far; those that came back are in `#free`. */
  #given = 0
  readonly #free: number[] = []

  /** Records that there are. */
  get size(): number {
    return this.#given - this.#free.length
  }

  /** The digest stands in `bytes` at `at`. -1 if there is no such record. */
  find(bytes: Uint8Array, at: number = 0): number {
    const mask = this.#slots.length - 1
    for (let slot = hashOf(bytes, at) & mask; ; slot = (slot + 1) & mask) {
      const record = this.#slots[slot]! - 1
      if (record < 0 || this.hasDigest(record, bytes, at)) return record
    }
  }

  findOrInsert(bytes: Uint8Array, at: number = 0): number {
    const found = this.find(bytes, at)
    if (found >= 0) return found
    if (this.size * 2 >= this.#slots.length) this.#grow()
    const record = this.#free.pop() ?? this.#given++
    this.#digests.set(bytes.subarray(at, at + digestBytes), record * digestBytes)
    this.#states[record] = chunkState.absent
    this.#references[record] = 0
    this.#link(record)
    return record
  }

  remove(record: number): void {
    const slots = this.#slots
    const mask = slots.length - 1
    let hole = this.#home(record)
    while (slots[hole] !== record + 1) hole = (hole + 1) & mask
    for (let next = (hole + 1) & mask; slots[next] !== 0; next = (next + 1) & mask) {
      const home = this.#home(slots[next]! - 1)
      if (((next - home) & mask) < ((next - hole) & mask)) continue
      slots[hole] = slots[next]!
      hole = next
    }
    slots[hole] = 0
    this.#free.push(record)
    this.#states[record] = chunkState.absent
    this.#references[record] = 0
    this.#packs[record] = 0
  }

  hasDigest(record: number, bytes: Uint8Array, at: number = 0): boolean {
    const digests = this.#digests
    const first = record * digestBytes
    for (let index = 0; index < digestBytes; index++) {
      if (digests[first + index] !== bytes[at + index]) return false
    }
    return true
  }

  /** A copy. */
  digest(record: number): Uint8Array {
    return this.#digests.slice(record * digestBytes, (record + 1) * digestBytes)
  }

  state(record: number): number {
    return this.#states[record]!
  }

  references(record: number): number {
    return this.#references[record]!
  }

  pack(record: number): number {
    return this.#packs[record]!
  }

  offset(record: number): number {
    return this.#offsets[record]!
  }

  sizeOf(record: number): number {
    return this.#sizes[record]!
  }

  refer(record: number): void {
    this.#references[record]!++
  }

  /** A record that nothing refers to and that lies nowhere is gone. */
  release(record: number): void {
    this.#references[record]!--
    this.#removeIfVoid(record)
  }

  setPending(record: number): void {
    this.#states[record] = chunkState.pending
  }

  setAbsent(record: number): void {
    this.#states[record] = chunkState.absent
    this.#packs[record] = 0
    this.#removeIfVoid(record)
  }

  setWritten(record: number, pack: number, offset: number, size: number): void {
    this.#states[record] = chunkState.written
    this.#packs[record] = pack
    this.#offsets[record] = offset
    this.#sizes[record] = size
  }

  /** Numbers of all records that are written. */
  *written(): Generator<number> {
    for (let record = 0; record < this.#given; record++) {
      if (this.#states[record] === chunkState.written) yield record
    }
  }

  #removeIfVoid(record: number): void {
    if (this.#references[record] === 0 && this.#states[record] === chunkState.absent) this.remove(record)
  }

  #home(record: number): number {
    return hashOf(this.#digests, record * digestBytes) & (this.#slots.length - 1)
  }

  #link(record: number): void {
    const mask = this.#slots.length - 1
    let slot = this.#home(record)
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask
    this.#slots[slot] = record + 1
  }

  #grow(): void {
    const records = this.#slots.length
    const before = this.#slots
    const grown = <Numbers extends Uint8Array | Uint16Array | Uint32Array>(
      numbers: Numbers,
      into: Numbers,
    ): Numbers => {
      into.set(numbers)
      return into
    }
    this.#digests = grown(this.#digests, new Uint8Array(records * digestBytes))
    this.#states = grown(this.#states, new Uint8Array(records))
    this.#references = grown(this.#references, new Uint16Array(records))
    this.#packs = grown(this.#packs, new Uint32Array(records))
    this.#offsets = grown(this.#offsets, new Uint32Array(records))
    this.#sizes = grown(this.#sizes, new Uint32Array(records))
    this.#slots = new Int32Array(records * 2)
    for (const slot of before) {
      if (slot !== 0) this.#link(slot - 1)
    }
  }
}

function hashOf(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
}
