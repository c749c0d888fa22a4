/**
 * A client of the simulated network: the real client's core, in virtual time, under a load that keeps a few operations under way. It
 * writes down what its callers see; the checkers judge that record and nothing else.
 */

import { decode } from '../wire/codec.ts'
import { ClientCore, clientLimitsDefault } from '../client/core/client-core.ts'
import type { ClientFailure, ClientOperation, Settled } from '../client/core/operation.ts'
import { clientRequestCodec } from '../kernel/client-messages.ts'
import type { PublicKey, Signer } from '../kernel/crypto-ports.ts'
import { envelopeCodec, nonceBytes, type Envelope, type SessionId } from '../kernel/envelope.ts'
import type { ReplicaId } from '../kernel/ids.ts'
import { membershipOf, type Epoch } from '../kernel/membership.ts'
import type { Random } from '../kernel/random.ts'
import type { ApplicationLanguage } from './application.ts'
import type { HistoryRecorder } from './checkers/history.ts'
import { count } from './coverage.ts'
import { clientAddressMin, type Address, type Network } from './network.ts'
import type { Coverage } from './report.ts'
import type { LoadShape } from './run-parameters.ts'
import type { Scheduled, Scheduler } from './scheduler.ts'
import { simulatedHasher } from './simulated-suite.ts'

export interface ClientOptions<Operation, Result> {
  number: number
  epoch: Epoch
  key: PublicKey
  /** Null where the link vouches for envelopes. */
  signer: Signer | null
  scheduler: Scheduler
  network: Network
  random: Random
  history: HistoryRecorder<Operation, Result>
  language: ApplicationLanguage<Operation, Result>
  coverage: Coverage
  /** Draws the next operation of the load. */
  draw: (random: Random) => Operation
  load: LoadShape
  note: (what: string, detail: string) => void
}

/** Operations that were invoked together; when all have ended, the next are. */
interface Group {
  left: number
}

interface Open<Operation> {
  readonly id: number
  readonly operation: Operation
  readonly group: Group
  readonly isRead: boolean
  readonly sinceUs: number
  handle: ClientOperation | null
  deadline: Scheduled | null
}

const operationsPerGroupMax = 3

export class SimulatedClient<Operation, Result> {
  readonly address: Address
  readonly #options: ClientOptions<Operation, Result>
  #core: ClientCore
  #nextId = 1
  /** Operations that somebody waits for. */
  readonly #open = new Map<number, Open<Operation>>()
  /** Those that no envelope has taken yet, in the order in which envelopes will. */
  #unsent = new Map<number, Operation>()
  /** Which operation of the record bears a number of a session: what the world asks when it sees the number executed. */
  readonly #ids = new Map<string, number>()
  /** What has left before: to tell the first attempt from the others. */
  #left = new Set<string>()
  #timer: Scheduled | null = null
  #draining = false
  #patient = false
  completed = 0

  constructor(options: ClientOptions<Operation, Result>) {
    this.#options = options
    this.address = clientAddressMin + options.number
    this.#core = this.#start()
    options.network.attach(this.address, (from, bytes) => {
      this.#core.response(from as ReplicaId, bytes, this.#nowMs)
      this.#endTurn()
    })
    for (let slot = 0; slot < options.load.inFlightMax; slot++) this.#think()
  }

  /** Gives up no operation any more: from here on, all must complete. */
  wait(): void {
    this.#patient = true
    for (const open of this.#open.values()) this.#cancelDeadline(open)
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
    return this.#open.size
  }

  /** Operations under way, for a person who asks what the run is waiting for. */
  describeUnderWay(): string {
    const { nowUs } = this.#options.scheduler
    const waiting = [...this.#open.values()].map(
      ({ id, operation, sinceUs }) =>
        `${this.#options.language.kindOf(operation)} ${id} (${Math.round((nowUs - sinceUs) / 1000)} ms)`,
    )
    return `${waiting.join('; ')}, with replica ${this.#core.target}, due in ${Math.round((this.#core.dueMs ?? Infinity) - this.#nowMs)} ms`
  }

  get #nowMs(): number {
    return this.#options.scheduler.nowUs / 1000
  }

  #start(): ClientCore {
    const { epoch, key, signer, random, load, network, scheduler } = this.#options
    const retryMsMin = load.retryUs / 1000
    const { oneCorrect, quorum, voters, faultModel } = membershipOf(epoch)
    const replicas = epoch.members.map((member) => member.id)
    const core = new ClientCore({
      network: epoch.network,
      client: key,
      signer,
      repliesNeeded: oneCorrect,
      hasher: simulatedHasher,
      ...(faultModel === 'byzantine' ? { voters, reads: { kind: 'quorum' as const, quorum } } : {}),
      repliesKept: epoch.parameters.sessions.repliesKept,
      replicas,
      nonce: () => Uint8Array.from({ length: nonceBytes }, () => random.below(256)),
      random: random.fork('core'),
      send: (to, request) => {
        this.#noteSent(request)
        network.send(this.address, to, request, scheduler.nowUs)
      },
      limits: { ...clientLimitsDefault, retryMsMin, retryMsMax: 4 * retryMsMin },
      note: (event, detail) => this.#noted(event, detail),
    })
    const first = random.below(replicas.length)
    for (let index = 0; index < replicas.length; index++) {
      core.connected(replicas[(first + index) % replicas.length]!, this.#nowMs)
    }
    return core
  }

  #next(): void {
    const { random, load, draw, coverage, language } = this.#options
    if (this.#draining) return
    if (load.restartPerMille > 0 && this.#open.size === 0 && random.chance(load.restartPerMille, 1000)) {
      // Another process with the same key.
      count(coverage, 'client-restarts')
      this.#core.close()
      this.#core = this.#start()
      this.#left = new Set()
    }
    const first = draw(random)
    const group: Group = { left: 0 }
    const [query, command] = [language.writeQuery(first), language.writeCommand(first)]
    if (query !== null && (command === null || random.chance(load.readIndexPerMille, 1000)))
      this.#invoke(first, query, group, true)
    else {
      this.#invokeAny(first, group)
      while (group.left < operationsPerGroupMax && random.chance(1, 5)) this.#invokeAny(draw(random), group)
    }
    this.#endTurn()
  }

  /** As a command, if it can be one. */
  #invokeAny(operation: Operation, group: Group): void {
    const { language } = this.#options
    const command = language.writeCommand(operation)
    this.#invoke(operation, command ?? language.writeQuery(operation)!, group, command === null)
  }

  #invoke(operation: Operation, bytes: Uint8Array, group: Group, isRead: boolean): void {
    const { history, number, scheduler, random, load } = this.#options
    const id = this.#nextId
    if (this.#draining || !history.invoke(number, id, operation, scheduler.nowUs)) {
      this.#draining = true
      group.left += operationsPerGroupMax
      return
    }
    this.#nextId++
    group.left++
    const open: Open<Operation> = {
      id,
      operation,
      group,
      isRead,
      sinceUs: scheduler.nowUs,
      handle: null,
      deadline: null,
    }
    this.#open.set(id, open)
    const settled = (outcome: Settled): void => this.#settled(open, outcome)
    if (isRead) open.handle = this.#core.query(bytes, 'linearizable', settled)
    else {
      this.#unsent.set(id, operation)
      open.handle = this.#core.submit(bytes, settled)
    }
    if (this.#patient || !random.chance(load.deadlinePerMille, 1000)) return
    open.deadline = scheduler.after(1 + random.below(2 * load.retryUs), () => {
      open.deadline = null
      count(this.#options.coverage, 'deadlines')
      this.#core.abandon(open.handle!, 'ERR_DEADLINE', 'its deadline has come')
      this.#endTurn()
    })
  }

  #settled(open: Open<Operation>, settled: Settled): void {
    const { history, number: client, scheduler, coverage, note, language } = this.#options
    const { id, operation, group } = open
    this.#cancelDeadline(open)
    this.#open.delete(id)
    if (settled.ok) {
      const { height, index } = settled
      const position = open.isRead
        ? ({ kind: 'observed', height } as const)
        : ({ kind: 'ordered', height, index } as const)
      if (open.isRead) count(coverage, 'linearizable-reads')
      else note('operation done', `${language.kindOf(operation)} ${id} at ${height}.${index}`)
      history.complete(
        client,
        id,
        { kind: 'ok', result: language.readResult(settled.result), position },
        scheduler.nowUs,
      )
    } else this.#failed(open, settled.failure)
    if (settled.ok || settled.failure.code === 'ERR_REPLY_EVICTED' || this.#isExpected(settled.failure))
      this.completed++
    if (--group.left === 0) this.#think()
  }

  #isExpected({ code }: ClientFailure): boolean {
    return this.#options.language.failures.includes(code)
  }

  /** What may have happened stays open in the record, for ever. */
  #failed({ id, operation }: Open<Operation>, failure: ClientFailure): void {
    const { history, number: client, scheduler, coverage, note, language } = this.#options
    const { code, certainty } = failure
    note('operation failed', `${language.kindOf(operation)} ${id}: ${code}, ${certainty}`)
    if (code === 'ERR_REPLY_EVICTED') count(coverage, 'replies-forgotten')
    else if (code !== 'ERR_DEADLINE' && code !== 'ERR_SESSION_EXPIRED' && !this.#isExpected(failure)) {
      throw new Error(`no correct client's operation ends with ${code}`)
    }
    if (certainty === 'indefinite') return
    this.#unsent.delete(id)
    count(coverage, 'definite-failures')
    history.complete(client, id, { kind: 'failed-definitely' }, scheduler.nowUs)
  }

  #endTurn(): void {
    const { scheduler } = this.#options
    this.#core.endTurn(this.#nowMs)
    const { dueMs } = this.#core
    if (dueMs === null) return
    const dueUs = Math.max(scheduler.nowUs + 1, Math.ceil(dueMs * 1000))
    // A timer that comes too early asks again: most things are answered before they are due.
    if (this.#timer !== null && this.#timer.atUs <= dueUs) return
    if (this.#timer !== null) scheduler.cancel(this.#timer)
    this.#timer = scheduler.at(dueUs, () => {
      this.#timer = null
      this.#endTurn()
    })
  }

  #noteSent(bytes: Uint8Array): void {
    const request = decode(clientRequestCodec, bytes)
    if (!request.ok) throw request.error
    if (request.value.kind === 'query') return this.#noteAttempt(`read ${request.value.id}`)
    if (request.value.kind !== 'submit') return
    for (const encoded of request.value.envelopes) {
      const envelope = decode(envelopeCodec, encoded)
      if (!envelope.ok) throw envelope.error
      this.#noteEnvelope(envelope.value)
    }
  }

  #noteEnvelope(envelope: Envelope): void {
    if (envelope.signature.length > 0) count(this.#options.coverage, 'signed-envelopes')
    if (envelope.kind === 'open') return this.#noteAttempt(`open ${envelope.nonce.join()}`)
    if (envelope.kind !== 'operations') return
    const { session, firstNumber, operations } = envelope
    this.#noteAttempt(idKey(session, firstNumber))
    if (this.#ids.has(idKey(session, firstNumber))) return
    for (let offset = 0; offset < operations.length; offset++) {
      for (const [id] of this.#unsent) {
        this.#unsent.delete(id)
        this.#ids.set(idKey(session, firstNumber + offset), id)
        break
      }
    }
  }

  #noteAttempt(name: string): void {
    if (this.#left.has(name)) count(this.#options.coverage, 'client-retries')
    else this.#left.add(name)
  }

  #noted(event: string, detail: string): void {
    if (event === 'session-lost') count(this.#options.coverage, 'sessions-lost')
    this.#options.note(event, detail)
  }

  #cancelDeadline(open: Open<Operation>): void {
    if (open.deadline !== null) this.#options.scheduler.cancel(open.deadline)
    open.deadline = null
  }

  #think(): void {
    const { scheduler, random, load } = this.#options
    scheduler.after(1 + random.below(2 * load.thinkUs), () => this.#next())
  }
}

function idKey(session: SessionId, number: number): string {
  return `${session.height}.${session.index}.${number}`
}
