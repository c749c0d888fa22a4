// Goal: integers put together from bytes are what a DataView reads.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Reader } from '../../src/wire/reader.ts'

describe('integers', () => {
  it('are read as a DataView reads them, wherever they stand', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 20, maxLength: 20 }), fc.nat(12), (room, at) => {
        const view = new DataView(room.buffer, room.byteOffset)
        const reader = (): Reader => new Reader(room.subarray(at))
        expect(reader().u8()).toBe(view.getUint8(at))
        expect(reader().u16()).toBe(view.getUint16(at, true))
        expect(reader().u32()).toBe(view.getUint32(at, true))
        const whole = view.getBigUint64(at, true)
        if (whole <= BigInt(Number.MAX_SAFE_INTEGER)) expect(reader().u53()).toBe(Number(whole))
        else expect(() => reader().u53()).toThrowError(/above 2\^53-1/)
      }),
      { numRuns: 300 },
    )
    for (const high of [0x00, 0x10, 0x1f]) {
      const room = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, high, 0)
      expect(new Reader(room).u53()).toBe(Number(new DataView(room.buffer).getBigUint64(0, true)))
    }
  })
})
