/**
 * Ed25519 in plain JavaScript: for browsers, and as the reference that the fast backend is held against. Built on noble's points and
 * not on its `verify`, which multiplies by the cofactor and so accepts signatures that OpenSSL refuses
 * (docs/decisions/0004-ed25519-rule.md).
 */

import { Point } from '@noble/ed25519'
import { sha512 } from '@noble/hashes/sha2.js'
import type { Signature, SignatureSuite, Signer } from '../../kernel/crypto-ports.ts'
import { publicKeyBytes, signatureBytes } from '../../kernel/crypto-ports.ts'
import { isStrictEncoding, passesPrechecks } from './ed25519-prechecks.ts'

/** How the network file names this suite, whichever backend serves it. */
export const ed25519SuiteName = 'ed25519'
export const secretKeyBytes = 32

const groupOrder = Point.CURVE().n

export const portableEd25519: SignatureSuite = {
  name: ed25519SuiteName,
  verify,
  isValidPublicKey,
  signer,
}

/** R' = [S]B - [h]A; valid exactly if the encoding of R' is R's bytes. R itself is never decoded. */
function verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (!passesPrechecks(publicKey, signature)) return false
  const key = decodePoint(publicKey)
  if (key === null) return false
  const encodedR = signature.subarray(0, 32)
  const scalar = littleEndian(signature.subarray(32))
  const challenge = hashToScalar(encodedR, publicKey, message)
  const expected = Point.BASE.multiply(scalar, false).subtract(key.multiply(challenge, false)).toBytes()
  return expected.every((byte, index) => byte === encodedR[index])
}

/** A strict encoding, which excludes the points of small order, on the curve, and without torsion: [L]A is the identity. */
function isValidPublicKey(publicKey: Uint8Array): boolean {
  if (publicKey.length !== publicKeyBytes || !isStrictEncoding(publicKey)) return false
  const key = decodePoint(publicKey)
  return key !== null && key.isTorsionFree()
}

/** RFC 8032 §5.1.5 and §5.1.6. Multiplications by secret scalars take noble's slower path, which hides their bits as well as it can. */
function signer(secretKey: Uint8Array): Signer {
  requireSecretKey(secretKey)
  const expanded = sha512(secretKey)
  expanded[0] = expanded[0]! & 0xf8
  expanded[31] = (expanded[31]! & 0x7f) | 0x40
  const scalar = littleEndian(expanded.subarray(0, 32)) % groupOrder
  const prefix = expanded.slice(32)
  const publicKey = Point.BASE.multiply(scalar).toBytes()
  return {
    publicKey,
    sign: (message): Signature => {
      const nonce = hashToScalar(prefix, message)
      const encodedR = Point.BASE.multiply(nonce).toBytes()
      const challenge = hashToScalar(encodedR, publicKey, message)
      const signature = new Uint8Array(signatureBytes)
      signature.set(encodedR)
      writeLittleEndian(signature.subarray(32), (nonce + challenge * scalar) % groupOrder)
      return signature
    },
  }
}

/** A wrong length is a mistake of the program, not an input from outside: key files are checked where they are read. */
export function requireSecretKey(secretKey: Uint8Array): void {
  if (secretKey.length !== secretKeyBytes) {
    throw new RangeError(`secretKey has ${secretKey.length} bytes; an Ed25519 secret key has ${secretKeyBytes}`)
  }
}

/** Null for what is no point of the curve. noble says so by throwing, and throws on nothing else given 32 bytes. */
function decodePoint(bytes: Uint8Array): Point | null {
  try {
    return Point.fromBytes(bytes)
  } catch {
    return null
  }
}

/** SHA-512 of the parts, reduced modulo L. On a key with torsion the reduction shows, so it belongs to the rule. */
function hashToScalar(...parts: readonly Uint8Array[]): bigint {
  const hash = sha512.create()
  for (const part of parts) hash.update(part)
  return littleEndian(hash.digest()) % groupOrder
}

function littleEndian(bytes: Uint8Array): bigint {
  let hex = ''
  for (let index = bytes.length - 1; index >= 0; index--) hex += bytes[index]!.toString(16).padStart(2, '0')
  return BigInt(`0x${hex}`)
}

function writeLittleEndian(target: Uint8Array, value: bigint): void {
  let rest = value
  for (let index = 0; index < target.length; index++) {
    target[index] = Number(rest & 0xffn)
    rest >>= 8n
  }
}
