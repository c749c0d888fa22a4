// One file of a simulated disk: what is surely there, and what was written since and may be lost.

import type { Random } from '../../kernel/random.ts'
import { Contents, type Change } from './contents.ts'

export const sectorBytes = 512

export class SimulatedFile {
  #durable: Contents
  #current: Contents
  #unsynced: Change[] = []
  /** Changes that are durable or gone. */
  #synced = 0

  /** With contents that are durable: a file of a restored backup. */
  constructor(contents: Contents = new Contents()) {
    this.#durable = contents
    this.#current = contents.copy()
  }

  get size(): number {
    return this.#current.length
  }

  /** What stands on the platter, whatever the page cache says: what the world may look at, and the process may not. */
  get durable(): Contents {
    return this.#durable
  }

  /** Changes made so far: what a sync that is asked for now covers. */
  get changes(): number {
    return this.#synced + this.#unsynced.length
  }

  /** As a process sees it, for whoever copies it. */
  image(): Contents {
    return this.#current.copy()
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

  /**
   * A sync of the first so many changes failed. The page cache takes what they wrote for clean from now on: it is readable until the
   * next crash, no later sync writes it, and on disk is what happened to get there. A length is in the file system's journal and stays
   * to be synced.
   */
  forget(changes: number, random: Random): void {
    const count = Math.max(0, changes - this.#synced)
    const covered = this.#unsynced.splice(0, count)
    const lengths = covered.filter((change) => change.bytes === null)
    for (const change of covered) if (change.bytes !== null) this.#surviveInPart(change.offset, change.bytes, random)
    this.#unsynced.unshift(...lengths)
    this.#synced += count - lengths.length
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

  /**
   * Other bytes stand on the platter from now on, and nobody was told. `cached`: the page cache read them anew, unless what it holds
   * there is still to be written.
   */
  damage(offset: number, bytes: Uint8Array, cached: boolean): void {
    this.#durable.apply({ offset, bytes })
    if (cached && !this.#isDirty(offset, offset + bytes.length)) this.#current.apply({ offset, bytes })
  }

  #isDirty(start: number, end: number): boolean {
    return this.#unsynced.some(({ offset, bytes }) => bytes !== null && offset < end && start < offset + bytes.length)
  }

  #survive(change: Change, random: Random): number {
    const fate = random.below(3)
    if (fate === 0) {
      this.#durable.apply(change)
      return 0
    }
    if (change.bytes === null) return 0
    if (fate === 1) return change.bytes.length
    return this.#surviveInPart(change.offset, change.bytes, random)
  }

  /** Some sectors get there, and some do not. */
  #surviveInPart(offset: number, bytes: Uint8Array, random: Random): number {
    let lost = 0
    for (let start = 0; start < bytes.length;) {
      const end = Math.min(bytes.length, start + sectorBytes - ((offset + start) % sectorBytes))
      if (random.chance(1, 2)) this.#durable.apply({ offset: offset + start, bytes: bytes.subarray(start, end) })
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
