/**
 * Ed25519 by OpenSSL: the backend of servers. OpenSSL's equation is the rule's (no cofactor, R compared as bytes, h reduced modulo
 * L), and it refuses S at or above L. It takes keys in any encoding, and whether points of small order pass depends on the version of
 * Node: the prechecks settle both.
 */

import { createPrivateKey, createPublicKey, sign, verify } from 'node:crypto'
import type { Signature, SignatureSuite, Signer } from '../../kernel/crypto-ports.ts'
import { passesPrechecks } from '../portable/ed25519-prechecks.ts'
import { ed25519SuiteName, portableEd25519, requireSecretKey } from '../portable/ed25519-suite.ts'
import { PublicKeyCache } from './public-key-cache.ts'

/** PKCS #8 for a raw Ed25519 secret key: everything before the 32 bytes (RFC 8410 §7). */
const pkcs8Prefix = Uint8Array.from([
  0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
])

const publicKeys = new PublicKeyCache()

export const nodeEd25519: SignatureSuite = {
  name: ed25519SuiteName,
  verify: (publicKey, message, signature) => {
    if (!passesPrechecks(publicKey, signature)) return false
    const key = publicKeys.get(publicKey)
    return key !== null && verify(null, message, key, signature)
  },
  // Rare, so the portable arithmetic does: OpenSSL offers none of its own on points.
  isValidPublicKey: portableEd25519.isValidPublicKey,
  signer,
}

/**
 * The same rule on a thread of Node's own pool. Null: it could not be tried there, and nothing is known. What is refused without OpenSSL is
 * refused within the call.
 */
export function verifyOnThread(
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
  done: (isValid: boolean | null) => void,
): void {
  const key = passesPrechecks(publicKey, signature) ? publicKeys.get(publicKey) : null
  if (key === null) return done(false)
  try {
    verify(null, message, key, signature, (error, isValid) => done(error === null ? isValid : null))
  } catch {
    done(null)
  }
}

function signer(secretKey: Uint8Array): Signer {
  requireSecretKey(secretKey)
  const der = Buffer.concat([pkcs8Prefix, secretKey])
  const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  der.fill(0)
  const { x } = createPublicKey(key).export({ format: 'jwk' })
  return {
    publicKey: Uint8Array.from(Buffer.from(x!, 'base64url')),
    sign: (message): Signature => {
      const { buffer, byteOffset, length } = sign(null, message, key)
      return new Uint8Array(buffer, byteOffset, length)
    },
  }
}
