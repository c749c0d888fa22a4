// Goal: keys from strangers cannot make the cache grow, nor push out for good the keys that are in use.
// Method: a flood of keys through a small cache.

import { describe, expect, it } from 'vitest'
import { PublicKeyCache, publicKeyCacheEntriesMax } from '../../src/crypto/node/public-key-cache.ts'

const stranger = (number: number): Uint8Array => {
  const bytes = new Uint8Array(32).fill(1)
  new DataView(bytes.buffer).setUint32(0, number)
  return bytes
}
const replica = new Uint8Array(32).fill(200)

describe('the cache of public keys', () => {
  it('gives the same object for equal bytes, wherever they lie', () => {
    const cache = new PublicKeyCache()
    const packed = new Uint8Array(96)
    packed.set(replica, 40)
    expect(cache.get(packed.subarray(40, 72))).toBe(cache.get(replica))
    expect(cache.size).toBe(1)
  })

  it('is not fooled by bytes that change after the call', () => {
    const cache = new PublicKeyCache()
    const bytes = replica.slice()
    const key = cache.get(bytes)
    bytes[0] = 1
    expect(cache.get(bytes)).not.toBe(key)
    expect(cache.get(bytes)?.export({ format: 'jwk' }).x).toBe(Buffer.from(bytes).toString('base64url'))
  })

  it('holds at most two generations, however many keys come', () => {
    const cache = new PublicKeyCache(8)
    let largest = 0
    for (let number = 0; number < 100; number++) {
      cache.get(stranger(number))
      largest = Math.max(largest, cache.size)
    }
    expect(largest).toBe(16)
  })

  it('holds its named limit by default', () => {
    const cache = new PublicKeyCache()
    for (let number = 0; number < 2 * publicKeyCacheEntriesMax + 10; number++) cache.get(stranger(number))
    expect(cache.size).toBeLessThanOrEqual(2 * publicKeyCacheEntriesMax)
    expect(cache.size).toBeGreaterThan(publicKeyCacheEntriesMax)
  })

  it('keeps a key that is used in every generation, and lets go of one that is not', () => {
    const cache = new PublicKeyCache(8)
    const kept = cache.get(replica)
    const first = cache.get(stranger(0))
    for (let number = 1; number < 100; number++) {
      cache.get(stranger(number))
      if (number % 7 === 0) expect(cache.get(replica)).toBe(kept)
    }
    expect(cache.get(stranger(0))).not.toBe(first)
  })

  it('refuses a limit that is none', () => {
    for (const limit of [0, -1, 1.5, Number.NaN]) expect(() => new PublicKeyCache(limit)).toThrow(RangeError)
  })
})
