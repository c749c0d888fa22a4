// One file of a simulated disk: what is surely there, and what was written since and may be lost.

import type { Random } from '../../kernel/random.ts'

export const sectorBytes = 512

interface Change {
  /** For a truncation the new length; for a write the place of its bytes. */
  offset: number
  bytes: Uint8Array | null
}

export class SimulatedFile {
  #durable: Contents = new Contents()
  #current: Contents = new Contents()
  #unsynced: Change[] = []
  /** Changes that are durable or gone. */
  #synced = 0

  get size(): number {
    return this.#current.length
  }

  /** Changes made so far: what a sync that is asked for now covers. */
  get changes(): number {
    return this.#synced + this.#unsynced.length
  }

  read(offset: number, length: number): Uint8Array {
    return this.#current.slice(offset, length)
  }

  /** The bytes are copied: their owner may write to them again as soon as the port has answered. */
  write(offset: number, bytes: Uint8Array): void {
    this.#change({ offset, bytes: bytes.slice() })
  }

  truncate(length: number): void {
    this.#change({ offset: length, bytes: null })
  }

  /** Makes the first so many changes durable: those that had been made when the sync was asked for. */
  sync(changes: number): void {
    const count = Math.max(0, changes - this.#synced)
    for (const change of this.#unsynced.splice(0, count)) this.#durable.apply(change)
    this.#synced += count
  }

  /** Loses what was not synced: each change wholly, not at all, or in some of its sectors. Returns the bytes lost. */
  crash(random: Random): number {
    let lost = 0
    for (const change of this.#unsynced) lost += this.#survive(change, random)
    this.#synced += this.#unsynced.length
    this.#unsynced = []
    this.#current = this.#durable.copy()
    return lost
  }

  #survive(change: Change, random: Random): number {
    const fate = random.below(3)
    if (fate === 0) {
      this.#durable.apply(change)
      return 0
    }
    if (change.bytes === null) return 0
    if (fate === 1) return change.bytes.length
    let lost = 0
    for (let start = 0; start < change.bytes.length;) {
      const end = Math.min(change.bytes.length, start + sectorBytes - ((change.offset + start) % sectorBytes))
      if (random.chance(1, 2))
        this.#durable.apply({ offset: change.offset + start, bytes: change.bytes.subarray(start, end) })
      else lost += end - start
      start = end
    }
    return lost
  }

  #change(change: Change): void {
    this.#current.apply(change)
    this.#unsynced.push(change)
  }
}

/** Growing bytes; a hole that was never written reads as zeros. */
class Contents {
  #bytes = new Uint8Array(0)
  length = 0

  apply(change: Change): void {
    if (change.bytes === null) {
      this.#bytes.fill(0, change.offset, this.length)
      this.length = Math.min(this.length, change.offset)
      return
    }
    const end = change.offset + change.bytes.length
    if (end > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(end, this.#bytes.length * 2, 1024))
      grown.set(this.#bytes.subarray(0, this.length))
      this.#bytes = grown
    }
    this.#bytes.set(change.bytes, change.offset)
    this.length = Math.max(this.length, end)
  }

  slice(offset: number, length: number): Uint8Array {
    return this.#bytes.slice(Math.min(offset, this.length), Math.min(offset + length, this.length))
  }

  copy(): Contents {
    const copy = new Contents()
    copy.#bytes = this.#bytes.slice(0, this.length)
    copy.length = this.length
    return copy
  }
}
