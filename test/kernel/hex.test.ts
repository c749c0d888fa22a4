// Goal: bytes have one text, and nothing else is taken for one.

import fc from 'fast-check'
import { expect, it } from 'vitest'
import { fromHex, toHex } from '../../src/kernel/hex.ts'

it('gives back what was written', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1 }), (bytes) => void expect(fromHex(toHex(bytes), 1000)).toEqual(bytes)),
  )
  expect(toHex(Uint8Array.of(0, 10, 255))).toBe('000aff')
  // More than is written in one call.
  expect(toHex(new Uint8Array(10_000).fill(0xab))).toBe('ab'.repeat(10_000))
})

it.each(['', 'a', 'AB', '0x00', 'gg', ' 00', '00\n', 7, null, undefined, ['00']])('is not %j', (text) => {
  expect(fromHex(text, 1000)).toBeNull()
})

it('keeps its bound', () => {
  expect(fromHex('0011', 2)).toEqual(Uint8Array.of(0, 0x11))
  expect(fromHex('001122', 2)).toBeNull()
})
