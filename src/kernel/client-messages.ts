// What clients and replicas say to each other, beside the protocols.

import { bool, bytes, fixedBytes, list, oneOf, optional, struct, u32, u53, union, type Codec } from '../wire/codec.ts'
import { publicKeyBytes, type PublicKey } from './crypto-ports.ts'
import { nonceBytes, readQueriesMax, sessionIdCodec, type SessionId } from './envelope.ts'
import { replicaIdCodec, type Height, type ReplicaId } from './ids.ts'
import { envelopeBytesMax, envelopeOperationsMax, operationBytesMax, resultBytesMax } from './limits.ts'

/** `linearizable`: as if at one moment between question and answer. `local`: possibly old, and unproven. */
export type Consistency = 'linearizable' | 'local'

export type ClientRequest =
  | { kind: 'submit'; envelopes: Uint8Array[] }
  | { kind: 'query'; id: number; consistency: Consistency; query: Uint8Array }
  /** How the replica is, for operators: an answer of this replica alone, and nobody's promise. */
  | { kind: 'status'; id: number }
  /**
   * Linearizable reads of one turn. The nonce is fresh, so that no answer to an earlier question passes for one to this. Whoever counts
   * statements of several replicas asks each to state first, where it has not executed yet what it states.
   */
  | { kind: 'reads'; nonce: Uint8Array; statesFirst: boolean; reads: ReadQuestion[] }

export interface ReadQuestion {
  /** The client's own number for it. */
  id: number
  query: Uint8Array
}

export interface ReadAnswer {
  id: number
  /** An encoded outcome. */
  answer: Uint8Array
}

/** One operation's outcome, where it stands in the order, and how it came out (kernel/outcome.ts). */
export interface Reply {
  session: SessionId
  number: number
  height: Height
  index: number
  outcome: Uint8Array
}

/** Why a replica did not take something up. None says that an operation will not happen: others may order it. */
export type RefusalReason = 'overloaded' | 'not-leader' | 'no-quorum' | 'malformed' | 'unavailable' | 'not-authentic'

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
  /**
   * `stated`: the height that this replica must have executed before it answers. `height`: what it had executed when it did. Answers
   * may come in parts, and none at all stands for the statement alone. Ordered reads are answered so too, with their places in the
   * envelope for ids, and both heights that of their block.
   */
  | { kind: 'answers'; nonce: Uint8Array; stated: Height; height: Height; answers: ReadAnswer[] }
  | { kind: 'reads-unanswered'; nonce: Uint8Array; reason: RefusalReason; leader: ReplicaId | null }

/** Envelopes in one message: what gathers in one turn of a client's loop. */
export const submitEnvelopesMax = 256
export const statusReportBytesMax: number = 256 * 1024
export const outcomeBytesMax: number = resultBytesMax + 64

/** What stands in front of bytes. */
const lengthBytes = 4

/** The order is part of the format: append, never insert. */
const reason = oneOf<RefusalReason>([
  'overloaded',
  'not-leader',
  'no-quorum',
  'malformed',
  'unavailable',
  'not-authentic',
])
const leader = optional(replicaIdCodec)

const envelopes = list(bytes(envelopeBytesMax), submitEnvelopesMax)

const readQuestionCodec: Codec<ReadQuestion> = {
  bytesMin: u53.bytesMin + lengthBytes,
  write: (w, { id, query }) => {
    w.u53(id)
    w.bytes(query, operationBytesMax)
  },
  read: (r) => ({ id: r.u53(), query: r.bytes(operationBytesMax) }),
}

export const clientRequestCodec: Codec<ClientRequest> = union<ClientRequest>({
  submit: {
    tag: 1,
    whole: {
      bytesMin: envelopes.bytesMin,
      write: (w, request) => envelopes.write(w, request.envelopes),
      read: (r) => ({ kind: 'submit', envelopes: envelopes.read(r) }),
    },
  },
  query: {
    tag: 2,
    codec: struct({
      id: u53,
      consistency: oneOf<Consistency>(['linearizable', 'local']),
      query: bytes(operationBytesMax),
    }),
  },
  status: { tag: 3, codec: struct({ id: u53 }) },
  reads: {
    tag: 4,
    codec: struct({
      nonce: fixedBytes(nonceBytes),
      statesFirst: bool,
      reads: list(readQuestionCodec, readQueriesMax),
    }),
  },
})

const replyCodec: Codec<Reply> = {
  bytesMin: sessionIdCodec.bytesMin + 3 * u53.bytesMin + lengthBytes,
  write: (w, { session, number, height, index, outcome }) => {
    sessionIdCodec.write(w, session)
    w.u53(number)
    w.u53(height)
    w.u53(index)
    w.bytes(outcome, outcomeBytesMax)
  },
  read: (r) => ({
    session: sessionIdCodec.read(r),
    number: r.u53(),
    height: r.u53(),
    index: r.u53(),
    outcome: r.bytes(outcomeBytesMax),
  }),
}

const readAnswerCodec: Codec<ReadAnswer> = {
  bytesMin: u53.bytesMin + lengthBytes,
  write: (w, { id, answer }) => {
    w.u53(id)
    w.bytes(answer, outcomeBytesMax)
  },
  read: (r) => ({ id: r.u53(), answer: r.bytes(outcomeBytesMax) }),
}

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
  answer: { tag: 4, codec: struct({ id: u53, height: u53, answer: bytes(outcomeBytesMax) }) },
  unanswered: { tag: 5, codec: struct({ id: u53, reason, leader }) },
  hint: { tag: 7, codec: struct({ leader: replicaIdCodec }) },
  status: { tag: 6, codec: struct({ id: u53, report: bytes(statusReportBytesMax) }) },
  answers: {
    tag: 8,
    codec: struct({
      nonce: fixedBytes(nonceBytes),
      stated: u53,
      height: u53,
      answers: list(readAnswerCodec, readQueriesMax),
    }),
  },
  'reads-unanswered': { tag: 9, codec: struct({ nonce: fixedBytes(nonceBytes), reason, leader }) },
})
