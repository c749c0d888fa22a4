// Goal: one seed is one sequence, on every machine and for ever: recorded seeds of the simulator depend on it.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createRandom } from '../../src/kernel/random.ts'

function first(count: number, seed: number | string): number[] {
  const random = createRandom(seed)
  return Array.from({ length: count }, () => random.u32())
}

describe('a random source', () => {
  it('gives the sequence that it always gave', () => {
    expect(first(4, 1)).toEqual([2583558069, 1391650895, 613194674, 2365411940])
    expect(first(2, 'quorate')).toEqual([629245631, 1937960633])
    expect(createRandom(1).fork('network').u32()).toBe(2718751333)
  })

  it('is a matter of its seed alone', () => {
    expect(first(8, 7)).toEqual(first(8, '7'))
    expect(first(8, 7)).not.toEqual(first(8, 8))
    expect(first(8, '')).not.toEqual(first(8, ' '))
  })

  it('stays below its bound and between its ends', () => {
    const bound = fc.integer({ min: 1, max: 2 ** 32 })
    fc.assert(
      fc.property(fc.integer(), bound, (seed, below) => {
        const value = createRandom(seed).below(below)
        return Number.isInteger(value) && value >= 0 && value < below
      }),
    )
    fc.assert(
      fc.property(fc.integer(), fc.nat(1000), fc.nat(1000), (seed, minimum, width) => {
        const value = createRandom(seed).between(minimum, minimum + width)
        return value >= minimum && value <= minimum + width
      }),
    )
  })

  it.each([0, -1, 1.5, 2 ** 32 + 1, Number.NaN])('has nothing below %d', (bound) => {
    expect(() => createRandom(1).below(bound)).toThrow(RangeError)
  })

  it('reaches each of a few values about equally often', () => {
    const random = createRandom('spread')
    const counts = [0, 0, 0, 0, 0, 0, 0]
    for (let draw = 0; draw < 70_000; draw++) counts[random.below(7)]! += 1
    // Five standard deviations of a fair draw; the sequence is fixed, so this holds always or never.
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(5 * 93)
  })

  it('is never and always right at the ends of a chance', () => {
    const random = createRandom(3)
    for (let draw = 0; draw < 100; draw++) {
      expect(random.chance(0, 5)).toBe(false)
      expect(random.chance(5, 5)).toBe(true)
    }
  })

  it('picks what is there', () => {
    const random = createRandom(4)
    const picked = new Set(Array.from({ length: 100 }, () => random.pick(['a', 'b', 'c'])))
    expect([...picked].sort()).toEqual(['a', 'b', 'c'])
  })

  it('forks into sources of their own, by label', () => {
    const [one, other] = [createRandom(5), createRandom(5)]
    const [left, right] = [one.fork('left'), other.fork('right')]
    expect(left.u32()).not.toBe(right.u32())
    // What a fork draws does not move the source it came from.
    for (let draw = 0; draw < 10; draw++) left.u32()
    expect(one.u32()).toBe(other.u32())
  })
})
