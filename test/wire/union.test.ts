// Goal: a variant is the same whether its fields are given to the union or all of it is written by hand.

import { describe, expect, it } from 'vitest'
import { decode, encode, struct, u8, union } from '../../src/wire/codec.ts'

describe('a variant', () => {
  const two = union<{ kind: 'a'; x: number } | { kind: 'b'; x: number }>({
    a: { tag: 1, codec: struct({ x: u8 }) },
    b: {
      tag: 2,
      whole: { bytesMin: 1, write: (w, { x }) => w.u8(x), read: (r) => ({ kind: 'b', x: r.u8() }) },
    },
  })

  it('has its kind first, whether it is read by fields or whole', () => {
    expect(decode(two, Uint8Array.of(1, 7))).toEqual({ ok: true, value: { kind: 'a', x: 7 } })
    expect(decode(two, Uint8Array.of(2, 7))).toEqual({ ok: true, value: { kind: 'b', x: 7 } })
    for (const tag of [1, 2]) {
      const read = decode(two, Uint8Array.of(tag, 7))
      expect(read.ok && Object.keys(read.value)).toEqual(['kind', 'x'])
    }
    expect(encode(two, { kind: 'b', x: 7 })).toEqual(Uint8Array.of(2, 7))
    expect(two.bytesMin).toBe(2)
  })

  it('is refused where its tag is none, or given twice', () => {
    const whole = { bytesMin: 1, write: () => {}, read: () => ({ kind: 'a' as const }) }
    for (const tag of [-1, 256, 1.5]) expect(() => union<{ kind: 'a' }>({ a: { tag, whole } })).toThrowError(RangeError)
    const same = { tag: 1, codec: struct({}) }
    expect(() => union<{ kind: 'a' } | { kind: 'b' }>({ a: same, b: same })).toThrowError(/given twice/)
  })
})
