/**
 * The part of the one rule for Ed25519 (docs/wire-format-signatures.md) that bytes alone decide. Libraries disagree exactly here:
 * OpenSSL takes public keys in any encoding, libsodium does not; Node refuses points of small order since 24.x and took them before;
 * others take S at or above the order. Every backend asks this first, so that what remains is one equation on which all agree.
 */

import { publicKeyBytes, signatureBytes } from '../../kernel/crypto-ports.ts'

const coordinateBytes = 32
const last = coordinateBytes - 1

/** L = 2^252 + 27742317777372353535851937790883648493, the order of the base point, little endian. */
const groupOrder = bytesOf('edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010')

/** p = 2^255 - 19, the order of the field, little endian. */
const fieldOrder = bytesOf('edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f')

/**
 * The y of the points whose order divides 8, each with both signs of x: 0 (order 4), 1 (the identity), -1 (order 2), and the two of
 * order 8. Whoever uses one as a key can sign without a secret; as R it gives the secret away.
 */
const smallOrderCoordinates: readonly Uint8Array[] = [
  bytesOf('0000000000000000000000000000000000000000000000000000000000000000'),
  bytesOf('0100000000000000000000000000000000000000000000000000000000000000'),
  bytesOf('ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f'),
  bytesOf('c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a'),
  bytesOf('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05'),
]

/** Right lengths, S below L, and A and R strict encodings. Whether A is on the curve is for the backend to find. */
export function passesPrechecks(publicKey: Uint8Array, signature: Uint8Array): boolean {
  return (
    publicKey.length === publicKeyBytes &&
    signature.length === signatureBytes &&
    isBelow(signature, coordinateBytes, 0xff, groupOrder) &&
    isStrictEncoding(signature) &&
    isStrictEncoding(publicKey)
  )
}

/**
 * Do the first 32 bytes hold a y below p that is of no point of small order? Then this is the only encoding of its point, if there is
 * one: the two points with x = 0, which a sign bit would encode twice, are among those of small order.
 */
export function isStrictEncoding(bytes: Uint8Array): boolean {
  return isBelow(bytes, 0, 0x7f, fieldOrder) && !smallOrderCoordinates.some((y) => isCoordinate(bytes, y))
}

/** Are the 32 bytes at the offset, the last one masked, a number below the bound? Nothing here is secret, so it may stop early. */
function isBelow(bytes: Uint8Array, offset: number, lastMask: number, bound: Uint8Array): boolean {
  for (let index = last; index >= 0; index--) {
    const byte = bytes[offset + index]! & (index === last ? lastMask : 0xff)
    if (byte !== bound[index]) return byte < bound[index]!
  }
  return false
}

/** Whatever the sign bit says. */
function isCoordinate(bytes: Uint8Array, y: Uint8Array): boolean {
  for (let index = 0; index < last; index++) {
    if (bytes[index] !== y[index]) return false
  }
  return (bytes[last]! & 0x7f) === y[last]
}

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from({ length: hex.length / 2 }, (_, index) =>
    Number.parseInt(hex.slice(2 * index, 2 * index + 2), 16),
  )
}
