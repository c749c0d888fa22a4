/**
 * Makes ed25519-vectors.json: `node test/conformance/make-ed25519-vectors.ts` on a Node that strips types (24). The same bytes every
 * time: keys, nonces and messages are hashes of their names. Each verdict is the slow model's; no backend of ours is asked.
 *
 * A vector is worth something if some library, or a plausible mistake of ours, gets it wrong. Most are therefore signatures that pass
 * the curve's equation in some reading of it: with the cofactor, with lax encodings, with S not reduced, with h not reduced.
 */

import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import type { Ed25519Vectors, KeyVector, SignatureVector } from './ed25519-table.ts'
import * as model from './ed25519-model.ts'
import { L, type AffinePoint } from './ed25519-model.ts'
import {
  allSmall,
  canonicalSmall,
  challenge,
  draw,
  edgeScalars,
  flip,
  flipSign,
  honest,
  join,
  joinNumber,
  keyOf,
  laxEncodings,
  laxSmall,
  resized,
  seven,
  sign,
  text,
  withoutP,
  type Key,
} from './ed25519-ingredients.ts'
import { rfc8032Vectors } from './rfc8032-vectors.ts'

const signatures: SignatureVector[] = []
const keys: KeyVector[] = []
const names = new Set<string>()

function vector(name: string, publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  requireNew(name)
  const valid = model.isValidSignature(publicKey, message, signature)
  const [keyHex, messageHex, signatureHex] = [publicKey, message, signature].map(model.toHex) as [
    string,
    string,
    string,
  ]
  signatures.push({ name, publicKey: keyHex, message: messageHex, signature: signatureHex, valid })
  return valid
}

/** A vector that is here to be valid, or here to be refused: the maker stops if the model thinks otherwise. */
function expectVector(valid: boolean, name: string, key: Uint8Array, message: Uint8Array, signature: Uint8Array): void {
  if (vector(name, key, message, signature) !== valid) throw new Error(`${name}: the model says ${!valid}`)
}

function keyVector(name: string, publicKey: Uint8Array): void {
  requireNew(name)
  keys.push({ name, publicKey: model.toHex(publicKey), valid: model.isValidKey(publicKey) })
}

function requireNew(name: string): void {
  if (names.has(name)) throw new Error(`two vectors are named ${name}`)
  names.add(name)
}

function rfc8032(): void {
  for (const { name, publicKey, message, signature } of rfc8032Vectors) {
    const [key, body, bytes] = [publicKey, message, signature].map(model.fromHex) as [
      Uint8Array,
      Uint8Array,
      Uint8Array,
    ]
    expectVector(true, `RFC 8032 ${name}`, key, body, bytes)
    keyVector(`key of RFC 8032 ${name}`, key)
  }
}

function honestSignatures(): void {
  for (const key of honest) {
    for (const length of [0, 1, 31, 32, 63, 64, 127, 128, 129, 300]) {
      const message = new Uint8Array(length).map((_, index) => index + length)
      const name = `${key.name} signs ${length} bytes`
      expectVector(true, name, key.bytes, message, sign(key, message, draw(name)))
    }
  }
  // Keys and nonces where an optimised multiplication takes another path: the base point, its neighbours, its negative.
  for (const scalar of [1n, 2n, 3n, 8n, L - 1n, L - 2n, 2n ** 252n, 2n ** 128n, (L + 1n) / 2n]) {
    const key = keyOf(`scalar ${scalar}`, scalar)
    const message = text('small scalars')
    expectVector(true, `key is [${scalar}]B`, key.bytes, message, sign(key, message, draw(key.name)))
    expectVector(true, `R is [${scalar}]B`, honest[0]!.bytes, message, sign(honest[0]!, message, scalar))
    keyVector(`key [${scalar}]B`, key.bytes)
  }
}

function smallOrderPairs(): void {
  const message = text('small order')
  for (const A of allSmall) {
    for (const R of allSmall) vector(`A ${A.name}, R ${R.name}, S 0`, A.bytes, message, joinNumber(R.bytes, 0n))
  }
}

/** Searches a message for which -[h]A is R: in some reading every one of these is a valid signature without a secret. */
function smallOrderSatisfied(): void {
  for (const A of allSmall) {
    const key = model.decodeLax(A.bytes)!.point
    for (const R of allSmall) {
      const target = model.decodeLax(R.bytes)!.point
      for (let index = 0; index < 64; index++) {
        const message = text(`message ${index}`)
        const h = challenge(R.bytes, A.bytes, message)
        if (!model.isSame(model.negate(model.multiply(key, h)), target)) continue
        vector(`A ${A.name}, R ${R.name}, -[h]A = R, S 0`, A.bytes, message, joinNumber(R.bytes, 0n))
        vector(`A ${A.name}, R ${R.name}, -[h]A = R, S L`, A.bytes, message, joinNumber(R.bytes, L))
        break
      }
    }
  }
}

/** A of small order in any encoding and an R of full order with [S]B - [h]A = R: OpenSSL accepts all of these, Node does since 24.x not. */
function smallOrderKeys(): void {
  for (const A of allSmall) {
    const key = model.decodeLax(A.bytes)!.point
    for (const S of [1n, L - 1n, draw(`S for ${A.name}`)]) {
      const [message, R] = searchMessage(A.bytes, key, S)
      vector(`A ${A.name}, S ${S}, R fits`, A.bytes, message, joinNumber(R, S))
      if (S + L < 2n ** 256n) vector(`A ${A.name}, S ${S} + L, R fits`, A.bytes, message, joinNumber(R, S + L))
    }
  }
}

function searchMessage(A: Uint8Array, key: AffinePoint, S: bigint): [Uint8Array, Uint8Array] {
  const R = model.add(model.multiply(model.base, S), model.negate(key))
  const encodedR = model.encode(R)
  for (let index = 0; ; index++) {
    const message = text(`message ${index}`)
    if (model.isSame(model.multiply(key, challenge(encodedR, A, message)), key)) return [message, encodedR]
  }
}

function laxKeysAndRs(): void {
  const key = honest[0]!
  const message = text('lax encodings')
  for (const lax of laxEncodings) {
    vector(`A ${lax.name}`, lax.bytes, message, sign(key, message, draw(lax.name)))
    const S = draw(`S ${lax.name}`)
    vector(`R ${lax.name}`, key.bytes, message, joinNumber(lax.bytes, S))
    keyVector(`key ${lax.name}`, lax.bytes)
    keyVector(`key y=${lax.name.slice(4)}, reduced`, withoutP(lax.bytes))
  }
}

function scalarsOutOfRange(): void {
  for (const key of honest) {
    const message = text(`S of ${key.name}`)
    const good = sign(key, message, draw(`nonce ${key.name}`))
    const R = good.subarray(0, 32)
    const S = model.toNumber(good.subarray(32))
    for (let times = 1n; S + times * L < 2n ** 256n; times++) {
      expectVector(false, `${key.name}: S + ${times}L`, key.bytes, message, joinNumber(R, S + times * L))
    }
    for (const bit of [252n, 253n, 254n, 255n]) {
      vector(`${key.name}: S with bit ${bit} flipped`, key.bytes, message, joinNumber(R, S ^ (1n << bit)))
    }
    expectVector(false, `${key.name}: L - S`, key.bytes, message, joinNumber(R, L - S))
    for (const [name, bad] of edgeScalars()) {
      expectVector(false, `${key.name}: S = ${name}`, key.bytes, message, joinNumber(R, bad))
    }
  }
}

/** R' = R + T: valid with the cofactor, and that is how libraries disagree. */
function torsionInR(): void {
  for (const key of honest) {
    for (const { name: added, point } of seven) {
      const name = `${key.name}: R + ${added}`
      const message = text(name)
      const signature = sign(key, message, draw(name), point)
      requireCofactorTells(key.bytes, message, signature)
      expectVector(false, name, key.bytes, message, signature)
    }
  }
}

function requireCofactorTells(key: Uint8Array, message: Uint8Array, signature: Uint8Array): void {
  if (!model.isValidWithCofactor(key, message, signature)) throw new Error('this vector does not tell the rules apart')
}

/** Keys with torsion: A = [a]B + T. Signatures that tell h from h modulo L, and such as pass with or without the cofactor. */
function torsionInA(): void {
  for (const owner of honest) {
    for (const { name, order, point } of seven) {
      const label = `${owner.name} + ${name}`
      const mixed = model.add(owner.point, point)
      const key: Key = { name: label, scalar: owner.scalar, point: mixed, bytes: model.encode(mixed) }
      keyVector(`key ${label}`, key.bytes)
      for (const wanted of ['h reduced and unreduced vanish', 'only h reduced vanishes', 'only h unreduced vanishes']) {
        const [message, signature] = searchMixed(
          key,
          order,
          (reduced, unreduced) => wanted === named(reduced, unreduced),
        )
        expectVector(wanted !== 'only h unreduced vanishes', `${label}: ${wanted}`, key.bytes, message, signature)
      }
      const [message, signature] = searchMixed(key, order, (reduced, unreduced) => reduced !== 0n && unreduced !== 0n)
      requireCofactorTells(key.bytes, message, signature)
      expectVector(false, `${label}: cofactored only`, key.bytes, message, signature)
      const [compensated, fitting] = searchCompensated(key, order, point)
      expectVector(true, `${label}: R makes up for T`, key.bytes, compensated, fitting)
      const [bare, revealing] = searchCompensated(key, order, point, 0n)
      expectVector(false, `${label}: R = -T`, key.bytes, bare, revealing)
    }
  }
}

function named(reduced: bigint, unreduced: bigint): string {
  if (reduced === 0n) return unreduced === 0n ? 'h reduced and unreduced vanish' : 'only h reduced vanishes'
  return unreduced === 0n ? 'only h unreduced vanishes' : 'neither vanishes'
}

function searchMixed(
  key: Key,
  order: number,
  wanted: (reduced: bigint, unreduced: bigint) => boolean,
): [Uint8Array, Uint8Array] {
  const nonce = draw(`nonce ${key.name}`)
  const encodedR = model.encode(model.multiply(model.base, nonce))
  for (let index = 0; ; index++) {
    const message = text(`message ${index}`)
    const h = model.challengeUnreduced(encodedR, key.bytes, message)
    if (!wanted((h % L) % BigInt(order), h % BigInt(order))) continue
    return [message, joinNumber(encodedR, (nonce + (h % L) * key.scalar) % L)]
  }
}

/** R = [r]B - T, and a message whose h is 1 modulo T's order: the equation holds without the cofactor. With r = 0, R is of small order. */
function searchCompensated(
  key: Key,
  order: number,
  point: AffinePoint,
  nonce: bigint = draw(`compensated ${key.name}`),
): [Uint8Array, Uint8Array] {
  const encodedR = model.encode(model.add(model.multiply(model.base, nonce), model.negate(point)))
  for (let index = 0; ; index++) {
    const message = text(`message ${index}`)
    const h = challenge(encodedR, key.bytes, message)
    if (h % BigInt(order) === 1n) return [message, joinNumber(encodedR, (nonce + h * key.scalar) % L)]
  }
}

/** r = 0: OpenSSL accepts it, libsodium does not, and whoever signs so gives the secret away. */
function identityAsR(): void {
  for (const key of honest) {
    const message = text(`no nonce of ${key.name}`)
    const lax = laxSmall.filter(({ name }) => name.startsWith('y=1'))
    for (const R of [{ name: 'identity', bytes: model.encode(model.identity) }, ...lax]) {
      const S = (challenge(R.bytes, key.bytes, message) * key.scalar) % L
      expectVector(false, `${key.name}: R ${R.name}, S = ha`, key.bytes, message, joinNumber(R.bytes, S))
    }
    for (const R of canonicalSmall.slice(1)) {
      const S = (challenge(R.bytes, key.bytes, message) * key.scalar) % L
      expectVector(false, `${key.name}: R ${R.name}, S = ha`, key.bytes, message, joinNumber(R.bytes, S))
    }
  }
}

function flippedBits(): void {
  const key = honest[1]!
  const message = text('each byte of this message counts')
  const good = sign(key, message, draw('flipped'))
  for (let index = 0; index < 64; index++) {
    expectVector(false, `signature byte ${index} flipped`, key.bytes, message, flip(good, index))
  }
  for (let index = 0; index < 32; index++) {
    expectVector(false, `key byte ${index} flipped`, flip(key.bytes, index), message, good)
    expectVector(false, `message byte ${index} flipped`, key.bytes, flip(message, index), good)
    keyVector(`key with byte ${index} flipped`, flip(key.bytes, index))
  }
  expectVector(false, 'sign of R flipped', key.bytes, message, flipSign(good))
  expectVector(false, 'sign of A flipped', flipSign(key.bytes), message, good)
  expectVector(false, 'R and S exchanged', key.bytes, message, join(good.subarray(32), good.subarray(0, 32)))
  expectVector(false, 'another key', honest[0]!.bytes, message, good)
  expectVector(false, 'a longer message', key.bytes, join(message, Uint8Array.of(0)), good)
  expectVector(false, 'an empty message', key.bytes, new Uint8Array(0), good)
}

function wrongLengths(): void {
  const key = honest[2]!
  const message = text('lengths')
  const good = sign(key, message, draw('lengths'))
  for (const length of [0, 1, 31, 33, 64, 255]) {
    const bytes = resized(key.bytes, length)
    expectVector(false, `key of ${length} bytes`, bytes, message, good)
    keyVector(`a key of ${length} bytes`, bytes)
  }
  for (const length of [0, 1, 32, 63, 65, 96, 128]) {
    expectVector(false, `signature of ${length} bytes`, key.bytes, message, resized(good, length))
  }
  expectVector(false, 'key and signature empty', new Uint8Array(0), message, new Uint8Array(0))
  expectVector(false, 'DER in place of the key', join(new Uint8Array(12), key.bytes), message, good)
}

/** Small y: half of them are on the curve, and most points carry torsion. */
function otherKeys(): void {
  for (const { name, bytes } of allSmall) keyVector(`key ${name}`, bytes)
  for (const key of honest) keyVector(`key of ${key.name}`, key.bytes)
  for (let index = 0; index < 24; index++)
    keyVector(`random bytes ${index}`, model.sha512(text(`${index}`)).subarray(0, 32))
  for (const byte of [0xff, 0x7f, 0x80, 0xed, 0x55]) keyVector(`32 bytes ${byte}`, new Uint8Array(32).fill(byte))
  const message = text('off the curve')
  for (let y = 2n; y < 26n; y++) {
    vector(`A y=${y}`, model.toBytes(y, 32), message, sign(honest[0]!, message, draw(`y ${y}`)))
    vector(`R y=${y}`, honest[0]!.bytes, message, joinNumber(model.toBytes(y, 32), draw(`S ${y}`)))
  }
}

function makeTable(): Ed25519Vectors {
  const groups = [rfc8032, honestSignatures, smallOrderPairs, smallOrderSatisfied, smallOrderKeys, laxKeysAndRs]
  const more = [scalarsOutOfRange, torsionInR, torsionInA, identityAsR, flippedBits, wrongLengths, otherKeys]
  signatures.length = 0
  keys.length = 0
  names.clear()
  for (const group of [...groups, ...more]) group()
  return { about: 'Made by make-ed25519-vectors.ts; do not edit.', signatures, keys }
}

const lines = (items: readonly unknown[]): string => items.map((item) => `    ${JSON.stringify(item)}`).join(',\n')

/** One vector a line, so that a change can be read. */
export function makeEd25519Vectors(): string {
  const table = makeTable()
  const about = `  "about": ${JSON.stringify(table.about)}`
  return `{\n${about},\n  "signatures": [\n${lines(table.signatures)}\n  ],\n  "keys": [\n${lines(table.keys)}\n  ]\n}\n`
}

if (process.argv[1] === import.meta.filename) {
  const json = makeEd25519Vectors()
  writeFileSync(new URL('ed25519-vectors.json', import.meta.url), json)
  const valid = signatures.filter((item) => item.valid).length
  const validKeys = keys.filter((item) => item.valid).length
  console.log(
    `${signatures.length} signatures, ${valid} of them valid; ${keys.length} keys, ${validKeys} of them valid`,
  )
  console.log(`sha256 ${createHash('sha256').update(json).digest('hex')}`)
}
