// The replicated log: its terms in memory, its latest payloads too, and how much of it is surely on this replica's disk.

import type { Persisted } from '../../kernel/protocol.ts'
import { assert, broken } from '../../kernel/invariant.ts'
import type { Entry } from './messages.ts'
import { PayloadMemory, type Recall } from './payload-memory.ts'

/** What is known of an entry for as long as it is kept; the entry itself while it is in memory. */
interface Kept {
  term: number
  /** The record that holds it. */
  persisted: Persisted
  bytes: number
  entry: Entry | null
}

/** The entry below the first one kept. */
export interface Base {
  index: number
  term: number
}

export class RaftLog {
  #baseIndex: number
  /** 0 stands before the beginning; null while records are read back whose beginning was cut, until their base is read. */
  #baseTerm: number | null = 0
  #kept: Kept[] = []
  #bytes = 0
  readonly #memory: PayloadMemory
  /** Appends that are not durable yet, oldest first. A truncation lowers what they prove (C13: completions may come late). */
  #unsynced: { persisted: Persisted; lastIndex: number }[] = []
  #durableIndex: number

  /** Begins behind an index that every member of the epoch starts from. */
  constructor(baseIndex: number, recall?: Recall, bytesMax?: number) {
    this.#baseIndex = baseIndex
    this.#durableIndex = baseIndex
    this.#memory = new PayloadMemory(baseIndex + 1, recall, bytesMax)
  }

  get baseIndex(): number {
    return this.#baseIndex
  }

  get lastIndex(): number {
    return this.#baseIndex + this.#kept.length
  }

  get lastTerm(): number {
    return this.termAt(this.lastIndex) as number
  }

  get firstIndex(): number {
    return this.#baseIndex + 1
  }

  /** Entries up to here, as they stand now, are on this replica's disk, or in a checkpoint that is. */
  get durableIndex(): number {
    return this.#durableIndex
  }

  /** The first record that holds an entry still kept; null when there is none. Later entries never stand in earlier records. */
  get firstPersisted(): Persisted | null {
    return this.#kept[0]?.persisted ?? null
  }

  /** Payloads of the entries kept, in memory or not. */
  get bytes(): number {
    return this.#bytes
  }

  /** Null outside of the log. */
  termAt(index: number): number | null {
    if (index === this.#baseIndex) return this.#baseTerm
    return this.#kept[index - this.#baseIndex - 1]?.term ?? null
  }

  /** Of an entry that must be there. */
  knownTermAt(index: number): number {
    return this.termAt(index) ?? broken(`no term for ${index}`)
  }

  /** Reads it back from the disk if it has left memory. */
  at(index: number): Entry {
    const kept = this.#kept[index - this.#baseIndex - 1] ?? broken(`no entry ${index}`)
    return kept.entry ?? this.#memory.recall(index, kept.term, kept.persisted)
  }

  get bytesInMemory(): number {
    return this.#memory.bytes
  }

  isInMemory(index: number): boolean {
    return index >= this.#memory.firstIndex && index <= this.lastIndex
  }

  /** Puts entries behind `previousIndex`, in place of whatever stood there, and returns what was truncated. */
  replaceFrom(previousIndex: number, entries: readonly Entry[], persisted: Persisted): Truncated {
    assert(previousIndex >= this.#baseIndex && previousIndex <= this.lastIndex, `a hole before ${previousIndex + 1}`)
    const truncated = this.#truncate(previousIndex)
    this.#push(entries, persisted)
    this.#unsynced.push({ persisted, lastIndex: this.lastIndex })
    return truncated
  }

  /**
   * What lies up to this entry is no longer needed. What lies above stays only if the log had this very entry (C36): else it belongs
   * to a history that was not decided.
   */
  rebase({ index, term }: Base): Truncated {
    assert(index >= this.#baseIndex, `a base ${index} below ${this.#baseIndex}`)
    const truncated = this.termAt(index) === term ? none : this.#truncate(this.#baseIndex)
    this.#dropThrough({ index, term })
    this.#durableIndex = Math.max(this.#durableIndex, index)
    return truncated
  }

  /** As read back at the start: all of it is on disk. Records whose predecessors were cut begin a log whose base is yet to be read. */
  recover(firstIndex: number, entries: readonly Entry[], persisted: Persisted): void {
    if (firstIndex < this.firstIndex || firstIndex > this.lastIndex + 1) {
      this.#truncate(this.#baseIndex)
      this.#dropThrough({ index: firstIndex - 1, term: null })
    }
    this.#truncate(firstIndex - 1)
    this.#push(entries, persisted)
    this.#durableIndex = this.lastIndex
    this.#memory.shrink(this.lastIndex, (index) => this.#forget(index))
  }

  /**
   * A base that was persisted: what was above it then is above it still, unless the record says that it was truncated. One that lies
   * before the log's beginning, as it was cut since, is followed by a later one.
   */
  recoverBase({ index, term }: Base, truncates: boolean): void {
    if (truncates) this.#truncate(this.#baseIndex)
    else if (!this.hasBase && index < this.#baseIndex) return
    else
      assert(
        index >= this.#baseIndex && (this.termAt(index) ?? term) === term,
        `a base ${index}:${term} that is not there`,
      )
    this.#dropThrough({ index, term })
    this.#durableIndex = this.lastIndex
  }

  /** False: the records that were read back do not reach back to a base that was persisted. */
  get hasBase(): boolean {
    return this.#baseTerm !== null
  }

  durable(upTo: Persisted): void {
    let done = 0
    for (; done < this.#unsynced.length && this.#unsynced[done]!.persisted <= upTo; done++) {
      this.#durableIndex = Math.max(this.#durableIndex, this.#unsynced[done]!.lastIndex)
    }
    if (done > 0) this.#unsynced.splice(0, done)
  }

  /** Lets the oldest payloads go, as far as there are too many; not those above the given index, nor what is not on disk. */
  shrink(upTo: number): void {
    this.#memory.shrink(Math.min(upTo, this.#durableIndex), (index) => this.#forget(index))
  }

  /** The last index, not above the given one, whose term is not above the given one: where two logs may first agree (§5.3). */
  lastNotAbove(index: number, term: number): Base {
    for (let at = Math.min(index, this.lastIndex); at > this.#baseIndex; at--) {
      const found = this.termAt(at)!
      if (found <= term) return { index: at, term: found }
    }
    return { index: this.#baseIndex, term: this.knownTermAt(this.#baseIndex) }
  }

  /** Is a log that ends like this at least as complete as ours? (§5.4.1) */
  isUpToDate(lastIndex: number, lastTerm: number): boolean {
    return lastTerm > this.lastTerm || (lastTerm === this.lastTerm && lastIndex >= this.lastIndex)
  }

  #push(entries: readonly Entry[], persisted: Persisted): void {
    for (const given of entries) {
      const entry = this.#memory.add(given)
      const bytes = entry.block.payload.length
      this.#kept.push({ term: entry.term, persisted, bytes, entry })
      this.#bytes += bytes
    }
  }

  /** Takes away what stands behind this index. */
  #truncate(lastIndex: number): Truncated {
    const removed = this.#kept.splice(lastIndex - this.#baseIndex)
    if (removed.length === 0) return none
    this.#durableIndex = Math.min(this.#durableIndex, lastIndex)
    for (const append of this.#unsynced) append.lastIndex = Math.min(append.lastIndex, lastIndex)
    const entries = this.#removed(removed)
    this.#memory.endAt(lastIndex)
    return { count: removed.length, entries }
  }

  /** Takes away what stands up to this index, which becomes the base. */
  #dropThrough({ index, term }: { index: number; term: number | null }): void {
    const dropped = this.#kept.splice(0, Math.max(0, index - this.#baseIndex))
    this.#removed(dropped)
    this.#baseIndex = index
    this.#baseTerm = term
    this.#memory.begin(index + 1, this.#kept.length === 0)
  }

  /** Those of them that were in memory. */
  #removed(removed: readonly Kept[]): Entry[] {
    for (const { bytes } of removed) this.#bytes -= bytes
    const entries = removed.flatMap(({ entry }) => (entry === null ? [] : [entry]))
    this.#memory.remove(entries)
    return entries
  }

  #forget(index: number): Entry {
    const kept = this.#kept[index - this.#baseIndex - 1]!
    const { entry } = kept
    kept.entry = null
    return entry ?? broken(`entry ${index} is not in memory`)
  }
}

export interface Truncated {
  count: number
  /** Those that were in memory. */
  entries: readonly Entry[]
}

const none: Truncated = { count: 0, entries: [] }
