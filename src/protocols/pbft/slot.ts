// One sequence number above the watermark: what was proposed for it, who voted, and what is certain about it.

import type { BlockHeader } from '../../kernel/block.ts'
import type { Digest, Signature } from '../../kernel/crypto-ports.ts'
import type { Height, ReplicaId, View } from '../../kernel/ids.ts'
import type { SignatureSet } from '../../kernel/proof.ts'
import type { Persisted } from '../../kernel/protocol.ts'
import { equalBytes } from '../../wire/equal-bytes.ts'
import { slotStage, type PreparedCertificate } from './messages.ts'

/** What the primary of the present view proposes, by a pre-prepare of its own or by its new view. */
export interface Proposal {
  readonly view: View
  readonly header: BlockHeader
  readonly digest: Digest
  /** The primary's, checked. */
  readonly signature: Signature
  readonly sinceMs: number
  /** Null: it is being fetched. */
  payload: Uint8Array | null
  /** It is on disk, and this replica's prepare is given, where it has a voice. */
  accepted: boolean
  acceptedMs: number
  /** The record that has it; null until it is accepted. */
  persisted: Persisted | null
  /** Its payload is none that a correct replica may vote for (B8). */
  invalid: boolean
}

/** Only the first vote of a replica in a view counts; another one is evidence (B23). */
export interface ReceivedVote {
  readonly digest: Digest
  readonly signature: Signature
  verified: boolean
}

export type Votes = Map<ReplicaId, ReceivedVote>

/** A payload of this slot that is on disk. */
export interface StoredPayload {
  readonly payloadDigest: Digest
  /** Null: decided, and no longer in memory. */
  payload: Uint8Array | null
  readonly persisted: Persisted
}

/** A quorum committed it: what a decision proof is made of. */
export interface Decision {
  readonly view: View
  readonly header: BlockHeader
  readonly digest: Digest
  readonly commits: SignatureSet
}

export class Slot {
  readonly height: Height
  proposal: Proposal | null = null
  /** Of the view that the replica is in, or asks for. */
  prepares: Votes = new Map()
  commits: Votes = new Map()
  /** Of the highest view in which this replica prepared it. */
  prepared: PreparedCertificate | null = null
  preparedPersisted: Persisted | null = null
  decision: Decision | null = null
  /** The payload of what is proposed again, until it is accepted. */
  carried: Uint8Array | null = null
  /** Of the proposal and of what was prepared before it. */
  #stored: StoredPayload[] = []

  constructor(height: Height) {
    this.height = height
  }

  store(payload: StoredPayload): void {
    if (this.stored(payload.payloadDigest) === null) this.#stored.push(payload)
  }

  stored(payloadDigest: Digest): StoredPayload | null {
    return this.#stored.find((one) => equalBytes(one.payloadDigest, payloadDigest)) ?? null
  }

  /** The oldest record that is needed while this slot is: null if it has none. */
  get firstPersisted(): Persisted | null {
    const all = [
      this.proposal?.persisted ?? null,
      this.preparedPersisted,
      ...this.#stored.map(({ persisted }) => persisted),
    ].filter((one) => one !== null)
    return all.length === 0 ? null : Math.min(...all)
  }

  /** The proposal of the view that is left counts no longer; what was prepared or decided stays, and what is proposed again. */
  leaveView(again: Digest | null): void {
    const { proposal } = this
    const isAgain = proposal !== null && again !== null && equalBytes(proposal.header.payloadDigest, again)
    this.carried = isAgain ? proposal.payload : null
    this.proposal = null
    const needed = [again, this.prepared?.header.payloadDigest, this.decision?.header.payloadDigest]
    this.#stored = this.#stored.filter(({ payloadDigest }) =>
      needed.some((one) => one != null && equalBytes(one, payloadDigest)),
    )
  }

  /** What the disk has need not stay in memory once it is decided. */
  forgetPayloads(): void {
    for (const stored of this.#stored) stored.payload = null
    if (this.proposal !== null && this.proposal.accepted) this.proposal.payload = null
  }

  stage(view: View): number {
    if (this.decision !== null) return slotStage.committed
    if (this.prepared !== null && this.prepared.view === view) return slotStage.prepared
    return this.proposal === null ? slotStage.nothing : slotStage.prePrepared
  }
}
