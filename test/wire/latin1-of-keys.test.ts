// Goal: a key's text is that of any other bytes, though it is made in another way.

import { expect, it } from 'vitest'
import { latin1, latin1Bytes } from '../../src/wire/latin1.ts'

it('each byte of a key stands in its own place', () => {
  for (const length of [31, 32, 33]) {
    const room = Uint8Array.from({ length: length + 5 }, (_, index) => (index * 29 + 200) & 0xff)
    const key = room.subarray(5)
    expect(latin1(key)).toBe(Array.from(key, (byte) => String.fromCharCode(byte)).join(''))
    expect(latin1Bytes(latin1(key))).toEqual(key)
  }
})
