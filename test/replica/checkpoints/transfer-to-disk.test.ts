// Goal: transfer and the real store of snapshots understand each other: what is here, on its way, missing, full. Method: the store of
// storage/snapshots on a simulated disk, whose operations take their time in the world of the transfer.

import { crc32 } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { createRandom } from '../../../src/kernel/random.ts'
import { SimulatedDisk } from '../../../src/simulator/disk/simulated-disk.ts'
import { snapshotLimitsDefault } from '../../../src/storage/snapshots/limits.ts'
import { openSnapshots } from '../../../src/storage/snapshots/open-snapshots.ts'
import type { SnapshotStore } from '../../../src/storage/snapshots/snapshot-store.ts'
import { chunkDigest, type Chunk } from './memory-store.ts'
import { changeChunks, makeChunks, World, type Tamper } from './transfer-world.ts'
import { equalBytes } from '../../../src/wire/equal-bytes.ts'

function setting(latencyMs: number) {
  let opened: SnapshotStore | null = null
  const world = new World(1, 4, (inWorld) => {
    const disk = new SimulatedDisk({
      random: createRandom('disk of a transfer'),
      latency: { writeUs: latencyMs * 1000, syncUsMin: 1000, syncUsMax: 2000 },
      schedule: (delayUs, run) => inWorld.after(delayUs / 1000, run),
    })
    const opening = openSnapshots({
      directory: disk,
      crc32: (bytes, before) => crc32(bytes, before),
      network: new Uint8Array(32),
      digestOf: chunkDigest,
      limits: snapshotLimitsDefault,
      listener: {
        full: () => {},
        failed: (error) => {
          throw new Error(error.message)
        },
      },
    })
    let step = opening.next()
    while (step.done !== true) step = opening.next()
    if (!step.value.ok) throw new Error(step.value.message)
    opened = step.value
    return opened
  })
  return { world, store: opened! as SnapshotStore }
}

function expectOnDisk(store: SnapshotStore, height: number, chunks: readonly Chunk[]): void {
  const [newest] = store.stable
  expect(newest?.checkpoint.header.height).toBe(height)
  const read = [...newest!.entries].map((entry) => store.read(entry))
  expect(read.length).toBe(chunks.length)
  expect(read.filter((bytes, index) => bytes === null || !equalBytes(bytes, chunks[index]!.bytes))).toEqual([])
}

/** About the name of one chunk. */
function lieAbout(at: number): Tamper {
  return (answer) => {
    if (answer.kind !== 'manifest-page') return [answer]
    const entries = answer.entries.with(at, { ...answer.entries[at]!, id: Uint8Array.of(1) })
    return [{ ...answer, entries }]
  }
}

describe('a transfer to a disk', () => {
  it('ends with a stable snapshot, and the next fetches what has changed', () => {
    const { world, store } = setting(1)
    world.serve(2)
    world.serve(3)
    const chunks = makeChunks(world.random, 200, 60_000)
    world.put(256, chunks)
    world.want(256)
    world.run()
    expectOnDisk(store, 256, chunks)
    const newer = changeChunks(world.random, chunks, 11)
    world.put(384, newer)
    world.want(384)
    world.run(600_000, 2)
    expectOnDisk(store, 384, newer)
    expect(world.chunksAsked()).toBe(211)
  })

  it('is not deceived about what is there already', () => {
    const { world, store } = setting(1)
    const first = world.serve(2)
    world.serve(3)
    const chunks = makeChunks(world.random, 60, 3000)
    world.put(256, chunks)
    world.want(256)
    world.run()
    first.tamper = lieAbout(30)
    world.put(384, chunks)
    world.want(384)
    world.run(600_000, 2)
    expectOnDisk(store, 384, chunks)
    expect(world.noted('transfer-server-lied').map(({ detail }) => detail!['server'])).toEqual([2])
  })

  it('is not deceived about what is on its way', () => {
    const { world, store } = setting(300)
    world.serve(2, { tamper: lieAbout(50) })
    world.serve(3, { tamper: lieAbout(5) })
    world.serve(4)
    const chunks = makeChunks(world.random, 60, 20_000)
    world.put(256, chunks)
    world.want(256)
    world.run()
    expectOnDisk(store, 256, chunks)
    expect(world.noted('transfer-server-lied').map(({ detail }) => detail!['server'])).toEqual([2, 3])
  })
})
