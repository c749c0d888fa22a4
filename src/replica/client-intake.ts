/**
 * Where clients sign their envelopes, what they submit waits here until its signatures were verified on other threads; what else they say
 * waits behind it, so that each connection is heard in its order. Bounded: beyond it what is submitted is refused as overload.
 */

import { decode, encode } from '../wire/codec.ts'
import { clientRequestCodec, clientResponseCodec } from '../kernel/client-messages.ts'
import { envelopeCodec } from '../kernel/envelope.ts'
import type { Epoch } from '../kernel/membership.ts'
import { signedBytesOf, type SignedBytes } from './core/envelope-checks.ts'
import type { VerifyAhead } from './core/payload-checks.ts'

/** Messages of clients that wait for verification, of all connections, and their bytes. */
export const intakeMessagesMax = 4096
export const intakeBytesMax: number = 64 * 1024 * 1024
const retryAfterMs = 100

type Connection = number

interface Message {
  readonly bytes: Uint8Array
  isReady: boolean
}

export interface ClientIntakeOptions {
  epoch: Epoch
  verifyAhead: VerifyAhead
  /** To the core. */
  deliver: (connection: Connection, bytes: Uint8Array) => void
  /** To the client. */
  respond: (connection: Connection, bytes: Uint8Array) => void
}

export class ClientIntake {
  readonly #options: ClientIntakeOptions
  readonly #queues = new Map<Connection, Message[]>()
  #messages = 0
  #bytes = 0

  constructor(options: ClientIntakeOptions) {
    this.#options = options
  }

  get waiting(): number {
    return this.#messages
  }

  message(connection: Connection, bytes: Uint8Array): void {
    const signed = this.#signed(bytes)
    const isFull = this.#messages >= intakeMessagesMax || this.#bytes + bytes.length > intakeBytesMax
    if (signed.length === 0) {
      if (isFull || !this.#queues.has(connection)) this.#options.deliver(connection, bytes)
      else this.#wait(connection, { bytes, isReady: true })
      return
    }
    if (isFull) return this.#refuse(connection)
    const message: Message = { bytes, isReady: false }
    this.#wait(connection, message)
    const verified = (): void => {
      message.isReady = true
      this.#deliverReady(connection)
    }
    this.#options.verifyAhead(signed, verified, 'later')
  }

  /** Nobody is there any more: what waits is dropped. */
  closed(connection: Connection): void {
    for (const message of this.#queues.get(connection) ?? []) this.#left(message)
    this.#queues.delete(connection)
  }

  /** What is to be verified; nothing, where the link vouches for envelopes, and in whatever is no submission. */
  #signed(bytes: Uint8Array): SignedBytes[] {
    const { network, parameters } = this.#options.epoch
    if (parameters.envelopeSignatures === 'link') return []
    const request = decode(clientRequestCodec, bytes)
    if (!request.ok || request.value.kind !== 'submit') return []
    return request.value.envelopes.flatMap((encoded) => {
      const envelope = decode(envelopeCodec, encoded)
      return envelope.ok ? [signedBytesOf(envelope.value, encoded, network)] : []
    })
  }

  #wait(connection: Connection, message: Message): void {
    const queue = this.#queues.get(connection)
    if (queue === undefined) this.#queues.set(connection, [message])
    else queue.push(message)
    this.#messages++
    this.#bytes += message.bytes.length
  }

  #left(message: Message): void {
    this.#messages--
    this.#bytes -= message.bytes.length
  }

  #deliverReady(connection: Connection): void {
    const queue = this.#queues.get(connection)
    if (queue === undefined) return
    while (queue[0]?.isReady === true) {
      const message = queue.shift()!
      this.#left(message)
      if (queue.length === 0) this.#queues.delete(connection)
      this.#options.deliver(connection, message.bytes)
    }
  }

  #refuse(connection: Connection): void {
    const response = { kind: 'refused', reason: 'overloaded', retryAfterMs, leader: null } as const
    this.#options.respond(connection, encode(clientResponseCodec, response))
  }
}
