// What hotstuff promises on disk.

import { optional, struct, union, upTo, u53, type Codec } from '../../wire/codec.ts'
import { payloadCodec } from '../../kernel/block.ts'
import type { View } from '../../kernel/ids.ts'
import {
  hotstuffProofFields,
  quorumCertificateCodec,
  type ChainedHeader,
  type QuorumCertificate,
} from '../../kernel/proof.ts'
import {
  proposalCodec,
  nodeStatementCodec,
  timeoutCertificateCodec,
  timeoutCodec,
  viewMax,
  type Proposal,
  type Statement,
  type Timeout,
  type TimeoutCertificate,
} from './messages.ts'

/** A node that this replica votes for, with the certificate that it extends: on disk before the vote leaves, and before a proposal of its own. */
export interface VotedRecord {
  kind: 'voted'
  proposal: Omit<Proposal, 'kind'>
  /** Three-chain: as it is with this vote. Two-chain: null. */
  lock: Statement | null
}

/** One's own: on disk before it leaves. */
export interface TimeoutRecord {
  kind: 'timeout'
  timeout: Omit<Timeout, 'kind'>
}

/** The highest: on disk before anything is said in the view after it. */
export interface TimeoutsRecord {
  kind: 'timeouts'
  timeouts: TimeoutCertificate
  /** At least as high as each of them has signed. */
  certificate: QuorumCertificate
}

/** On disk before a checkpoint at or above it is signed, so that whoever has signed one can show how it came to it. */
export interface DecidedRecord {
  kind: 'decided'
  headers: ChainedHeader[]
  certificates: QuorumCertificate[]
  /** Null: an earlier record has it, or it is empty. */
  payload: Uint8Array | null
}

/** All that was promised in records which are released. */
export interface PromisesRecord {
  kind: 'promises'
  votedView: View
  /** The highest that was ever on disk. */
  certificate: QuorumCertificate
  lock: Statement | null
  /** Nothing above it was acknowledged, as far as this replica's votes go. */
  certifiedHeight: number
}

export type HotstuffRecord = VotedRecord | TimeoutRecord | TimeoutsRecord | DecidedRecord | PromisesRecord

export const hotstuffRecordCodec: Codec<HotstuffRecord> = union<HotstuffRecord>({
  voted: { tag: 1, codec: struct({ proposal: proposalCodec, lock: optional(nodeStatementCodec) }) },
  timeout: { tag: 2, codec: struct({ timeout: timeoutCodec }) },
  timeouts: { tag: 3, codec: struct({ timeouts: timeoutCertificateCodec, certificate: quorumCertificateCodec }) },
  decided: { tag: 4, codec: struct({ ...hotstuffProofFields, payload: optional(payloadCodec) }) },
  promises: {
    tag: 5,
    codec: struct({
      votedView: upTo(u53, viewMax),
      certificate: quorumCertificateCodec,
      lock: optional(nodeStatementCodec),
      certifiedHeight: u53,
    }),
  },
})
