/**
 * The session of one client (architecture.md §10): numbers its operations, fills envelopes with all that waits while earlier ones are
 * under way, and keeps each envelope, unchanged, until every operation in it is answered.
 */

import { encode } from '../../wire/codec.ts'
import type { PublicKey, Signer } from '../../kernel/crypto-ports.ts'
import { envelopeDomain, envelopeScope, signingBytes } from '../../kernel/domains.ts'
import { envelopeCodec, envelopeSignatureBytesMax, type Envelope, type SessionId } from '../../kernel/envelope.ts'
import type { Height, NetworkId, ReplicaId } from '../../kernel/ids.ts'
import { envelopeBytesMax, envelopeOperationsMax } from '../../kernel/limits.ts'
import type { Outcome } from '../../kernel/outcome.ts'
import { fail, settle, type ClientFailure, type ClientOperation } from './operation.ts'
import { meaningOf } from './outcome-failures.ts'
import { ReplyCount, type Belief } from './reply-count.ts'
import { notSent, type Attempts } from './retry.ts'

export interface SessionOptions extends Belief {
  network: NetworkId
  client: PublicKey
  /** Null where the link vouches for envelopes. */
  signer: Signer | null
  /** Replies that replicas keep for a session: no more numbers than that may be under way. */
  repliesKept: number
}

/** Envelopes under way at once: enough to keep a pipeline filled, few enough that envelopes fill. */
export const envelopesInFlightMax = 4
/** What an envelope holds beside its operations, at most. */
export const envelopeRoomBytes: number = 512 + envelopeSignatureBytesMax

/** An envelope under way. */
export class Flight implements Attempts {
  readonly encoded: Uint8Array
  readonly firstNumber: number
  /** Null where it has been answered. */
  readonly operations: (ClientOperation | null)[]
  /** Null where the first reply is believed. */
  readonly counts: readonly ReplyCount[] | null
  unanswered: number
  /** For the first time. */
  sentMs = 0
  /** Who has it alone, as the primary of then; null: it went to all. */
  aloneWith: ReplicaId | null = null
  attempts = notSent.attempts
  silences = notSent.silences
  dueMs = notSent.dueMs
  target = notSent.target
  postponed = notSent.postponed

  constructor(encoded: Uint8Array, firstNumber: number, operations: ClientOperation[], belief: Belief) {
    this.encoded = encoded
    this.firstNumber = firstNumber
    this.operations = operations
    this.counts = belief.repliesNeeded > 1 ? operations.map(() => new ReplyCount(belief)) : null
    this.unanswered = operations.length
  }
}

const nothing = new Uint8Array(0)
const none: ReplyEffect = { kind: 'none' }
const answered: ReplyEffect = { kind: 'answered' }

export class Session {
  readonly #options: SessionOptions
  readonly id: SessionId
  /**
   * In the order of their numbers. A list and not a Map, whose outgrown tables point to the next ones: once one of them is old, the collector
   * keeps whatever was in those behind it until it collects everything.
   */
  readonly #flights: Flight[] = []
  #nextNumber = 1

  constructor(options: SessionOptions, id: SessionId) {
    this.#options = options
    this.id = id
  }

  get flights(): readonly Flight[] {
    return this.#flights
  }

  get bytesUnderWay(): number {
    return this.#flights.reduce((bytes, { encoded }) => bytes + encoded.length, 0)
  }

  get hasRoom(): boolean {
    return this.#flights.length < envelopesInFlightMax
  }

  /** Takes what fits from the head of the queue into one envelope; null if nothing does. */
  fill(waiting: ClientOperation[]): Flight | null {
    const { repliesKept } = this.#options
    const operationsMax = Math.min(envelopeOperationsMax, Math.max(1, Math.floor(repliesKept / envelopesInFlightMax)))
    // Numbers between the oldest unanswered one and the newest must all be kept by the replicas.
    const room = repliesKept - (this.#nextNumber - 1 - this.#acknowledgedNumber())
    let count = 0
    let bytes = envelopeRoomBytes
    for (const operation of waiting) {
      bytes += operation.bytes + 4
      if (count >= Math.min(operationsMax, room) || (count > 0 && bytes > envelopeBytesMax)) break
      count++
    }
    return count === 0 ? null : this.#launch(waiting.splice(0, count))
  }

  /** What a replica says about one number. */
  reply(
    from: ReplicaId,
    number: number,
    height: Height,
    index: number,
    outcome: Outcome,
    encoded: Uint8Array,
  ): ReplyEffect {
    const flight = this.#flightOf(number)
    if (flight === null) return none
    const place = number - flight.firstNumber
    const operation = flight.operations[place]!
    if (operation === null) return none
    if (flight.counts !== null && !flight.counts[place]!.add(from, height, index, encoded)) return none
    const meaning = meaningOf(outcome)
    if (meaning.kind === 'again') return { kind: 'again', flight }
    if (meaning.kind === 'session-lost') return { kind: 'session-lost' }
    flight.operations[place] = null
    flight.unanswered--
    const isOver = flight.unanswered === 0
    if (isOver) this.#flights.splice(this.#flights.indexOf(flight), 1)
    if (meaning.kind === 'result') settle(operation, { ok: true, result: meaning.result, height, index })
    else fail(operation, meaning.failure)
    return isOver ? { kind: 'flight-answered', flight } : answered
  }

  /** Whoever still waits is told the same. */
  failAll(failure: ClientFailure): void {
    for (const flight of this.#flights) {
      for (const operation of flight.operations) if (operation !== null) fail(operation, failure)
    }
    this.#flights.length = 0
  }

  #flightOf(number: number): Flight | null {
    for (const flight of this.#flights) {
      if (number >= flight.firstNumber && number < flight.firstNumber + flight.operations.length) return flight
    }
    return null
  }

  #launch(operations: ClientOperation[]): Flight {
    const firstNumber = this.#nextNumber
    // Before the numbers are given: what is acknowledged is no longer kept, so it must never reach what this envelope brings.
    const acknowledgedNumber = this.#acknowledgedNumber()
    this.#nextNumber += operations.length
    const encoded = encodeEnvelope(this.#options, {
      kind: 'operations',
      client: this.#options.client,
      session: this.id,
      firstNumber,
      acknowledgedNumber,
      operations: operations.map((operation) => operation.command),
      signature: nothing,
    })
    for (const operation of operations) operation.command = nothing
    const flight = new Flight(encoded, firstNumber, operations, this.#options)
    this.#flights.push(flight)
    return flight
  }

  #acknowledgedNumber(): number {
    // Flights are kept in the order of their numbers: the first is the oldest.
    for (const flight of this.#flights) {
      const answered = flight.operations.findIndex((operation) => operation !== null)
      return flight.firstNumber - 1 + Math.max(0, answered)
    }
    return this.#nextNumber - 1
  }
}

export type ReplyEffect =
  | { kind: 'none' | 'answered' | 'session-lost' }
  | { kind: 'again' | 'flight-answered'; flight: Flight }

/** Signed where the epoch asks for it: the signature is over all that stands before it. */
export function encodeEnvelope(options: Pick<SessionOptions, 'network' | 'signer'>, envelope: Envelope): Uint8Array {
  const { network, signer } = options
  const unsigned = encode(envelopeCodec, { ...envelope, signature: new Uint8Array(0) })
  if (signer === null) return unsigned
  // The signature's length, 4 bytes, is not signed.
  const body = unsigned.subarray(0, unsigned.length - 4)
  const signature = signer.sign(signingBytes(envelopeDomain(envelope.kind), envelopeScope(network), body))
  return encode(envelopeCodec, { ...envelope, signature })
}
