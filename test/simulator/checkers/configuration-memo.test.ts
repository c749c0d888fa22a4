// Goal: a configuration is searched again only if it was reached with unknown operations that an earlier one needed.

import { describe, expect, it } from 'vitest'
import { ConfigurationMemo } from '../../../src/simulator/checkers/configuration-memo.ts'

const bits = (...words: number[]) => Int32Array.from(words)

describe('ConfigurationMemo', () => {
  it('knows a configuration that used the same unknown operations, or fewer', () => {
    const memo = new ConfigurationMemo()
    expect(memo.add(3, bits(5), 1, bits(0b0110, 0))).toBe(true)
    expect(memo.add(3, bits(5), 1, bits(0b0110, 0))).toBe(false)
    expect(memo.add(3, bits(5), 1, bits(0b0110, 1))).toBe(false)
    expect(memo.add(3, bits(5), 1, bits(0b1010, 0))).toBe(true)
    expect(memo.add(3, bits(5), 1, bits(0b0010, 0))).toBe(true)
    expect(memo.add(3, bits(5), 1, bits(0b0011, 0))).toBe(false)
  })

  it('tells levels, open operations and states apart', () => {
    const memo = new ConfigurationMemo()
    const none = bits()
    const all: [number, Int32Array, number][] = [
      [0, bits(0), 0],
      [1, bits(0), 0],
      [0, bits(1), 0],
      [0, bits(0), 1],
      [0, bits(1 << 31), 0],
      [0, bits(0), 2 ** 21],
      [0, bits(1, 2), 0],
      [0, bits(2, 1), 0],
    ]
    for (const [level, open, state] of all) expect(memo.add(level, open, state, none)).toBe(true)
    for (const [level, open, state] of all) expect(memo.add(level, open, state, none)).toBe(false)
  })

  it('copies what it keeps', () => {
    const memo = new ConfigurationMemo()
    const unknown = bits(1)
    memo.add(0, bits(0), 0, unknown)
    unknown[0] = 2
    expect(memo.add(0, bits(0), 0, bits(2))).toBe(true)
  })
})
