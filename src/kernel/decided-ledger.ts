// Where on disk the decided blocks are that have not been released: what a replica can show, to itself after a restart and to others.

import { emptyPayload, type Block, type BlockHeader } from './block.ts'
import type { Height } from './ids.ts'
import { broken } from './invariant.ts'
import type { DecisionProof } from './proof.ts'
import type { Persisted } from './protocol.ts'

interface Entry {
  /** The record of the decision. */
  readonly decided: Persisted
  /** The record with the payload: the same, an earlier one, or none where the payload is empty. */
  readonly payload: Persisted | null
}

export interface DecidedBlock<Proof extends DecisionProof> {
  block: Block
  proof: Proof
}

/** The records of a protocol, as far as decisions stand in them. */
export interface DecisionRecords<Proof extends DecisionProof> {
  decision(at: Persisted): { header: BlockHeader; proof: Proof; payload: Uint8Array | null }
  payload(at: Persisted): Uint8Array | null
  /** About. */
  proofBytes(proof: Proof): number
}

/** What a block takes beside its payload and its proof, about. */
const blockOverheadBytes = 128

export class DecidedLedger<Proof extends DecisionProof> {
  readonly #records: DecisionRecords<Proof>
  /** A run without holes. */
  readonly #entries = new Map<Height, Entry>()
  #first: Height | null = null
  #last: Height | null = null

  constructor(records: DecisionRecords<Proof>) {
    this.#records = records
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
  read(height: Height): DecidedBlock<Proof> {
    const entry = this.#entries.get(height)
    if (entry === undefined) broken(`height ${height} is not in the ledger`)
    const { header, proof, payload } = this.#records.decision(entry.decided)
    return { block: { header, payload: payload ?? this.#payload(entry) }, proof }
  }

  #payload({ payload: at }: Entry): Uint8Array {
    if (at === null) return emptyPayload
    return this.#records.payload(at) ?? broken(`record ${at} has no payload`)
  }

  /** From a height on, as many as are durable and fit: for others. The first may be larger. */
  run(fromHeight: Height, bytesMax: number, durable: Persisted): DecidedBlock<Proof>[] {
    const blocks: DecidedBlock<Proof>[] = []
    let bytes = 0
    for (let height = fromHeight; ; height++) {
      const entry = this.#entries.get(height)
      if (entry === undefined || entry.decided > durable) return blocks
      const one = this.read(height)
      bytes += one.block.payload.length + blockOverheadBytes + this.#records.proofBytes(one.proof)
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
