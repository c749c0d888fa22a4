// Goal: no seed is run twice, forgotten or counted twice, whatever was finished before. Method: all small ranges, then random files.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { chunksOf, partition, seedsPerChunk, type Chunk } from '../../../src/cli/sweep/chunks.ts'

const seedsOf = (chunks: readonly Chunk[]): number[] =>
  chunks.flatMap(({ from, to }) => Array.from({ length: to - from + 1 }, (_, index) => from + index))

const range = fc.tuple(fc.nat(200), fc.nat(60)).map(([from, length]) => ({ from, to: from + length }))

describe('chunks', () => {
  it('end at multiples of their size, and where the range does', () => {
    expect(chunksOf(1, 25)).toEqual([
      { from: 1, to: 10 },
      { from: 11, to: 20 },
      { from: 21, to: 25 },
    ])
    expect(chunksOf(7, 12)).toEqual([
      { from: 7, to: 10 },
      { from: 11, to: 12 },
    ])
    expect(chunksOf(0, 0)).toEqual([{ from: 0, to: 0 }])
  })

  it('hold each seed of the range once, in order', () => {
    fc.assert(
      fc.property(range, ({ from, to }) => {
        const chunks = chunksOf(from, to)
        expect(seedsOf(chunks)).toEqual(seedsOf([{ from, to }]))
        expect(chunks.every((chunk) => chunk.to - chunk.from < seedsPerChunk)).toBe(true)
      }),
    )
  })
})

describe('what is finished', () => {
  it('and what is left are the plan, whatever ranges the file has seen, and however often', () => {
    fc.assert(
      fc.property(range, fc.array(range, { maxLength: 4 }), ({ from, to }, before) => {
        const done = before.flatMap((one) => chunksOf(one.from, one.to)).map((chunk) => ({ chunk }))
        const { finished, left } = partition(chunksOf(from, to), done)
        const both = seedsOf([...finished.map(({ chunk }) => chunk), ...left])
        expect(both.sort((a, b) => a - b)).toEqual(seedsOf([{ from, to }]))
      }),
    )
  })

  it('is used by another range that covers the same chunks', () => {
    const done = chunksOf(5, 40).map((chunk) => ({ chunk }))
    const { finished, left } = partition(chunksOf(1, 50), done)
    expect(finished.map(({ chunk }) => chunk)).toEqual(chunksOf(11, 40))
    expect(left).toEqual([...chunksOf(1, 10), ...chunksOf(41, 50)])
  })
})
