/**
 * A client without its sockets and timers: opens a session, sends envelopes and reads, sends again what is not answered, and follows
 * the hints about who leads. The host calls `connected`, `disconnected`, `response`, `tick` when `dueMs` has come, and `endTurn` when
 * it has no more to say for now; nothing is sent before that, so that operations of one turn share an envelope.
 */

import { decode, encode } from '../../wire/codec.ts'
import {
  clientRequestCodec,
  clientResponseCodec,
  type ClientRequest,
  type ClientResponse,
  type Consistency,
} from '../../kernel/client-messages.ts'
import type { Height, ReplicaId } from '../../kernel/ids.ts'
import { envelopeBytesMax, operationBytesMax } from '../../kernel/limits.ts'
import { outcomeCodec } from '../../kernel/outcome.ts'
import type { Random } from '../../kernel/random.ts'
import { fail, settle, type ClientFailure, type ClientOperation } from './operation.ts'
import { encodeEnvelope, Session, type Flight, type SessionOptions } from './session.ts'

export interface ClientLimits {
  /** Operations and reads that wait or are under way. */
  operationsMax: number
  bytesMax: number
  /** An envelope or read without an answer goes to the next replica after so long, and then twice as long, up to the second. */
  retryMsMin: number
  retryMsMax: number
}

export const clientLimitsDefault: ClientLimits = {
  operationsMax: 16_384,
  bytesMax: 64 * 1024 * 1024,
  retryMsMin: 1_000,
  retryMsMax: 8_000,
}

export interface ClientCoreOptions extends SessionOptions {
  replicas: readonly ReplicaId[]
  /** Unguessable. */
  nonce: () => Uint8Array
  random: Random
  send: (to: ReplicaId, request: Uint8Array) => void
  limits?: ClientLimits
  /** Something is worth knowing: sessions opened and lost, malformed answers. */
  note?: (event: string, detail: string) => void
}

interface Opening {
  encoded: Uint8Array
  nonce: Uint8Array
  attempts: number
  dueMs: number
}

interface Read {
  readonly id: number
  readonly request: Uint8Array
  readonly operation: ClientOperation
  attempts: number
  dueMs: number
  target: ReplicaId | null
}

const retrySoonMs = 20
const overloadedRetryMs = 100

export class ClientCore {
  readonly #options: ClientCoreOptions
  readonly #limits: ClientLimits
  readonly #connected = new Set<ReplicaId>()
  readonly #waiting: ClientOperation[] = []
  readonly #reads = new Map<number, Read>()
  /** Questions about how a replica is; null answers them when it is gone. */
  readonly #statuses = new Map<number, { replica: ReplicaId; answer: (report: Uint8Array | null) => void }>()
  #session: Session | null = null
  #opening: Opening | null = null
  #openingNotBeforeMs = 0
  #target: ReplicaId | null = null
  #knownHeight: Height = 0
  #nextReadId = 1
  #operations = 0
  #bytes = 0
  #closed = false

  constructor(options: ClientCoreOptions) {
    this.#options = options
    this.#limits = options.limits ?? clientLimitsDefault
  }

  /** Operations and reads that wait or are under way. */
  get underWay(): number {
    return this.#operations
  }

  get isConnected(): boolean {
    return this.#connected.size > 0
  }

  /** Height of the newest answer. */
  get knownHeight(): Height {
    return this.#knownHeight
  }

  /** Whoever gets the operations now. */
  get target(): ReplicaId | null {
    return this.#target
  }

  /** `settle` is called once, now or later. */
  submit(command: Uint8Array, settled: NonNullable<ClientOperation['settle']>): ClientOperation {
    const operation = this.#admit(command, settled)
    if (operation.settle !== null) this.#waiting.push(operation)
    return operation
  }

  query(query: Uint8Array, consistency: Consistency, settled: NonNullable<ClientOperation['settle']>): ClientOperation {
    const operation = this.#admit(query, settled)
    if (operation.settle === null) return operation
    const id = this.#nextReadId++
    const request = encode(clientRequestCodec, { kind: 'query', id, consistency, query })
    this.#reads.set(id, { id, request, operation, attempts: 0, dueMs: 0, target: null })
    return operation
  }

  /** Asks one replica how it is: answered by it alone, or by null when it is not there or goes. */
  status(replica: ReplicaId, answer: (report: Uint8Array | null) => void): void {
    if (!this.#connected.has(replica) || this.#statuses.size >= this.#limits.operationsMax) return answer(null)
    const id = this.#nextReadId++
    this.#statuses.set(id, { replica, answer })
    this.#options.send(replica, encode(clientRequestCodec, { kind: 'status', id }))
  }

  /** Nobody waits for it any more. What has not left never will; what has left stays under way. */
  abandon(operation: ClientOperation, code: 'ERR_DEADLINE' | 'ERR_ABORTED', why: string): void {
    if (operation.settle === null) return
    const index = this.#waiting.indexOf(operation)
    if (index >= 0) this.#waiting.splice(index, 1)
    const read = [...this.#reads.values()].find((one) => one.operation === operation)
    if (read !== undefined) this.#reads.delete(read.id)
    const certain = index >= 0 || read !== undefined
    const message = certain
      ? `${why}: it was not executed; try again`
      : `${why}: it may have been executed, or may yet be; read the state to find out`
    fail(operation, { code, certainty: certain ? 'definite' : 'indefinite', message })
  }

  connected(replica: ReplicaId, nowMs: number): void {
    this.#connected.add(replica)
    if (this.#target === null || !this.#connected.has(this.#target)) this.#target = replica
    this.#wake(nowMs, (target) => target === null || !this.#connected.has(target))
  }

  disconnected(replica: ReplicaId, nowMs: number): void {
    this.#connected.delete(replica)
    if (this.#target === replica) this.#rotate()
    for (const [id, status] of this.#statuses) if (status.replica === replica) this.#told(id, replica, null)
    this.#wake(nowMs, (target) => target === replica)
  }

  response(from: ReplicaId, bytes: Uint8Array, nowMs: number): void {
    const response = decode(clientResponseCodec, bytes)
    if (!response.ok) return this.#options.note?.('malformed-response', `from replica ${from}`)
    this.#respond(from, response.value, nowMs)
  }

  /** When `tick` is due; null if nothing is. */
  get dueMs(): number | null {
    let due: number | null = null
    const consider = (atMs: number): void => {
      if (due === null || atMs < due) due = atMs
    }
    if (this.#connected.size === 0) return null
    if (this.#opening !== null) consider(this.#opening.dueMs)
    else if (this.#session === null && this.#waiting.length > 0) consider(this.#openingNotBeforeMs)
    for (const flight of this.#session?.flights ?? []) consider(flight.dueMs)
    for (const read of this.#reads.values()) consider(read.dueMs)
    return due
  }

  /** Sends what is new and what is due. */
  endTurn(nowMs: number): void {
    if (this.#closed || this.#connected.size === 0) return
    if (this.#session === null && this.#waiting.length > 0) this.#open(nowMs)
    this.#sendDue(nowMs)
    this.#submitAll(this.#session === null ? [] : this.#fill(this.#session, nowMs))
  }

  close(): void {
    this.#closed = true
    const message = (sent: boolean): string =>
      sent ? 'the client was closed: it may have been executed, or may yet be' : 'the client was closed before it left'
    const failure = (sent: boolean): ClientFailure => {
      return { code: 'ERR_CLOSED', certainty: sent ? 'indefinite' : 'definite', message: message(sent) }
    }
    for (const operation of this.#waiting.splice(0)) fail(operation, failure(false))
    for (const read of this.#reads.values()) fail(read.operation, failure(false))
    this.#reads.clear()
    for (const [id, { replica }] of this.#statuses) this.#told(id, replica, null)
    this.#session?.failAll(failure(true))
    this.#session = null
  }

  #admit(bytes: Uint8Array, settled: NonNullable<ClientOperation['settle']>): ClientOperation {
    const operation: ClientOperation = { command: bytes, settle: settled, sent: false }
    const refuse = (code: ClientFailure['code'], message: string, retryAfterMs?: number): ClientOperation => {
      const base = { code, certainty: 'definite', message } as const
      fail(operation, retryAfterMs === undefined ? base : { ...base, retryAfterMs })
      return operation
    }
    if (this.#closed) return refuse('ERR_CLOSED', 'the client is closed: make a new one')
    if (bytes.length > operationBytesMax) {
      return refuse(
        'ERR_MALFORMED',
        `it has ${bytes.length} bytes, and at most ${operationBytesMax} are ordered: split it`,
      )
    }
    if (this.#operations >= this.#limits.operationsMax || this.#bytes + bytes.length > this.#limits.bytesMax) {
      const message = `${this.#operations} operations wait already: try again in ${overloadedRetryMs} ms`
      return refuse('ERR_OVERLOADED', message, overloadedRetryMs)
    }
    this.#operations++
    this.#bytes += bytes.length
    operation.settle = (outcome) => {
      this.#operations--
      this.#bytes -= bytes.length
      settled(outcome)
    }
    return operation
  }

  #respond(from: ReplicaId, response: ClientResponse, nowMs: number): void {
    switch (response.kind) {
      case 'replies':
        for (const { session, number, height, index, outcome } of response.replies) {
          const { id } = this.#session ?? {}
          if (id === undefined || id.height !== session.height || id.index !== session.index) continue
          this.#reply(from, number, height, index, outcome, nowMs)
        }
        return
      case 'opened':
        return this.#opened(response, nowMs)
      case 'answer':
        return this.#answer(response.id, response.height, response.answer)
      case 'unanswered': {
        this.#hint(response.leader)
        const read = this.#reads.get(response.id)
        if (read !== undefined && read.target === from) read.dueMs = nowMs + this.#soon()
        return
      }
      case 'hint':
        return this.#hint(response.leader)
      case 'status':
        return this.#told(response.id, from, response.report)
      case 'refused':
        return this.#refused(from, response, nowMs)
    }
  }

  #reply(from: ReplicaId, number: number, height: Height, index: number, encoded: Uint8Array, nowMs: number): void {
    const outcome = decode(outcomeCodec, encoded)
    if (!outcome.ok) return this.#options.note?.('malformed-outcome', `from replica ${from}`)
    if (this.#options.repliesNeeded === 1) this.#learnHeight(height)
    const effect = this.#session!.reply(from, number, height, index, outcome.value, encoded)
    if (effect.kind === 'again') {
      effect.flight.dueMs = Math.min(effect.flight.dueMs, nowMs + this.#soon())
      // It was answered: no reason to go elsewhere.
      effect.flight.target = null
    } else if (effect.kind === 'session-lost') this.#loseSession()
  }

  #loseSession(): void {
    this.#options.note?.('session-lost', '')
    const session = this.#session
    this.#session = null
    session?.failAll({
      code: 'ERR_SESSION_EXPIRED',
      certainty: 'indefinite',
      message: 'the session was evicted while it was under way: it may have been executed; read the state to find out',
    })
  }

  #opened(response: Extract<ClientResponse, { kind: 'opened' }>, nowMs: number): void {
    const opening = this.#opening
    if (opening === null || !sameBytes(opening.nonce, response.nonce)) return
    const outcome = decode(outcomeCodec, response.outcome)
    if (!outcome.ok) return
    this.#opening = null
    this.#learnHeight(response.height)
    if (outcome.value.kind === 'opened') {
      this.#session = new Session(this.#options, outcome.value.session)
      return
    }
    // Too old a height is known better now; a full table may empty.
    const code = outcome.value.kind === 'refused' ? outcome.value.code : outcome.value.kind
    this.#options.note?.('opening-refused', code)
    this.#openingNotBeforeMs = nowMs + (code === 'OpeningExpired' ? this.#soon() : this.#limits.retryMsMin)
  }

  #answer(id: number, height: Height, answer: Uint8Array): void {
    const read = this.#reads.get(id)
    if (read === undefined) return
    const outcome = decode(outcomeCodec, answer)
    if (!outcome.ok) return
    this.#reads.delete(id)
    this.#learnHeight(height)
    if (outcome.value.kind === 'executed') {
      return settle(read.operation, { ok: true, result: outcome.value.result, height, index: 0 })
    }
    const message = 'the state machine refuses the query: correct it'
    fail(read.operation, { code: 'ERR_INVALID_QUERY', certainty: 'definite', message })
  }

  /** It says nothing about any one envelope: all that is with this replica waits a little, and follows the hint. */
  #refused(from: ReplicaId, response: Extract<ClientResponse, { kind: 'refused' }>, nowMs: number): void {
    if (response.reason !== 'overloaded') this.#hint(response.leader)
    const atMs = nowMs + response.retryAfterMs + this.#soon()
    for (const flight of this.#session?.flights ?? []) if (flight.target === from) flight.dueMs = atMs
    if (this.#opening !== null) this.#opening.dueMs = atMs
  }

  #told(id: number, from: ReplicaId, report: Uint8Array | null): void {
    const status = this.#statuses.get(id)
    if (status === undefined || status.replica !== from) return
    this.#statuses.delete(id)
    status.answer(report)
  }

  #hint(leader: ReplicaId | null): void {
    if (leader !== null && this.#connected.has(leader)) this.#target = leader
  }

  #rotate(): void {
    const candidates = [...this.#connected].filter((replica) => replica !== this.#target)
    this.#target = candidates.length > 0 ? this.#options.random.pick(candidates) : ([...this.#connected][0] ?? null)
  }

  #open(nowMs: number): void {
    if (this.#opening !== null || nowMs < this.#openingNotBeforeMs) return
    const nonce = this.#options.nonce()
    const encoded = encodeEnvelope(this.#options, {
      kind: 'open',
      client: this.#options.client,
      nonce,
      referenceHeight: this.#knownHeight,
      signature: new Uint8Array(0),
    })
    this.#opening = { encoded, nonce, attempts: 0, dueMs: nowMs }
  }

  /** New envelopes of what waits, as many as may be under way. */
  #fill(session: Session, nowMs: number): Uint8Array[] {
    const fresh: Uint8Array[] = []
    while (session.hasRoom && this.#waiting.length > 0) {
      const flight = session.fill(this.#waiting)
      if (flight === null) break
      for (const operation of flight.operations) operation!.sent = true
      this.#schedule(flight, nowMs)
      fresh.push(flight.encoded)
    }
    return fresh
  }

  #sendDue(nowMs: number): void {
    const opening = this.#opening
    if (opening !== null && opening.dueMs <= nowMs) {
      if (opening.attempts > 0) this.#rotate()
      this.#schedule(opening, nowMs)
      this.#submitAll([opening.encoded])
    }
    const again: Flight[] = []
    for (const flight of this.#session?.flights ?? []) if (flight.dueMs <= nowMs) again.push(flight)
    const stuck = again.some((flight) => flight.target === this.#target && flight.attempts > 0)
    if (stuck) this.#rotate()
    for (const flight of again) this.#schedule(flight, nowMs)
    this.#submitAll(again.map((flight) => flight.encoded))
    for (const read of this.#reads.values()) if (read.dueMs <= nowMs) this.#sendRead(read, nowMs)
  }

  #sendRead(read: Read, nowMs: number): void {
    if (read.attempts > 0 && read.target === this.#target) this.#rotate()
    this.#schedule(read, nowMs)
    if (this.#target !== null) this.#options.send(this.#target, read.request)
  }

  /** When it goes out again if nothing comes: later each time, and not at one moment with everybody else's. */
  #schedule(item: { attempts: number; dueMs: number; target?: ReplicaId | null }, nowMs: number): void {
    const { retryMsMin, retryMsMax } = this.#limits
    const delayMs = Math.min(retryMsMax, retryMsMin * 2 ** Math.min(item.attempts, 10))
    item.attempts++
    item.target = this.#target
    item.dueMs = nowMs + delayMs + this.#options.random.below(Math.ceil(delayMs / 4))
  }

  /** Where one replica's word counts, to one; else to all, who answer each for itself. */
  #submitAll(envelopes: readonly Uint8Array[]): void {
    let batch: Uint8Array[] = []
    let bytes = 0
    const flush = (): void => {
      if (batch.length === 0) return
      const request: ClientRequest = { kind: 'submit', envelopes: batch }
      const encoded = encode(clientRequestCodec, request)
      if (this.#options.repliesNeeded > 1) for (const replica of this.#connected) this.#options.send(replica, encoded)
      else if (this.#target !== null) this.#options.send(this.#target, encoded)
      batch = []
      bytes = 0
    }
    for (const envelope of envelopes) {
      if (bytes + envelope.length > envelopeBytesMax) flush()
      batch.push(envelope)
      bytes += envelope.length
    }
    flush()
  }

  /** What went to somebody who is not there goes out at once. */
  #wake(nowMs: number, concerns: (target: ReplicaId | null) => boolean): void {
    for (const flight of this.#session?.flights ?? []) if (concerns(flight.target)) flight.dueMs = nowMs
    for (const read of this.#reads.values()) if (concerns(read.target)) read.dueMs = nowMs
    if (this.#opening !== null) this.#opening.dueMs = nowMs
  }

  #learnHeight(height: Height): void {
    this.#knownHeight = Math.max(this.#knownHeight, height)
  }

  #soon(): number {
    return retrySoonMs + this.#options.random.below(retrySoonMs)
  }
}

function sameBytes(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && left.every((byte, index) => byte === right[index])
}
