// The short way for puts against the codecs, which stay the law: the same values, the same bytes, the same refusals in the same words.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { wireValueCodec } from '../../../src/execution/value-codec.ts'
import { storeCommandCodec, type StoreCommand } from '../../../src/execution/store/commands.ts'
import { keyBytesMax, valueBytesMax } from '../../../src/execution/store/limits.ts'
import { storeCommands, storeResults } from '../../../src/execution/store/put-values.ts'
import { storeResultCodec } from '../../../src/execution/store/results.ts'
import { encode } from '../../../src/wire/codec.ts'

const law = wireValueCodec(storeCommandCodec)
const numbers = [0, 1, 255, 256, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1]
const put = fc.record({
  kind: fc.constant('put' as const),
  key: fc.uint8Array({ minLength: 1, maxLength: 40 }),
  value: fc.uint8Array({ maxLength: 300 }),
  lease: fc.oneof(fc.constantFrom(...numbers), fc.maxSafeNat()),
})

function raw(keyBytes: number, valueBytes: number, lease = 0n): Uint8Array {
  const bytes = new Uint8Array(17 + keyBytes + valueBytes)
  const view = new DataView(bytes.buffer)
  bytes[0] = 1
  view.setUint32(1, keyBytes, true)
  view.setUint32(5 + keyBytes, valueBytes, true)
  view.setBigUint64(9 + keyBytes + valueBytes, lease, true)
  return bytes
}

describe('a put that is decoded', () => {
  it('is what the codec reads, also in a larger buffer', () => {
    fc.assert(
      fc.property(put, fc.nat(9), (command, before) => {
        const bytes = encode<StoreCommand>(storeCommandCodec, command)
        const larger = new Uint8Array(before + bytes.length + 9)
        larger.set(bytes, before)
        const decoded = storeCommands.decode(larger.subarray(before, before + bytes.length))
        expect(decoded).toEqual({ ok: true, value: command })
        expect(storeCommands.encode(command)).toEqual(bytes)
      }),
    )
  })

  it('is refused as the codec refuses it, wherever a byte is wrong, missing or left over', () => {
    const damage = fc.record({ at: fc.nat(60), byte: fc.nat(255), length: fc.integer({ min: -30, max: 3 }) })
    fc.assert(
      fc.property(put, damage, (command, { at, byte, length }) => {
        const bytes = encode<StoreCommand>(storeCommandCodec, command)
        const damaged = new Uint8Array(Math.max(0, bytes.length + length))
        damaged.set(bytes.subarray(0, damaged.length))
        if (at < damaged.length) damaged[at] = byte
        expect(storeCommands.decode(damaged)).toEqual(law.decode(damaged))
      }),
      { numRuns: 2000 },
    )
  })

  it.each([
    ['nothing', new Uint8Array(0), false],
    ['a tag alone', Uint8Array.of(1), false],
    ['an empty key', raw(0, 3), false],
    ['the largest key', raw(keyBytesMax, 3), true],
    ['a key above its limit', raw(keyBytesMax + 1, 3), false],
    ['the largest value', raw(3, valueBytesMax), true],
    ['a value above its limit', raw(3, valueBytesMax + 1), false],
    ['the largest lease', raw(3, 3, 2n ** 53n - 1n), true],
    ['a lease above 2^53 - 1', raw(3, 3, 2n ** 53n), false],
    [
      'a length that reaches far beyond the end',
      Uint8Array.of(1, 3, 0, 0, 0, 9, 9, 9, 255, 255, 255, 255, 0, 0, 0),
      false,
    ],
  ])('is judged as by the codec: %s', (_, bytes, isPut) => {
    const decoded = storeCommands.decode(bytes)
    expect(decoded.ok).toBe(isPut)
    expect(decoded).toEqual(law.decode(bytes))
  })
})

it.each(numbers)('the result of a put is written as the codec writes it, at revision %d', (revision) => {
  const result = { kind: 'put' as const, revision }
  expect(storeResults.encode(result)).toEqual(encode(storeResultCodec, result))
  expect(storeResults.decode(storeResults.encode(result))).toEqual({ ok: true, value: result })
})
