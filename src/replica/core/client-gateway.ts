// Takes what clients send into the pool, and brings them what came of it. Replies that arise in one turn leave as one message.

import { decode, encode } from '../../wire/codec.ts'
import {
  clientRequestCodec,
  clientResponseCodec,
  type ClientResponse,
  type RefusalReason,
  type Reply,
} from '../../kernel/client-messages.ts'
import { envelopeCodec, isSensible, type Envelope, type ReadEnvelope, type SessionId } from '../../kernel/envelope.ts'
import { envelopeOperationsMax } from '../../kernel/limits.ts'
import type { ReplicaId } from '../../kernel/ids.ts'
import type { Now } from '../../kernel/protocol.ts'
import type { ExecutedBlock, OpeningReply, OperationReply } from '../../execution/executed-block.ts'
import type { Executor } from '../../execution/executor.ts'
import { clientName, requestKey } from '../pool/request-key.ts'
import { GatewayReads } from './gateway-reads.ts'
import { RecentNames } from './recent-names.ts'
import type { Pool } from '../pool/request-pool.ts'

/** A client's connection, as its host numbers it. */
export type ConnectionId = number
/** The connection of the process's own application; those of clients count from 1. */
export const ownConnection: ConnectionId = 0

export interface GatewayOptions {
  pool: Pool
  executor: Executor
  /** Never blocks and never fails. */
  send: (connection: ConnectionId, bytes: Uint8Array) => void
  /** Is this envelope signed, or vouched for, as the epoch asks? */
  authentic: (envelope: Envelope, encoded: Uint8Array, connection: ConnectionId) => boolean
  /** Asks the protocol for a linearizable read. */
  read: (id: number, now: Now) => void
  leader: () => ReplicaId | null
  /** Clients send to everybody: no word of who leads would be true for long, and whoever leads next has what they ask for. */
  leadersTakeTurns?: boolean
  self: ReplicaId
  /** How this replica is, as JSON. */
  report: (now: Now) => Uint8Array
  limits?: GatewayLimits
}

export interface GatewayLimits {
  /** Sessions and openings whose connection is remembered; the ones longest without a request are forgotten. */
  routesMax: number
  /** Queries that wait for the protocol or for execution. */
  readsMax: number
  readBytesMax: number
  /** Ordered reads of which it is remembered that they were executed. */
  executedReadsMax: number
  /** Of replies to what was executed before, to one connection in one turn; the largest reply fits. Clients ask again for what is left out. */
  repeatedBytesMax: number
  /** What a client is told to wait before it tries an overloaded replica again. */
  retryAfterMs: number
}

export const gatewayLimitsDefault: GatewayLimits = {
  routesMax: 65_536,
  readsMax: 16_384,
  readBytesMax: 64 * 1024 * 1024,
  executedReadsMax: 16_384,
  repeatedBytesMax: 4 * 1024 * 1024,
  retryAfterMs: 100,
}

/** What a reply is counted with beside its outcome. */
const replyOverheadBytes = 64
/** A leader orders an executed read again, for a member that lacks it, no sooner than so long after its execution. */
export const readAgainMs = 1_000
/** Outcomes in one message to a client. */
const responseBytesMax = 2 * 1024 * 1024

export class ClientGateway {
  readonly #options: GatewayOptions
  readonly #limits: GatewayLimits
  readonly #routes = new Map<string, ConnectionId>()
  /** What to forget when a connection closes. */
  readonly #routesOf = new Map<ConnectionId, Set<string>>()
  /** Whom each connection was last told to turn to. */
  readonly #hinted = new Map<ConnectionId, ReplicaId>()
  /** Connections that have submitted something in this turn. */
  readonly #submitted = new Set<ConnectionId>()
  readonly #reads: GatewayReads
  readonly #replies = new Map<ConnectionId, Reply[]>()
  readonly #executedReads: RecentNames
  /** In this turn, of what was executed before. */
  readonly #repeated = new Map<ConnectionId, { names: Set<string>; bytes: number }>()
  /** The very objects, as the session table has them. */
  #lastReplied: { client: Uint8Array; session: SessionId; route: string } | null = null
  /** Requests came into the pool since the protocol was last told. */
  poolChanged = false

  constructor(options: GatewayOptions) {
    this.#options = options
    this.#limits = options.limits ?? gatewayLimitsDefault
    this.#executedReads = new RecentNames(this.#limits.executedReadsMax)
    const { executor, read } = options
    this.#reads = new GatewayReads({
      executor,
      read,
      readsMax: this.#limits.readsMax,
      readBytesMax: this.#limits.readBytesMax,
      responseBytesMax,
      respond: (connection, response) => this.#respond(connection, response),
      mayRepeat: (connection, name, bytes) => this.#mayRepeat(connection, `r${name}`, bytes),
    })
  }

  request(connection: ConnectionId, bytes: Uint8Array, now: Now): void {
    const request = decode(clientRequestCodec, bytes)
    if (!request.ok) return this.#refuse(connection, 'malformed')
    switch (request.value.kind) {
      case 'submit':
        return this.#submit(connection, request.value.envelopes, now)
      case 'query':
      case 'reads':
        return this.#reads.ask(connection, request.value, now)
      case 'status':
        return this.#status(connection, request.value.id, now)
    }
  }

  /** Nobody is there any more to be answered. What was submitted stays: it may be ordered, and the client asks again elsewhere. */
  closed(connection: ConnectionId): void {
    for (const route of this.#routesOf.get(connection) ?? []) this.#routes.delete(route)
    this.#routesOf.delete(connection)
    this.#hinted.delete(connection)
    this.#submitted.delete(connection)
    this.#replies.delete(connection)
    this.#reads.closed(connection)
  }

  /** Envelopes that another replica hands on: it has checked who they are from, and answers them itself. */
  forwarded(
    from: ReplicaId,
    envelopes: readonly Uint8Array[],
    authentic: (envelope: Envelope, encoded: Uint8Array) => boolean,
    now: Now,
  ): void {
    const leads = this.#options.leader() === this.#options.self
    const seen = new Set<string>()
    for (const encoded of envelopes) {
      const envelope = decode(envelopeCodec, encoded)
      if (!envelope.ok || !isSensible(envelope.value) || !authentic(envelope.value, encoded)) continue
      // Copies in one message are one question.
      const key = requestKey(envelope.value)
      if (leads && envelope.value.kind === 'read') this.#mayOrderAgain(envelope.value, now)
      if (seen.has(key) || this.#isOld(envelope.value, leads)) continue
      seen.add(key)
      if (this.#options.pool.add(encoded, envelope.value, now.monotonicMs, { from }) === 'added')
        this.poolChanged = true
    }
  }

  /**
   * Whoever lags hands on what has been executed long ago. Taken for new, it would be handed on from here too, and ordered again, by each
   * replica that it came to: a network would order little else. He that hands it on answers it when he has executed it.
   *
   * A leader orders what is not settled: a client may ask, through a replica that has executed it, for what is known in the order alone.
   */
  #isOld(envelope: Envelope, leads: boolean): boolean {
    const { executor } = this.#options
    if (this.#isExecutedRead(envelope) || executor.isSettled(envelope)) return true
    return !leads && executor.hasConsumed(envelope)
  }

  /**
   * Whoever hands on a read that was executed here long ago has skipped its block, by fetching a state or starting from one, and knows its
   * name no more: he would wait for it, and blame leaders. A leader orders it again for him, no sooner than so long after the last time.
   */
  #mayOrderAgain({ client, nonce }: ReadEnvelope, now: Now): void {
    this.#executedReads.forgetIfOlder(readRoute(client, nonce), now.monotonicMs - readAgainMs)
  }

  /** Ordered no second time: it is answered from what is kept, and asked for under another name where too few keep it. */
  #isExecutedRead(envelope: Envelope): boolean {
    return envelope.kind === 'read' && this.#executedReads.has(readRoute(envelope.client, envelope.nonce))
  }

  /** What waits in the pool and is settled meanwhile is answered, and waits no longer. */
  isOver(envelope: Envelope): boolean {
    if (this.#isExecutedRead(envelope)) return true
    const connection = this.#routes.get(routeOf(envelope))
    if (connection === undefined) return this.#options.executor.isSettled(envelope)
    return this.#answerAgain(connection, envelope)
  }

  readReady(id: number, height: number): void {
    this.#reads.ready(id, height)
  }

  readFailed(id: number, reason: string): void {
    const code: RefusalReason =
      reason === 'not-leader' ? 'not-leader' : reason === 'overloaded' ? 'overloaded' : 'no-quorum'
    this.#reads.failed(id, code, this.#leaderToName())
  }

  executed(block: ExecutedBlock, now: Now): void {
    this.#options.pool.executed(block.envelopes)
    for (const reply of block.replies) this.#deliver(reply)
    for (const envelope of block.envelopes) {
      if (envelope.kind !== 'read') continue
      const route = readRoute(envelope.client, envelope.nonce)
      const connection = this.#routes.get(route)
      // A copy of it that is ordered later is nobody's question any more.
      this.#unroute(route)
      this.#executedReads.add(route, now.monotonicMs)
      this.#reads.ordered(connection ?? null, envelope)
    }
    this.restored()
  }

  /** The state was replaced by a later one: reads may be answered. Results of what it skipped, clients ask for again. */
  restored(): void {
    this.#reads.executed()
  }

  endTurn(): void {
    this.#repeated.clear()
    if (this.#submitted.size > 0) this.#hint()
    if (this.#replies.size === 0) return
    for (const [connection, replies] of this.#replies) this.#sendReplies(connection, replies)
    this.#replies.clear()
  }

  /** An operation that takes the way over a follower takes longer: its client learns of the leader, once for each leader. */
  #hint(): void {
    const leader = this.#leaderToName()
    for (const connection of this.#submitted) {
      if (leader === null || leader === this.#options.self || this.#hinted.get(connection) === leader) continue
      this.#hinted.set(connection, leader)
      this.#respond(connection, { kind: 'hint', leader })
    }
    this.#submitted.clear()
  }

  #leaderToName(): ReplicaId | null {
    return this.#options.leadersTakeTurns === true ? null : this.#options.leader()
  }

  /** As few messages as fit a frame: a thousand results may be small, or a megabyte each. */
  #sendReplies(connection: ConnectionId, replies: readonly Reply[]): void {
    let first = 0
    let bytes = 0
    for (const [index, reply] of replies.entries()) {
      const full = bytes + reply.outcome.length > responseBytesMax || index - first === envelopeOperationsMax
      if (index > first && full) {
        this.#respond(connection, { kind: 'replies', replies: replies.slice(first, index) })
        first = index
        bytes = 0
      }
      bytes += reply.outcome.length
    }
    this.#respond(connection, { kind: 'replies', replies: replies.slice(first) })
  }

  #submit(connection: ConnectionId, envelopes: readonly Uint8Array[], now: Now): void {
    let refusal: RefusalReason | null = null
    // The application beside this replica has nobody else to send to.
    const isSentToAll = this.#options.leadersTakeTurns === true && connection !== ownConnection
    for (const encoded of envelopes) {
      const envelope = decode(envelopeCodec, encoded)
      if (!envelope.ok || !isSensible(envelope.value)) {
        refusal = 'malformed'
        continue
      }
      if (!this.#options.authentic(envelope.value, encoded, connection)) {
        refusal = 'not-authentic'
        continue
      }
      if (envelope.value.kind === 'read' && this.#isExecutedRead(envelope.value)) {
        this.#reads.late(connection, envelope.value)
        continue
      }
      this.#route(envelope.value, connection)
      if (this.#answerAgain(connection, envelope.value)) continue
      const added = this.#options.pool.add(encoded, envelope.value, now.monotonicMs, { isSentToAll })
      if (added === 'added') this.poolChanged = true
      else if (added !== 'known') refusal = 'overloaded'
    }
    if (refusal !== null) this.#refuse(connection, refusal)
    else this.#submitted.add(connection)
  }

  /** What was executed is answered from here, and ordered no second time. */
  #answerAgain(connection: ConnectionId, envelope: Envelope): boolean {
    const replies = this.#options.executor.settled(envelope)
    for (const reply of replies ?? []) if (this.#mayRepeatReply(connection, reply)) this.#deliver(reply)
    return replies !== null
  }

  #mayRepeatReply(connection: ConnectionId, reply: OperationReply | OpeningReply): boolean {
    const name = reply.kind === 'opening' ? openingRoute(reply.client, reply.nonce) : nameOfReply(reply)
    return this.#mayRepeat(connection, name, reply.outcome.length + replyOverheadBytes)
  }

  /** A few bytes ask for a megabyte here: each reply once a turn, and no more than so many bytes to one connection. */
  #mayRepeat(connection: ConnectionId, name: string, replyBytes: number): boolean {
    let repeated = this.#repeated.get(connection)
    if (repeated === undefined) this.#repeated.set(connection, (repeated = { names: new Set(), bytes: 0 }))
    const bytes = repeated.bytes + replyBytes
    if (repeated.names.has(name) || bytes > this.#limits.repeatedBytesMax) return false
    repeated.names.add(name)
    repeated.bytes = bytes
    return true
  }

  #deliver(reply: OperationReply | OpeningReply): void {
    if (reply.kind === 'opening') {
      const { client, nonce, height, index, outcome } = reply
      const connection = this.#routes.get(openingRoute(client, nonce))
      if (connection !== undefined) this.#respond(connection, { kind: 'opened', client, nonce, height, index, outcome })
    } else {
      const connection = this.#connectionOf(reply)
      if (connection !== undefined) this.#reply(connection, reply)
    }
  }

  /** Replies come in runs, of one session each: the last one's route is at hand. */
  #connectionOf({ client, session }: OperationReply): ConnectionId | undefined {
    const last = this.#lastReplied
    if (last === null || last.session !== session || last.client !== client) {
      this.#lastReplied = { client, session, route: sessionRoute(client, session) }
    }
    return this.#routes.get(this.#lastReplied!.route)
  }

  #route(envelope: Envelope, connection: ConnectionId): void {
    const route = routeOf(envelope)
    this.#unroute(route)
    this.#routes.set(route, connection)
    const ofConnection = this.#routesOf.get(connection)
    if (ofConnection === undefined) this.#routesOf.set(connection, new Set([route]))
    else ofConnection.add(route)
    if (this.#routes.size <= this.#limits.routesMax) return
    for (const oldest of this.#routes.keys()) return this.#unroute(oldest)
  }

  #unroute(route: string): void {
    const connection = this.#routes.get(route)
    if (connection === undefined) return
    this.#routes.delete(route)
    const ofConnection = this.#routesOf.get(connection)
    ofConnection?.delete(route)
    if (ofConnection?.size === 0) this.#routesOf.delete(connection)
  }

  #status(connection: ConnectionId, id: number, now: Now): void {
    this.#respond(connection, { kind: 'status', id, report: this.#options.report(now) })
  }

  #reply(connection: ConnectionId, reply: Reply): void {
    const replies = this.#replies.get(connection)
    if (replies === undefined) this.#replies.set(connection, [reply])
    else replies.push(reply)
  }

  #refuse(connection: ConnectionId, reason: RefusalReason): void {
    const { retryAfterMs } = this.#limits
    this.#respond(connection, { kind: 'refused', reason, retryAfterMs, leader: this.#leaderToName() })
  }

  #respond(connection: ConnectionId, response: ClientResponse): void {
    this.#options.send(connection, encode(clientResponseCodec, response))
  }
}

function routeOf(envelope: Envelope): string {
  if (envelope.kind === 'open') return openingRoute(envelope.client, envelope.nonce)
  return envelope.kind === 'read'
    ? readRoute(envelope.client, envelope.nonce)
    : sessionRoute(envelope.client, envelope.session)
}

function readRoute(client: Uint8Array, nonce: Uint8Array): string {
  return `r${openingRoute(client, nonce)}`
}

/** With the client's key, so that nobody turns another's replies to himself. */
function sessionRoute(client: Uint8Array, session: SessionId): string {
  return `s${clientName(client)}${session.height}.${session.index}`
}

function nameOfReply({ session, number }: OperationReply): string {
  return `${session.height}.${session.index}.${number}`
}

function openingRoute(client: Uint8Array, nonce: Uint8Array): string {
  return clientName(client) + clientName(nonce)
}
