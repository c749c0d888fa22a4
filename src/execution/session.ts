// One client session: whose it is, how far its numbers are consumed, and what came of the latest of them.

import { outcomeBytesMax } from '../kernel/client-messages.ts'
import { digestBytes, publicKeyBytes, type Digest, type PublicKey } from '../kernel/crypto-ports.ts'
import { nonceBytes, sessionIdCodec, type SessionId } from '../kernel/envelope.ts'
import { envelopeOperationsMax } from '../kernel/limits.ts'
import type { Height } from '../kernel/ids.ts'
import { parameterBounds } from '../kernel/parameters.ts'
import { bytes, encode, fixedBytes, list, optional, struct, u32, u53, upTo, type Codec } from '../wire/codec.ts'

/** What is known of consumed numbers. An operation has one number; a cancel's run of numbers is one record. */
export interface StoredReply {
  firstNumber: number
  count: number
  /** Of the operation; null for a cancel. */
  digest: Digest | null
  /** Where it was executed. */
  height: Height
  index: number
  /** Encoded outcome. */
  outcome: Uint8Array
}

/** What a snapshot holds of a session. */
export interface SessionRecord {
  id: SessionId
  client: PublicKey
  nonce: Uint8Array
  referenceHeight: Height
  /** The highest number consumed: by an operation or a cancel. */
  lastNumber: number
  /** The client has the replies up to here. */
  acknowledgedNumber: number
  /** When it last consumed a number, or was opened. */
  usedHeight: Height
  /** Rising and without gaps, up to lastNumber. */
  replies: StoredReply[]
}

const storedReplyCodec: Codec<StoredReply> = struct<StoredReply>({
  firstNumber: u53,
  count: upTo(u32, envelopeOperationsMax),
  digest: optional(fixedBytes(digestBytes)),
  height: u53,
  index: u32,
  outcome: bytes(outcomeBytesMax),
})

export const sessionRecordCodec: Codec<SessionRecord> = struct<SessionRecord>({
  id: sessionIdCodec,
  client: fixedBytes(publicKeyBytes),
  nonce: fixedBytes(nonceBytes),
  referenceHeight: u53,
  lastNumber: u53,
  acknowledgedNumber: u53,
  usedHeight: u53,
  replies: list(storedReplyCodec, parameterBounds.sessions.repliesKept.max),
})

export function sessionKey(id: SessionId): string {
  return `${id.height}.${id.index}`
}

/** A session as the table holds it. Only the table changes it. */
export interface Session extends SessionRecord {
  /** The client's key as text, to find its other sessions. */
  readonly clientName: string
  readonly nonceName: string
  /** Bytes that its replies are counted with. */
  replyBytes: number
  /** What it is until its next change. */
  encoding: SessionEncoding
}

/**
 * The canonical bytes of a session as it is between two changes. They are written when somebody asks; and if a view holds them, at the
 * latest before the session changes. So a view of all sessions is taken without writing any.
 */
export class SessionEncoding {
  readonly session: SessionRecord
  #version: number
  #bytes: Uint8Array | null = null
  #isHeld = false

  constructor(session: SessionRecord, version: number) {
    this.session = session
    this.#version = version
  }

  get version(): number {
    return this.#version
  }

  /** From now on it stays what it is, whatever becomes of the session. */
  hold(): this {
    this.#isHeld = true
    return this
  }

  /** To be called before the session changes: the encoding of what it becomes. */
  next(version: number): SessionEncoding {
    if (this.#isHeld) {
      this.bytes()
      return new SessionEncoding(this.session, version)
    }
    this.#version = version
    this.#bytes = null
    return this
  }

  bytes(): Uint8Array {
    this.#bytes ??= encode(sessionRecordCodec, this.session)
    return this.#bytes
  }
}

/** The record that covers a number, or null if none does any more. */
export function storedReply(session: SessionRecord, number: number): StoredReply | null {
  const { replies } = session
  let low = 0
  let high = replies.length - 1
  while (low <= high) {
    const middle = (low + high) >>> 1
    const reply = replies[middle]!
    if (number < reply.firstNumber) high = middle - 1
    else if (number >= reply.firstNumber + reply.count) low = middle + 1
    else return reply
  }
  return null
}
