// Goal: signing is RFC 8032's, hashing is SHA-256, and what a caller gets or gives is its own.
// Method: the RFC's vectors and known digests on both backends.

import { describe, expect, it } from 'vitest'
import { nodeEd25519 } from '../../src/crypto/node/ed25519-suite.ts'
import { nodeHasher } from '../../src/crypto/node/sha256-hasher.ts'
import { portableEd25519 } from '../../src/crypto/portable/ed25519-suite.ts'
import { portableHasher } from '../../src/crypto/portable/sha256-hasher.ts'
import type { Hasher } from '../../src/kernel/crypto-ports.ts'
import { fromHex, toHex } from '../conformance/ed25519-model.ts'
import { rfc8032Vectors } from '../conformance/rfc8032-vectors.ts'

describe.each([
  ['portable', portableEd25519],
  ['node', nodeEd25519],
])('the %s signer', (_, suite) => {
  it('bears the name of the suite and not of the backend', () => {
    expect(suite.name).toBe('ed25519')
  })

  it.each(rfc8032Vectors)('makes the key and signature of RFC 8032 $name', (vector) => {
    const signer = suite.signer(fromHex(vector.secretKey))
    expect(toHex(signer.publicKey)).toBe(vector.publicKey)
    expect(toHex(signer.sign(fromHex(vector.message)))).toBe(vector.signature)
    expect(suite.isValidPublicKey(signer.publicKey)).toBe(true)
  })

  it('refuses a secret key of another length at the call', () => {
    for (const length of [0, 31, 33, 64]) expect(() => suite.signer(new Uint8Array(length))).toThrow(RangeError)
  })

  it('keeps no hold on the secret that it was given', () => {
    const secret = new Uint8Array(32).fill(9)
    const signer = suite.signer(secret)
    const before = toHex(signer.sign(secret))
    const message = secret.slice()
    secret.fill(0)
    expect(toHex(signer.sign(message))).toBe(before)
  })

  it('gives plain bytes, whose slices are copies', () => {
    const signer = suite.signer(new Uint8Array(32).fill(1))
    for (const bytes of [signer.publicKey, signer.sign(new Uint8Array(3))]) {
      expect(Object.getPrototypeOf(bytes)).toBe(Uint8Array.prototype)
      expect(bytes.slice(0, 4).buffer).not.toBe(bytes.buffer)
    }
  })

  it('takes views into larger buffers, as decoding makes them', () => {
    const signer = suite.signer(new Uint8Array(32).fill(2))
    const packed = new Uint8Array(200)
    packed.set(signer.publicKey, 3)
    packed.set([1, 2, 3], 40)
    packed.set(signer.sign(Uint8Array.of(1, 2, 3)), 77)
    expect(suite.verify(packed.subarray(3, 35), packed.subarray(40, 43), packed.subarray(77, 141))).toBe(true)
    expect(suite.verify(packed.subarray(3, 35), packed.subarray(40, 44), packed.subarray(77, 141))).toBe(false)
  })
})

const digestOf = (hasher: Hasher, text: string): string => toHex(hasher.digest(new TextEncoder().encode(text)))

describe.each([
  ['portable', portableHasher],
  ['node', nodeHasher],
])('the %s hasher', (_, hasher) => {
  it('is SHA-256', () => {
    expect(digestOf(hasher, '')).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
    expect(digestOf(hasher, 'abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
    const twoBlocks = 'abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq'
    expect(digestOf(hasher, twoBlocks)).toBe('248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1')
  })

  it('hashes a view and not the buffer behind it', () => {
    const packed = new TextEncoder().encode('xxabcxx')
    expect(hasher.digest(packed.subarray(2, 5))).toEqual(hasher.digest(new TextEncoder().encode('abc')))
  })

  it('gives 32 plain bytes of the caller’s own', () => {
    const first = hasher.digest(new Uint8Array(1))
    const kept = toHex(first)
    hasher.digest(new Uint8Array(2))
    expect(toHex(first)).toBe(kept)
    expect(first.length).toBe(32)
    expect(Object.getPrototypeOf(first)).toBe(Uint8Array.prototype)
  })
})

it('both hashers agree around the block size', () => {
  for (let length = 0; length <= 200; length++) {
    const bytes = new Uint8Array(length).map((_, index) => index * 7)
    expect(nodeHasher.digest(bytes)).toEqual(portableHasher.digest(bytes))
  }
})
