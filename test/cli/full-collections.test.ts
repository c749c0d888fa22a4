// Goal: a small heap is collected as a whole when 128 MiB have become garbage, not 24; a large one when V8 thinks best.

import { spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { garbageBytes, growingPercent, heapBytesMax } from '../../src/cli/full-collections.ts'

const mebibyte = 1024 * 1024

describe('a heap may grow', () => {
  it.each([20, 40, 63])('by what may wait, where it holds %s MiB', (heap) => {
    expect((heap * growingPercent(heap * mebibyte)) / 100).toBeCloseTo(garbageBytes / mebibyte, 0)
  })

  it('by a bounded share of it, however small it is, and as V8 thinks best, where it is large', () => {
    expect(growingPercent(0)).toBe(800)
    expect(growingPercent(heapBytesMax)).toBe(0)
    expect(growingPercent(1024 * mebibyte)).toBe(0)
  })
})

it('is a setting that this Node has, and takes while it runs', () => {
  // Of one that V8 does not know it complains, and goes on.
  const program = `const { setFlagsFromString } = require('node:v8')
    for (const percent of [800, 0]) setFlagsFromString('--heap-growing-percent=' + percent)`
  const { status, stderr } = spawnSync(process.execPath, ['--eval', program], { encoding: 'utf8' })
  expect([status, stderr]).toEqual([0, ''])
})
