/**
 * The opening of a session. Its bytes stay the same, however often they go out: a nonce opens one session, and an opening that was
 * refused for want of room opens that one when there is room. Only when it is too old does another take its place.
 */

import { decode } from '../../wire/codec.ts'
import type { ClientResponse } from '../../kernel/client-messages.ts'
import type { SessionId } from '../../kernel/envelope.ts'
import type { Height, ReplicaId } from '../../kernel/ids.ts'
import { outcomeCodec } from '../../kernel/outcome.ts'
import { ReplyCount } from './reply-count.ts'
import { notSent, type Attempts } from './retry.ts'
import { encodeEnvelope, type SessionOptions } from './session.ts'
import { equalBytes } from '../../wire/equal-bytes.ts'

export type OpeningEffect =
  /** Not this opening's, not readable, or not yet said by enough. */
  | { kind: 'none' }
  | { kind: 'opened'; session: SessionId }
  /** Void for ever. */
  | { kind: 'expired' }
  /** It may still open. */
  | { kind: 'refused'; code: string }

export class Opening implements Attempts {
  readonly encoded: Uint8Array
  readonly referenceHeight: Height
  readonly #nonce: Uint8Array
  readonly #count: ReplyCount
  attempts = notSent.attempts
  silences = notSent.silences
  dueMs: number
  target: ReplicaId | null = null
  postponed = false

  constructor(options: SessionOptions, nonce: Uint8Array, referenceHeight: Height, nowMs: number) {
    const { client } = options
    this.encoded = encodeEnvelope(options, {
      kind: 'open',
      client,
      nonce,
      referenceHeight,
      signature: new Uint8Array(0),
    })
    this.referenceHeight = referenceHeight
    this.#nonce = nonce
    this.#count = new ReplyCount(options)
    this.dueMs = nowMs
  }

  response(from: ReplicaId, response: Extract<ClientResponse, { kind: 'opened' }>): OpeningEffect {
    const { nonce, height, index, outcome: encoded } = response
    if (!equalBytes(this.#nonce, nonce)) return { kind: 'none' }
    const outcome = decode(outcomeCodec, encoded)
    if (!outcome.ok || !this.#count.add(from, height, index, encoded)) return { kind: 'none' }
    if (outcome.value.kind === 'opened') return { kind: 'opened', session: outcome.value.session }
    if (outcome.value.kind !== 'refused') return { kind: 'none' }
    return outcome.value.code === 'OpeningExpired' ? { kind: 'expired' } : { kind: 'refused', code: outcome.value.code }
  }
}
