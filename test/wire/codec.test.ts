// Decoding is total and canonical: whatever the bytes, a value whose encoding is those bytes, or a WireError.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  ascending,
  bool,
  bytes,
  decode,
  encode,
  fixedBytes,
  list,
  oneOf,
  optional,
  struct,
  u16,
  u32,
  u53,
  u8,
  union,
  upTo,
  type Codec,
} from '../../src/wire/codec.ts'
import { WireError } from '../../src/wire/error.ts'
import { Reader } from '../../src/wire/reader.ts'
import { registry } from '../conformance/registry.ts'

function check(codec: Codec<unknown>, input: Uint8Array): boolean {
  const decoded = decode(codec, input)
  // Compared by hand: this runs hundreds of thousands of times.
  if (decoded.ok && Buffer.compare(encode(codec, decoded.value), input) !== 0) {
    throw new Error(`two encodings of one value: ${Buffer.from(input).toString('hex')}`)
  }
  if (!decoded.ok && !(decoded.error instanceof WireError)) throw new Error('an error that is no WireError')
  return decoded.ok
}

describe('every registered codec', () => {
  it.each(registry.map((one) => [one.name, one] as const))('%s: survives random bytes', (_name, { codec }) => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (input) => void check(codec, input)),
      { numRuns: 200 },
    )
  })

  it.each(registry.map((one) => [one.name, one] as const))('%s: survives mutated bytes', (_name, { codec, value }) => {
    const sound = encode(codec, value)
    const mutation = fc.record({
      at: fc.nat(Math.max(0, sound.length - 1)),
      byte: fc.nat(255),
      cut: fc.option(fc.nat(sound.length), { freq: 3 }),
      repeat: fc.nat(3),
    })
    fc.assert(
      fc.property(fc.array(mutation, { minLength: 1, maxLength: 4 }), (mutations) => {
        let input = Uint8Array.from(sound)
        for (const { at, byte, cut, repeat } of mutations) {
          if (at < input.length) input[at] = byte
          if (cut !== null && cut !== undefined) input = input.slice(0, cut)
          if (repeat === 3) input = Uint8Array.from([...input, ...input.slice(at, at + 8)])
        }
        check(codec, input)
      }),
      { numRuns: 200 },
    )
  })

  it.each(registry.map((one) => [one.name, one] as const))(
    '%s: survives each byte at its extremes (B25)',
    (_name, { codec, value }) => {
      const sound = encode(codec, value)
      for (let at = 0; at < sound.length; at++) {
        for (const byte of [0, 1, 0x7f, 0x80, 0xff, (sound[at]! + 1) & 0xff, (sound[at]! - 1) & 0xff]) {
          const input = Uint8Array.from(sound)
          input[at] = byte
          check(codec, input)
        }
      }
    },
  )
})

describe('every registered codec', () => {
  it.each(registry.map((one) => [one.name, one] as const))(
    '%s: takes no fewer bytes than it says, and reads with none fewer',
    (_name, { codec, value }) => {
      expect(encode(codec, value).length).toBeGreaterThanOrEqual(codec.bytesMin)
      expect(codec.bytesMin).toBeGreaterThan(0)
      expect(decode(codec, new Uint8Array(codec.bytesMin - 1)).ok).toBe(false)
    },
  )

  it.each(registry.map((one) => [one.name, one] as const))(
    '%s: changes nothing in the bytes it reads, wherever they stand',
    (_name, { codec, value }) => {
      const sound = encode(codec, value)
      const room = new Uint8Array(sound.length + 20).fill(0xee)
      room.set(sound, 7)
      const before = Uint8Array.from(room)
      expect(decode(codec, room.subarray(7, 7 + sound.length))).toEqual({ ok: true, value })
      expect(room).toEqual(before)
    },
  )
})

describe('the building blocks', () => {
  const cases: [string, Codec<never>, number[], string][] = [
    ['an integer above 2^53-1', u53 as Codec<never>, [0, 0, 0, 0, 0, 0, 0x20, 0], 'ERR_WIRE_RANGE'],
    ['a boolean of 2', bool as Codec<never>, [2], 'ERR_WIRE_TAG'],
    ['a list above its limit', list(u8, 2) as Codec<never>, [3, 0, 0, 0, 1, 2, 3], 'ERR_WIRE_LIMIT'],
    ['a list longer than its bytes', list(u53, 1000) as Codec<never>, [200, 0, 0, 0, 1], 'ERR_WIRE_TRUNCATED'],
    ['bytes above their limit', bytes(2) as Codec<never>, [3, 0, 0, 0, 1, 2, 3], 'ERR_WIRE_LIMIT'],
    ['a set out of order', ascending(u8, (value) => value, 9) as Codec<never>, [2, 0, 0, 0, 2, 1], 'ERR_WIRE_ORDER'],
    [
      'a set with a duplicate',
      ascending(u8, (value) => value, 9) as Codec<never>,
      [2, 0, 0, 0, 2, 2],
      'ERR_WIRE_ORDER',
    ],
    [
      'an unknown variant',
      union<{ kind: 'a' }>({ a: { tag: 1, codec: struct({}) } }) as Codec<never>,
      [2],
      'ERR_WIRE_TAG',
    ],
    ['the name before the first', oneOf(['a', 'b']) as Codec<never>, [0], 'ERR_WIRE_TAG'],
    ['the name behind the last', oneOf(['a', 'b']) as Codec<never>, [3], 'ERR_WIRE_TAG'],
    ['an integer above its bound', upTo(u16, 9) as Codec<never>, [10, 0], 'ERR_WIRE_RANGE'],
    ['bytes behind the value', u8 as Codec<never>, [1, 0], 'ERR_WIRE_TRAILING'],
    ['nothing', u32 as Codec<never>, [], 'ERR_WIRE_TRUNCATED'],
  ]
  it.each(cases)('refuse %s', (_name, codec, input, code) => {
    expect(decode(codec, Uint8Array.from(input))).toMatchObject({ ok: false, error: { code } })
  })

  it('write nothing that they would not read', () => {
    for (const write of [
      () => encode(u8, 256),
      () => encode(u53, 2 ** 53),
      () => encode(u53, -1),
      () => encode(u53, 1.5),
      () => encode(u53, Number.NaN),
      () => encode(bytes(1), new Uint8Array(2)),
      () => encode(fixedBytes(2), new Uint8Array(1)),
      () => encode(list(u8, 1), [1, 2]),
      () =>
        encode(
          ascending(u8, (value) => value, 9),
          [2, 2],
        ),
      () => encode(upTo(u8, 3), 4),
      () => encode(union<{ kind: 'a' }>({ a: { tag: 1, codec: struct({}) } }), { kind: 'b' } as never),
      () => encode(union<{ kind: 'a' }>({ a: { tag: 1, codec: struct({}) } }), { kind: 'constructor' } as never),
      () => encode(oneOf(['a', 'b']), 'c' as never),
      () => encode(oneOf(['a', 'b']), 'length' as never),
    ]) {
      expect(write).toThrow(WireError)
    }
  })

  it('make each integer of 53 bits from its bytes and back', () => {
    const turn = (value: number): void => expect(decode(u53, encode(u53, value))).toEqual({ ok: true, value })
    fc.assert(fc.property(fc.maxSafeNat(), (value) => void turn(value)))
  })

  it('allocate no more for a list than its bytes could fill', () => {
    const reader = new Reader(Uint8Array.of(0xff, 0xff, 0xff, 0x7f))
    expect(() => reader.count(0x7fff_ffff, 1)).toThrow(WireError)
    // A list of nothings would be made of its length alone.
    expect(() => list(struct({}), 9)).toThrow(RangeError)
    expect(() => list(fixedBytes(0), 9)).toThrow(RangeError)
  })

  it('count each name from 1, and read it back', () => {
    expect(encode(oneOf(['a', 'b']), 'b')).toEqual(Uint8Array.of(2))
    expect(decode(oneOf(['a', 'b']), Uint8Array.of(1))).toEqual({ ok: true, value: 'a' })
  })

  it('read bytes as views of what they were given, and write copies', () => {
    const input = Uint8Array.of(1, 0, 0, 0, 7)
    const decoded = decode(bytes(9), input)
    expect(decoded.ok && decoded.value.buffer).toBe(input.buffer)
    const written = encode(fixedBytes(1), input.subarray(4))
    input[4] = 8
    expect(written).toEqual(Uint8Array.of(7))
    expect(decoded.ok && decoded.value[0]).toBe(8)
  })

  it('give bytes of their own on each call, also when calls nest', () => {
    const nested: Codec<number> = {
      bytesMin: 1,
      write: (writer, value) => {
        writer.u8(value)
        writer.raw(value > 0 ? encode(nested, value - 1) : new Uint8Array(0))
      },
      read: (reader) => reader.u8(),
    }
    const first = encode(nested, 3)
    const second = encode(nested, 2)
    expect([...first]).toEqual([3, 2, 1, 0])
    expect([...second]).toEqual([2, 1, 0])
  })

  it('go on after a value that could not be written', () => {
    expect(() => encode(struct({ a: u8, b: u8 }), { a: 1, b: 999 })).toThrow(WireError)
    expect(encode(struct({ a: u8 }), { a: 7 })).toEqual(Uint8Array.of(7))
    expect(encode(optional(u8), null)).toEqual(Uint8Array.of(0))
  })

  it('refuse a tag that is given twice, when the codec is made', () => {
    expect(() =>
      union<{ kind: 'a' } | { kind: 'b' }>({ a: { tag: 1, codec: struct({}) }, b: { tag: 1, codec: struct({}) } }),
    ).toThrow(RangeError)
    expect(() => union<{ kind: 'a' }>({ a: { tag: 256, codec: struct({}) } })).toThrow(RangeError)
  })
})
