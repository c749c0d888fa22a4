// Records are read in pieces: none is lost or altered where pieces end, and a large one does not keep its neighbours in memory.

import { expect, it } from 'vitest'
import { createRandom } from '../../../src/kernel/random.ts'
import { segmentFile } from '../../../src/storage/log/format.ts'
import { LogBench } from './log-bench.ts'

const bytesOf = (nth: number, length: number): Uint8Array => new Uint8Array(length).fill(nth)

function written(sizes: readonly number[]): LogBench {
  const bench = new LogBench(createRandom('pieces'), { segmentBytesMax: 700_000 })
  bench.initialize()
  const log = bench.open()
  for (const [nth, size] of sizes.entries()) {
    log.append(bytesOf(nth, size))
    log.flush()
    bench.run()
  }
  return bench
}

it('records of all sizes come back, wherever pieces and segments end', () => {
  const random = createRandom('sizes')
  const sizes = Array.from({ length: 300 }, () => random.below([100, 5_000, 17_000, 90_000][random.below(4)]!))
  const bench = written(sizes)
  expect(bench.disk.list().length).toBeGreaterThan(6)
  const records = [...bench.open().records()]
  expect(records.map(({ bytes }) => bytes.length)).toEqual(sizes)
  for (const [nth, { bytes }] of records.entries()) expect(bytes.every((byte) => byte === nth % 256)).toBe(true)
})

it('a large record has a buffer of its own, and small ones share one', () => {
  const records = [...written([60_000, 60_000, 10, 10, 60_000]).open().records()]
  const buffers = records.map(({ bytes }) => bytes.buffer)
  expect(buffers.map(({ byteLength }) => byteLength > 60_000 && byteLength < 60_100)).toEqual(
    [60_000, 60_000, 10, 10, 60_000].map((size) => size === 60_000),
  )
  expect(buffers[2]).toBe(buffers[3])
})

it.each([0, 1])('a length that the disk gives back wrong at read %i of it is noticed', (spared) => {
  const bench = written([60_000, 60_000, 60_000])
  const log = bench.open()
  const second = [...log.records()][1]!
  const offset = bench.disk.size(segmentFile(1)) - 2 * second.bytes.length - 2 * 29
  bench.disk.rotOneRead({ name: segmentFile(1), offset: offset + 1 }, 0x01, spared)
  let lengths: number[] | null = null
  try {
    lengths = [...log.records()].map(({ bytes }) => bytes.length)
  } catch (error) {
    expect(String(error)).toMatch(/no longer gives back/)
  }
  expect(bench.disk.readsRotted).toBe(1)
  if (lengths !== null) expect(lengths).toEqual([60_000, 60_000, 60_000])
})
