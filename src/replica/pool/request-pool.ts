// The waiting requests of one replica: bounded in all and for each client, without duplicates, oldest first.
//
// An envelope enters by `add`, is taken into a block by the leader's protocol, and leaves when it has been executed, wherever it
// was ordered. One that was taken into a block that came to nothing is put back in its old place.

import { decode } from '../../wire/codec.ts'
import { detached } from '../../wire/detached.ts'
import { Writer } from '../../wire/writer.ts'
import { payloadEnvelopesCodec } from '../../kernel/block.ts'
import { envelopeCodec, numbersOf, operationCount, type Envelope } from '../../kernel/envelope.ts'
import { blockEnvelopesMax } from '../../kernel/limits.ts'
import type { ReplicaId } from '../../kernel/ids.ts'
import type { Batch, BatchLimits, RequestPool } from '../../kernel/request-pool.ts'
import { clientName, requestKey } from './request-key.ts'

export interface PoolLimits {
  /** Operations known and not executed, of all clients. */
  operationsMax: number
  /** Bytes of their envelopes. */
  bytesMax: number
  /** Operations of one client key. */
  operationsPerClientMax: number
}

export const poolLimitsDefault: PoolLimits = {
  operationsMax: 65_536,
  bytesMax: 64 * 1024 * 1024,
  operationsPerClientMax: 16_384,
}

export type Added = 'added' | 'known' | 'full' | 'client-full'

interface Request {
  readonly key: string
  readonly client: string
  /** The session that it is about, and its last number there; null: it is about none. */
  readonly session: string | null
  readonly lastNumber: number
  readonly encoded: Uint8Array
  readonly operations: number
  /** The member that handed it on; null: it came from its client. */
  readonly from: ReplicaId | null
  readonly sinceMs: number
  /** Place in the order of arrival; a request that is put back keeps it. */
  readonly order: number
  /** A block in flight holds it, or a decided one. */
  taken: boolean
  /** A decided block holds it: it waits for the application only, and is never put back. */
  decided: boolean
  /** Since all were last to be forwarded again: no more than there are members. */
  forwardedTo: ReplicaId[]
  /** Until it is forwarded again, nobody is: its client has sent it to all. */
  isSentToAll: boolean
}

export interface PoolOptions {
  limits?: PoolLimits
  /** Would no leader order it any more? Whoever says so has answered it. */
  isOver?: (envelope: Envelope) => boolean
  /** Hands envelopes to another replica; the host encodes and sends them. */
  forward: (to: ReplicaId, envelopes: Uint8Array[]) => void
}

export class Pool implements RequestPool {
  readonly #limits: PoolLimits
  readonly #forward: (to: ReplicaId, envelopes: Uint8Array[]) => void
  readonly #isOver: (envelope: Envelope) => boolean
  /** All that is known and not executed, in order of arrival. */
  readonly #known = new Map<string, Request>()
  /** Those that wait, oldest first from `#head` on; taken or executed ones are skipped lazily. */
  #waiting: Request[] = []
  #head = 0
  /** In no decided block, as far as payloads have been looked into; in order of arrival. */
  readonly #undecided = new Set<Request>()
  /** In blocks in flight or decided ones (then it is true), and not known here: copies may still come. */
  readonly #elsewhere = new Map<string, boolean>()
  /** Of decided blocks that are not executed, oldest first: looked into when somebody asks. Mostly they are executed before. */
  #decidedPayloads: Uint8Array[] = []
  /** So many of them were, from the first on. */
  #lookedInto = 0
  readonly #perClient = new Map<string, number>()
  readonly #ofSession = new Map<string, Set<Request>>()
  #operations = 0
  #bytes = 0
  #nextOrder = 1
  waitingOperations = 0
  waitingBytes = 0

  constructor(options: PoolOptions) {
    this.#limits = options.limits ?? poolLimitsDefault
    this.#forward = options.forward
    this.#isOver = options.isOver ?? (() => false)
  }

  /** Operations known and not executed: what back-pressure looks at. */
  get knownOperations(): number {
    return this.#operations
  }

  /** Slots of the queue, those swept later included: bounded by what is known. */
  get queueLength(): number {
    return this.#waiting.length
  }

  /** `encoded` is kept: the caller hands over bytes that nobody writes to any more, or a view of them. */
  add(
    encoded: Uint8Array,
    envelope: Envelope,
    nowMs: number,
    { isSentToAll = false, from = null }: { isSentToAll?: boolean; from?: ReplicaId | null } = {},
  ): Added {
    const client = clientName(envelope.client)
    const key = requestKey(envelope, client)
    if (this.#known.has(key)) return 'known'
    const operations = operationCount(envelope)
    if (this.#operations + operations > this.#limits.operationsMax) return 'full'
    if (this.#bytes + encoded.length > this.#limits.bytesMax) return 'full'
    const ofClient = this.#perClient.get(client) ?? 0
    if (ofClient + operations > this.#limits.operationsPerClientMax) return 'client-full'
    const order = this.#nextOrder++
    const decided = this.#elsewhere.get(key)
    this.#elsewhere.delete(key)
    const request: Request = {
      key,
      client,
      ...placeOf(envelope),
      encoded: detached(encoded),
      operations,
      from,
      sinceMs: nowMs,
      order,
      taken: decided !== undefined,
      decided: decided === true,
      forwardedTo: [],
      isSentToAll,
    }
    this.#known.set(key, request)
    this.#index(request)
    if (!request.decided) this.#undecided.add(request)
    this.#perClient.set(client, ofClient + operations)
    this.#operations += operations
    this.#bytes += encoded.length
    if (request.taken) return 'added'
    this.#wait(request)
    this.#waiting.push(request)
    return 'added'
  }

  take(limits: BatchLimits): Batch | null {
    let operations = 0
    let bytes = 4
    const batch: Request[] = []
    for (; this.#head < this.#waiting.length; this.#head++) {
      const request = this.#waiting[this.#head]!
      if (!this.#isWaiting(request)) continue
      const fits =
        operations + request.operations <= limits.operationsMax && bytes + 4 + request.encoded.length <= limits.bytesMax
      // The first goes even when it is over the batch's limits: envelopes have limits of their own, and must not block the queue.
      if (batch.length > 0 && (!fits || batch.length === blockEnvelopesMax)) break
      batch.push(request)
      operations += request.operations
      bytes += 4 + request.encoded.length
      request.taken = true
      this.#unwait(request)
    }
    this.#compact()
    if (batch.length === 0) return null
    return {
      payload: encodePayload(batch, bytes),
      envelopes: batch.length,
      operations,
      forwardedBy: forwardersOf(batch),
    }
  }

  oldestWaitingSinceMs(): number | null {
    if (this.#lookedInto < this.#decidedPayloads.length) this.#lookIntoDecided()
    for (const request of this.#undecided) return request.sinceMs
    return null
  }

  forward(to: ReplicaId, bytesMax = Infinity): void {
    const envelopes: Uint8Array[] = []
    let bytes = 0
    for (let index = this.#head; index < this.#waiting.length; index++) {
      const request = this.#waiting[index]!
      if (!this.#isWaiting(request) || request.isSentToAll || request.forwardedTo.includes(to)) continue
      bytes += request.encoded.length
      if (bytes > bytesMax) break
      request.forwardedTo.push(to)
      envelopes.push(request.encoded)
    }
    if (envelopes.length > 0) this.#forward(to, envelopes)
  }

  /** What is over goes first: nobody would take it, and whoever leads would be blamed for that. */
  forwardAgain(bytesMax = Infinity): void {
    for (const request of this.#known.values()) this.#dropIfOver(request)
    this.#compact()
    let bytes = 0
    // Oldest first.
    for (const request of this.#known.values()) {
      if (this.#isWaiting(request)) bytes += request.encoded.length
      if (bytes > bytesMax) return
      request.forwardedTo = []
      request.isSentToAll = false
    }
  }

  proposed(payload: Uint8Array): number {
    let operations = 0
    for (const envelope of envelopesOf(payload)) {
      this.#hold(requestKey(envelope), false)
      operations += operationCount(envelope)
    }
    this.#compact()
    return operations
  }

  /** A block is decided: its envelopes wait for no leader any more. `executed` is called for each of these, in their order. */
  decided(payload: Uint8Array): void {
    this.#decidedPayloads.push(payload)
  }

  #lookIntoDecided(): void {
    for (; this.#lookedInto < this.#decidedPayloads.length; this.#lookedInto++) {
      const payload = this.#decidedPayloads[this.#lookedInto]!
      for (const envelope of envelopesOf(payload)) this.#hold(requestKey(envelope), true)
    }
    this.#compact()
  }

  /** A block holds it: decided, or in flight. */
  #hold(key: string, decided: boolean): void {
    const request = this.#known.get(key)
    if (request === undefined) {
      const held = this.#elsewhere.get(key)
      // Beyond the limit a copy that comes later is taken once more, and executed once all the same.
      if (held === undefined && this.#elsewhere.size >= this.#limits.operationsMax) return
      this.#elsewhere.set(key, decided || held === true)
      return
    }
    if (decided) {
      request.decided = true
      this.#undecided.delete(request)
    }
    if (request.taken) return
    request.taken = true
    this.#unwait(request)
  }

  /**
   * Only what this pool took goes back, to where it was: the envelopes of another leader's block are its own pool's to keep. What a decided
   * block holds too stays there.
   */
  putBack(payload: Uint8Array): void {
    this.#lookIntoDecided()
    let returned = false
    for (const envelope of envelopesOf(payload)) {
      const key = requestKey(envelope)
      if (this.#elsewhere.get(key) === false) this.#elsewhere.delete(key)
      const request = this.#known.get(key)
      if (request === undefined || !request.taken || request.decided) continue
      request.taken = false
      request.forwardedTo = []
      this.#wait(request)
      this.#waiting.push(request)
      returned = true
    }
    if (returned) this.#reorder()
  }

  /**
   * Forgets envelopes that a decided block held, whoever proposed it: the oldest of those that are decided. And what else is over with them: the
   * same numbers may stand in other envelopes too, which nobody would order any more.
   */
  executed(envelopes: readonly Envelope[]): void {
    this.#decidedPayloads.shift()
    if (this.#lookedInto > 0) this.#lookedInto--
    if (this.#known.size === 0 && this.#elsewhere.size === 0) return
    for (const envelope of envelopes) {
      const key = requestKey(envelope)
      this.#elsewhere.delete(key)
      const request = this.#known.get(key)
      if (request !== undefined) this.#drop(request)
    }
    for (const [session, lastNumber] of lastNumbersOf(envelopes)) this.#dropBeside(session, lastNumber)
    this.#compact()
  }

  #dropBeside(session: string, lastNumber: number): void {
    for (const request of this.#ofSession.get(session) ?? []) {
      if (request.lastNumber <= lastNumber) this.#dropIfOver(request)
    }
  }

  #dropIfOver(request: Request): void {
    const envelope = decode(envelopeCodec, request.encoded)
    if (!envelope.ok || this.#isOver(envelope.value)) this.#drop(request)
  }

  /**
   * The state was replaced by a later one: what was executed in between leaves; what was taken into blocks in between, and is not
   * executed there, waits again, for those blocks will never be put back.
   */
  restored(isExecuted: (envelope: Envelope) => boolean): void {
    this.#elsewhere.clear()
    this.#decidedPayloads = []
    this.#lookedInto = 0
    this.#undecided.clear()
    for (const request of [...this.#known.values()]) {
      const envelope = decode(envelopeCodec, request.encoded)
      if (!envelope.ok || isExecuted(envelope.value)) {
        this.#drop(request)
        continue
      }
      request.forwardedTo = []
      request.decided = false
      this.#undecided.add(request)
      if (!request.taken) continue
      request.taken = false
      this.#wait(request)
      this.#waiting.push(request)
    }
    this.#reorder()
  }

  #index(request: Request): void {
    if (request.session === null) return
    const ofSession = this.#ofSession.get(request.session)
    if (ofSession === undefined) this.#ofSession.set(request.session, new Set([request]))
    else ofSession.add(request)
  }

  #drop(request: Request): void {
    this.#known.delete(request.key)
    if (request.session !== null) {
      const ofSession = this.#ofSession.get(request.session)
      ofSession?.delete(request)
      if (ofSession?.size === 0) this.#ofSession.delete(request.session)
    }
    this.#undecided.delete(request)
    if (!request.taken) this.#unwait(request)
    request.taken = true
    this.#operations -= request.operations
    this.#bytes -= request.encoded.length
    const left = (this.#perClient.get(request.client) ?? 0) - request.operations
    if (left > 0) this.#perClient.set(request.client, left)
    else this.#perClient.delete(request.client)
  }

  #isWaiting(request: Request): boolean {
    return !request.taken
  }

  #wait(request: Request): void {
    this.waitingOperations += request.operations
    this.waitingBytes += request.encoded.length
  }

  #unwait(request: Request): void {
    this.waitingOperations -= request.operations
    this.waitingBytes -= request.encoded.length
  }

  /** Sorts what waits into the order of arrival: sessions execute in order, so a gap costs its client a round trip. */
  #reorder(): void {
    const waiting = new Set<Request>()
    for (let index = this.#head; index < this.#waiting.length; index++) {
      const request = this.#waiting[index]!
      if (this.#isWaiting(request)) waiting.add(request)
    }
    this.#waiting = [...waiting].sort((left, right) => left.order - right.order)
    this.#head = 0
  }

  /** Keeps the queue within twice what is known: a follower never takes, so what others ordered must be swept out here. */
  #compact(): void {
    if (this.#waiting.length < 1024 + 2 * this.#known.size) return
    this.#waiting = this.#waiting.slice(this.#head).filter((request) => this.#isWaiting(request))
    this.#head = 0
  }
}

function placeOf(envelope: Envelope): Pick<Request, 'session' | 'lastNumber'> {
  if (envelope.kind === 'open' || envelope.kind === 'read') return { session: null, lastNumber: 0 }
  const [first, count] = numbersOf(envelope)
  return { session: `${envelope.session.height}.${envelope.session.index}`, lastNumber: first + count - 1 }
}

/** Of each session that the envelopes are about; of one that is closed, all numbers are over. */
function lastNumbersOf(envelopes: readonly Envelope[]): Map<string, number> {
  const last = new Map<string, number>()
  for (const envelope of envelopes) {
    const { session, lastNumber } = placeOf(envelope)
    if (session === null) continue
    last.set(session, envelope.kind === 'close' ? Infinity : Math.max(lastNumber, last.get(session) ?? 0))
  }
  return last
}

function envelopesOf(payload: Uint8Array): Envelope[] {
  const encoded = decode(payloadEnvelopesCodec, payload)
  if (!encoded.ok) return []
  return encoded.value.flatMap((bytes) => {
    const envelope = decode(envelopeCodec, bytes)
    return envelope.ok ? [envelope.value] : []
  })
}

function forwardersOf(batch: readonly Request[]): ReplicaId[] {
  const forwarders: ReplicaId[] = []
  for (const { from } of batch) if (from !== null && !forwarders.includes(from)) forwarders.push(from)
  return forwarders
}

function encodePayload(batch: readonly Request[], bytes: number): Uint8Array {
  const writer = new Writer(bytes)
  writer.u32(batch.length)
  for (const request of batch) {
    writer.u32(request.encoded.length)
    writer.raw(request.encoded)
  }
  // Made for so many bytes and for nothing else: a copy would be of the same.
  return writer.view()
}
