/**
 * The memory of the store's entries: slabs, each full of entries. A buffer for each value would cost some 400 bytes beside it, and the
 * collector and the allocator a visit each; a slab is one buffer for 64 KiB of them.
 *
 * WRITING appends to the open slab. What was written is never overwritten: views of the map, results and undo steps may point there.
 * DROPPING. An entry that leaves the map only counts. A slab of which less than two thirds are in the map is sparse: `tidy` appends what
 * is left of it to the open slab, and tells the entries their new place. Nothing points to the old one then but what is in no map any
 * more, and the slab goes when that does. So slabs take at most half as much again as their entries, and each byte that is dropped
 * costs two that are copied, at most.
 * ADOPTING. A chunk of a snapshot consists of entries, and nothing else: its bytes become a slab as they are.
 *
 * Where an entry lies is this replica's own affair: nothing that is agreed on may depend on it.
 */

import type { Entry } from './entries.ts'
import { latin1 } from '../../wire/latin1.ts'
import { createSlab, entryOverheadBytes, PackedEntry, readEntries, writeEntry, type Slab } from './packed-entry.ts'

export const slabBytes: number = 64 * 1024
/** A larger entry has a slab of its own, of its size. So no more than this stays empty at the end of another. */
export const sharedEntryBytesMax: number = 8 * 1024
/** A larger chunk is copied: emptying it later would take one turn too long. */
export const adoptedBytesMax: number = 256 * 1024
/** One `tidy` ends when it has copied so much, counting for each entry that it looked at `lookBytes`. The rest waits for the next. */
const tidyBytesMax: number = 2 * 1024 * 1024
const lookBytes = 256

export class Slabs {
  #open: Slab = createSlab(new Uint8Array(0))
  /** Found sparse; they may have filled again, when what was undone came back. */
  readonly #sparse = new Set<Slab>()
  /** Of all slabs that have an entry of the map. */
  #heldBytes = 0

  get heldBytes(): number {
    return this.#heldBytes
  }

  /** Not in the map yet. */
  pack(key: string, entry: Entry): PackedEntry {
    const size = entryOverheadBytes + key.length + entry.value.length
    const slab = this.#room(size)
    const at = slab.end
    slab.end += size
    writeEntry(slab, at, key, entry)
    return new PackedEntry(slab, at)
  }

  /**
   * Hands on each entry of a chunk, not in the map yet. The chunk is the slabs' from now on. Throws a WireError on what no chunk is.
   */
  adopt(chunk: Uint8Array, found: (key: string, entry: PackedEntry) => void): void {
    // Of a chunk that is a small part of its buffer, or small itself, the slab would cost more than the copy.
    const isKept =
      chunk.length > sharedEntryBytesMax &&
      chunk.length <= adoptedBytesMax &&
      isMost(chunk.length, chunk.buffer.byteLength)
    const slab = createSlab(chunk, chunk.length)
    for (const { at, key } of readEntries(chunk)) {
      const entry = new PackedEntry(slab, at)
      if (!isKept) this.#move(entry)
      found(latin1(key), entry)
    }
  }

  /** The entry is in the map from now on. */
  entered(entry: PackedEntry): void {
    entry.isInMap = true
    this.#count(entry.slab, entry.bytes)
  }

  /** The entry is not in the map any more. */
  left(entry: PackedEntry): void {
    const { slab } = entry
    entry.isInMap = false
    this.#count(slab, -entry.bytes)
    if (slab !== this.#open) this.#judge(slab)
  }

  /** Empties sparse slabs, some of them. To be called between operations. */
  tidy(): void {
    if (this.#sparse.size === 0) return
    let leftBytes = tidyBytesMax
    for (const slab of this.#sparse) {
      if (leftBytes <= 0) return
      this.#sparse.delete(slab)
      if (isSparse(slab)) leftBytes -= this.#empty(slab)
    }
  }

  /** Returns what it cost. */
  #empty(slab: Slab): number {
    let cost = 0
    for (const entry of slab.entries) {
      cost += lookBytes
      if (!entry.isInMap || entry.slab !== slab) continue
      const size = entry.bytes
      this.#count(slab, -size)
      this.#move(entry)
      this.#count(entry.slab, size)
      cost += size
    }
    return cost
  }

  #count(slab: Slab, bytes: number): void {
    if (slab.liveBytes === 0) this.#heldBytes += slab.size
    slab.liveBytes += bytes
    if (slab.liveBytes === 0) this.#heldBytes -= slab.size
  }

  #move(entry: PackedEntry): void {
    const { written } = entry
    const slab = this.#room(written.length)
    slab.bytes.set(written, slab.end)
    slab.entries.push(entry)
    entry.slab = slab
    entry.at = slab.end
    slab.end += written.length
  }

  /** A slab with so much room. */
  #room(size: number): Slab {
    if (size > sharedEntryBytesMax) return createSlab(new Uint8Array(size))
    if (this.#open.end + size > this.#open.bytes.length) {
      const full = this.#open
      this.#open = createSlab(new Uint8Array(slabBytes))
      // What was undone, or is overwritten already, has been passed over while it was open.
      this.#judge(full)
    }
    return this.#open
  }

  #judge(slab: Slab): void {
    if (isSparse(slab)) this.#sparse.add(slab)
  }
}

/** A slab without any entry of the map needs nothing: it is forgotten as it is. */
function isSparse({ liveBytes, size }: Slab): boolean {
  return liveBytes > 0 && !isMost(liveBytes, size)
}

function isMost(part: number, whole: number): boolean {
  return part * 3 >= whole * 2
}
