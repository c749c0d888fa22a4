// A client of the simulated network: opens a session, keeps a few operations under way, and sends again what is not answered.
// It writes down what it sees; the checkers judge that record and nothing else.

import { decode, encode } from '../wire/codec.ts'
import {
  clientRequestCodec,
  clientResponseCodec,
  type ClientRequest,
  type ClientResponse,
  type Reply,
} from '../kernel/client-messages.ts'
import type { PublicKey } from '../kernel/crypto-ports.ts'
import { envelopeCodec, nonceBytes, type Envelope, type SessionId } from '../kernel/envelope.ts'
import type { Random } from '../kernel/random.ts'
import type { HistoryRecorder } from './checkers/history.ts'
import type { HistoryOperation } from './checkers/key-value-model.ts'
import { count } from './coverage.ts'
import { clientAddressMin, type Address, type Network } from './network.ts'
import type { Coverage } from './report.ts'
import type { Scheduled, Scheduler } from './scheduler.ts'
import { answerOf, meaningOf, sessionOf, writeCommand, writeQuery } from './store-language.ts'

export interface ClientOptions {
  number: number
  key: PublicKey
  replicas: readonly Address[]
  scheduler: Scheduler
  network: Network
  random: Random
  history: HistoryRecorder
  coverage: Coverage
  /** Draws the next operation of the load. */
  draw: (random: Random) => HistoryOperation
  /** Envelopes and reads under way at once. */
  inFlightMax: number
  /** Mean pause between an answer and the next operation. */
  thinkUs: number
  retryUs: number
  /** Of 1,000 reads, so many go without a log entry. */
  readIndexPerMille: number
  note: (what: string, detail: string) => void
}

interface Pending {
  /** The number in the session, or of the read. */
  number: number
  ids: number[]
  operations: HistoryOperation[]
  request: ClientRequest
  retry: Scheduled | null
  attempts: number
}

const operationsPerEnvelopeMax = 3

export class SimulatedClient {
  readonly address: Address
  readonly #options: ClientOptions
  #session: SessionId | null = null
  #nonce = new Uint8Array(nonceBytes)
  #opening: Pending | null = null
  #nextNumber = 1
  #nextId = 1
  #acknowledgedNumber = 0
  #knownHeight = 0
  #target = 0
  readonly #pending = new Map<number, Pending>()
  /** Which operation of the record bears a number of a session: what the world asks when it sees the number executed. */
  readonly #ids = new Map<string, number>()
  readonly #reads = new Map<number, Pending>()
  #draining = false
  completed = 0

  constructor(options: ClientOptions) {
    this.#options = options
    this.address = clientAddressMin + options.number
    this.#target = options.random.below(options.replicas.length)
    options.network.attach(this.address, (_from, bytes) => this.#receive(bytes))
    this.#open()
  }

  /** Invokes nothing new; what is under way goes on until it is answered. */
  drain(): void {
    this.#draining = true
  }

  /** The operation behind a number of a session, if it is one of this client's. */
  idOf(session: SessionId, number: number): number | null {
    return this.#ids.get(idKey(session, number)) ?? null
  }

  get underWay(): number {
    return this.#pending.size + this.#reads.size + (this.#opening === null ? 0 : 1)
  }

  /** Operations under way, for a person who asks what the run is waiting for. */
  describeUnderWay(): string {
    const waiting = [
      ...this.#pending.values(),
      ...this.#reads.values(),
      ...(this.#opening === null ? [] : [this.#opening]),
    ]
    return waiting
      .map(
        (pending) =>
          `${pending.operations[0]?.kind ?? 'a session'} ${pending.ids.join(',')} (${pending.attempts} attempts)`,
      )
      .join('; ')
  }

  #open(): void {
    const { random, key } = this.#options
    for (let index = 0; index < nonceBytes; index++) this.#nonce[index] = random.below(256)
    const nonce = Uint8Array.from(this.#nonce)
    const envelope: Envelope = {
      kind: 'open',
      client: key,
      nonce,
      referenceHeight: this.#knownHeight,
      signature: new Uint8Array(0),
    }
    this.#session = null
    this.#opening = this.#submit(envelope, 0, [], [])
  }

  #submit(envelope: Envelope, number: number, ids: number[], operations: HistoryOperation[]): Pending {
    const request: ClientRequest = { kind: 'submit', envelopes: [encode(envelopeCodec, envelope)] }
    const pending: Pending = { number, ids, operations, request, retry: null, attempts: 0 }
    this.#send(pending)
    return pending
  }

  #send(pending: Pending): void {
    const { network, replicas, scheduler, random, retryUs, coverage } = this.#options
    pending.attempts++
    if (pending.attempts > 1) count(coverage, 'client-retries')
    network.send(this.address, replicas[this.#target]!, encode(clientRequestCodec, pending.request), scheduler.nowUs)
    if (pending.retry !== null) scheduler.cancel(pending.retry)
    pending.retry = scheduler.after(retryUs + random.below(retryUs), () => {
      this.#target = (this.#target + 1) % replicas.length
      this.#send(pending)
    })
  }

  #next(): void {
    const { random, inFlightMax, readIndexPerMille, draw } = this.#options
    if (this.#draining || this.#session === null || this.underWay >= inFlightMax) return
    const first = draw(random)
    if (first.kind === 'get' && random.chance(readIndexPerMille, 1000)) return this.#read(first)
    const operations = [first]
    while (operations.length < operationsPerEnvelopeMax && random.chance(1, 5)) operations.push(draw(random))
    const ids: number[] = []
    for (const operation of operations) {
      if (!this.#invoke(operation, ids)) break
    }
    if (ids.length === 0) return
    operations.length = ids.length
    const number = this.#nextNumber
    this.#nextNumber += operations.length
    const envelope: Envelope = {
      kind: 'operations',
      client: this.#options.key,
      session: this.#session,
      firstNumber: number,
      acknowledgedNumber: this.#acknowledgedNumber,
      operations: operations.map((operation) => writeCommand(operation)),
      signature: new Uint8Array(0),
    }
    for (const [offset, id] of ids.entries()) this.#ids.set(idKey(this.#session, number + offset), id)
    this.#pending.set(number, this.#submit(envelope, number, ids, operations))
  }

  #read(operation: HistoryOperation): void {
    const ids: number[] = []
    if (!this.#invoke(operation, ids)) return
    const id = ids[0]!
    const query = writeQuery(operation)
    const request: ClientRequest = { kind: 'query', id, consistency: 'linearizable', query }
    const pending: Pending = { number: id, ids, operations: [operation], request, retry: null, attempts: 0 }
    this.#reads.set(id, pending)
    this.#send(pending)
  }

  #invoke(operation: HistoryOperation, ids: number[]): boolean {
    const { history, number, scheduler } = this.#options
    const id = this.#nextId
    if (!history.invoke(number, id, operation, scheduler.nowUs)) {
      this.#draining = true
      return false
    }
    this.#nextId++
    ids.push(id)
    return true
  }

  #receive(bytes: Uint8Array): void {
    const response = decode(clientResponseCodec, bytes)
    if (!response.ok)
      throw new Error(`client ${this.#options.number} got a response it cannot read: ${response.error.message}`)
    this.#handle(response.value)
  }

  #handle(response: ClientResponse): void {
    switch (response.kind) {
      case 'replies':
        for (const reply of response.replies) this.#reply(reply)
        return
      case 'opened':
        return this.#opened(response)
      case 'answer':
        return this.#answer(response.id, response.height, response.answer)
      case 'hint':
        this.#target = Math.max(0, this.#options.replicas.indexOf(response.leader))
        return
      case 'unanswered':
      case 'refused': {
        // The next attempt goes to the leader named; when nobody is named, to anyone.
        const { replicas, random } = this.#options
        const hinted = replicas.indexOf(response.leader ?? -1)
        this.#target = hinted >= 0 ? hinted : random.below(replicas.length)
        if (response.kind === 'unanswered') this.#retrySoon(this.#reads.get(response.id))
      }
    }
  }

  #retrySoon(pending: Pending | undefined): void {
    if (pending === undefined) return
    const { scheduler, random } = this.#options
    if (pending.retry !== null) scheduler.cancel(pending.retry)
    pending.retry = scheduler.after(10_000 + random.below(50_000), () => this.#send(pending))
  }

  #opened(response: Extract<ClientResponse, { kind: 'opened' }>): void {
    if (this.#opening === null || !response.nonce.every((byte, index) => byte === this.#nonce[index])) return
    this.#cancelRetry(this.#opening)
    this.#opening = null
    this.#knownHeight = Math.max(this.#knownHeight, response.height)
    const session = sessionOf(response.outcome)
    if (session === null) {
      this.#options.note('opening refused', `at height ${response.height}`)
      this.#options.scheduler.after(10_000, () => this.#open())
      return
    }
    this.#session = session
    this.#nextNumber = 1
    this.#acknowledgedNumber = 0
    for (let slot = 0; slot < this.#options.inFlightMax; slot++) this.#think()
  }

  #reply(reply: Reply): void {
    const { history, number: client, scheduler, note } = this.#options
    this.#knownHeight = Math.max(this.#knownHeight, reply.height)
    const session = this.#session
    if (session === null || session.height !== reply.session.height || session.index !== reply.session.index) return
    for (const pending of this.#pending.values()) {
      const offset = reply.number - pending.number
      if (offset < 0 || offset >= pending.ids.length || pending.ids[offset] === 0) continue
      const operation = pending.operations[offset]!
      const meaning = meaningOf(reply.outcome)
      if (meaning.kind === 'again') return this.#retrySoon(pending)
      if (meaning.kind === 'session-lost') return this.#loseSession()
      if (meaning.kind === 'forgotten') count(this.#options.coverage, 'replies-forgotten')
      const id = pending.ids[offset]!
      if (meaning.kind === 'done') {
        const position = { kind: 'ordered', height: reply.height, index: reply.index } as const
        note('operation done', `${operation.kind} ${id} at ${position.height}.${position.index}`)
        history.complete(client, id, { kind: 'ok', result: meaning.result, position }, scheduler.nowUs)
      }
      pending.ids[offset] = 0
      this.completed++
      if (pending.ids.every((left) => left === 0)) this.#finish(pending)
      return
    }
  }

  /** What was under way may or may not have happened: it stays open in the record, for ever. */
  #loseSession(): void {
    const { coverage } = this.#options
    count(coverage, 'sessions-lost')
    for (const pending of this.#pending.values()) this.#cancelRetry(pending)
    this.#pending.clear()
    this.#open()
  }

  #finish(pending: Pending): void {
    this.#cancelRetry(pending)
    this.#pending.delete(pending.number)
    let acknowledged = this.#nextNumber - 1
    for (const other of this.#pending.keys()) acknowledged = Math.min(acknowledged, other - 1)
    this.#acknowledgedNumber = acknowledged
    this.#think()
  }

  #answer(id: number, height: number, answer: Uint8Array): void {
    const pending = this.#reads.get(id)
    if (pending === undefined) return
    const { history, number: client, scheduler, coverage } = this.#options
    this.#knownHeight = Math.max(this.#knownHeight, height)
    this.#cancelRetry(pending)
    this.#reads.delete(id)
    count(coverage, 'linearizable-reads')
    const result = answerOf(answer)
    history.complete(client, id, { kind: 'ok', result, position: { kind: 'observed', height } }, scheduler.nowUs)
    this.completed++
    this.#think()
  }

  #cancelRetry(pending: Pending): void {
    if (pending.retry !== null) this.#options.scheduler.cancel(pending.retry)
    pending.retry = null
  }

  #think(): void {
    const { scheduler, random, thinkUs } = this.#options
    scheduler.after(1 + random.below(2 * thinkUs), () => this.#next())
  }
}

function idKey(session: SessionId, number: number): string {
  return `${session.height}.${session.index}.${number}`
}
