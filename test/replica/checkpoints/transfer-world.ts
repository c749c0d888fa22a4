// A replica that fetches a state, servers of all kinds, and a network between them, in virtual time. Every byte goes through the codecs.

import { decode, encode } from '../../../src/wire/codec.ts'
import type { Checkpoint } from '../../../src/kernel/checkpoint.ts'
import { replicaId, type Height, type ReplicaId } from '../../../src/kernel/ids.ts'
import { createRandom, type Random } from '../../../src/kernel/random.ts'
import type { ProtocolEvent } from '../../../src/kernel/protocol.ts'
import { MerkleTree } from '../../../src/execution/merkle.ts'
import type { SnapshotSink } from '../../../src/replica/checkpoints/ports.ts'
import { StateServer } from '../../../src/replica/checkpoints/state-server.ts'
import { StateTransfer } from '../../../src/replica/checkpoints/transfer.ts'
import {
  isTransferRequest,
  transferAnswerCodec,
  transferRequestCodec,
  type TransferAnswer,
  type TransferRequest,
} from '../../../src/replica/checkpoints/transfer-messages.ts'
import { simulatedHasher } from '../../../src/simulator/simulated-suite.ts'
import { Group } from './group.ts'
import { chunkDigest, entryOf, MemoryStore, type Chunk } from './memory-store.ts'

/** What a server makes of an answer: as it is, changed, several, or none. A function of the request number, so that it may be late. */
export type Tamper = (answer: TransferAnswer, world: World, server: ServerSeat) => TransferAnswer[]

export interface ServerSeat {
  id: ReplicaId
  store: MemoryStore
  server: StateServer
  tamper: Tamper | null
  delayMs: number
  /** Of a hundred answers. */
  lost: number
  requests: TransferRequest[]
  answers: TransferAnswer[]
  bytesSent: number
}

export const fetcher = replicaId(1)

export class World {
  readonly group: Group
  readonly random: Random
  readonly store = new MemoryStore()
  readonly servers = new Map<ReplicaId, ServerSeat>()
  readonly transfer: StateTransfer
  readonly done: Checkpoint[] = []
  readonly notes: ProtocolEvent[] = []
  nowMs = 0
  chunksHashed = 0
  #sequence = 0
  #events: { atMs: number; sequence: number; act: () => void }[] = []
  #woken = false

  /** `sink`: another store than the one in memory, whose delays are events of this world. */
  constructor(seed: number | string = 1, voters = 4, sink?: (world: World) => SnapshotSink) {
    this.group = new Group({ protocol: 'pbft', voters, learners: 0 })
    this.random = createRandom(seed)
    this.store.after = (delayMs, act) => this.after(delayMs, act)
    this.transfer = new StateTransfer({
      self: fetcher,
      rules: this.group.rules(),
      hasher: simulatedHasher,
      chunkDigest: (chunk, bytes) => {
        this.chunksHashed++
        return chunkDigest(chunk, bytes)
      },
      store: sink?.(this) ?? this.store,
      random: this.random.fork('transfer'),
      host: {
        send: (to, body) => this.#request(to, body),
        done: (checkpoint) => this.done.push(checkpoint),
        wake: () => (this.#woken = true),
        note: (event) => this.notes.push(event),
      },
    })
  }

  /** A server that has nothing yet. */
  serve(id: number, options: Partial<Pick<ServerSeat, 'tamper' | 'delayMs' | 'lost'>> = {}): ServerSeat {
    const store = new MemoryStore()
    const server = new StateServer({
      self: replicaId(id),
      membership: this.group.rules().membership,
      source: store,
      send: (to, body) => this.#answer(replicaId(id), to, body),
    })
    const seat: ServerSeat = {
      id: replicaId(id),
      store,
      server,
      tamper: options.tamper ?? null,
      delayMs: options.delayMs ?? 1,
      lost: options.lost ?? 0,
      requests: [],
      answers: [],
      bytesSent: 0,
    }
    this.servers.set(seat.id, seat)
    return seat
  }

  checkpointOf(height: Height, chunks: readonly Chunk[]): Checkpoint {
    const tree = new MerkleTree(simulatedHasher, 'state-node')
    return this.group.checkpoint(this.group.header(height, tree.root(chunks.map((chunk) => entryOf(chunk).digest))))
  }

  /** The same snapshot on these servers. */
  put(height: Height, chunks: readonly Chunk[], seats: readonly ServerSeat[] = [...this.servers.values()]): Checkpoint {
    const checkpoint = this.checkpointOf(height, chunks)
    for (const seat of seats) seat.store.put(checkpoint, chunks)
    return checkpoint
  }

  want(height: Height, from: readonly ServerSeat[] = [...this.servers.values()]): void {
    this.transfer.want(
      height,
      from.map(({ id }) => id),
      this.nowMs,
    )
  }

  /** Until it is done so often, or the time is over. */
  run(forMs = 600_000, times = 1): void {
    const endMs = this.nowMs + forMs
    while (this.done.length < times) {
      const dueMs = this.#nextMs()
      if (dueMs === null || dueMs > endMs) break
      this.nowMs = Math.max(this.nowMs, dueMs)
      this.#turn()
    }
    if (this.done.length < times) this.nowMs = endMs
  }

  /** One thing that is due, whenever that is. */
  step(): void {
    const dueMs = this.#nextMs()
    if (dueMs === null) throw new Error('nothing is due')
    this.nowMs = Math.max(this.nowMs, dueMs)
    this.#turn()
  }

  until(condition: () => boolean): void {
    while (!condition()) this.step()
  }

  after(delayMs: number, act: () => void): void {
    this.#events.push({ atMs: this.nowMs + delayMs, sequence: this.#sequence++, act })
    this.#events.sort((left, right) => left.atMs - right.atMs || left.sequence - right.sequence)
  }

  /** To the fetcher, as if this server had sent it of its own accord. */
  say(from: ServerSeat, answer: TransferAnswer): void {
    from.bytesSent += 1
    this.transfer.message(from.id, encode(transferAnswerCodec, answer), this.nowMs)
  }

  asked(kind: TransferRequest['kind'], seats: readonly ServerSeat[] = [...this.servers.values()]): number {
    return seats.reduce((sum, seat) => sum + seat.requests.filter((request) => request.kind === kind).length, 0)
  }

  chunksAsked(seats: readonly ServerSeat[] = [...this.servers.values()]): number {
    const requests = seats.flatMap((seat) => seat.requests)
    return requests.reduce((sum, request) => sum + (request.kind === 'chunks' ? request.digests.length : 0), 0)
  }

  noted(kind: string): ProtocolEvent[] {
    return this.notes.filter((event) => event.kind === kind)
  }

  #nextMs(): number | null {
    const times = [this.transfer.nextDueMs(), this.#events[0]?.atMs ?? null]
    for (const { server } of this.servers.values()) times.push(server.nextDueMs())
    if (this.#woken || this.store.later.length > 0) times.push(this.nowMs)
    const due = times.filter((time) => time !== null)
    return due.length === 0 ? null : Math.min(...due)
  }

  #turn(): void {
    this.#woken = false
    for (const act of this.store.later.splice(0)) act()
    const event = this.#events[0]
    if (event !== undefined && event.atMs <= this.nowMs) {
      this.#events.shift()
      event.act()
    }
    for (const { server } of this.servers.values()) {
      const dueMs = server.nextDueMs()
      if (dueMs !== null && dueMs <= this.nowMs) server.tick(this.nowMs)
    }
    const dueMs = this.transfer.nextDueMs()
    if (dueMs !== null && dueMs <= this.nowMs) this.transfer.tick(this.nowMs)
  }

  #request(to: ReplicaId, body: Uint8Array): void {
    const seat = this.servers.get(to)!
    if (!isTransferRequest(body)) throw new Error('a request that is none')
    const decoded = decode(transferRequestCodec, body)
    if (!decoded.ok) throw decoded.error
    seat.requests.push(decoded.value)
    this.after(seat.delayMs, () => seat.server.message(fetcher, body, this.nowMs))
  }

  #answer(from: ReplicaId, to: ReplicaId, body: Uint8Array): void {
    const seat = this.servers.get(from)!
    const decoded = decode(transferAnswerCodec, body)
    if (!decoded.ok || isTransferRequest(body) || to !== fetcher) throw new Error('an answer that is none')
    const answers = seat.tamper === null ? [decoded.value] : seat.tamper(decoded.value, this, seat)
    for (const answer of answers) {
      if (this.random.chance(seat.lost, 100)) continue
      seat.answers.push(answer)
      const sent = encode(transferAnswerCodec, answer)
      seat.bytesSent += answer.kind === 'chunk' ? answer.bytes.length : 0
      this.after(seat.delayMs, () => {
        this.transfer.message(from, sent, this.nowMs)
        // Nothing that is kept may be a view of it.
        sent.fill(0)
      })
    }
  }
}

/** Chunks of all parts, in canonical order. */
export function makeChunks(random: Random, count: number, bytesMax: number): Chunk[] {
  return Array.from({ length: count }, (_, index) => {
    const bytes = new Uint8Array(random.between(1, bytesMax)).fill(random.below(256))
    for (let at = 0; at < bytes.length; at += 97) bytes[at] = random.below(256)
    return { part: Math.min(4, index), id: new TextEncoder().encode(`run-${String(index).padStart(6, '0')}`), bytes }
  })
}

/** The same state after some of it has changed. */
export function changeChunks(random: Random, chunks: readonly Chunk[], changed: number): Chunk[] {
  const places = new Set<number>()
  while (places.size < changed) places.add(random.below(chunks.length))
  return chunks.map((chunk, index) =>
    places.has(index) ? { ...chunk, bytes: Uint8Array.from([...chunk.bytes, random.below(256)]) } : chunk,
  )
}
