// What the vectors are made of: keys by their scalar, signatures with a chosen nonce, the points and numbers at the edges.

import * as model from './ed25519-model.ts'
import { L, p, type AffinePoint } from './ed25519-model.ts'

/** A number that a name stands for, below the order of the base point. */
export const draw = (name: string): bigint => model.toNumber(model.sha512(text(name))) % L
export const text = (value: string): Uint8Array => new TextEncoder().encode(value)
export const join = (...parts: readonly Uint8Array[]): Uint8Array => Uint8Array.from(Buffer.concat(parts))
export const joinNumber = (encodedR: Uint8Array, S: bigint): Uint8Array => join(encodedR, model.toBytes(S, 32))
export const challenge = (R: Uint8Array, A: Uint8Array, message: Uint8Array): bigint =>
  model.challengeUnreduced(R, A, message) % L

/** A key by its scalar: not every one has a seed, and the edge cases are easier to reach this way. */
export interface Key {
  name: string
  scalar: bigint
  point: AffinePoint
  bytes: Uint8Array
}

export function keyOf(name: string, scalar: bigint): Key {
  const point = model.multiply(model.base, scalar)
  return { name, scalar, point, bytes: model.encode(point) }
}

export function sign(key: Key, message: Uint8Array, nonce: bigint, added: AffinePoint = model.identity): Uint8Array {
  const encodedR = model.encode(model.add(model.multiply(model.base, nonce), added))
  const S = (nonce + challenge(encodedR, key.bytes, message) * key.scalar) % L
  return joinNumber(encodedR, S)
}

export const honest = ['ann', 'bob', 'cyd'].map((name) => keyOf(name, draw(`key ${name}`)))
export const torsion = model
  .torsionPoints()
  .map(({ order, point }, index) => ({ name: `T${index} of order ${order}`, order, point }))
export const seven = torsion.filter(({ order }) => order > 1)

/** The 8 points of small order in their own encodings, and the 6 other encodings that a lax decoder reads as one of them. */
export const canonicalSmall = torsion.map(({ name, point }) => ({ name, bytes: model.encode(point) }))
export const laxSmall = [
  { name: 'y=0 as p', bytes: model.toBytes(p, 32) },
  { name: 'y=0 as p, sign', bytes: model.toBytes(p + 2n ** 255n, 32) },
  { name: 'y=1 as p+1', bytes: model.toBytes(p + 1n, 32) },
  { name: 'y=1 as p+1, sign', bytes: model.toBytes(p + 1n + 2n ** 255n, 32) },
  { name: 'y=1, sign', bytes: model.toBytes(1n + 2n ** 255n, 32) },
  { name: 'y=-1, sign', bytes: model.toBytes(p - 1n + 2n ** 255n, 32) },
]
export const allSmall = [...canonicalSmall, ...laxSmall]

/** All y from p to 2^255-1 with both signs: the only numbers of 255 bits that are written in a second way. */
export const laxEncodings = Array.from({ length: 19 }, (_, k) => k).flatMap((k) =>
  [0n, 1n].map((sign) => ({
    name: `y=p+${k}, sign ${sign}`,
    bytes: model.toBytes(p + BigInt(k) + (sign << 255n), 32),
  })),
)

export function edgeScalars(): [string, bigint][] {
  const edges: [string, bigint][] = [
    ['0', 0n],
    ['1', 1n],
    ['L - 1', L - 1n],
    ['L', L],
    ['L + 1', L + 1n],
    ['2L', 2n * L],
    ['8L', 8n * L],
    ['L with low byte ff', L | 0xffn],
    ['L with byte 15 raised', L + (1n << 120n)],
    ['2^252 - 1', 2n ** 252n - 1n],
    ['2^252', 2n ** 252n],
    ['2^253 - 1', 2n ** 253n - 1n],
    ['2^253', 2n ** 253n],
    ['2^254', 2n ** 254n],
    ['2^255', 2n ** 255n],
    ['2^256 - 1', 2n ** 256n - 1n],
  ]
  return edges
}

/** The same number and sign, with p taken off. */
export function withoutP(bytes: Uint8Array): Uint8Array {
  const value = model.toNumber(bytes)
  return model.toBytes((value % 2n ** 255n) - p + ((value >> 255n) << 255n), 32)
}

export function resized(bytes: Uint8Array, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => bytes[index] ?? 0)
}

/** Each byte has another of its bits flipped, so that all eight come up. */
export function flip(bytes: Uint8Array, index: number): Uint8Array {
  return bytes.map((byte, at) => (at === index ? byte ^ (1 << ((index * 5) % 8)) : byte))
}

export function flipSign(bytes: Uint8Array): Uint8Array {
  return bytes.map((byte, at) => (at === 31 ? byte ^ 0x80 : byte))
}
