// Goal: what shares memory has the bytes that it would have alone, whatever is encoded after it, beside it or in vain; and little is shared.

import { describe, expect, it } from 'vitest'
import { createRandom } from '../../src/kernel/random.ts'
import { bytes, encode, encodeBriefly, type Codec } from '../../src/wire/codec.ts'

const codec = bytes(1_000_000)
const fill = (length: number, byte: number): Uint8Array => new Uint8Array(length).fill(byte)

describe('a brief encoding', () => {
  it('keeps its bytes, however many follow', () => {
    const random = createRandom('brief')
    const pieces: { brief: Uint8Array; own: Uint8Array }[] = []
    for (let step = 0; step < 3000; step++) {
      const value = fill(random.chance(1, 20) ? random.below(40_000) : random.below(400), step & 0xff)
      pieces.push({ brief: encodeBriefly(codec, value), own: encode(codec, value) })
    }
    for (const { brief, own } of pieces) expect(Buffer.compare(brief, own)).toBe(0)
    const shared = new Set(pieces.map(({ brief }) => brief.buffer)).size
    expect(shared).toBeLessThan(pieces.length / 4)
    for (const { brief } of pieces) {
      // Nobody keeps more than this for one short piece, nor twice of a long one.
      expect(brief.buffer.byteLength).toBeLessThanOrEqual(brief.length > 2048 ? brief.length : 16 * 1024)
    }
  })

  it('is not touched by one within it, nor by one that fails', () => {
    let inner: Uint8Array | null = null
    const nesting: Codec<number> = {
      bytesMin: 1,
      write: (w, value) => {
        w.u8(value)
        inner = encodeBriefly(codec, fill(3, 9))
        w.u8(value)
      },
      read: (r) => r.u8(),
    }
    const before = encodeBriefly(codec, fill(2, 1))
    const outer = encodeBriefly(nesting, 7)
    expect(() => encodeBriefly(bytes(1), fill(2, 5))).toThrowError(/at most 1/)
    const after = encodeBriefly(codec, fill(2, 6))
    expect([before, outer, inner, after].map((one) => Array.from(one!))).toEqual([
      [2, 0, 0, 0, 1, 1],
      [7, 7],
      [3, 0, 0, 0, 9, 9, 9],
      [2, 0, 0, 0, 6, 6],
    ])
  })
})
