// Hashes and signatures that cost next to nothing. Inside a run they are as good as real ones: nobody there has a secret key
// that is not its own, and nobody searches for collisions. A share of the runs uses the real ones.

import { equalBytes } from '../wire/equal-bytes.ts'
import type { Digest, Hasher, PublicKey, Signature, SignatureSuite, Signer } from '../kernel/crypto-ports.ts'

/** Four lanes of 32 bits, spread to 32 bytes. */
export const simulatedHasher: Hasher = {
  digest(bytes: Uint8Array): Digest {
    return spread(bytes, 0)
  },
}

/** The signature of a message under a secret is a hash over both; who has no secret cannot make one. */
export function createSimulatedSuite(): SignatureSuite {
  const secrets = new Map<string, Uint8Array>()
  return {
    name: 'simulated',
    isValidPublicKey: (key) => key.length === 32,
    signer(secretKey: Uint8Array): Signer {
      if (secretKey.length !== 32) throw new RangeError(`a secret key has 32 bytes, not ${secretKey.length}`)
      const publicKey: PublicKey = spread(secretKey, 1)
      const secret = Uint8Array.from(secretKey)
      secrets.set(keyName(publicKey), secret)
      return { publicKey, sign: (message) => signatureOf(secret, message) }
    },
    verify(publicKey: PublicKey, message: Uint8Array, signature: Signature): boolean {
      const secret = secrets.get(keyName(publicKey))
      if (secret === undefined || signature.length !== 64) return false
      return equalBytes(signatureOf(secret, message), signature)
    },
  }
}

function signatureOf(secret: Uint8Array, message: Uint8Array): Signature {
  const joined = new Uint8Array(secret.length + message.length)
  joined.set(secret)
  joined.set(message, secret.length)
  const signature = new Uint8Array(64)
  signature.set(spread(joined, 2))
  signature.set(spread(joined, 3), 32)
  return signature
}

function keyName(key: Uint8Array): string {
  let name = ''
  for (let index = 0; index < 8; index++) name += String.fromCharCode(key[index] ?? 0)
  return name
}

function spread(bytes: Uint8Array, salt: number): Uint8Array {
  let a = 0x9e37_79b9 ^ salt
  let b = 0x85eb_ca6b ^ bytes.length
  let c = 0xc2b2_ae35
  let d = 0x27d4_eb2f
  const end = bytes.length - (bytes.length % 4)
  const view = new DataView(bytes.buffer, bytes.byteOffset, end)
  for (let index = 0; index < end; index += 4) {
    const word = view.getInt32(index, true)
    a = Math.imul(a ^ word, 0x85eb_ca6b)
    a ^= a >>> 15
    b = Math.imul((b + a) | 0, 0xc2b2_ae35)
    c = Math.imul(c ^ b ^ (word >>> 3), 0x27d4_eb2f)
    c ^= c >>> 13
    d = (Math.imul(d, 0x1656_67b1) + c) | 0
  }
  for (let index = end; index < bytes.length; index++) {
    a = Math.imul(a ^ (bytes[index]! + 1), 0x85eb_ca6b)
    b = Math.imul((b + a) | 0, 0xc2b2_ae35)
    d ^= b
  }
  const digest = new Uint8Array(32)
  const words = new Int32Array(digest.buffer)
  for (let index = 0; index < 8; index++) {
    a = Math.imul(a ^ (a >>> 16) ^ d, 0x85eb_ca6b)
    b = Math.imul((b ^ (b >>> 13)) + a, 0xc2b2_ae35)
    c = Math.imul((c ^ (c >>> 16)) + b, 0x27d4_eb2f)
    d = Math.imul((d ^ (d >>> 15)) + c, 0x1656_67b1)
    words[index] = a ^ b ^ c ^ d
  }
  return digest
}
