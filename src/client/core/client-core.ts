/**
 * A client without its sockets and timers: opens a session, sends envelopes and reads, sends again what is not answered, and follows
 * the hints about who leads. The host calls `connected`, `disconnected`, `response`, and `endTurn` when it has no more to say for now
 * or `dueMs` has come; no envelope or read is sent before that, so that operations of one turn share an envelope.
 *
 * WHOM TO BELIEVE. Where replicas may lie (`repliesNeeded` above 1), openings and operations are answered by as many equal replies of
 * voters, and heights are learnt from those alone. Refusals change only when and where something is sent, within bounds, so one
 * replica's word is enough for them, and none ends an operation: refused by one, it may be executed all the same. Linearizable reads:
 * client-reads.ts. `local` reads promise nothing anywhere, and are one replica's.
 *
 * WHERE TO SEND. Where one replica is believed, to it. Else, as in PBFT §4.1, to the primary, and to all when no answer comes soon; who
 * the primary is, `repliesNeeded` must say. Each replica answers for itself, over the connection on which a session has last come: so
 * openings, ordered reads and the first envelope of a session go to all at once. Where leaders take turns, everything does: whoever
 * proposes next is somebody else by the time that a client has learnt of him, so that what went to one alone would be handed on, a way
 * more, in three cases of four. What has come to all is handed on by nobody (src/replica/pool): n messages for each envelope, and one way.
 */

import { decode, encode } from '../../wire/codec.ts'
import {
  clientRequestCodec,
  clientResponseCodec,
  type ClientRequest,
  type ClientResponse,
  type Consistency,
} from '../../kernel/client-messages.ts'
import type { SessionId } from '../../kernel/envelope.ts'
import type { Height, ReplicaId } from '../../kernel/ids.ts'
import { envelopeBytesMax, operationBytesMax } from '../../kernel/limits.ts'
import { outcomeCodec } from '../../kernel/outcome.ts'
import type { Random } from '../../kernel/random.ts'
import { Opening } from './opening.ts'
import { ClientOperation, fail, refuse, Room, type ClientFailure, type RoomLimits, type Settle } from './operation.ts'
import { Primary } from './primary.ts'
import { ClientReads, fastReadLimitsDefault, type FastReadLimits } from './client-reads.ts'
import type { ReadRule } from './reads.ts'
import { RetryTimes, type Attempts, type RetryLimits } from './retry.ts'
import { Turns } from './turns.ts'
import { StatusQuestions } from './status-questions.ts'
import { encodeEnvelope, Session, type Flight, type SessionOptions } from './session.ts'

export interface ClientLimits extends RoomLimits, RetryLimits, FastReadLimits {
  /** Where replicas may lie: what went to the primary alone goes to all after so long without an answer, at least. */
  primaryAloneMs: number
}

export const clientLimitsDefault: ClientLimits = {
  operationsMax: 16_384,
  bytesMax: 64 * 1024 * 1024,
  retryMsMin: 1_000,
  retryMsMax: 8_000,
  primaryAloneMs: 250,
  ...fastReadLimitsDefault,
}

export interface ClientCoreOptions extends SessionOptions {
  replicas: readonly ReplicaId[]
  /** Those whose replies and answers count. Default: all. */
  voters?: readonly ReplicaId[]
  /** Agreed: nobody leads for longer than a view. */
  leadersTakeTurns?: boolean
  /** How linearizable reads are had. Default: one replica's answer where one reply is believed, else they are ordered. */
  reads?: ReadRule
  /** Unguessable. */
  nonce: () => Uint8Array
  random: Random
  send: (to: ReplicaId, request: Uint8Array) => void
  limits?: ClientLimits
  /** Sessions of this key that an earlier life left open: they are closed, so that they do not count against the client's quota. */
  left?: readonly SessionId[]
  /** Called with each session that was opened: what a later life would find left. */
  opened?: (session: SessionId) => void
  /** Something is worth knowing: sessions opened and lost, malformed answers. */
  note?: (event: string, detail: string) => void
}

const overloadedRetryMs = 100

export class ClientCore {
  readonly #options: ClientCoreOptions
  readonly #limits: ClientLimits
  readonly #connected = new Set<ReplicaId>()
  /**
   * Those that never left, in the order of their numbers to be. A list and not a Set, whose outgrown tables point to the next ones: once one
   * of them is old, the collector keeps all that was ever in those behind it until it collects everything.
   */
  #waiting: ClientOperation[] = []
  readonly #reads: ClientReads
  readonly #voters: ReadonlySet<ReplicaId>
  readonly #connectedVoters = new Set<ReplicaId>()
  readonly #statuses: StatusQuestions
  readonly #times: RetryTimes
  /** Have not been sent what is under way, and each replica's word counts. */
  readonly #newcomers = new Set<ReplicaId>()
  #left: readonly SessionId[]
  #session: Session | null = null
  #opening: Opening | null = null
  #openingNotBeforeMs = 0
  #target: ReplicaId | null = null
  readonly #turns = new Turns()
  readonly #primary: Primary
  #knownHeight: Height = 0
  #nextReadId = 1
  readonly #room: Room
  #closed = false

  constructor(options: ClientCoreOptions) {
    this.#options = options
    this.#limits = options.limits ?? clientLimitsDefault
    this.#room = new Room(this.#limits)
    this.#statuses = new StatusQuestions(this.#limits.operationsMax)
    this.#times = new RetryTimes(this.#limits, options.random)
    this.#left = options.left ?? []
    this.#primary = new Primary(options.leadersTakeTurns === true ? Infinity : options.repliesNeeded, this.#limits)
    this.#voters = new Set(options.voters ?? options.replicas)
    this.#reads = new ClientReads({
      ...options,
      rule: options.reads ?? (options.repliesNeeded > 1 ? { kind: 'ordered' } : { kind: 'one' }),
      limits: this.#limits,
      connected: this.#connectedVoters,
      times: this.#times,
      target: () => this.#target,
      leaveSilent: (item) => this.#leaveSilent(item),
      submit: (envelopes) => this.#submitAll(envelopes),
      learnHeight: (height) => this.#learnHeight(height),
      note: (event, detail) => options.note?.(event, detail),
    })
  }

  /** Operations and reads that wait or are under way. */
  get underWay(): number {
    return this.#room.operations
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

  /** `settled` is called once, now or later. */
  submit(command: Uint8Array, settled: Settle): ClientOperation {
    const operation = new ClientOperation(command, settled)
    if (this.#isLetIn(operation)) this.#waiting.push(operation)
    return operation
  }

  query(query: Uint8Array, consistency: Consistency, settled: Settle): ClientOperation {
    const read = this.#reads.create(this.#nextReadId, query, settled, consistency)
    if (!this.#isLetIn(read)) return read
    this.#nextReadId++
    this.#reads.add(read)
    return read
  }

  /** Asks one replica how it is: answered by it alone, or by null when it is not there or goes. */
  status(replica: ReplicaId, answer: (report: Uint8Array | null) => void): void {
    if (this.#closed || !this.#connected.has(replica)) return answer(null)
    const id = this.#nextReadId++
    this.#statuses.add(id, replica, answer)
    this.#options.send(replica, encode(clientRequestCodec, { kind: 'status', id }))
  }

  /** Nobody waits for it any more. What has not left never will; what has left stays under way. */
  abandon(operation: ClientOperation, code: 'ERR_DEADLINE' | 'ERR_ABORTED', why: string): void {
    if (operation.settle === null) return
    const certain = this.#removeWaiting(operation) || this.#reads.abandon(operation)
    const message = certain
      ? `${why}: it was not executed; try again`
      : `${why}: it may have been executed, or may yet be; read the state to find out`
    fail(operation, { code, certainty: certain ? 'definite' : 'indefinite', message })
  }

  connected(replica: ReplicaId, nowMs: number): void {
    this.#connected.add(replica)
    if (this.#voters.has(replica)) this.#connectedVoters.add(replica)
    if (this.#options.repliesNeeded > 1 && this.#voters.has(replica)) this.#newcomers.add(replica)
    if (this.#target === null || !this.#connected.has(this.#target)) this.#target = replica
    this.#wake(nowMs, (target) => target !== null && !this.#connected.has(target))
  }

  disconnected(replica: ReplicaId, nowMs: number): void {
    this.#connected.delete(replica)
    this.#connectedVoters.delete(replica)
    this.#newcomers.delete(replica)
    this.#primary.gone(replica)
    if (this.#target === replica) this.#rotate()
    this.#statuses.gone(replica)
    this.#wake(nowMs, (target) => target === replica)
  }

  response(from: ReplicaId, bytes: Uint8Array, nowMs: number): void {
    if (this.#closed || !this.#options.replicas.includes(from)) return
    const response = decode(clientResponseCodec, bytes)
    if (!response.ok) return this.#options.note?.('malformed-response', `from replica ${from}`)
    this.#respond(from, response.value, nowMs)
  }

  /** When `endTurn` is due, if nothing else happens; null if never. */
  get dueMs(): number | null {
    if (this.#closed || this.#connected.size === 0) return null
    let due = this.#reads.dueMs
    if (this.#opening !== null) due = Math.min(due, this.#opening.dueMs)
    else if (this.#session === null && this.#waiting.length > 0) due = Math.min(due, this.#openingNotBeforeMs)
    for (const flight of this.#session?.flights ?? []) due = Math.min(due, flight.dueMs)
    return due === Infinity ? null : due
  }

  /** Sends what is new and what is due. */
  endTurn(nowMs: number): void {
    if (this.#closed || this.#connected.size === 0) return
    this.#closeLeft()
    if (this.#session === null && this.#waiting.length > 0) this.#open(nowMs)
    this.#welcome()
    this.#sendOpening(nowMs)
    this.#sendFlights(nowMs)
    this.#reads.endTurn(nowMs)
    if (this.#session !== null && this.#waiting.length > 0) this.#submitNew(this.#session, nowMs)
  }

  /** All that is open is settled. The session is closed too, if its end arrives: the next client of this key has room for one. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    const message = (sent: boolean): string =>
      sent ? 'the client was closed: it may have been executed, or may yet be' : 'the client was closed before it left'
    const failure = (sent: boolean): ClientFailure => {
      return { code: 'ERR_CLOSED', certainty: sent ? 'indefinite' : 'definite', message: message(sent) }
    }
    const waiting = this.#waiting
    const session = this.#session
    this.#waiting = []
    this.#session = null
    this.#opening = null
    if (session !== null) this.#submitAll([this.#closing(session.id)])
    for (const operation of waiting) fail(operation, failure(false))
    this.#reads.failAll(failure(false))
    this.#statuses.gone(null)
    session?.failAll(failure(true))
  }

  /** Before anything is opened: where the quota is full, this makes the room. A close that is lost is the next life's to send. */
  #closeLeft(): void {
    if (this.#left.length === 0) return
    this.#submitAll(this.#left.map((session) => this.#closing(session)))
    this.#left = []
  }

  #closing(session: SessionId): Uint8Array {
    const { client } = this.#options
    return encodeEnvelope(this.#options, { kind: 'close', client, session, signature: new Uint8Array(0) })
  }

  #removeWaiting(operation: ClientOperation): boolean {
    const at = this.#waiting.indexOf(operation)
    if (at >= 0) this.#waiting.splice(at, 1)
    return at >= 0
  }

  /** False: it has failed, and will not leave. */
  #isLetIn(operation: ClientOperation): boolean {
    const { bytes } = operation
    if (this.#closed) return refuse(operation, 'ERR_CLOSED', 'the client is closed: make a new one')
    if (bytes > operationBytesMax) {
      const message = `it has ${bytes} bytes, and at most ${operationBytesMax} are ordered: split it`
      return refuse(operation, 'ERR_MALFORMED', message)
    }
    if (this.#room.enter(operation)) return true
    const message = `${this.underWay} operations wait already: try again in ${overloadedRetryMs} ms`
    return refuse(operation, 'ERR_OVERLOADED', message, overloadedRetryMs)
  }

  #respond(from: ReplicaId, response: ClientResponse, nowMs: number): void {
    // Learners follow, and nobody has said how many of them lie.
    if (response.kind !== 'status' && !this.#voters.has(from) && this.#options.repliesNeeded > 1) return
    switch (response.kind) {
      case 'replies':
        for (const { session, number, height, index, outcome } of response.replies) {
          const { id } = this.#session ?? {}
          if (id === undefined || id.height !== session.height || id.index !== session.index) continue
          this.#reply(from, number, height, index, outcome, nowMs)
        }
        return
      case 'opened':
        return this.#opened(from, response, nowMs)
      case 'answer':
        return this.#reads.answer(response)
      case 'unanswered':
        this.#hint(from, response.leader)
        return this.#reads.unanswered(from, response.id, nowMs)
      case 'answers':
        return this.#reads.answers(from, response, nowMs)
      case 'reads-unanswered':
        this.#hint(from, response.leader)
        return this.#reads.questionUnanswered(from, response.nonce, nowMs)
      case 'hint':
        return this.#hint(from, response.leader)
      case 'status':
        return this.#statuses.told(response.id, from, response.report)
      case 'refused':
        return this.#refused(from, response, nowMs)
    }
  }

  #reply(from: ReplicaId, number: number, height: Height, index: number, encoded: Uint8Array, nowMs: number): void {
    const outcome = decode(outcomeCodec, encoded)
    if (!outcome.ok) return this.#options.note?.('malformed-outcome', `from replica ${from}`)
    const effect = this.#session!.reply(from, number, height, index, outcome.value, encoded)
    if (effect.kind !== 'none') this.#learnHeight(height)
    if (effect.kind === 'flight-answered') {
      this.#times.answered(nowMs - effect.flight.sentMs)
      this.#primary.wasInTime(effect.flight.aloneWith)
    } else if (effect.kind === 'again') {
      this.#times.postpone(effect.flight, nowMs)
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

  #opened(from: ReplicaId, response: Extract<ClientResponse, { kind: 'opened' }>, nowMs: number): void {
    const opening = this.#opening
    const effect = opening?.response(from, response)
    if (opening === null || effect === undefined || effect.kind === 'none') return
    this.#learnHeight(response.height)
    if (effect.kind === 'refused') {
      this.#options.note?.('opening-refused', effect.code)
      // There may be room later, and copies of it find the same session.
      opening.dueMs = nowMs + this.#limits.retryMsMin
      opening.target = null
      return
    }
    this.#opening = null
    if (effect.kind === 'opened') {
      this.#session = new Session(this.#options, effect.session)
      this.#primary.sessionOpened()
      this.#options.opened?.(effect.session)
    } else this.#options.note?.('opening-refused', 'OpeningExpired')
    // With a height that is known better now, the next comes at once: heights may pass faster than any pause.
    const isNews = this.#knownHeight > opening.referenceHeight
    this.#openingNotBeforeMs = isNews ? nowMs : nowMs + this.#times.soonMs(1)
  }

  /** It says nothing about any one envelope: all that is with this replica waits a little, and follows the hint. */
  #refused(from: ReplicaId, response: Extract<ClientResponse, { kind: 'refused' }>, nowMs: number): void {
    if (response.reason === 'not-authentic') this.#options.note?.('not-authentic', `says replica ${from}`)
    if (response.reason !== 'overloaded') this.#hint(from, response.leader)
    for (const item of [...(this.#session?.flights ?? []), ...(this.#opening === null ? [] : [this.#opening])]) {
      if (item.target === from) this.#times.postpone(item, nowMs, response.retryAfterMs)
    }
  }

  #hint(from: ReplicaId, leader: ReplicaId | null): void {
    if (leader !== null && this.#primary.hint(from, leader) && this.#connected.has(leader)) this.#target = leader
  }

  #rotate(): void {
    this.#target = this.#turns.next(this.#target, this.#connected, this.#options.random)
  }

  #open(nowMs: number): void {
    if (this.#opening !== null || nowMs < this.#openingNotBeforeMs) return
    this.#opening = new Opening(this.#options, this.#options.nonce(), this.#knownHeight, nowMs)
  }

  #submitNew(session: Session, nowMs: number): void {
    const to = this.#addresseesOfNew(nowMs)
    const fresh = this.#fill(session, to.length < this.#addressees().length ? this.#primary.believed : null, nowMs)
    if (fresh.length === 0) return
    this.#primary.reach(to)
    this.#submitAll(fresh, to)
  }

  #addresseesOfNew(nowMs: number): readonly ReplicaId[] {
    if (this.#options.repliesNeeded === 1) return this.#addressees()
    return this.#primary.addressees(this.#connectedVoters, nowMs)
  }

  /** New envelopes of what waits, as many as may be under way. */
  #fill(session: Session, aloneWith: ReplicaId | null, nowMs: number): Uint8Array[] {
    const fresh: Uint8Array[] = []
    while (session.hasRoom && this.#waiting.length > 0) {
      const flight = session.fill(this.#waiting)
      if (flight === null) break
      flight.sentMs = nowMs
      flight.aloneWith = aloneWith
      const { bytesUnderWay } = session
      this.#times.sent(flight, this.#target, nowMs, bytesUnderWay)
      if (aloneWith !== null) flight.dueMs = Math.min(flight.dueMs, nowMs + this.#aloneMs(bytesUnderWay))
      fresh.push(flight.encoded)
    }
    return fresh
  }

  #sendOpening(nowMs: number): void {
    const opening = this.#opening
    if (opening === null || opening.dueMs > nowMs) return
    this.#leaveSilent(opening)
    this.#times.sent(opening, this.#target, nowMs)
    this.#submitAll([opening.encoded])
  }

  /** Before an envelope go those with lower numbers, which may be what it was waiting for: sessions execute in order. */
  #sendFlights(nowMs: number): void {
    const flights = this.#session?.flights ?? []
    const isDue = (flight: Flight): boolean => flight.dueMs <= nowMs
    const again = flights.slice(0, flights.findLastIndex(isDue) + 1)
    for (const flight of again) {
      if (!isDue(flight)) continue
      this.#leaveSilent(flight)
      if (flight.silences > 0) this.#primary.wasSilent(flight.aloneWith, flight.sentMs, nowMs)
    }
    const bytes = again.length === 0 ? 0 : this.#session!.bytesUnderWay
    for (const flight of again) {
      this.#times.sent(flight, this.#target, nowMs, bytes)
      flight.aloneWith = null
    }
    this.#submitAll(again.map((flight) => flight.encoded))
  }

  /** Whoever has it and did not answer in time is not asked again. */
  #leaveSilent(item: Attempts): void {
    if (item.target !== null && item.target === this.#target) this.#rotate()
  }

  /** Replicas that have come since the envelopes left get them too. */
  #welcome(): void {
    if (this.#newcomers.size === 0) return
    const flights = [...(this.#session?.flights ?? [])]
    const openings = this.#opening === null ? [] : [this.#opening]
    // An opening of this turn goes to all in a moment.
    const left = [...openings, ...flights].filter((item) => item.attempts > 0)
    const encoded = left.map((item) => item.encoded)
    this.#submitAll([...encoded, ...this.#reads.envelopes()], [...this.#newcomers])
    this.#newcomers.clear()
  }

  /** Where one replica's word counts, to one; else to all, who answer each for itself. */
  #submitAll(envelopes: readonly Uint8Array[], to: readonly ReplicaId[] = this.#addressees()): void {
    let batch: Uint8Array[] = []
    let bytes = 0
    const flush = (): void => {
      if (batch.length === 0) return
      const request: ClientRequest = { kind: 'submit', envelopes: batch }
      const encoded = encode(clientRequestCodec, request)
      for (const replica of to) this.#options.send(replica, encoded)
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

  #addressees(): ReplicaId[] {
    if (this.#options.repliesNeeded > 1) return [...this.#connectedVoters]
    return this.#target === null ? [] : [this.#target]
  }

  #aloneMs(bytesUnderWay: number): number {
    const { primaryAloneMs, retryMsMin } = this.#limits
    return this.#times.patienceMs(primaryAloneMs, bytesUnderWay, retryMsMin)
  }

  *#underWay(): Generator<Attempts> {
    if (this.#opening !== null) yield this.#opening
    yield* this.#session?.flights ?? []
    yield* this.#reads.underWay()
  }

  /** What went to somebody who is not there goes out at once. */
  #wake(nowMs: number, concerns: (target: ReplicaId | null) => boolean): void {
    for (const item of this.#underWay()) if (concerns(item.target)) item.dueMs = Math.min(item.dueMs, nowMs)
  }

  #learnHeight(height: Height): void {
    this.#knownHeight = Math.max(this.#knownHeight, height)
  }
}
