// How much of the log is held in memory. What is durable and committed leaves it, oldest first, and is read back when a follower asks for
// it: a log on disk may be longer than memory (architecture.md §2 rule 8).

import type { Persisted } from '../../kernel/protocol.ts'
import { broken } from '../../kernel/invariant.ts'
import type { Entry } from './messages.ts'
import type { RaftRecord } from './records.ts'

/** Payloads of the log in memory, with what an entry weighs besides; more only while it is not durable or not committed. */
export const logMemoryBytesMax = 64 * 1024 * 1024
const entryOverheadBytes = 256

/** A payload that is a small part of what it was read with is copied: else it would keep all of that in memory. */
const bufferSlackBytes = 4096

/** Reads a record back from the disk. */
export type Recall = (sequence: Persisted) => unknown

export class PayloadMemory {
  readonly #recall: Recall
  readonly #bytesMax: number
  #bytes = 0
  /** Entries from here to the end of the log are in memory, and none before. */
  #firstIndex: number
  /** Neighbours stand in one record. */
  #lastRecalled: { persisted: Persisted; record: RaftRecord } | null = null

  constructor(firstIndex: number, recall: Recall = notRecalled, bytesMax: number = logMemoryBytesMax) {
    this.#firstIndex = firstIndex
    this.#recall = recall
    this.#bytesMax = bytesMax
  }

  get firstIndex(): number {
    return this.#firstIndex
  }

  get bytes(): number {
    return this.#bytes
  }

  add(entry: Entry): Entry {
    this.#bytes += weightOf(entry)
    return owned(entry)
  }

  remove(entries: readonly Entry[]): void {
    for (const entry of entries) this.#bytes -= weightOf(entry)
  }

  /** The log begins here, and may be empty. */
  begin(firstIndex: number, isEmpty: boolean): void {
    this.#firstIndex = isEmpty ? firstIndex : Math.max(this.#firstIndex, firstIndex)
  }

  /** What stood behind this was truncated. */
  endAt(lastIndex: number): void {
    this.#firstIndex = Math.min(this.#firstIndex, lastIndex + 1)
  }

  /** `forget` takes an entry out of memory and returns it for the last time. */
  shrink(upTo: number, forget: (index: number) => Entry): void {
    while (this.#bytes > this.#bytesMax && this.#firstIndex <= upTo) {
      this.#bytes -= weightOf(forget(this.#firstIndex))
      this.#firstIndex++
    }
  }

  recall(index: number, term: number, persisted: Persisted): Entry {
    if (this.#lastRecalled?.persisted !== persisted) {
      this.#lastRecalled = { persisted, record: this.#recall(persisted) as RaftRecord }
    }
    const { record } = this.#lastRecalled
    const entry = record.kind === 'entries' ? record.entries[index - record.firstIndex] : undefined
    if (entry?.term !== term) broken(`record ${persisted} does not hold entry ${index}`)
    return entry
  }
}

function weightOf({ block }: Entry): number {
  return block.payload.length + entryOverheadBytes
}

function owned(entry: Entry): Entry {
  const { header, payload } = entry.block
  if (payload.buffer.byteLength <= 2 * payload.length + bufferSlackBytes) return entry
  const block = { header: { ...header, payloadDigest: header.payloadDigest.slice() }, payload: payload.slice() }
  return { term: entry.term, block }
}

function notRecalled(): never {
  broken('nothing leaves the memory of this log')
}
