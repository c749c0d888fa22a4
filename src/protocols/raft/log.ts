// The replicated log in memory, and how much of it is surely on this replica's disk.

import type { Persisted } from '../../kernel/protocol.ts'
import { assert, broken } from './assert.ts'
import type { Entry } from './messages.ts'

export class RaftLog {
  /** Index of the entry before the first one kept; 0 and term 0 stand before the beginning. */
  #baseIndex: number
  #baseTerm = 0
  #entries: Entry[] = []
  /** Appends that are not durable yet, oldest first. A truncation lowers what they prove (C13: completions may come late). */
  #unsynced: { persisted: Persisted; lastIndex: number }[] = []
  #durableIndex: number

  /** Begins behind an index that every member of the epoch starts from. */
  constructor(baseIndex: number) {
    this.#baseIndex = baseIndex
    this.#durableIndex = baseIndex
  }

  get baseIndex(): number {
    return this.#baseIndex
  }

  get lastIndex(): number {
    return this.#baseIndex + this.#entries.length
  }

  get lastTerm(): number {
    return this.termAt(this.lastIndex) as number
  }

  get firstIndex(): number {
    return this.#baseIndex + 1
  }

  /** Entries up to here, as they stand now, are on this replica's disk. */
  get durableIndex(): number {
    return this.#durableIndex
  }

  /** Null outside of the log. */
  termAt(index: number): number | null {
    if (index === this.#baseIndex) return this.#baseTerm
    return this.#entries[index - this.#baseIndex - 1]?.term ?? null
  }

  /** Of an entry that must be there. */
  knownTermAt(index: number): number {
    return this.termAt(index) ?? broken(`no term for ${index}`)
  }

  at(index: number): Entry {
    return this.#entries[index - this.#baseIndex - 1] ?? broken(`no entry ${index}`)
  }

  /** Puts entries behind `previousIndex`, in place of whatever stood there, and returns what was truncated. */
  replaceFrom(previousIndex: number, entries: readonly Entry[], persisted: Persisted): Entry[] {
    assert(previousIndex >= this.#baseIndex && previousIndex <= this.lastIndex, `a hole before ${previousIndex + 1}`)
    const truncated = this.#entries.splice(previousIndex - this.#baseIndex)
    if (truncated.length > 0) {
      this.#durableIndex = Math.min(this.#durableIndex, previousIndex)
      for (const append of this.#unsynced) append.lastIndex = Math.min(append.lastIndex, previousIndex)
    }
    for (const entry of entries) this.#entries.push(entry)
    this.#unsynced.push({ persisted, lastIndex: this.lastIndex })
    return truncated
  }

  /** As read back at the start: all of it is on disk. */
  recover(firstIndex: number, entries: readonly Entry[]): void {
    assert(
      firstIndex >= this.firstIndex && firstIndex <= this.lastIndex + 1,
      `recovered entries with a hole before ${firstIndex}`,
    )
    this.#entries.length = firstIndex - this.#baseIndex - 1
    for (const entry of entries) this.#entries.push(entry)
    this.#durableIndex = this.lastIndex
  }

  durable(upTo: Persisted): void {
    let done = 0
    for (; done < this.#unsynced.length && this.#unsynced[done]!.persisted <= upTo; done++) {
      this.#durableIndex = Math.max(this.#durableIndex, this.#unsynced[done]!.lastIndex)
    }
    if (done > 0) this.#unsynced.splice(0, done)
  }

  /** The last index, not above the given one, whose term is not above the given one: where two logs may first agree (§5.3). */
  lastNotAbove(index: number, term: number): { index: number; term: number } {
    for (let at = Math.min(index, this.lastIndex); at > this.#baseIndex; at--) {
      const found = this.termAt(at)!
      if (found <= term) return { index: at, term: found }
    }
    return { index: this.#baseIndex, term: this.#baseTerm }
  }

  /** Is a log that ends like this at least as complete as ours? (§5.4.1) */
  isUpToDate(lastIndex: number, lastTerm: number): boolean {
    return lastTerm > this.lastTerm || (lastTerm === this.lastTerm && lastIndex >= this.lastIndex)
  }
}
