// What clients and replicas say to each other, beside the protocols.

import { bytes, fixedBytes, list, oneOf, optional, struct, u32, u53, union, type Codec } from '../wire/codec.ts'
import { publicKeyBytes, type PublicKey } from './crypto-ports.ts'
import { nonceBytes, sessionIdCodec, type SessionId } from './envelope.ts'
import { replicaIdCodec, type Height, type ReplicaId } from './ids.ts'
import { envelopeBytesMax, envelopeOperationsMax, operationBytesMax, resultBytesMax } from './limits.ts'

/** `linearizable`: as if at one moment between question and answer. `local`: possibly old, and unproven. */
export type Consistency = 'linearizable' | 'local'

export type ClientRequest =
  | { kind: 'submit'; envelopes: Uint8Array[] }
  | { kind: 'query'; id: number; consistency: Consistency; query: Uint8Array }
  /** How the replica is, for operators: an answer of this replica alone, and nobody's promise. */
  | { kind: 'status'; id: number }

/** One operation's outcome, where it stands in the order, and how it came out (kernel/outcome.ts). */
export interface Reply {
  session: SessionId
  number: number
  height: Height
  index: number
  outcome: Uint8Array
}

/** Why a replica did not take something up. None says that an operation will not happen: others may order it. */
export type RefusalReason = 'overloaded' | 'not-leader' | 'no-quorum' | 'malformed' | 'unavailable'

export type ClientResponse =
  | { kind: 'replies'; replies: Reply[] }
  /** The session that an opening opened, or why it did not. */
  | { kind: 'opened'; client: PublicKey; nonce: Uint8Array; height: Height; index: number; outcome: Uint8Array }
  | { kind: 'refused'; reason: RefusalReason; retryAfterMs: number; leader: ReplicaId | null }
  | { kind: 'answer'; id: number; height: Height; answer: Uint8Array }
  | { kind: 'unanswered'; id: number; reason: RefusalReason; leader: ReplicaId | null }
  /** Who orders operations soonest, as this replica sees it: unasked, and only advice. */
  | { kind: 'hint'; leader: ReplicaId }
  /** JSON for people and dashboards, which grows with each release: what reads it takes what it knows. */
  | { kind: 'status'; id: number; report: Uint8Array }

/** Envelopes in one message: what gathers in one turn of a client's loop. */
export const submitEnvelopesMax = 256
export const statusReportBytesMax: number = 256 * 1024
export const outcomeBytesMax: number = resultBytesMax + 64

const reason = oneOf<RefusalReason>(['overloaded', 'not-leader', 'no-quorum', 'malformed', 'unavailable'])
const leader = optional(replicaIdCodec)

export const clientRequestCodec: Codec<ClientRequest> = union<ClientRequest>({
  submit: { tag: 1, codec: struct({ envelopes: list(bytes(envelopeBytesMax), submitEnvelopesMax) }) },
  query: {
    tag: 2,
    codec: struct({
      id: u53,
      consistency: oneOf<Consistency>(['linearizable', 'local']),
      query: bytes(operationBytesMax),
    }),
  },
  status: { tag: 3, codec: struct({ id: u53 }) },
})

const replyCodec: Codec<Reply> = struct<Reply>({
  session: sessionIdCodec,
  number: u53,
  height: u53,
  index: u53,
  outcome: bytes(outcomeBytesMax),
})

export const clientResponseCodec: Codec<ClientResponse> = union<ClientResponse>({
  replies: { tag: 1, codec: struct({ replies: list(replyCodec, envelopeOperationsMax) }) },
  opened: {
    tag: 2,
    codec: struct({
      client: fixedBytes(publicKeyBytes),
      nonce: fixedBytes(nonceBytes),
      height: u53,
      index: u53,
      outcome: bytes(outcomeBytesMax),
    }),
  },
  refused: { tag: 3, codec: struct({ reason, retryAfterMs: u32, leader }) },
  answer: { tag: 4, codec: struct({ id: u53, height: u53, answer: bytes(resultBytesMax) }) },
  unanswered: { tag: 5, codec: struct({ id: u53, reason, leader }) },
  hint: { tag: 7, codec: struct({ leader: replicaIdCodec }) },
  status: { tag: 6, codec: struct({ id: u53, report: bytes(statusReportBytesMax) }) },
})
