// Goal: a transfer ends with exactly the certified state while one honest server is left, asks for no more than is missing, and keeps
// what it has. Method: servers of all kinds around one fetching replica, in virtual time (transfer-world.ts).

import { describe, expect, it } from 'vitest'
import { toHex } from '../../../src/kernel/hex.ts'
import type { ManifestEntry } from '../../../src/kernel/manifest.ts'
import { equalBytes } from '../../../src/execution/merkle.ts'
import { entryOf, type Chunk } from './memory-store.ts'
import { changeChunks, makeChunks, World } from './transfer-world.ts'

function bytesOf(chunks: readonly Chunk[]): number {
  return chunks.reduce((sum, { bytes }) => sum + bytes.length, 0)
}

/** The newest snapshot here is this one, whole. */
export function expectState(world: World, height: number, chunks: readonly Chunk[]): void {
  const newest = world.store.stable[0]!
  expect(newest.checkpoint.header.height).toBe(height)
  expect(
    [...newest.entries].map((entry) => ({
      ...entry,
      id: Uint8Array.from(entry.id),
      digest: Uint8Array.from(entry.digest),
    })),
  ).toEqual(chunks.map(entryOf))
  // Byte by byte in the matcher takes seconds.
  const entries = [...newest.entries]
  const text = (entry: ManifestEntry): string =>
    [entry.part, toHex(entry.id), toHex(entry.digest), entry.size].join(' ')
  expect(entries.map(text)).toEqual(chunks.map((chunk) => text(entryOf(chunk))))
  for (const [index, entry] of entries.entries()) {
    const bytes = world.store.read(entry)
    expect(bytes !== null && equalBytes(bytes, chunks[index]!.bytes), `chunk ${index}`).toBe(true)
  }
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
    expect(seats.reduce((sum, seat) => sum + seat.bytesSent, 0)).toBe(bytesOf(chunks))
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
    const missing = chunks.filter((chunk, index) => chunk !== old[index])
    expect([...world.servers.values()].reduce((sum, seat) => sum + seat.bytesSent, 0)).toBe(bytesOf(missing))
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
})
