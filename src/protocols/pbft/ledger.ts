// Where on disk the decided blocks are that have not been released: what a replica can show, to itself after a restart and to others.

import { emptyPayload, type Block } from '../../kernel/block.ts'
import { broken } from '../../kernel/invariant.ts'
import type { Height } from '../../kernel/ids.ts'
import type { PbftDecisionProof } from '../../kernel/proof.ts'
import type { Persisted } from '../../kernel/protocol.ts'
import type { Digest } from '../../kernel/crypto-ports.ts'
import type { PbftRecord } from './records.ts'

interface Entry {
  /** The record of the decision. */
  readonly decided: Persisted
  /** The record with the payload: the same, an earlier one, or none where the payload is empty. */
  readonly payload: Persisted | null
  readonly digest: Digest
}

export interface DecidedBlock {
  block: Block
  proof: PbftDecisionProof
}

/** What a block takes beside its payload, about; and each commit in its proof. */
const blockOverheadBytes = 128
const voteBytes = 72

export class Ledger {
  readonly #recall: (sequence: Persisted) => unknown
  /** A run without holes. */
  readonly #entries = new Map<Height, Entry>()
  #first: Height | null = null
  #last: Height | null = null

  constructor(recall: (sequence: Persisted) => unknown) {
    this.#recall = recall
  }

  get first(): Height | null {
    return this.#first
  }

  get last(): Height | null {
    return this.#last
  }

  has(height: Height): boolean {
    return this.#entries.has(height)
  }

  add(height: Height, entry: Entry): void {
    // A state that was fetched in between: what lies below it is of no use to anybody.
    if (this.#last !== null && height !== this.#last + 1) this.clear()
    this.#entries.set(height, entry)
    this.#first ??= height
    this.#last = height
  }

  /** Reads it back from the disk. */
  read(height: Height): DecidedBlock {
    const entry = this.#entries.get(height)
    if (entry === undefined) broken(`height ${height} is not in the ledger`)
    const record = this.#recall(entry.decided) as PbftRecord
    if (record.kind !== 'decided') broken(`record ${entry.decided} is no decision`)
    const payload = record.payload ?? this.#payload(entry)
    const { header, view, commits } = record
    return {
      block: { header, payload },
      proof: { kind: 'pbft', view, blockDigest: entry.digest, commits },
    }
  }

  #payload(entry: Entry): Uint8Array {
    if (entry.payload === null) return emptyPayload
    const record = this.#recall(entry.payload) as PbftRecord
    if ((record.kind !== 'proposal' && record.kind !== 'decided') || record.payload === null)
      broken(`record ${entry.payload} has no payload`)
    return record.payload
  }

  /** From a height on, as many as are durable and fit: for others. The first may be larger. */
  run(fromHeight: Height, bytesMax: number, durable: Persisted): DecidedBlock[] {
    const blocks: DecidedBlock[] = []
    let bytes = 0
    for (let height = fromHeight; ; height++) {
      const entry = this.#entries.get(height)
      if (entry === undefined || entry.decided > durable) return blocks
      const one = this.read(height)
      bytes += one.block.payload.length + blockOverheadBytes + one.proof.commits.length * voteBytes
      if (blocks.length > 0 && bytes > bytesMax) return blocks
      blocks.push(one)
    }
  }

  /** Forgets what lies at and below. */
  release(height: Height): void {
    while (this.#first !== null && this.#first <= height) {
      this.#entries.delete(this.#first)
      this.#first = this.#first === this.#last ? null : this.#first + 1
    }
    if (this.#first === null) this.#last = null
  }

  clear(): void {
    this.#entries.clear()
    this.#first = null
    this.#last = null
  }

  /** The oldest record that it needs. Decisions rise with their heights, and payloads stand before them by no more than a window. */
  firstPersisted(windowBlocks: number): Persisted | null {
    if (this.#first === null) return null
    let first: Persisted = this.#entries.get(this.#first)!.decided
    for (let height = this.#first; height <= this.#first + windowBlocks; height++) {
      const entry = this.#entries.get(height)
      if (entry === undefined) break
      first = Math.min(first, entry.payload ?? entry.decided, entry.decided)
    }
    return first
  }
}
