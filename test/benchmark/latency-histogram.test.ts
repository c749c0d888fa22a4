// The histogram of latencies, beside a sorted list of the same values.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bucketCount, LatencyHistogram } from '../../src/benchmark/latency-histogram.ts'

const microsecondsMax = 2 ** 32 - 1
/** As many small ones as large ones. */
const microseconds = fc.integer({ min: 0, max: 31 }).chain((bits) => fc.integer({ min: 0, max: 2 ** (bits + 1) - 1 }))
const values = fc.array(microseconds, { minLength: 1, maxLength: 200 })

function histogramOf(recorded: readonly number[]): LatencyHistogram {
  const histogram = new LatencyHistogram()
  for (const value of recorded) histogram.record(value / 1000)
  return histogram
}

describe('a latency histogram', () => {
  it('tells each percentile to one part in 256', () => {
    fc.assert(
      fc.property(values, fc.double({ min: 0, max: 1, noNaN: true }), (recorded, share) => {
        const sorted = recorded.toSorted((left, right) => left - right)
        const exact = sorted[Math.max(Math.ceil(share * sorted.length), 1) - 1]!
        const told = histogramOf(recorded).percentile(share)!
        expect(Math.abs(told - exact)).toBeLessThanOrEqual(exact / 256)
      }),
    )
  })

  it('has buckets whose numbers mean what its comment says', () => {
    fc.assert(
      fc.property(microseconds, (value) => {
        const { significantBits, counts } = histogramOf([value]).encode()
        const [bucket] = counts[0]!
        const shift = bucket < 2 ** significantBits ? 0 : Math.floor(bucket / 2 ** (significantBits - 1)) - 1
        const digits = bucket - 2 ** (significantBits - 1) * shift
        expect(digits * 2 ** shift).toBeLessThanOrEqual(value)
        expect(value).toBeLessThan((digits + 1) * 2 ** shift)
      }),
    )
  })

  it('is after a merge, and after it was written and read, what it would be if it had recorded all itself', () => {
    fc.assert(
      fc.property(values, values, (left, right) => {
        const merged = LatencyHistogram.decode(JSON.parse(JSON.stringify(histogramOf(left).encode())))
        merged.merge(histogramOf(right))
        const all = histogramOf([...left, ...right])
        expect(merged.encode()).toEqual(all.encode())
        expect(merged.count).toBe(all.count)
      }),
    )
  })

  it('keeps what is below its least and above its most', () => {
    const histogram = histogramOf([-5, 1e15])
    expect(histogram.percentile(0)).toBe(0)
    expect(histogram.encode().counts).toEqual([
      [0, 1],
      [bucketCount - 1, 1],
    ])
    expect(Math.abs(histogram.percentile(1)! - microsecondsMax)).toBeLessThan(microsecondsMax / 256)
  })

  it('has no percentile of nothing', () => {
    expect(new LatencyHistogram().percentile(0.5)).toBeNull()
  })

  it.each([
    { significantBits: 7, counts: [] },
    { significantBits: 8, counts: [[bucketCount, 1]] as [number, number][] },
    { significantBits: 8, counts: [[0.5, 1]] as [number, number][] },
    { significantBits: 8, counts: [[1, -1]] as [number, number][] },
  ])('is not read from what none has written: %j', (encoded) => {
    expect(() => LatencyHistogram.decode(encoded)).toThrow(RangeError)
  })
})
