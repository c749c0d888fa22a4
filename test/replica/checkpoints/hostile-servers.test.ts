// Goal: whatever one server says, or does not say, the transfer ends with what honest servers have; who lied is not asked again, and
// nothing that a liar does costs more than a bound. Method: the first server of the list is the hostile one.

import { describe, expect, it } from 'vitest'
import type { Checkpoint } from '../../../src/kernel/checkpoint.ts'
import { snapshotChunkBytesMax, type ManifestEntry } from '../../../src/kernel/manifest.ts'
import {
  answerBytesMax,
  backoffMsMax,
  lackingMax,
  newestGraceMs,
  requestMsInitial,
  requestMsMin,
  timeoutsMax,
} from '../../../src/replica/checkpoints/limits.ts'
import type { TransferAnswer } from '../../../src/replica/checkpoints/transfer-messages.ts'
import { expectState } from './state.ts'
import { changeChunks, fetcher, makeChunks, World, type ServerSeat, type Tamper } from './transfer-world.ts'

const wrong = new Uint8Array(64).fill(9)

function onlyPages(change: (page: TransferAnswer & { kind: 'manifest-page' }) => Partial<TransferAnswer>): Tamper {
  return (answer) => [answer.kind === 'manifest-page' ? ({ ...answer, ...change(answer) } as TransferAnswer) : answer]
}

function onlyCheckpoints(change: (checkpoint: Checkpoint, world: World) => Checkpoint): Tamper {
  return (answer, world) => [
    answer.kind === 'checkpoint' ? { ...answer, checkpoint: change(answer.checkpoint, world) } : answer,
  ]
}

function renamed(entries: readonly ManifestEntry[], change: Partial<ManifestEntry>, at = 50): ManifestEntry[] {
  return entries.map((entry, index) => (index === at ? { ...entry, ...change } : entry))
}

/** One hostile server that is asked first, one honest one. */
function setting(tamper: Tamper, seed: number | string = 1): { world: World; hostile: ServerSeat; honest: ServerSeat } {
  const world = new World(seed)
  const hostile = world.serve(2, { tamper })
  const honest = world.serve(3, { delayMs: 3 })
  return { world, hostile, honest }
}

const swapped = (entries: readonly ManifestEntry[]): ManifestEntry[] => [
  ...entries.slice(0, -2),
  entries.at(-1)!,
  entries.at(-2)!,
]

describe('a server that lies', () => {
  const lies: [string, Tamper, string][] = [
    [
      'about a signature of the certificate',
      onlyCheckpoints((given) => ({
        ...given,
        signatures: given.signatures.map(({ replica }, index) =>
          index === 0 ? { replica, signature: wrong } : given.signatures[index]!,
        ),
      })),
      'a wrong signature',
    ],
    [
      'with too few signatures',
      onlyCheckpoints((given) => ({ ...given, signatures: given.signatures.slice(1) })),
      'too few signatures',
    ],
    [
      'about the root that was signed',
      onlyCheckpoints((given) => ({ ...given, header: { ...given.header, stateRoot: new Uint8Array(32) } })),
      'a wrong signature',
    ],
    [
      'about the decision',
      onlyCheckpoints((given, world) => ({ ...given, proof: world.group.proof(1) })),
      'a block that is not decided',
    ],
    [
      'with a hole in the manifest',
      onlyPages(({ entries }) => ({ entries: entries.toSpliced(7, 1) })),
      'a page that is not full',
    ],
    [
      'with a hole in the manifest and its count',
      onlyPages(({ entries, total }) => ({ entries: entries.toSpliced(7, 1), total: total - 1 })),
      'a manifest with another root',
    ],
    [
      'with an entry twice',
      onlyPages(({ entries, total }) => ({ entries: entries.toSpliced(7, 0, entries[7]!), total: total + 1 })),
      'a manifest with another root',
    ],
    ['about the order', onlyPages(({ entries }) => ({ entries: swapped(entries) })), 'a manifest with another root'],
    [
      'about a digest',
      onlyPages(({ entries }) => ({ entries: renamed(entries, { digest: new Uint8Array(32) }) })),
      'a manifest with another root',
    ],
    [
      'with an entry too many',
      onlyPages(({ entries }) => ({ entries: [...entries, entries[0]!] })),
      'more entries than there are',
    ],
    ['with an empty page', onlyPages(() => ({ entries: [] })), 'a page that is not full'],
    [
      'about a part that there is not',
      onlyPages(({ entries }) => ({ entries: renamed(entries, { part: 5 }) })),
      'a part that there is not',
    ],
    [
      'about the order of parts',
      onlyPages(({ entries }) => ({ entries: renamed(entries, { part: 3 }) })),
      'parts in another order',
    ],
    [
      'about the name of a chunk',
      onlyPages(({ entries }) => ({ entries: renamed(entries, { id: Uint8Array.of(1) }) })),
      'a manifest with a false name or size',
    ],
    [
      'about the name of a chunk, which is that of another',
      onlyPages(({ entries }) => ({ entries: renamed(entries, { id: entries[51]!.id }) })),
      'a manifest with a false name or size',
    ],
    [
      'about the part of a chunk',
      onlyPages(({ entries }) => ({ entries: renamed(entries, { part: 3 }, 4) })),
      'a manifest with a false name or size',
    ],
    [
      'about the size of a chunk',
      onlyPages(({ entries }) => ({ entries: renamed(entries, { size: 0 }) })),
      'a manifest with a false name or size',
    ],
    [
      'about all sizes',
      onlyPages(({ entries }) => ({ entries: entries.map((entry) => ({ ...entry, size: snapshotChunkBytesMax })) })),
      'a manifest with a false name or size',
    ],
    [
      'about the bytes of a chunk',
      (answer) => [answer.kind === 'chunk' ? { ...answer, bytes: answer.bytes.map((byte) => byte ^ 1) } : answer],
      'a chunk with other bytes',
    ],
    [
      'about the name that a chunk gives itself',
      (answer) => [answer.kind === 'chunk' ? { ...answer, id: Uint8Array.of(1) } : answer],
      'a chunk with other bytes',
    ],
    [
      'with an answer to another question',
      (answer) => [
        answer.kind === 'manifest-page' ? { kind: 'lacking', request: answer.request, digests: [] } : answer,
      ],
      'an answer to another question',
    ],
  ]

  it.each(lies)('%s is found out, and asked nothing more', (_, tamper, reason) => {
    const { world, hostile, honest } = setting(tamper)
    const chunks = makeChunks(world.random, 120, 30_000)
    const checkpoint = world.put(256, chunks)
    world.want(256)
    world.run(60_000)
    expect(world.done).toEqual([checkpoint])
    expectState(world, 256, chunks)
    // What it was asked is asked of others at once.
    expect(world.nowMs).toBeLessThan(requestMsMin)
    const lied = world.noted('transfer-server-lied')
    expect(lied.map(({ detail }) => detail)).toEqual([{ server: hostile.id, what: reason }])
    expect(honest.requests.length).toBeGreaterThan(0)
  })

  it.each([
    ['malformed', Uint8Array.of(18, 1, 2), 'ERR_WIRE_TRUNCATED'],
    ['too large', new Uint8Array(answerBytesMax + 1), 'an answer that is too large'],
    ['nothing', new Uint8Array(0), 'ERR_WIRE_TRUNCATED'],
  ])('in that its answer is %s is asked nothing more', (_, body, reason) => {
    const { world, hostile } = setting((answer, inWorld, server) => {
      inWorld.transfer.message(server.id, body, inWorld.nowMs)
      return [answer]
    })
    const chunks = makeChunks(world.random, 10, 100)
    world.put(256, chunks)
    world.want(256)
    world.run()
    expectState(world, 256, chunks)
    expect(world.noted('transfer-server-lied').map(({ detail }) => detail)).toEqual([
      { server: hostile.id, what: reason },
    ])
    expect(hostile.requests.length).toBe(1)
  })

  it('about the name of a chunk that is here already is found out before anything is written', () => {
    const { world, hostile } = setting(
      onlyPages(({ entries }) => ({ entries: renamed(entries, { id: Uint8Array.of(1) }) })),
    )
    const chunks = makeChunks(world.random, 120, 3000)
    world.put(256, chunks)
    world.store.put(world.checkpointOf(128, chunks), chunks)
    world.want(256)
    world.run()
    expectState(world, 256, chunks)
    expect(world.store.begun).toBe(1)
    expect(world.noted('transfer-server-lied').map(({ detail }) => detail!['server'])).toEqual([hostile.id])
  })

  it('about the size of a chunk that is here already is found out before anything is asked', () => {
    const { world, hostile } = setting(onlyPages(({ entries }) => ({ entries: renamed(entries, { size: 1 }) })))
    const chunks = makeChunks(world.random, 120, 3000)
    world.put(256, chunks)
    world.store.put(world.checkpointOf(128, chunks), chunks)
    world.want(256)
    world.run()
    expectState(world, 256, chunks)
    expect(world.chunksAsked()).toBe(0)
    expect(world.noted('transfer-server-lied').map(({ detail }) => detail!['server'])).toEqual([hostile.id])
  })

  it.each([
    ['part', { part: 4 }],
    ['size', { size: 1 }],
    ['name', { id: Uint8Array.of(1) }],
  ])('about the %s of a chunk that is fetched is found out when that comes, and nobody else is blamed', (_, change) => {
    const { world, hostile } = setting(onlyPages(({ entries }) => ({ entries: renamed(entries, change, 3) })))
    const chunks = makeChunks(world.random, 120, 3000)
    world.put(256, chunks)
    world.want(256)
    world.run()
    expectState(world, 256, chunks)
    expect(world.noted('transfer-server-lied').map(({ detail }) => detail)).toEqual([
      { server: hostile.id, what: 'a manifest with a false name or size' },
    ])
  })

  it('about the name of a chunk that is on its way to the disk is found out before it counts', () => {
    const lie = (at: number): Tamper =>
      onlyPages(({ entries }) => ({ entries: renamed(entries, { id: Uint8Array.of(1) }, at) }))
    const world = new World()
    const first = world.serve(2, { tamper: lie(60) })
    const second = world.serve(3, { tamper: lie(5) })
    world.serve(4)
    const chunks = makeChunks(world.random, 120, 30_000)
    world.put(256, chunks)
    world.store.writeMs = 400
    world.want(256)
    world.run(60_000)
    expectState(world, 256, chunks)
    // When the second lies about it, the fifth has come already, and cannot be read yet.
    const liars = world.noted('transfer-server-lied').map(({ detail }) => detail!['server'])
    expect(liars).toEqual([first.id, second.id])
    expect(world.store.begun).toBe(3)
  })

  it('is asked again when everybody has lied, but not soon', () => {
    const { world } = setting((answer) => [answer])
    const chunks = makeChunks(world.random, 10, 100)
    const seats = [...world.servers.values()]
    world.put(256, chunks)
    for (const seat of seats)
      seat.tamper = (answer) =>
        world.nowMs < 10_000 ? [{ kind: 'lacking', request: answer.request, digests: [] }] : [answer]
    world.want(256)
    world.run()
    expect(world.noted('transfer-server-lied').length).toBe(2)
    expectState(world, 256, chunks)
    expect(world.nowMs).toBeGreaterThanOrEqual(backoffMsMax)
  })
})

describe('a server that is of no use', () => {
  it('because it is dead is asked three times in a row, and then last', () => {
    const { world, hostile } = setting(() => [])
    const chunks = makeChunks(world.random, 200, 30_000)
    world.put(256, chunks)
    world.want(256)
    world.run()
    expectState(world, 256, chunks)
    expect(world.noted('transfer-server-lied')).toEqual([])
    expect(hostile.requests.length).toBeLessThanOrEqual(1 + timeoutsMax + 1)
  })

  it('because it falls silent is replaced', () => {
    const { world, hostile, honest } = setting((answer, _, seat) => (seat.answers.length < 12 ? [answer] : []))
    // The other is so slow that there is something left to ask of the silent one, three times.
    honest.delayMs = 400
    const chunks = makeChunks(world.random, 800, 30_000)
    world.put(256, chunks)
    world.want(256)
    world.run()
    expectState(world, 256, chunks)
    expect(world.noted('transfer-server-spent').map(({ detail }) => detail)).toContainEqual({
      server: hostile.id,
      why: 'silent',
    })
    expect(world.transfer.status().servers.map(({ replica }) => replica)).toEqual([3, 2])
  })

  it.each([
    ['the manifest', 'manifest'],
    ['the chunks', 'chunks'],
  ] as const)('because it is gone for %s leaves the rest to the others', (_, kind) => {
    const { world } = setting((answer) => [
      answer.kind === 'manifest-page' && kind === 'manifest'
        ? { kind: 'gone', request: answer.request }
        : answer.kind === 'chunk' && kind === 'chunks'
          ? { kind: 'gone', request: answer.request }
          : answer,
    ])
    const chunks = makeChunks(world.random, 100, 30_000)
    world.put(256, chunks)
    world.want(256)
    world.run(60_000)
    expectState(world, 256, chunks)
  })

  it('because it lacks everything is not asked for all of it', () => {
    const { world, hostile } = setting((answer) => [
      answer.kind === 'chunk' ? { kind: 'lacking', request: answer.request, digests: [answer.digest] } : answer,
    ])
    const chunks = makeChunks(world.random, 2000, 300)
    world.put(256, chunks)
    world.want(256)
    world.run()
    expectState(world, 256, chunks)
    expect(world.chunksAsked([hostile])).toBeLessThanOrEqual(lackingMax + 64)
  })

  const useless: [string, Tamper][] = [
    ['is silent then', (answer: TransferAnswer) => (answer.kind === 'checkpoint' ? [answer] : [])],
    [
      'has gone then',
      (answer: TransferAnswer) => [
        answer.kind === 'checkpoint' ? answer : ({ kind: 'gone', request: answer.request } as const),
      ],
    ],
    [
      'lacks one chunk',
      (answer: TransferAnswer) => [
        answer.kind === 'chunk' && answer.part === 2
          ? ({ kind: 'lacking', request: answer.request, digests: [answer.digest] } as const)
          : answer,
      ],
    ],
  ]

  it.each(useless)('because it alone offers a newer one and %s is not believed for ever', (_, tamper) => {
    const { world, hostile, honest } = setting(tamper)
    const chunks = makeChunks(world.random, 100, 3000)
    world.put(256, chunks)
    const newer = changeChunks(world.random, chunks, 90)
    newer[2] = { ...newer[2]!, bytes: wrong }
    world.put(384, newer, [hostile])
    world.want(256)
    world.run(120_000)
    expectState(world, 256, chunks)
    expect(honest.requests.length).toBeGreaterThan(0)
  })

  it('because it drips its manifest is replaced in time', () => {
    const { world, hostile } = setting((answer, inWorld, seat) => {
      if (answer.kind !== 'manifest-page') return [answer]
      // Each time just within the time that it is given, which grows with what it took before.
      const page = seat.requests.filter(({ kind }) => kind === 'manifest').length - 1
      inWorld.after([480, 590, 1100, 2100, 4000, 7000][page]!, () => inWorld.say(seat, answer))
      return []
    })
    const chunks = makeChunks(world.random, 6000, 20)
    world.put(256, chunks)
    world.want(256)
    world.run(60_000)
    expectState(world, 256, chunks)
    expect(world.noted('transfer-server-spent').map(({ detail }) => detail)).toContainEqual({
      server: hostile.id,
      why: 'too slow',
    })
  })

  it('because its certificate is older than asked is not used, and no liar', () => {
    const world = new World()
    const old = world.serve(2)
    const good = world.serve(3)
    const chunks = makeChunks(world.random, 20, 300)
    world.put(128, chunks, [old])
    world.want(256)
    world.run(20_000)
    expect(world.done).toEqual([])
    expect(world.transfer.status()).toMatchObject({
      phase: 'waiting',
      why: 'no server has a checkpoint that is new enough',
    })
    world.put(256, chunks, [good])
    world.run()
    expectState(world, 256, chunks)
    expect(world.noted('transfer-server-lied')).toEqual([])
  })

  it('because nobody has anything is asked ever less often', () => {
    const world = new World()
    world.serve(2)
    world.serve(3)
    world.want(256)
    world.run(3_600_000)
    expect(world.asked('newest')).toBeLessThan((2 * 3_600_000) / backoffMsMax + 40)
    expect(world.asked('newest')).toBeGreaterThan(100)
    expect(world.transfer.active).toBe(true)
  })
})

describe('what nobody asked for', () => {
  it('is dropped without work, whoever says it', () => {
    const world = new World()
    const seat = world.serve(2)
    const stranger = world.serve(4)
    const chunks = makeChunks(world.random, 300, 30_000)
    world.put(256, chunks)
    const entries = [...seat.store.stable[0]!.entries]
    seat.tamper = (answer, inWorld) => {
      if (answer.kind !== 'chunk') return [answer]
      const chunk = {
        ...chunks[0]!,
        kind: 'chunk',
        request: answer.request + 1_000_000,
        digest: entries[0]!.digest,
      } as const
      inWorld.say(seat, chunk)
      inWorld.say(stranger, { ...chunk, request: answer.request })
      inWorld.say(stranger, { kind: 'gone', request: answer.request })
      // A digest that this request did not ask for.
      inWorld.say(seat, { ...chunk, request: answer.request, digest: wrong.subarray(0, 32) })
      return [answer]
    }
    world.want(256, [seat])
    world.run()
    expectState(world, 256, chunks)
    expect(world.chunksHashed).toBe(300)
    expect(world.store.added).toBe(300)
    expect(world.noted('transfer-dropped').length).toBeGreaterThan(600)
  })

  it('and asked once, is taken once', () => {
    const { world } = setting((answer) => [answer, answer, answer])
    const chunks = makeChunks(world.random, 100, 3000)
    world.put(256, chunks)
    world.want(256)
    world.run()
    expectState(world, 256, chunks)
    expect(world.chunksHashed).toBe(100)
    expect(world.store.added).toBe(100)
  })

  it('any more, because another gave it meanwhile, is taken once', () => {
    const { world, honest } = setting((answer, inWorld, seat) => {
      if (answer.kind !== 'chunk') return [answer]
      inWorld.after(3000, () => inWorld.say(seat, answer))
      return []
    })
    honest.delayMs = 300
    const chunks = makeChunks(world.random, 600, 30_000)
    world.put(256, chunks)
    world.want(256)
    world.run()
    expectState(world, 256, chunks)
    expect(world.chunksAsked()).toBeGreaterThan(600)
    expect(world.store.added).toBe(600)
  })

  it('of this server, but of another, is dropped', () => {
    const { world, hostile, honest } = setting((answer, inWorld) => {
      inWorld.say(honest, { kind: 'gone', request: answer.request })
      return [answer]
    })
    const chunks = makeChunks(world.random, 100, 3000)
    world.put(256, chunks)
    world.want(256)
    world.run()
    expectState(world, 256, chunks)
    expect(hostile.requests.length).toBeGreaterThan(2)
    expect(world.noted('transfer-server-spent')).toEqual([])
    expect(world.asked('newest') + world.asked('manifest')).toBe(3)
  })

  it('by a replica that fetches nothing, is dropped', () => {
    const world = new World()
    const seat = world.serve(2)
    world.transfer.message(fetcher, Uint8Array.of(0), 0)
    world.say(seat, { kind: 'gone', request: 1 })
    expect(world.transfer.active).toBe(false)
    expect(world.noted('transfer-dropped').length).toBe(2)
  })
})

describe('a server that is silent and first in the list', () => {
  it('gets no chunk a second time while others are idle', () => {
    const world = new World()
    const silent = world.serve(2, { tamper: (answer) => (answer.kind === 'chunk' ? [] : [answer]) })
    world.serve(3)
    // All of them fit in what one server is asked for at once.
    const chunks = makeChunks(world.random, 8, 100)
    world.put(256, chunks)
    world.want(256)
    world.run()
    expectState(world, 256, chunks)
    expect(world.chunksAsked([silent])).toBe(8)
    expect(world.nowMs).toBeLessThan(requestMsInitial + 2 * newestGraceMs)
  })

  it('is not waited for with its manifest while others have it', () => {
    const world = new World()
    world.serve(2, { tamper: (answer) => (answer.kind === 'manifest-page' ? [] : [answer]) })
    world.serve(3)
    const chunks = makeChunks(world.random, 8, 100)
    world.put(256, chunks)
    world.want(256)
    world.run()
    expectState(world, 256, chunks)
    expect(world.nowMs).toBeLessThan(2 * requestMsInitial)
  })

  it('is not waited for when whoever answers has gone on to a newer state', () => {
    const world = new World()
    const silent = world.serve(2, { tamper: (answer) => (answer.kind === 'chunk' ? [] : [answer]) })
    const moving = world.serve(3)
    moving.tamper = (answer) => {
      if (answer.kind !== 'chunk' || answer.bytes.length === 0 || world.nowMs > requestMsInitial) return [answer]
      return [{ kind: 'gone', request: answer.request }]
    }
    const chunks = makeChunks(world.random, 8, 100)
    world.put(256, chunks, [silent, moving])
    world.want(256)
    world.run(60_000)
    expectState(world, 256, chunks)
    expect(world.noted('transfer-failed').map(({ detail }) => detail)).toContainEqual({
      why: 'whoever answers no longer has it',
    })
    // Asked for chunks, and again when the other had none, in the first round only: in the next it comes last.
    expect(silent.requests.filter(({ kind }) => kind === 'chunks')).toHaveLength(2)
    expect(world.nowMs).toBeLessThan(6 * requestMsInitial)
  })
})
