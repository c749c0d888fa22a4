// Goal: a server answers what it has, at a bounded rate, in turn, and no request costs more than a bound. Method: one server, requests
// by hand, virtual time.

import { describe, expect, it } from 'vitest'
import { decode, encode } from '../../../src/wire/codec.ts'
import { replicaId, type ReplicaId } from '../../../src/kernel/ids.ts'
import type { ManifestEntry } from '../../../src/kernel/manifest.ts'
import { createRandom } from '../../../src/kernel/random.ts'
import {
  answerBytesMax,
  answerCostMin,
  chunksAskedMax,
  indexIdleMs,
  pageBytesMax,
  pageEntriesMax,
  requestBytesMax,
  servedAnswersAtOnce,
  servedBytesAtOnce,
  waitingChunksMax,
  waitingRequestsMax,
} from '../../../src/replica/checkpoints/limits.ts'
import { StateServer } from '../../../src/replica/checkpoints/state-server.ts'
import {
  transferAnswerCodec,
  transferRequestCodec,
  type TransferAnswer,
  type TransferRequest,
} from '../../../src/replica/checkpoints/transfer-messages.ts'
import { Group } from './group.ts'
import { MemoryStore, type Chunk } from './memory-store.ts'
import { makeChunks } from './transfer-world.ts'

const [one, two, three] = [1, 2, 3].map(replicaId) as [ReplicaId, ReplicaId, ReplicaId]

class Seat {
  readonly group = new Group()
  readonly store = new MemoryStore()
  readonly sent: { to: ReplicaId; answer: TransferAnswer; bytes: number }[] = []
  readonly dropped: string[] = []
  readonly server: StateServer
  #request = 0

  constructor(bytesPerSecond?: number) {
    this.server = new StateServer({
      self: one,
      membership: this.group.rules().membership,
      source: this.store,
      ...(bytesPerSecond === undefined ? {} : { bytesPerSecond }),
      send: (to, body) => {
        const decoded = decode(transferAnswerCodec, body)
        if (!decoded.ok) throw decoded.error
        this.sent.push({ to, answer: decoded.value, bytes: body.length })
      },
      dropped: (_, reason) => this.dropped.push(reason),
    })
  }

  has(height: number, chunks: readonly Chunk[]): readonly ManifestEntry[] {
    this.store.put(this.group.checkpoint(this.group.header(height)), chunks)
    return [...this.store.stable[0]!.entries]
  }

  asks(from: ReplicaId, request: TransferRequest, nowMs = 0): void {
    this.server.message(from, encode(transferRequestCodec, request), nowMs)
  }

  asksChunks(from: ReplicaId, entries: readonly ManifestEntry[], height = 256, nowMs = 0): void {
    for (let first = 0; first < entries.length; first += chunksAskedMax) {
      const digests = entries.slice(first, first + chunksAskedMax).map(({ digest }) => digest)
      this.asks(from, { kind: 'chunks', request: ++this.#request, height, digests }, nowMs)
    }
  }

  runs(forMs: number, fromMs = 0): void {
    let nowMs = fromMs
    for (
      let dueMs = this.server.nextDueMs();
      dueMs !== null && dueMs <= fromMs + forMs;
      dueMs = this.server.nextDueMs()
    ) {
      nowMs = Math.max(nowMs, dueMs)
      this.server.tick(nowMs)
    }
  }

  bytesTo(to: ReplicaId): number {
    return this.sent.reduce((sum, one) => sum + (one.to === to ? one.bytes : 0), 0)
  }

  kinds(): string[] {
    return this.sent.map(({ answer }) => answer.kind)
  }
}

const random = createRandom(3)

describe('a server', () => {
  it('answers with what it has, and says what it has not', () => {
    const seat = new Seat()
    seat.asks(two, { kind: 'newest', request: 1 })
    const old = seat.has(128, makeChunks(random, 10, 100))
    const chunks = makeChunks(random, 10, 100)
    const entries = seat.has(256, chunks)
    seat.asks(two, { kind: 'newest', request: 2 })
    seat.asks(two, { kind: 'manifest', request: 3, height: 256, first: 0 })
    seat.asks(two, { kind: 'manifest', request: 4, height: 128, first: 7 })
    seat.asks(two, { kind: 'manifest', request: 5, height: 384, first: 0 })
    seat.asks(two, { kind: 'manifest', request: 6, height: 256, first: 11 })
    seat.store.damage(entries[1]!.digest)
    seat.asksChunks(two, entries.slice(0, 2))
    // Of the snapshot before, whatever height is named.
    seat.asksChunks(two, old.slice(0, 1), 999)
    expect(seat.sent.map(({ answer }) => answer)).toEqual([
      { kind: 'gone', request: 1 },
      { kind: 'checkpoint', request: 2, checkpoint: seat.store.stable[0]!.checkpoint },
      { kind: 'manifest-page', request: 3, total: 10, entries },
      { kind: 'manifest-page', request: 4, total: 10, entries: old.slice(7) },
      { kind: 'gone', request: 5 },
      { kind: 'gone', request: 6 },
      { kind: 'chunk', request: 1, digest: entries[0]!.digest, part: 0, id: entries[0]!.id, bytes: chunks[0]!.bytes },
      { kind: 'lacking', request: 1, digests: [entries[1]!.digest] },
      expect.objectContaining({ kind: 'chunk', request: 2, digest: old[0]!.digest }),
    ])
  })

  it('says once that a snapshot is gone', () => {
    const seat = new Seat()
    const entries = seat.has(256, makeChunks(random, 10, 100))
    const unknown = entries.map(({ part, id, size, digest }) => ({
      part,
      id,
      size,
      digest: digest.map((byte) => byte ^ 1),
    }))
    seat.asksChunks(two, unknown, 384)
    seat.runs(1000)
    expect(seat.kinds()).toEqual(['gone'])
    expect(seat.server.nextDueMs()).toBe(indexIdleMs)
  })

  it('sends no answer larger than its bound', () => {
    const seat = new Seat()
    const long = Array.from({ length: 600 }, (_, index) => ({
      part: 4,
      id: new Uint8Array(2048).fill(index & 0xff, 0, 4).fill(index >> 8, 4),
      bytes: new Uint8Array(index === 0 ? 5 * 1024 * 1024 : 1),
    }))
    const entries = seat.has(256, long)
    seat.asks(two, { kind: 'manifest', request: 1, height: 256, first: 0 })
    seat.asksChunks(two, entries.slice(0, 1))
    expect(seat.kinds()).toEqual(['manifest-page', 'chunk'])
    expect(seat.sent[0]!.bytes).toBeLessThanOrEqual(pageBytesMax + 32)
    expect(seat.sent[1]!.bytes).toBeLessThanOrEqual(answerBytesMax)
  })

  it('puts so many entries on a page, and no more', () => {
    const seat = new Seat()
    const entries = seat.has(256, makeChunks(random, 1500, 10))
    seat.asks(two, { kind: 'manifest', request: 1, height: 256, first: 0 })
    const { answer } = seat.sent[0]!
    expect(answer.kind === 'manifest-page' && answer.entries).toEqual(entries.slice(0, pageEntriesMax))
  })

  it('looks at no request that is malformed, too large, or of a stranger', () => {
    const seat = new Seat()
    seat.server.message(two, Uint8Array.of(9), 0)
    seat.server.message(two, new Uint8Array(requestBytesMax + 1), 0)
    seat.asks(replicaId(77), { kind: 'newest', request: 1 })
    seat.asks(one, { kind: 'newest', request: 1 })
    expect(seat.dropped).toEqual(['ERR_WIRE_TAG', 'too large', 'not a member', 'not a member'])
    expect(seat.sent).toEqual([])
    expect(seat.server.nextDueMs()).toBeNull()
  })

  it('has no table of its chunks when nobody has asked for a minute, and a new one for new snapshots', () => {
    const seat = new Seat()
    const entries = seat.has(256, makeChunks(random, 10, 100))
    seat.asksChunks(two, entries.slice(0, 1))
    const newer = seat.has(384, makeChunks(random, 10, 100))
    seat.asksChunks(two, newer.slice(0, 1), 384)
    expect(seat.kinds()).toEqual(['chunk', 'chunk'])
    expect(seat.server.nextDueMs()).toBe(indexIdleMs)
    seat.server.tick(indexIdleMs)
    expect(seat.server.nextDueMs()).toBeNull()
  })
})

describe('the rate', () => {
  it.each([
    ['is kept', false, 1_000_000],
    ['is a quarter while this replica leads', true, 250_000],
  ])('%s', (_, leading, expected) => {
    const seat = new Seat(1_000_000)
    seat.server.leads(leading, 0)
    expect(seat.server.bytesPerSecond).toBe(expected)
    const chunks = makeChunks(random, 64, 1).map(({ part, id }) => ({
      part,
      id,
      bytes: new Uint8Array(50_000).fill(id.at(-1)!),
    }))
    const entries = seat.has(256, chunks)
    const seconds = 20
    for (let nowMs = 0; nowMs < seconds * 1000; nowMs += 10) {
      seat.asksChunks(two, entries, 256, nowMs)
      seat.asksChunks(three, entries, 256, nowMs)
      seat.server.tick(nowMs)
    }
    const sent = seat.server.bytesServed / seconds
    expect(sent).toBeLessThan(expected * 1.03)
    expect(sent).toBeGreaterThan(expected * 0.97)
    expect(seat.bytesTo(two) / seat.bytesTo(three)).toBeCloseTo(1, 1)
  })

  it('is shared in bytes: who asks for large chunks gets fewer of them', () => {
    const seat = new Seat(1_000_000)
    const chunks = makeChunks(random, 64, 1).map(({ part, id }, index) => ({
      part,
      id,
      bytes: new Uint8Array(index < 32 ? 100_000 : 5000).fill(index),
    }))
    const entries = seat.has(256, chunks)
    for (let nowMs = 0; nowMs < 10_000; nowMs += 10) {
      seat.asksChunks(two, entries.slice(0, 32), 256, nowMs)
      seat.asksChunks(three, entries.slice(32), 256, nowMs)
      seat.server.tick(nowMs)
    }
    const ratio = seat.bytesTo(two) / seat.bytesTo(three)
    expect(ratio).toBeGreaterThan(0.8)
    expect(ratio).toBeLessThan(1.25)
  })

  it('is the same for one that comes back for each chunk as for one that waits', () => {
    const seat = new Seat(1_000_000)
    const chunks = makeChunks(random, 64, 1)
    for (const chunk of chunks) chunk.bytes = new Uint8Array(20_000)
    const entries = seat.has(256, chunks)
    let asked = 0
    for (let nowMs = 0; nowMs < 10_000; nowMs++) {
      if (nowMs % 100 === 0) seat.asksChunks(two, entries, 256, nowMs)
      const isAnswered = seat.bytesTo(three) >= asked * 20_000
      if (isAnswered) seat.asksChunks(three, entries.slice(asked % 64, (asked++ % 64) + 1), 256, nowMs)
      seat.server.tick(nowMs)
    }
    const ratio = seat.bytesTo(two) / seat.bytesTo(three)
    expect(ratio).toBeGreaterThan(0.5)
    expect(ratio).toBeLessThan(2)
  })

  it('has no price of nothing: a flood of small requests is as slow', () => {
    const seat = new Seat(1_000_000)
    for (let nowMs = 0; nowMs < 10_000; nowMs++) {
      for (let times = 0; times < 10; times++) seat.asks(two, { kind: 'newest', request: times }, nowMs)
    }
    expect(seat.sent.length).toBeLessThan(1.05 * ((10 * 1_000_000) / answerCostMin))
    expect(seat.dropped.length).toBeGreaterThan(90_000)
  })

  it('is not saved up for ever', () => {
    const seat = new Seat(1_000_000)
    const entries = seat.has(
      256,
      makeChunks(random, 64, 1).map(({ part, id }) => ({ part, id, bytes: new Uint8Array(50_000).fill(id.at(-1)!) })),
    )
    seat.asksChunks(two, entries, 256, 3_600_000)
    for (let times = 0; times < 10; times++) seat.server.tick(3_600_000)
    expect(seat.server.bytesServed).toBeLessThan(350_000)
    expect(seat.server.nextDueMs()).toBeGreaterThan(3_600_000)
  })
})

describe('one member', () => {
  it('has so many chunks and requests waiting, and no more', () => {
    const seat = new Seat(1)
    seat.has(256, makeChunks(random, 3, 10))
    // The bucket is empty from here on.
    seat.asks(two, { kind: 'newest', request: 0 })
    const entries = seat.has(384, makeChunks(random, 200, 10))
    seat.asksChunks(two, entries)
    for (let request = 0; request < 10; request++) seat.asks(two, { kind: 'newest', request })
    expect(seat.sent.length).toBe(1)
    expect(seat.dropped.length).toBe(5 + 10 - waitingRequestsMax)
    seat.runs(1e12)
    expect(seat.kinds().filter((kind) => kind === 'chunk').length).toBe(waitingChunksMax)
  })

  it('that asks again for a chunk that waits gets it once, for the later request', () => {
    const seat = new Seat(1)
    seat.asks(two, { kind: 'newest', request: 0 })
    const entries = seat.has(256, makeChunks(random, 3, 10))
    seat.asksChunks(two, entries)
    seat.asksChunks(two, entries)
    seat.runs(1e12)
    expect(seat.sent.slice(1).map(({ answer }) => answer.request)).toEqual([2, 2, 2])
  })

  it('that asks for all does not keep others waiting', () => {
    const seat = new Seat(1_000_000)
    const entries = seat.has(
      256,
      makeChunks(random, 64, 1).map(({ part, id }) => ({ part, id, bytes: new Uint8Array(50_000).fill(id.at(-1)!) })),
    )
    seat.asksChunks(two, entries)
    const before = seat.sent.length
    seat.asks(three, { kind: 'newest', request: 1 })
    seat.runs(2000)
    const place = seat.sent.findIndex(({ to }) => to === three)
    expect(place - before).toBeLessThanOrEqual(1)
  })
})

it('one call hands out a bounded part', () => {
  const seat = new Seat()
  const large = seat.has(
    256,
    makeChunks(random, 64, 1).map(({ part, id }) => ({ part, id, bytes: new Uint8Array(100_000).fill(id.at(-1)!) })),
  )
  seat.asksChunks(two, large.slice(0, 32))
  expect(seat.server.bytesServed).toBeLessThanOrEqual(servedBytesAtOnce + 200_000)
  expect(seat.server.nextDueMs()).toBe(0)
})

it('one call gives a bounded number of answers', () => {
  const seat = new Seat(1_000_000)
  const small = makeChunks(random, 129, 10)
  small[0]!.bytes = new Uint8Array(1_000_000)
  const entries = seat.has(256, small)
  // More than was saved: the rest waits.
  seat.asksChunks(two, entries.slice(0, 1))
  seat.asksChunks(two, entries.slice(1, 65))
  seat.asksChunks(three, entries.slice(65))
  expect(seat.sent.length).toBe(1)
  seat.server.tick(10_000)
  expect(seat.sent.length).toBe(1 + servedAnswersAtOnce)
  expect(seat.server.nextDueMs()).toBe(10_000)
})
