// Entries in slabs against a plain Map: wherever they lie and are moved to, they and the views of them are what they were, and the
// slabs never take more than half as much again as what is in them.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Entry } from '../../../src/execution/store/entries.ts'
import { EntryMap } from '../../../src/execution/store/entry-map.ts'
import type { PackedEntry } from '../../../src/execution/store/packed-entry.ts'
import { adoptedBytesMax, sharedEntryBytesMax, slabBytes } from '../../../src/execution/store/slabs.ts'
import { Writer } from '../../../src/wire/writer.ts'
import { latin1 } from '../../../src/wire/latin1.ts'

const numbers = { createRevision: 1, modRevision: 2, version: 3, lease: 0 }
const entryOf = (fill: number, bytes: number): Entry => ({
  ...numbers,
  value: new Uint8Array(bytes).fill(fill),
  version: Number.MAX_SAFE_INTEGER - fill,
})
const contents = ({ value, createRevision, modRevision, version, lease }: Entry): unknown => ({
  value: latin1(value),
  createRevision,
  modRevision,
  version,
  lease,
})
const written = (map: EntryMap) => [...map.chunks()].map(({ id, bytes }) => ({ id, bytes: bytes() }))
const put = (map: EntryMap, key: string, entry: Entry): void => map.set(key, map.pack(key, entry))
const nobody = (): void => {}

function liveBytes(map: EntryMap): number {
  let bytes = 0
  for (const [, entry] of map.range('')) bytes += entry.bytes
  return bytes
}

/** The slabs that the map's own entries keep in memory. */
function slabBytesOf(map: EntryMap): number {
  const slabs = new Set(Array.from(map.range(''), ([, entry]) => entry.slab))
  return [...slabs].reduce((sum, { bytes }) => sum + bytes.buffer.byteLength, 0)
}

function expectBounded(map: EntryMap): void {
  expect(slabBytesOf(map)).toBeLessThanOrEqual(1.5 * liveBytes(map) + 2 * slabBytes)
  expect(map.heldBytes).toBe(slabBytesOf(map))
  const live = new Map<unknown, number>()
  for (const [, { slab, bytes }] of map.range('')) live.set(slab, (live.get(slab) ?? 0) + bytes)
  for (const [, { slab }] of map.range('')) expect(slab.liveBytes).toBe(live.get(slab))
}

/** As many as one chunk may hold. */
function chunkOf(count: number, bytes: number, keyOf = (index: number) => `k${String(index).padStart(6, '0')}`) {
  const writer = new Writer()
  for (let index = 0; index < count; index++) {
    const key = keyOf(index)
    writer.u32(key.length)
    for (const char of key) writer.u8(char.charCodeAt(0))
    writer.bytes(new Uint8Array(bytes).fill(index), bytes)
    for (const number of [1, 2, 3, 0]) writer.u53(number)
  }
  return writer.finish()
}

const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('put' as const),
      key: fc.nat(60),
      // Of all ways to lie: many to a slab, few to a slab, one in a slab of its own.
      bytes: fc.constantFrom(0, 100, 3000, sharedEntryBytesMax - 100, sharedEntryBytesMax, 20_000),
      fill: fc.nat(255),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('delete' as const), key: fc.nat(60) }) },
  // An operation that is taken back: what was there comes back as it was.
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('undone' as const), key: fc.nat(60), bytes: fc.nat(9000) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('view' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restore' as const) }) },
)

describe('entries in slabs', () => {
  it('are what was put there, and so are views, wherever they were moved to', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
        let map = new EntryMap()
        const model = new Map<string, Entry>()
        const views: [ReturnType<EntryMap['chunks']>, ReturnType<typeof written>][] = []
        const values: [Uint8Array, string][] = []
        for (const each of steps) {
          if (each.kind === 'view') {
            views.push([map.chunks(), written(map)])
          } else if (each.kind === 'restore') {
            const restored = new EntryMap()
            for (const { bytes } of written(map)) restored.restore(bytes, nobody)
            map = restored
          } else if (each.kind === 'undone') {
            const key = `k${each.key}`
            const before = map.get(key)
            put(map, key, entryOf(1, each.bytes))
            map.set(key, before)
          } else if (each.kind === 'delete') {
            map.set(`k${each.key}`, undefined)
            model.delete(`k${each.key}`)
          } else {
            const entry = entryOf(each.fill, each.bytes)
            put(map, `k${each.key}`, entry)
            model.set(`k${each.key}`, entry)
            const { value } = map.get(`k${each.key}`)!
            values.push([value, latin1(value)])
          }
          map.tidy()
        }
        const sorted = [...model].sort(([left], [right]) => (left < right ? -1 : 1))
        expect(Array.from(map.range(''), ([key, entry]) => [key, contents(entry)])).toEqual(
          sorted.map(([key, entry]) => [key, contents(entry)]),
        )
        for (const [view, was] of views) {
          expect([...view].map(({ id, bytes }) => ({ id, bytes: bytes() }))).toEqual(was)
        }
        for (const [value, was] of values) expect(latin1(value)).toBe(was)
        expectBounded(map)
      }),
      { numRuns: 60 },
    )
  })
})

describe('the memory of slabs', () => {
  it('comes back when most of what was written is overwritten or gone', () => {
    const map = new EntryMap()
    for (let index = 0; index < 3200; index++) put(map, `k${index}`, entryOf(index, 1000))
    // Every slab keeps one entry in thirty-two.
    for (let index = 0; index < 3200; index++) {
      if (index % 32 !== 0) map.set(`k${index}`, index % 2 === 0 ? undefined : map.pack(`k${index}`, entryOf(7, 10)))
    }
    for (let turn = 0; turn < 20; turn++) map.tidy()
    expectBounded(map)
    expect(contents(map.get('k3168')!)).toEqual(contents(entryOf(3168, 1000)))
  })

  it('comes back from chunks that were adopted', () => {
    const map = new EntryMap()
    const chunks = [0, 1, 2, 3].map((nth) => chunkOf(100, 1000, (index) => `k${nth}${String(index).padStart(3, '0')}`))
    for (const chunk of chunks) map.restore(chunk, nobody)
    for (const [key] of [...map.range('')]) if (!key.endsWith('50')) map.set(key, undefined)
    map.tidy()
    expect(map.size).toBe(4)
    expectBounded(map)
  })

  it('comes back from slabs that were open while their entries went', () => {
    const map = new EntryMap()
    for (let kept = 0; kept < 10; kept++) {
      put(map, `kept${kept}`, entryOf(kept, 100))
      for (let index = 0; index < 70; index++) {
        put(map, 'again', entryOf(index, 1000))
        map.set('again', undefined)
      }
    }
    for (let turn = 0; turn < 3; turn++) map.tidy()
    expectBounded(map)
  })

  it.each([
    ['in the same slab', 500, 0],
    // So many that it comes first again.
    ['at the same place of another slab', 900, 67],
  ])('is counted right where the key stands again %s', (_, bytesBefore, between) => {
    const map = new EntryMap()
    put(map, 'k', entryOf(1, bytesBefore))
    put(map, 'kept', entryOf(2, 900))
    for (let index = 0; index < between; index++) put(map, 'last', entryOf(index, 900))
    put(map, 'k', entryOf(3, 900))
    for (let index = 0; index < 70; index++) {
      put(map, 'again', entryOf(index, 900))
      map.set('again', undefined)
    }
    map.tidy()
    expectBounded(map)
    expect(contents(map.get('k')!)).toEqual(contents(entryOf(3, 900)))
  })

  it('comes back where entries were put again that were there already', () => {
    const map = new EntryMap()
    for (let index = 0; index < 700; index++) put(map, `k${index}`, entryOf(index, 900))
    for (let index = 0; index < 700; index++) map.set(`k${index}`, index % 70 === 0 ? map.get(`k${index}`) : undefined)
    map.tidy()
    expectBounded(map)
    expect(contents(map.get('k70')!)).toEqual(contents(entryOf(70, 900)))
  })

  it('is given back in bounded pieces', () => {
    const map = new EntryMap()
    for (let index = 0; index < 12_000; index++) put(map, `k${index}`, entryOf(index, 1000))
    for (let index = 0; index < 12_000; index++) if (index % 2 === 0) map.set(`k${index}`, undefined)
    const before = map.heldBytes
    map.tidy()
    expect(map.heldBytes).toBeLessThan(before)
    expect(map.heldBytes).toBeGreaterThan(before / 2 + 1024 * 1024)
    for (let turn = 0; turn < 10; turn++) map.tidy()
    expectBounded(map)
  })
})

describe('a chunk that is restored', () => {
  const restored = (chunk: Uint8Array): [string, PackedEntry][] => {
    const map = new EntryMap()
    map.restore(chunk, nobody)
    return [...map.range('')]
  }

  it('is a slab as it is', () => {
    const chunk = chunkOf(60, 1000)
    for (const [, entry] of restored(chunk)) expect(entry.slab.bytes).toBe(chunk)
  })

  it.each([
    ['is a small part of its buffer', () => new Uint8Array(3 * 70_000).subarray(70_000, 70_000 + 63_000)],
    ['is small', () => new Uint8Array(5_000)],
    ['is too large to be emptied in one turn', () => new Uint8Array(adoptedBytesMax + 5_000)],
  ])('is copied when it %s', (_, room) => {
    const bytes = room()
    const chunk = chunkOf(Math.floor(bytes.length / 1050), 1000)
    bytes.set(chunk)
    for (const [, entry] of restored(bytes.subarray(0, chunk.length))) {
      expect(entry.slab.bytes.buffer).not.toBe(bytes.buffer)
      expect(entry.value.length).toBe(1000)
    }
  })

  it.each([
    ['an empty key', chunkOf(1, 5, () => '')],
    ['a key that comes twice', chunkOf(2, 5, () => 'k')],
    ['an entry that is cut', chunkOf(2, 5).subarray(0, -1)],
    ['a number above 2^53', chunkOf(1, 5).fill(0xff, -8)],
    ['a key above its limit', chunkOf(1, 5, () => 'k'.repeat(1025))],
    ['a value above its limit', chunkOf(1, 512 * 1024 + 1)],
  ])('is refused with %s', (_, chunk) => {
    expect(() => restored(chunk)).toThrow(/byte|twice|integer/)
  })
})
