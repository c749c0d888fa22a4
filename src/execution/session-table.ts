/**
 * All sessions: who may open one, when one is forgotten, what they remember. State that is agreed on: every decision here depends on
 * executed heights and on nothing that differs between replicas.
 *
 * OPENING. Void `lifetimeHeights` (H) above its reference height. Within that time its nonce names one session, so that a copy of the
 * opening finds the session and changes nothing. When a session is closed its nonce is forgotten, and a floor remains in its place:
 * openings of this client whose reference height is not above the closed one's are void too. So no copy of an opening, however late,
 * opens a second session, and what is remembered of closed sessions is one number a client, until H makes it superfluous.
 *
 * EVICTION. A session idle for H heights is forgotten at the next block, and no other is. Its opening is void by then. Idle means that
 * it consumed no number: copies of old envelopes do not keep a dead session alive. Evictions in one block are at most the sessions
 * last used in one block.
 */

import type { PublicKey } from '../kernel/crypto-ports.ts'
import type { Envelope, SessionId } from '../kernel/envelope.ts'
import type { Height } from '../kernel/ids.ts'
import type { RefusalCode } from '../kernel/outcome.ts'
import type { SessionParameters } from '../kernel/parameters.ts'
import { OpeningFloors } from './opening-floors.ts'
import { ReplyMemory, type ReplyLimits } from './reply-memory.ts'
import { SessionEncoding, sessionKey, type Session, type SessionRecord, type StoredReply } from './session.ts'
import { latin1 } from '../wire/latin1.ts'

export type Opening = { kind: 'opened' | 'repeated'; session: Session } | { kind: 'refused'; code: RefusalCode }

export class SessionTable {
  readonly #parameters: SessionParameters
  readonly #replies: ReplyMemory
  /** In the order of their ids, since sessions are opened in that order. */
  readonly #sessions = new Map<string, Session>()
  /** The same sessions in the order of their last use. */
  readonly #byUse = new Map<string, Session>()
  /** Those of one client, by nonce. */
  readonly #byClient = new Map<string, Map<string, Session>>()
  readonly floors = new OpeningFloors()
  #changes = 0

  constructor(parameters: SessionParameters, limits?: ReplyLimits) {
    this.#parameters = parameters
    this.#replies = new ReplyMemory(limits)
  }

  get size(): number {
    return this.#sessions.size
  }

  get lifetimeHeights(): number {
    return this.#parameters.lifetimeHeights
  }

  get replyBytes(): number {
    return this.#replies.bytes
  }

  /** What all sessions are now, in the order of their ids. Later changes do not reach it, and nothing is written for it now. */
  view(): readonly SessionEncoding[] {
    return Array.from(this.#sessions.values(), (session) => session.encoding.hold())
  }

  find(id: SessionId): Session | undefined {
    return this.#sessions.get(sessionKey(id))
  }

  /** Forgets what is idle for too long. Once a block, before its envelopes. */
  beginBlock(height: Height): void {
    const { lifetimeHeights } = this.#parameters
    for (const session of this.#byUse.values()) {
      if (session.usedHeight + lifetimeHeights >= height) break
      this.#remove(session)
    }
    this.floors.expire(height, lifetimeHeights)
  }

  open(client: PublicKey, nonce: Uint8Array, referenceHeight: Height, height: Height, index: number): Opening {
    const { perClientMax, totalMax } = this.#parameters
    if (referenceHeight >= height) return refused('OpeningEarly')
    if (this.isExpired(referenceHeight, height)) return refused('OpeningExpired')
    const clientName = latin1(client)
    const nonceName = latin1(nonce)
    const own = this.#byClient.get(clientName)
    const known = own?.get(nonceName)
    if (known !== undefined) return { kind: 'repeated', session: known }
    if (referenceHeight <= this.floors.of(clientName)) return refused('OpeningExpired')
    if (own !== undefined && own.size >= perClientMax) return refused('ClientQuotaExceeded')
    if (this.#sessions.size + this.floors.size >= totalMax) return refused('SessionTableFull')
    const session = this.#insert({
      id: { height, index },
      client: client.slice(),
      nonce: nonce.slice(),
      referenceHeight,
      lastNumber: 0,
      acknowledgedNumber: 0,
      usedHeight: height,
      replies: [],
    })
    return { kind: 'opened', session }
  }

  /** Is an opening with this reference height void in each block above? */
  isExpired(referenceHeight: Height, height: Height): boolean {
    return referenceHeight + this.#parameters.lifetimeHeights < height
  }

  /** The session that this opening has opened, while it lives. */
  opened(client: PublicKey, nonce: Uint8Array): Session | undefined {
    return this.#byClient.get(latin1(client))?.get(latin1(nonce))
  }

  /** Would executing this at `height` change nothing any more? */
  hasConsumed(envelope: Envelope, height: Height): boolean {
    if (envelope.kind === 'open') {
      const { client, nonce, referenceHeight } = envelope
      return this.isExpired(referenceHeight, height) || this.opened(client, nonce) !== undefined
    }
    // That is told by names (replica/core/recent-names.ts): it leaves nothing in the state.
    if (envelope.kind === 'read') return false
    const session = this.find(envelope.session)
    // A session that is not there any more was closed or evicted; one of a later height is still to come.
    if (session === undefined) return envelope.session.height <= height
    if (envelope.kind === 'close') return false
    const count = envelope.kind === 'cancel' ? envelope.count : envelope.operations.length
    return session.lastNumber >= envelope.firstNumber + count - 1
  }

  /** The session's next numbers are consumed, and this is what came of them. */
  consume(session: Session, reply: StoredReply): void {
    if (reply.firstNumber !== session.lastNumber + 1) {
      throw new RangeError(`number ${reply.firstNumber} consumed after ${session.lastNumber}`)
    }
    this.#changing(session)
    session.lastNumber = reply.firstNumber + reply.count - 1
    if (session.usedHeight !== reply.height) {
      session.usedHeight = reply.height
      const key = sessionKey(session.id)
      this.#byUse.delete(key)
      this.#byUse.set(key, session)
    }
    this.#replies.add(session, reply, (losing) => this.#changing(losing))
    this.#trim(session)
  }

  /** The client says that it has these replies. What was not executed yet cannot be acknowledged. */
  acknowledge(session: Session, number: number): void {
    const acknowledged = Math.min(number, session.lastNumber)
    if (acknowledged <= session.acknowledgedNumber) return
    this.#changing(session)
    session.acknowledgedNumber = acknowledged
    this.#trim(session)
  }

  close(session: Session): void {
    this.floors.raise(session.clientName, session.client, session.referenceHeight)
    this.#remove(session)
  }

  /** Sessions of a snapshot, in the order of their ids, into an empty table. False if they cannot be what a table wrote. */
  restore(records: readonly SessionRecord[]): boolean {
    let before: SessionId | null = null
    const sessions: Session[] = []
    for (const record of records) {
      if (before !== null && !isBefore(before, record.id)) return false
      if (this.opened(record.client, record.nonce) !== undefined) return false
      before = record.id
      sessions.push(this.#insert({ ...record, replies: [] }))
    }
    sessions.sort((left, right) => left.usedHeight - right.usedHeight)
    this.#byUse.clear()
    for (const session of sessions) this.#byUse.set(sessionKey(session.id), session)

    const replies = records.flatMap((record) => record.replies.map((reply) => ({ key: sessionKey(record.id), reply })))
    replies.sort((left, right) => left.reply.height - right.reply.height || left.reply.index - right.reply.index)
    for (const { key, reply } of replies) this.#replies.add(this.#sessions.get(key)!, reply, () => {})
    return true
  }

  restoreFloor(client: PublicKey, floor: Height): void {
    this.floors.raise(latin1(client), client, floor)
  }

  #insert(record: SessionRecord): Session {
    const clientName = latin1(record.client)
    const nonceName = latin1(record.nonce)
    const session = { ...record, clientName, nonceName, replyBytes: 0 } as Session
    session.encoding = new SessionEncoding(session, ++this.#changes)
    const key = sessionKey(record.id)
    this.#sessions.set(key, session)
    this.#byUse.set(key, session)
    const own = this.#byClient.get(clientName)
    if (own === undefined) this.#byClient.set(clientName, new Map([[nonceName, session]]))
    else own.set(nonceName, session)
    return session
  }

  #remove(session: Session): void {
    this.#changing(session)
    this.#replies.dropAll(session)
    const key = sessionKey(session.id)
    this.#sessions.delete(key)
    this.#byUse.delete(key)
    const own = this.#byClient.get(session.clientName)
    own?.delete(session.nonceName)
    if (own?.size === 0) this.#byClient.delete(session.clientName)
  }

  /** Drops what the client has, and what is older than the last W numbers. */
  #trim(session: Session): void {
    const floor = Math.max(session.acknowledgedNumber, session.lastNumber - this.#parameters.repliesKept)
    for (;;) {
      const first = session.replies[0]
      if (first === undefined || first.firstNumber + first.count - 1 > floor) return
      this.#replies.dropFirst(session)
    }
  }

  /** To be called before a change: who holds the session as it is does not see it. */
  #changing(session: Session): void {
    session.encoding = session.encoding.next(++this.#changes)
  }
}

function refused(code: RefusalCode): Opening {
  return { kind: 'refused', code }
}

function isBefore(left: SessionId, right: SessionId): boolean {
  return left.height < right.height || (left.height === right.height && left.index < right.index)
}
