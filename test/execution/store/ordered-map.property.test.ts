// The tree against a plain Map that is sorted whenever it is asked, with views taken while writes go on.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { OrderedMap, type OrderedView } from '../../../src/execution/store/ordered-map.ts'

type Step =
  | { kind: 'set'; key: number; value: number }
  | { kind: 'delete'; key: number }
  | { kind: 'view' }
  | { kind: 'fill' | 'drain'; from: number }

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('set' as const), key: fc.nat(400), value: fc.nat(9) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('delete' as const), key: fc.nat(400) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('view' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('fill' as const, 'drain' as const), from: fc.nat(400) }) },
)

const name = (key: number): string => key.toString(7)
const sorted = (model: Map<string, number>): [string, number][] =>
  [...model].sort(([left], [right]) => (left < right ? -1 : 1))

/** Many keys at once, so that nodes split and join on every level. */
const filled = 500

describe('an ordered map', () => {
  it('is what a sorted list is, and its views stay as they were', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.nat(400), fc.nat(400), (steps, from, to) => {
        const map = new OrderedMap<number>()
        const model = new Map<string, number>()
        const views: [OrderedView<number>, [string, number][]][] = []
        for (const each of steps) {
          if (each.kind === 'view') {
            views.push([map.view(), sorted(model)])
          } else if (each.kind === 'set') {
            expect(map.set(name(each.key), each.value)).toBe(model.get(name(each.key)))
            model.set(name(each.key), each.value)
          } else if (each.kind === 'delete') {
            expect(map.delete(name(each.key))).toBe(model.get(name(each.key)))
            model.delete(name(each.key))
          } else {
            for (let offset = 0; offset < filled; offset++) {
              const key = name(each.from + ((offset * 7919) % filled))
              if (each.kind === 'fill') map.set(key, offset)
              else map.delete(key)
              if (each.kind === 'fill') model.set(key, offset)
              else model.delete(key)
            }
          }
        }
        const all = sorted(model)
        expect(map.size).toBe(model.size)
        expect([...map.range('')]).toEqual(all)
        expect([...map.range(name(from), name(to))]).toEqual(all.filter(([key]) => key >= name(from) && key < name(to)))
        expect(map.floor(name(from))).toEqual(all.findLast(([key]) => key <= name(from)) ?? null)
        for (const [key, value] of all) expect(map.get(key)).toBe(value)
        for (const [view, was] of views) {
          expect([...view.range('')]).toEqual(was)
          expect(view.get(name(from))).toBe(was.find(([key]) => key === name(from))?.[1])
          expect(view.floor(name(from))).toEqual(was.findLast(([key]) => key <= name(from)) ?? null)
        }
      }),
      { numRuns: 100 },
    )
  })

  it('writes an entry where it was read last, and nowhere else', () => {
    // Few, so that they meet, among many that make leaves of them.
    const among = fc.nat(9)
    const near = fc.oneof(
      fc.record({ kind: fc.constant('get' as const), key: among }),
      fc.record({ kind: fc.constant('set' as const), key: among, value: fc.nat(9) }),
      fc.record({ kind: fc.constant('delete' as const), key: among }),
      fc.record({ kind: fc.constant('view' as const), key: among }),
    )
    fc.assert(
      fc.property(fc.array(fc.tuple(among, near, fc.nat(9)), { maxLength: 30, size: 'max' }), (steps) => {
        const map = new OrderedMap<number>()
        const model = new Map<string, number>()
        for (let key = 0; key < 200; key++) map.set(name(key), key)
        for (let key = 0; key < 200; key++) model.set(name(key), key)
        const views: [OrderedView<number>, [string, number][]][] = []
        for (const [read, between, value] of steps) {
          expect(map.get(name(read))).toBe(model.get(name(read)))
          const key = name(between.key)
          if (between.kind === 'get') expect(map.get(key)).toBe(model.get(key))
          if (between.kind === 'set') expect(map.set(key, between.value)).toBe(model.get(key))
          if (between.kind === 'set') model.set(key, between.value)
          if (between.kind === 'delete') expect(map.delete(key)).toBe(model.get(key))
          if (between.kind === 'delete') model.delete(key)
          if (between.kind === 'view') views.push([map.view(), sorted(model)])
          expect(map.set(name(read), value)).toBe(model.get(name(read)))
          model.set(name(read), value)
        }
        expect(map.size).toBe(model.size)
        expect([...map.range('')]).toEqual(sorted(model))
        for (const [view, was] of views) expect([...view.range('')]).toEqual(was)
      }),
      { numRuns: 200 },
    )
  })
})
