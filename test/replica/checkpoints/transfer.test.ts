// Goal: a transfer ends with exactly the certified state, asks for no more than is missing, keeps what it has, and never asks for more
// than a bound at a time. Method: honest servers around one fetching replica, in virtual time (transfer-world.ts).

import { describe, expect, it } from 'vitest'
import { replicaId } from '../../../src/kernel/ids.ts'
import {
  allBytesAskedMax,
  allChunksAskedMax,
  backoffMsMin,
  checkedBytesAtOnce,
  checkedEntriesAtOnce,
  chunksAskedMax,
  manifestAsksMax,
  manifestMs,
  newestAskedMax,
  newestGraceMs,
  requestMsInitial,
  requestMsMax,
  windowBytesMax,
} from '../../../src/replica/checkpoints/limits.ts'
import { Supplier, turnOfSilent, turnOfSlow } from '../../../src/replica/checkpoints/supplier.ts'
import type { Chunk } from './memory-store.ts'
import { expectState } from './state.ts'
import { changeChunks, fetcher, makeChunks, World, type ServerSeat } from './transfer-world.ts'

function bytesOf(chunks: readonly Chunk[]): number {
  return chunks.reduce((sum, { bytes }) => sum + bytes.length, 0)
}

function bytesSent(world: World): number {
  return [...world.servers.values()].reduce((sum, seat) => sum + seat.bytesSent, 0)
}

describe('with honest servers', () => {
  it('fetches the newest state, each chunk once, from all of them', () => {
    const world = new World()
    const seats = [world.serve(2), world.serve(3), world.serve(4)]
    const chunks = makeChunks(world.random, 300, 40_000)
    const checkpoint = world.put(256, chunks)
    world.want(128)
    world.run()
    expect(world.done).toEqual([checkpoint])
    expectState(world, 256, chunks)
    expect(world.chunksAsked()).toBe(300)
    expect(bytesSent(world)).toBe(bytesOf(chunks))
    expect(seats.every((seat) => seat.bytesSent > bytesOf(chunks) / 10)).toBe(true)
    expect(world.asked('manifest')).toBe(1)
    expect(world.transfer.active).toBe(false)
    expect(world.transfer.nextDueMs()).toBeNull()
  })

  it('asks only for what the store lacks', () => {
    const world = new World()
    world.serve(2)
    world.serve(3)
    const old = makeChunks(world.random, 200, 5000)
    const chunks = changeChunks(world.random, old, 17)
    world.store.put(world.checkpointOf(128, old), old)
    world.put(256, chunks)
    world.want(256)
    world.run()
    expectState(world, 256, chunks)
    expect(world.chunksAsked()).toBe(17)
    expect(bytesSent(world)).toBe(bytesOf(chunks.filter((chunk, index) => chunk !== old[index])))
  })

  it('fetches again what the disk has damaged', () => {
    const world = new World()
    const seat = world.serve(2)
    const chunks = makeChunks(world.random, 50, 5000)
    world.store.put(world.checkpointOf(128, chunks), chunks)
    world.put(256, chunks)
    for (const index of [3, 30]) world.store.damage([...seat.store.stable[0]!.entries][index]!.digest)
    world.want(256)
    world.run()
    expectState(world, 256, chunks)
    expect(world.chunksAsked()).toBe(2)
  })

  it('fetches a state of no chunk, and one that is here already', () => {
    const world = new World()
    world.serve(2)
    const chunks = makeChunks(world.random, 3, 100)
    world.put(128, [])
    world.want(1)
    world.run()
    expect(world.done.length).toBe(1)
    world.put(256, chunks)
    world.store.put(world.checkpointOf(200, chunks), chunks)
    world.want(129)
    world.run(600_000, 2)
    expectState(world, 256, chunks)
    expect(world.chunksAsked()).toBe(0)
  })

  it('takes the newest of those that the first four offer soon', () => {
    const world = new World(1, 7)
    const seats = [2, 3, 4, 5, 6].map((id) => world.serve(id, { delayMs: id === 5 ? newestGraceMs : id }))
    const chunks = makeChunks(world.random, 10, 100)
    for (const [index, seat] of seats.entries()) world.put(128 * (index + 1), chunks, [seat])
    world.want(128)
    world.run()
    // The fourth was too late, the fifth was not asked.
    expect(world.done.map(({ header }) => header.height)).toEqual([384])
    expect(world.asked('newest')).toBe(newestAskedMax)
  })

  it('fetches a manifest of many pages, and of long names', () => {
    const world = new World()
    world.serve(2)
    const chunks = makeChunks(world.random, 2500, 20)
    for (const [index, chunk] of chunks.entries()) {
      chunk.id = new Uint8Array(index < 1500 ? 2048 : 9).fill(index & 0xff, 4).fill(index >> 8, 0, 4)
    }
    world.put(256, chunks)
    world.want(256)
    world.run()
    expectState(world, 256, chunks)
    // 501 with long names fill a page.
    expect(world.asked('manifest')).toBe(4)
  })

  it('asks neither itself nor strangers', () => {
    const world = new World()
    world.serve(2)
    world.put(128, makeChunks(world.random, 3, 100))
    world.transfer.want(1, [fetcher, replicaId(99), replicaId(2), replicaId(2)], 0)
    expect(world.transfer.status().servers.map(({ replica }) => replica)).toEqual([2])
  })
})

describe('while it waits', () => {
  it('it waits no longer each time as long as there is progress', () => {
    const world = new World()
    let given = 0
    world.serve(2, {
      tamper: (answer) => {
        if (answer.kind === 'checkpoint') given = 0
        if (answer.kind !== 'chunk' || ++given <= 20) return [answer]
        return [{ kind: 'gone', request: answer.request }]
      },
    })
    const chunks = makeChunks(world.random, 200, 300)
    world.put(256, chunks)
    world.want(256)
    world.run()
    expectState(world, 256, chunks)
    expect(world.noted('transfer-failed').length).toBeGreaterThan(7)
    expect(world.nowMs).toBeLessThan(10_000)
  })

  it('a server that is new is asked at once, one that is known is not', () => {
    const world = new World()
    const empty = world.serve(2)
    const good = world.serve(3)
    const chunks = makeChunks(world.random, 5, 100)
    world.put(256, chunks, [good])
    world.want(256, [empty])
    world.until(() => world.noted('transfer-failed').length === 6)
    const asked = world.asked('newest')
    world.want(256, [empty])
    expect(world.asked('newest')).toBe(asked)
    const sinceMs = world.nowMs
    world.want(256, [empty, good])
    world.run()
    expectState(world, 256, chunks)
    expect(world.nowMs - sinceMs).toBeLessThan(1000)
  })
})

describe('what is on its way', () => {
  function watched(sizes: number, count: number, servers: number) {
    const world = new World(1, servers + 1)
    const seats = Array.from({ length: servers }, (_, index) => world.serve(index + 2, { delayMs: 20 }))
    const chunks = makeChunks(world.random, count, sizes)
    world.put(256, chunks)
    const most = { bytes: 0, chunks: 0, allBytes: 0, allChunks: 0 }
    const open = new Map<ServerSeat, { bytes: number; chunks: number }>()
    const size = new Map([...seats[0]!.store.stable[0]!.entries].map((entry) => [entry.digest.join(), entry.size]))
    const change = (seat: ServerSeat, bytes: number, by: number): void => {
      const now = open.get(seat) ?? { bytes: 0, chunks: 0 }
      now.bytes += bytes
      now.chunks += by
      open.set(seat, now)
      most.bytes = Math.max(most.bytes, now.bytes)
      most.chunks = Math.max(most.chunks, now.chunks)
      const all = [...open.values()]
      most.allBytes = Math.max(
        most.allBytes,
        all.reduce((sum, one) => sum + one.bytes, 0),
      )
      most.allChunks = Math.max(
        most.allChunks,
        all.reduce((sum, one) => sum + one.chunks, 0),
      )
    }
    for (const seat of seats) {
      const push = seat.requests.push.bind(seat.requests)
      seat.requests.push = (request) => {
        if (request.kind === 'chunks') for (const digest of request.digests) change(seat, size.get(digest.join())!, 1)
        return push(request)
      }
      seat.tamper = (answer) => {
        if (answer.kind === 'chunk') world.after(seat.delayMs, () => change(seat, -answer.bytes.length, -1))
        return [answer]
      }
    }
    world.want(256)
    world.run()
    expectState(world, 256, chunks)
    return most
  }

  it('is at most a window of each server', () => {
    const most = watched(40_000, 200, 2)
    expect(most.bytes).toBeLessThanOrEqual(windowBytesMax)
    expect(most.bytes).toBeGreaterThan(windowBytesMax / 3)
  })

  it('is at most so many chunks of each server, and of all', () => {
    const most = watched(100, 2000, 12)
    expect(most.chunks).toBe(chunksAskedMax)
    expect(most.allChunks).toBe(allChunksAskedMax)
  })

  it('is at most so many bytes of all', () => {
    const most = watched(600_000, 70, 24)
    expect(most.allBytes).toBeLessThanOrEqual(allBytesAskedMax)
    expect(most.allBytes).toBeGreaterThan(allBytesAskedMax / 4)
  })

  it('may be one chunk that is larger than the window', () => {
    const world = new World()
    world.serve(2)
    const chunks = [{ part: 3, id: Uint8Array.of(1), bytes: new Uint8Array(5 * 1024 * 1024) }]
    world.put(256, chunks)
    world.want(256)
    world.run()
    expectState(world, 256, chunks)
  })
})

describe('a disk', () => {
  it('that cannot keep up is not given more', () => {
    const world = new World()
    world.serve(2)
    const chunks = makeChunks(world.random, 300, 30_000)
    world.put(256, chunks)
    world.store.bytesAtOnce = 200_000
    world.store.drainMs = 500
    world.want(256)
    world.run()
    expectState(world, 256, chunks)
    expect(world.store.pauses).toBeGreaterThan(5)
    // What was asked before it said so still comes: a window.
    expect(world.store.addedWhilePausedMax).toBeLessThanOrEqual(windowBytesMax)
    expect(world.store.addedWhilePausedMax).toBeGreaterThan(0)
    expect(world.chunksAsked()).toBe(300)
    expect(world.noted('transfer-failed')).toEqual([])
  })

  it('that is full is tried again, and nothing is fetched twice', () => {
    const world = new World()
    world.serve(2)
    const chunks = makeChunks(world.random, 100, 3000)
    const checkpoint = world.put(256, chunks)
    world.store.errors.push(new Error('ENOSPC'), new Error('ENOSPC'))
    world.want(256)
    world.run()
    expectState(world, 256, chunks)
    expect(world.done).toEqual([checkpoint])
    expect(world.chunksAsked()).toBe(100)
    expect(world.noted('transfer-failed').map(({ detail }) => detail)).toEqual([
      { why: 'the store failed: ENOSPC' },
      { why: 'the store failed: ENOSPC' },
    ])
  })
})

it('says that the disk takes no more', () => {
  const world = new World()
  world.serve(2)
  world.put(256, makeChunks(world.random, 300, 30_000))
  Object.assign(world.store, { bytesAtOnce: 200_000, drainMs: 500 })
  world.want(256)
  world.until(() => world.store.pauses === 1)
  expect(world.transfer.status().paused).toBe(true)
})

it.each([
  ['chunks', 9000, 10],
  ['bytes', 5, 4 * 1024 * 1024],
])('reads back a bounded number of %s in one turn', (what, count, size) => {
  const world = new World()
  world.serve(2)
  const chunks = makeChunks(world.random, count, 10)
  for (const chunk of chunks) chunk.bytes = new Uint8Array(size).fill(7)
  world.put(256, chunks)
  world.store.put(world.checkpointOf(128, chunks), chunks)
  const read = world.store.read.bind(world.store)
  let now = 0
  let most = 0
  world.store.read = (entry) => {
    now += what === 'chunks' ? 1 : entry.size
    most = Math.max(most, now)
    return read(entry)
  }
  world.want(256)
  while (world.done.length === 0) {
    now = 0
    world.step()
  }
  expect(most).toBe(what === 'chunks' ? checkedEntriesAtOnce : checkedBytesAtOnce)
})

describe('a transfer that is interrupted', () => {
  it('goes on where it was', () => {
    const world = new World()
    world.serve(2)
    const chunks = makeChunks(world.random, 400, 30_000)
    world.put(256, chunks)
    world.want(256)
    world.until(() => world.store.added > 50)
    const before = world.store.added
    expect(world.transfer.cancel()).toBe(true)
    expect([world.transfer.active, world.transfer.nextDueMs()]).toEqual([false, null])
    world.run(1000)
    expect(world.store.added).toBe(before)
    world.want(256)
    world.run()
    expectState(world, 256, chunks)
    expect(world.store.added).toBe(400)
  })

  it('ends when blocks have brought its replica as far, and not before', () => {
    const world = new World()
    world.serve(2)
    world.put(256, makeChunks(world.random, 400, 30_000))
    world.want(200)
    world.transfer.reached(199)
    expect(world.transfer.active).toBe(true)
    world.until(() => world.store.added > 50)
    // Enough for what was asked, and less than what comes.
    world.transfer.reached(255)
    expect(world.transfer.active).toBe(true)
    world.transfer.reached(256)
    expect([world.transfer.active, world.transfer.nextDueMs()]).toEqual([false, null])
    // Whoever is asked may have something much higher; when nobody has, it is over.
    world.want(300)
    world.transfer.reached(300)
    expect(world.transfer.active).toBe(true)
    world.until(() => world.transfer.status().phase === 'waiting')
    world.transfer.reached(300)
    expect(world.transfer.active).toBe(false)
  })

  it.each(['chunks', 'writing'])('by blocks in phase %s goes on with what was wanted meanwhile', (phase) => {
    const world = new World()
    const server = world.serve(2)
    const chunks = makeChunks(world.random, 40, 30_000)
    world.put(256, chunks)
    world.want(200)
    world.until(() => world.transfer.status().phase === phase)
    world.want(300)
    world.put(384, chunks, [server])
    world.transfer.reached(256)
    expect(world.transfer.active).toBe(true)
    world.run(600_000, phase === 'writing' ? 2 : 1)
    expect(world.done.map(({ header }) => header.height)).toEqual(phase === 'writing' ? [256, 384] : [384])
  })

  it('while the store prepares leaves nothing begun there, and the next takes as long to begin', () => {
    const world = new World()
    world.serve(2)
    const chunks = makeChunks(world.random, 20, 300)
    world.put(256, chunks)
    world.store.stepsToPrepare = 3
    for (let turns = 1; turns <= 3; turns++) {
      world.want(256)
      world.until(() => world.store.begun === turns)
      for (let turn = 1; turn < turns; turn++) world.step()
      expect([world.transfer.status().phase, world.asked('chunks')]).toEqual(['checking', 0])
      expect(world.transfer.cancel()).toBe(true)
      world.run(1000)
    }
    world.want(256)
    world.run()
    expectState(world, 256, chunks)
  })

  it('is not interrupted when it is being written', () => {
    const world = new World()
    world.serve(2)
    world.put(256, makeChunks(world.random, 3, 100))
    world.want(256)
    world.until(() => world.transfer.status().phase === 'writing')
    expect(world.transfer.cancel()).toBe(false)
    world.run()
    expect(world.done.length).toBe(1)
    expect(world.transfer.active).toBe(false)
  })
})

describe('a newer checkpoint', () => {
  it('does not disturb a transfer that makes progress', () => {
    const world = new World()
    const seat = world.serve(2)
    const chunks = makeChunks(world.random, 300, 30_000)
    world.put(256, chunks)
    world.want(256)
    world.until(() => world.store.added > 50)
    world.put(384, changeChunks(world.random, chunks, 20), [seat])
    world.want(300)
    world.run()
    expectState(world, 256, chunks)
    // And because more was asked for meanwhile, it goes on.
    world.run(600_000, 2)
    expect(world.done.map(({ header }) => header.height)).toEqual([256, 384])
    expect(world.chunksAsked()).toBe(320)
  })

  it('takes the place of one that is gone, and what was fetched is kept', () => {
    const world = new World()
    const seat = world.serve(2)
    const chunks = makeChunks(world.random, 300, 30_000)
    world.put(256, chunks)
    world.want(256)
    world.until(() => world.store.added > 50)
    const newer = changeChunks(world.random, chunks, 300)
    const same = newer.map((chunk, index) => (index < 150 ? chunks[index]! : chunk))
    world.put(384, same, [seat])
    world.put(512, same, [seat])
    world.run()
    expectState(world, 512, same)
    expect(world.done.length).toBe(1)
    expect(world.store.added).toBeLessThan(300 + 150)
    expect(world.noted('transfer-server-spent').length).toBeGreaterThan(0)
  })
})

describe('a manifest', () => {
  it('is not waited for from who is silent, when whoever answers has something newer', () => {
    const world = new World()
    const there = world.serve(3)
    const silent = world.serve(2, { tamper: () => [] })
    const chunks = makeChunks(world.random, 20, 300)
    world.put(256, chunks)
    world.want(256, [there, silent])
    world.until(() => world.transfer.status().phase === 'manifest')
    for (const height of [384, 512]) world.put(height, chunks, [there])
    world.run()
    expectState(world, 512, chunks)
    expect(world.nowMs).toBeLessThan(manifestMs / 2)
  })

  it('is asked again of who is slow, before anybody waits for who is silent', () => {
    const world = new World()
    const slow = world.serve(3)
    const silent = world.serve(2, { tamper: () => [] })
    const chunks = makeChunks(world.random, 20, 300)
    world.put(256, chunks)
    world.want(256, [slow, silent])
    world.until(() => world.transfer.status().phase === 'manifest')
    slow.delayMs = requestMsInitial + 500
    world.until(() => world.transfer.status().phase === 'chunks')
    expect(world.nowMs).toBeLessThan(2 * manifestMs)
    world.run()
    expectState(world, 256, chunks)
  })

  it('of many pages is not begun anew by who is merely late', () => {
    const world = new World()
    const seat = world.serve(2)
    world.put(256, makeChunks(world.random, 2500, 20))
    world.want(256)
    world.until(() => world.asked('manifest') === 2)
    // Beyond what was measured so far, and within what is allowed for after the first timeout.
    seat.delayMs = 800
    world.run()
    const firsts = seat.requests.flatMap((request) => (request.kind === 'manifest' ? [request.first] : []))
    expect(firsts.filter((first) => first === 0)).toHaveLength(1)
    expect(world.done).toHaveLength(1)
  })

  it('is asked again of those who were silent, when the one that is left is silent too', () => {
    const world = new World()
    const back = [world.serve(3), world.serve(4)]
    const silent = world.serve(2, { tamper: () => [] })
    const chunks = makeChunks(world.random, 20, 300)
    world.put(256, chunks)
    world.want(256, [...back, silent])
    world.until(() => world.transfer.status().phase === 'manifest')
    for (const seat of back) seat.lost = 100
    world.until(() => silent.requests.some(({ kind }) => kind === 'manifest'))
    for (const seat of back) seat.lost = 0
    world.until(() => world.transfer.status().phase === 'chunks')
    expect(world.nowMs).toBeLessThan(manifestMs / 2)
    expect(world.noted('transfer-failed')).toEqual([])
  })

  it('is asked of the silent in turn, and not of the one who offered it again and again', () => {
    const world = new World()
    const offering = world.serve(2)
    const others = [world.serve(3, { lost: 100 }), world.serve(4, { lost: 100 })]
    world.put(256, makeChunks(world.random, 20, 300))
    world.want(256)
    world.until(() => world.transfer.status().phase === 'manifest')
    offering.lost = 100
    world.until(() => world.asked('manifest', [offering]) === 2)
    expect(world.asked('manifest', others)).toBe(2)
    for (const seat of others) seat.lost = 0
    world.until(() => others.some((seat) => world.asked('manifest', [seat]) === 2))
    expect(world.asked('manifest', [offering])).toBe(2)
    world.run()
    expect(world.done).toHaveLength(1)
  })

  it('is not begun anew with who was silent while there are pages of it', () => {
    const world = new World()
    const silent = world.serve(2)
    const seat = world.serve(3)
    world.put(256, makeChunks(world.random, 2500, 20))
    world.want(256, [silent, seat])
    world.until(() => world.transfer.status().phase === 'manifest')
    silent.lost = 100
    world.until(() => world.asked('manifest', [seat]) === 2)
    seat.delayMs = 800
    world.run()
    expect(world.asked('manifest', [silent])).toBe(1)
    expect(seat.requests.filter((request) => request.kind === 'manifest' && request.first === 0)).toHaveLength(1)
    expect(world.done).toHaveLength(1)
  })

  it.each(['late', 'silent'])('is asked of each so often in a round, and no more, where all are always %s', (how) => {
    const supplier = new Supplier(replicaId(2))
    expect(supplier.manifestTurn).toBe(0)
    for (let ask = 1; ask <= manifestAsksMax; ask++) {
      expect(supplier.manifestTurn).toBeLessThanOrEqual(how === 'late' ? turnOfSlow : turnOfSilent)
      supplier.manifestAsked()
      // Its answer is waited for.
      if (ask === 1) expect(supplier.manifestTurn).toBe(Infinity)
      if (how === 'late') supplier.answeredLate(1000)
      else if (ask === 1) supplier.timedOut({ number: 1, entries: new Map(), sentMs: 0 })
    }
    expect(supplier.manifestTurn).toBe(Infinity)
    supplier.newRound()
    expect(supplier.manifestTurn).toBe(0)
  })
})

describe('a network', () => {
  it('that is slower than expected is waited for, and what comes late is of use', () => {
    const world = new World()
    world.serve(2, { delayMs: 2500 })
    const chunks = makeChunks(world.random, 30, 30_000)
    world.put(256, chunks)
    world.want(256)
    world.run()
    expectState(world, 256, chunks)
    expect(world.nowMs).toBeLessThan(20 * requestMsMax)
  })

  it('that loses a third of all answers costs time, not correctness', () => {
    const world = new World(5)
    world.serve(2, { lost: 33 })
    world.serve(3, { lost: 33, delayMs: 40 })
    const chunks = makeChunks(world.random, 200, 3000)
    world.put(256, chunks)
    world.want(256)
    world.run()
    expectState(world, 256, chunks)
    expect(world.noted('transfer-server-lied')).toEqual([])
  })

  it('that is down is tried again, soon at first', () => {
    const world = new World()
    const seat = world.serve(2, { lost: 100 })
    const chunks = makeChunks(world.random, 20, 3000)
    world.put(256, chunks)
    world.want(256)
    world.run(2000 + 3 * backoffMsMin)
    expect(seat.requests.length).toBe(2)
    world.run(3_600_000)
    expect(world.done).toEqual([])
    seat.lost = 0
    world.run(60_000)
    expectState(world, 256, chunks)
  })
})

it('says how far it is', () => {
  const world = new World()
  world.serve(2)
  const chunks = makeChunks(world.random, 300, 30_000)
  world.put(256, chunks)
  expect(world.transfer.status()).toMatchObject({ phase: 'idle', height: null, chunks: null })
  world.want(200)
  world.until(() => world.store.added > 50)
  const status = world.transfer.status()
  expect(status).toMatchObject({
    phase: 'chunks',
    minimumHeight: 200,
    height: 256,
    chunks: 300,
    bytes: bytesOf(chunks),
  })
  expect(status.chunksLeft).toBe(300 - world.store.added)
  expect(status.servers).toMatchObject([{ replica: 2, chunks: world.store.added, lied: null, spent: false }])
})
