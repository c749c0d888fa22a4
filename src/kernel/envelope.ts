// An envelope carries operations of one session in sequence, signed once by the client or vouched for by the link
// (architecture.md §5). Whether it is valid is a matter of its bytes alone: it carries its key, and nothing executed is asked.

import { bytes, fixedBytes, list, struct, u53, union, upTo, u16, type Codec } from '../wire/codec.ts'
import { publicKeyBytes, type PublicKey } from './crypto-ports.ts'
import { envelopeOperationsMax, operationBytesMax } from './limits.ts'
import type { Height } from './ids.ts'

/** Where in the order a session was opened: its name in the whole network, for ever. */
export interface SessionId {
  height: Height
  index: number
}

/** Opens a session. The same nonce within the life of the opening opens the same session. */
export interface OpenEnvelope {
  kind: 'open'
  client: PublicKey
  nonce: Uint8Array
  /** A recent height the client knows: the opening is void a stated number of heights later. */
  referenceHeight: Height
  signature: Uint8Array
}

/** Operations with the numbers firstNumber, firstNumber + 1, … of the session. */
export interface OperationsEnvelope {
  kind: 'operations'
  client: PublicKey
  session: SessionId
  firstNumber: number
  /** The client has the replies up to and with this number: they need not be kept. */
  acknowledgedNumber: number
  operations: Uint8Array[]
  signature: Uint8Array
}

/** Consumes numbers without an operation, so that a client can know for certain that what bore them will not happen. */
export interface CancelEnvelope {
  kind: 'cancel'
  client: PublicKey
  session: SessionId
  firstNumber: number
  count: number
  signature: Uint8Array
}

export interface CloseEnvelope {
  kind: 'close'
  client: PublicKey
  session: SessionId
  signature: Uint8Array
}

/**
 * Queries that take their place in the order: what a read falls back to where fast ones do not come together. They change nothing, so
 * they need no session, have no number, no leaf and no stored reply: each replica that was asked answers from the state that the block
 * has left, and a copy that comes or is ordered later with the same answers, while it has them.
 */
export interface ReadEnvelope {
  kind: 'read'
  client: PublicKey
  nonce: Uint8Array
  queries: Uint8Array[]
  signature: Uint8Array
}

export type Envelope = OpenEnvelope | OperationsEnvelope | CancelEnvelope | CloseEnvelope | ReadEnvelope

export const nonceBytes = 16
/** Queries that are asked, or ordered, together. */
export const readQueriesMax = 256
/** Ed25519 takes 64; the bound leaves room for the suites that follow. Empty where the link vouches. */
export const envelopeSignatureBytesMax = 4096

const client = fixedBytes(publicKeyBytes)
const signature = bytes(envelopeSignatureBytesMax)
export const sessionIdCodec: Codec<SessionId> = {
  bytesMin: 16,
  write: (w, { height, index }) => {
    w.u53(height)
    w.u53(index)
  },
  read: (r) => ({ height: r.u53(), index: r.u53() }),
}

const operations = list(bytes(operationBytesMax), envelopeOperationsMax)

/** By hand: most of what replicas read is this. */
const operationsEnvelopeCodec: Codec<OperationsEnvelope> = {
  bytesMin: publicKeyBytes + sessionIdCodec.bytesMin + 2 * u53.bytesMin + operations.bytesMin + signature.bytesMin,
  write: (w, { client: key, session, firstNumber, acknowledgedNumber, operations: all, signature: signed }) => {
    w.fixed(key, publicKeyBytes)
    sessionIdCodec.write(w, session)
    w.u53(firstNumber)
    w.u53(acknowledgedNumber)
    operations.write(w, all)
    w.bytes(signed, envelopeSignatureBytesMax)
  },
  read: (r) => ({
    kind: 'operations',
    client: r.fixed(publicKeyBytes),
    session: sessionIdCodec.read(r),
    firstNumber: r.u53(),
    acknowledgedNumber: r.u53(),
    operations: operations.read(r),
    signature: r.bytes(envelopeSignatureBytesMax),
  }),
}

/** The signature is last, so that what is signed is the encoding without its end. */
export const envelopeCodec: Codec<Envelope> = union<Envelope>({
  open: { tag: 1, codec: struct({ client, nonce: fixedBytes(nonceBytes), referenceHeight: u53, signature }) },
  operations: { tag: 2, whole: operationsEnvelopeCodec },
  cancel: {
    tag: 3,
    codec: struct({
      client,
      session: sessionIdCodec,
      firstNumber: u53,
      count: upTo(u16, envelopeOperationsMax),
      signature,
    }),
  },
  close: { tag: 4, codec: struct({ client, session: sessionIdCodec, signature }) },
  read: {
    tag: 5,
    codec: struct({
      client,
      nonce: fixedBytes(nonceBytes),
      queries: list(bytes(operationBytesMax), readQueriesMax),
      signature,
    }),
  },
})

/** How many operations wait in the envelope: what batching and pool limits count. */
export function operationCount(envelope: Envelope): number {
  if (envelope.kind === 'read') return Math.max(1, envelope.queries.length)
  return envelope.kind === 'operations' ? envelope.operations.length : 1
}

/** The part of an encoded envelope that its signature covers. */
export function signedPart(encoded: Uint8Array, envelope: Envelope): Uint8Array {
  return encoded.subarray(0, encoded.length - 4 - envelope.signature.length)
}

/** The first number that an envelope of a session is about, and how many. */
export function numbersOf(envelope: OperationsEnvelope | CancelEnvelope | CloseEnvelope): [number, number] {
  switch (envelope.kind) {
    case 'operations':
      return [envelope.firstNumber, envelope.operations.length]
    case 'cancel':
      return [envelope.firstNumber, envelope.count]
    case 'close':
      return [0, 0]
  }
}

/** False: the encoding lets it through, and no state could make sense of it. */
export function isSensible(envelope: Envelope): boolean {
  if (envelope.kind === 'open' || envelope.kind === 'close') return true
  if (envelope.kind === 'read') return envelope.queries.length > 0
  const [first, count] = numbersOf(envelope)
  // Subtracted, since the sum of both may lie where integers are no longer exact.
  return first >= 1 && count >= 1 && first - 1 <= Number.MAX_SAFE_INTEGER - count
}
