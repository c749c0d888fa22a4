// Chunks are a function of the content, never of its history (docs/decisions/0007), and versions tell what changed.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ChunkedMap, runBytesMax, type EntryCodec } from '../../../src/execution/store/chunked-map.ts'
import { type StateChunk } from '../../../src/execution/state-chunks.ts'
import { Reader } from '../../../src/wire/reader.ts'
import { latin1, latin1Bytes } from '../../../src/wire/latin1.ts'

/** Values are sizes: an entry counts and takes as many bytes as its value says. */
const codec: EntryCodec<number> = {
  bytesOf: (_key, value) => value,
  write: (writer, key, value) => {
    writer.bytes(latin1Bytes(key), 100)
    writer.u53(value)
  },
}

function restore(map: ChunkedMap<number>, chunk: Uint8Array): void {
  const reader = new Reader(chunk)
  while (reader.remaining > 0) map.insert(latin1(reader.bytes(100)), reader.u53())
}

interface Written {
  id: string
  version: number
  bytes: Uint8Array
}

function written(chunks: Iterable<StateChunk>): Written[] {
  return [...chunks].map(({ id, version, bytes }) => ({ id, version, bytes: bytes() }))
}

const contents = (chunks: readonly Written[]) => chunks.map(({ id, bytes }) => ({ id, bytes }))

const change = fc.record({
  key: fc.nat(200),
  // From entries that hardly ever begin a run to those that always do.
  size: fc.constantFrom(0, 10, 1000, 10_000, 40_000, 70_000, 600_000),
  gone: fc.boolean(),
})

const apply = (map: ChunkedMap<number>, { key, size, gone }: { key: number; size: number; gone: boolean }): void => {
  if (gone) map.delete(`k${key}`)
  else map.set(`k${key}`, size)
}

describe('a chunked map', () => {
  it('has the same chunks for the same content after any two histories', () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 300 }), (changes) => {
        const map = new ChunkedMap<number>('m', codec)
        for (const each of changes) apply(map, each)
        const reversed = new ChunkedMap<number>('m', codec)
        for (const [key, value] of [...map.range('')].reverse()) reversed.set(key, value)
        const restored = new ChunkedMap<number>('m', codec)
        for (const chunk of written(map.chunks())) restore(restored, chunk.bytes)
        expect(contents(written(reversed.chunks()))).toEqual(contents(written(map.chunks())))
        expect(contents(written(restored.chunks()))).toEqual(contents(written(map.chunks())))
      }),
      { numRuns: 100 },
    )
  })

  it('never changes a chunk without its version, nor a view that was taken', () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 100 }), fc.array(change, { maxLength: 30 }), (first, second) => {
        const map = new ChunkedMap<number>('m', codec)
        for (const each of first) apply(map, each)
        const view = map.chunks()
        const before = written(view)
        for (const each of second) {
          apply(map, each)
          const known = new Map(before.map((chunk) => [`${chunk.id} ${chunk.version}`, chunk.bytes]))
          for (const { id, version, bytes } of written(map.chunks())) {
            expect(known.get(`${id} ${version}`) ?? bytes).toEqual(bytes)
          }
        }
        expect(written(view)).toEqual(before)
      }),
      { numRuns: 60 },
    )
  })

  it('leaves most chunks alone when one entry changes', () => {
    const map = new ChunkedMap<number>('m', codec)
    for (let key = 0; key < 5000; key++) map.set(`k${key}`, 1000)
    const before = new Set(written(map.chunks()).map(({ id, version }) => `${id} ${version}`))
    expect(before.size).toBeGreaterThan(40)
    map.set('k77', 1001)
    const changed = written(map.chunks()).filter(({ id, version }) => !before.has(`${id} ${version}`))
    expect(changed.length).toBe(1)
  })

  it('cuts runs that chance or malice has made too long', () => {
    const map = new ChunkedMap<number>('m', codec)
    const sizes: number[] = []
    // Only keys that begin no run at this size: what somebody would choose who wants one run.
    for (let key = 0; sizes.length < 300; key++) {
      const probe = new ChunkedMap<number>('m', codec)
      probe.set(`k${key}`, 30_000)
      if (written(probe.chunks()).length > 1) continue
      map.set(`k${key}`, 30_000)
      sizes.push(30_000)
    }
    // Who breaks off in the middle of a run leaves nothing behind that is taken for the whole.
    const brokenOff = map.chunks()[Symbol.iterator]()
    brokenOff.next()
    brokenOff.next()
    const chunks = written(map.chunks())
    expect(chunks.length).toBe(Math.ceil(300 / Math.floor(runBytesMax / 30_000)))
    expect(new Set(chunks.map(({ id }) => id)).size).toBe(chunks.length)
    const restored = new ChunkedMap<number>('m', codec)
    for (const chunk of chunks) restore(restored, chunk.bytes)
    expect([...restored.range('')]).toEqual([...map.range('')])
  })

  it('refuses a key that comes twice', () => {
    const map = new ChunkedMap<number>('m', codec)
    map.insert('a', 1)
    expect(() => map.insert('a', 1)).toThrow(/twice/)
  })
})
