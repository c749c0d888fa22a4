import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { jsonCodec, wireValueCodec } from '../../src/execution/value-codec.ts'
import { u16 } from '../../src/wire/codec.ts'
import { text } from './fixtures.ts'

const json = jsonCodec<unknown>()
const written = (value: unknown): string => new TextDecoder().decode(json.encode(value))

describe('canonical JSON', () => {
  it('has one text for one value, whatever the order in which it was made', () => {
    expect(written({ b: [1, 'x', null, true], a: { d: undefined, c: 1e21 } })).toBe(
      '{"a":{"c":1e+21},"b":[1,"x",null,true]}',
    )
    expect(written({ a: 1, b: 2 })).toBe(written({ b: 2, a: 1 }))
  })

  it('accepts exactly what it writes', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5, noUnicodeString: false }), (value) => {
        fc.pre(
          !JSON.stringify(value, (_key, each: unknown) => (Object.is(each, -0) ? 'minus' : each)).includes('minus'),
        )
        const bytes = json.encode(value)
        const decoded = json.decode(bytes)
        expect(decoded.ok && json.encode(decoded.value)).toEqual(bytes)
      }),
    )
  })

  it('refuses every other spelling', () => {
    const others = [
      '{"b":1,"a":2}',
      '{ "a":1}',
      '1.0',
      '-0',
      '01',
      '"\\u0061"',
      '{"a":1,"a":1}',
      '[1,]',
      '',
      ' 1',
      '1 ',
      'NaN',
      '1e2',
    ]
    for (const other of others) expect(json.decode(text(other)), other).toMatchObject({ ok: false })
    for (const bytes of [Uint8Array.of(0x22, 0xff, 0x22), Uint8Array.of(0xef, 0xbb, 0xbf, 0x31)]) {
      expect(json.decode(bytes)).toMatchObject({ ok: false })
    }
    expect(json.decode(text('{"__proto__":1}'))).toMatchObject({ ok: true })
  })

  it('refuses values that have no text', () => {
    const none: unknown[] = [
      NaN,
      Infinity,
      -0,
      1n,
      undefined,
      () => 1,
      Symbol('s'),
      new Date(0),
      new Map(),
      [undefined],
    ]
    for (const value of none) expect(() => json.encode(value)).toThrow(TypeError)
    // eslint-disable-next-line no-sparse-arrays -- holes are what is tested
    expect(() => json.encode([1, , 2])).toThrow(TypeError)
  })

  it('has limits of depth and size, on both sides', () => {
    const small = jsonCodec<unknown>({ depthMax: 2, bytesMax: 10 })
    expect(small.decode(text('[[1]]'))).toMatchObject({ ok: true })
    expect(small.decode(text('[[[]]]'))).toMatchObject({ ok: false })
    expect(() => small.encode([[[]]])).toThrow(/deeply/)
    expect(small.decode(text('"12345678"'))).toMatchObject({ ok: true })
    expect(small.decode(text('"123456789"'))).toMatchObject({ ok: false, reason: '11 bytes, at most 10' })
    expect(() => small.encode('123456789')).toThrow(/at most 10/)
    expect(json.decode(text('['.repeat(100_000)))).toMatchObject({ ok: false })
    expect(json.decode(text('['.repeat(50_000) + ']'.repeat(50_000)))).toMatchObject({ ok: false })
    expect(() => jsonCodec({ depthMax: 0 })).toThrow(/depthMax is 0/)
    expect(() => jsonCodec({ bytesMax: 0.5 })).toThrow(/bytesMax is 0.5/)
  })

  it('checks the shape where it is told how', () => {
    const numbers = jsonCodec({ check: (value): value is number => typeof value === 'number' })
    expect(numbers.decode(text('7'))).toEqual({ ok: true, value: 7 })
    expect(numbers.decode(text('"7"'))).toMatchObject({ ok: false })
  })
})

it('a codec of the wire serves as one for values', () => {
  const codec = wireValueCodec(u16)
  expect(codec.decode(codec.encode(513))).toEqual({ ok: true, value: 513 })
  expect(codec.decode(Uint8Array.of(1))).toMatchObject({ ok: false, reason: expect.stringMatching(/bytes/) })
})
