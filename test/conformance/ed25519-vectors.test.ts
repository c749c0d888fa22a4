// Goal: whichever backend checks a signature, on whichever Node, the verdict is the same (pitfalls: backends that disagree).
// Method: one table whose verdicts come from a slow model; each backend against each vector; then mutations beyond the table.

import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { nodeEd25519 } from '../../src/crypto/node/ed25519-suite.ts'
import { passesPrechecks } from '../../src/crypto/portable/ed25519-prechecks.ts'
import { portableEd25519 } from '../../src/crypto/portable/ed25519-suite.ts'
import { fromHex, isValidWithCofactor } from './ed25519-model.ts'
import { disagreements, readVectors, type Ed25519Vectors } from './ed25519-table.ts'
import { makeEd25519Vectors } from './make-ed25519-vectors.ts'

/** Change it together with the file, never alone: it stands for the rule that networks in the field keep. */
const tableSha256 = 'c51ec0a9fa8e3fc32a6941ee6b60e327849709a428a5f6d80ceb47c9624d6b0d'
const text = readFileSync(new URL('ed25519-vectors.json', import.meta.url), 'utf8')
const vectors = JSON.parse(text) as Ed25519Vectors
/** What the prechecks say of the vectors with such names. */
function prechecksOf(pattern: RegExp): boolean[] {
  return vectors.signatures
    .filter((vector) => pattern.test(vector.name))
    .map(({ publicKey, signature }) => passesPrechecks(fromHex(publicKey), fromHex(signature)))
}

const backends = { portable: portableEd25519, node: nodeEd25519 }

describe('the table of Ed25519 vectors', () => {
  it('is the one that was reviewed', () => {
    expect(createHash('sha256').update(text).digest('hex')).toBe(tableSha256)
  })

  it('is what its maker makes', () => {
    expect(createHash('sha256').update(makeEd25519Vectors()).digest('hex')).toBe(tableSha256)
  })

  it('is large, and has both verdicts in numbers', () => {
    const valid = vectors.signatures.filter((vector) => vector.valid)
    expect(vectors.signatures.length).toBeGreaterThanOrEqual(800)
    expect(valid.length).toBeGreaterThanOrEqual(100)
    expect(vectors.keys.filter((vector) => vector.valid).length).toBeGreaterThanOrEqual(20)
    expect(vectors.keys.filter((vector) => !vector.valid).length).toBeGreaterThanOrEqual(100)
  })

  it('has hundreds of signatures that the rule with the cofactor accepts and ours refuses', () => {
    let telling = 0
    for (const { publicKey, message, signature, valid } of vectors.signatures) {
      if (!valid && isValidWithCofactor(fromHex(publicKey), fromHex(message), fromHex(signature))) telling++
      if (telling === 300) break
    }
    expect(telling).toBe(300)
  })

  for (const [name, backend] of Object.entries(backends)) {
    it(`is the verdict of the ${name} backend`, () => {
      expect(disagreements(vectors, backend)).toEqual([])
    })
  }
})

describe('the prechecks', () => {
  // What OpenSSL decides for us today it may decide otherwise tomorrow: these must fail on bytes alone.
  it.each([
    ['S at or above L', /: S (\+ \d+L|= (L|L \+ 1|\d+L|2\^25[3-5]|2\^25[36] - 1|L with .*))$/, 40],
    ['A of small order or in another encoding', /^A (T\d|y=0 as|y=1[ ,]|y=-1|y=p\+)/, 300],
    ['R of small order or in another encoding', /^R y=p\+|: R = -T$|: R (identity|y=1|T\d)/, 60],
    ['wrong lengths', /of \d+ bytes$(?<!signs \d+ bytes)(?<!of 32 bytes)|empty$|^DER/, 10],
  ])('refuse %s', (_, pattern, atLeast) => {
    const verdicts = prechecksOf(pattern)
    expect(verdicts.length).toBeGreaterThanOrEqual(atLeast)
    expect(verdicts.filter((passes) => passes)).toEqual([])
  })

  it('let every valid signature pass', () => {
    for (const { publicKey, signature } of vectors.signatures.filter((vector) => vector.valid)) {
      expect(passesPrechecks(fromHex(publicKey), fromHex(signature))).toBe(true)
    }
  })
})

const sized = (size: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: size, maxLength: size })

describe('both backends agree', () => {
  const message = fc.uint8Array({ maxLength: 100 })

  it('on keys and signatures that they make', () => {
    fc.assert(
      fc.property(sized(32), message, (secret, bytes) => {
        const [portable, node] = [portableEd25519.signer(secret), nodeEd25519.signer(secret)]
        expect(portable.publicKey).toEqual(node.publicKey)
        const signature = portable.sign(bytes)
        expect(node.sign(bytes)).toEqual(signature)
        expect(nodeEd25519.verify(node.publicKey, bytes, signature)).toBe(true)
        expect(portableEd25519.verify(node.publicKey, bytes, signature)).toBe(true)
      }),
      { numRuns: 40 },
    )
  })

  it('on any mutation of a vector, and on parts of different vectors', () => {
    const mutation = fc.record({ at: fc.nat(95), to: fc.nat(255) })
    const source = fc.constantFrom(...vectors.signatures)
    fc.assert(
      fc.property(source, source, fc.array(mutation, { maxLength: 2 }), fc.nat(3), (first, second, changes, swap) => {
        const key = fromHex(swap === 1 ? second.publicKey : first.publicKey)
        const bytes = fromHex(swap === 2 ? second.message : first.message)
        const signature = fromHex(swap === 3 ? second.signature : first.signature)
        for (const { at, to } of changes) {
          if (at < 64 && at < signature.length) signature[at] = to
          else if (at >= 64 && at - 64 < key.length) key[at - 64] = to
        }
        const verdict = portableEd25519.verify(key, bytes, signature)
        expect(nodeEd25519.verify(key, bytes, signature)).toBe(verdict)
      }),
      { numRuns: 400 },
    )
  })

  it('on bytes of any length', () => {
    const any = fc.uint8Array({ maxLength: 130 })
    fc.assert(
      fc.property(fc.oneof(any, sized(32)), any, fc.oneof(any, sized(64)), (key, bytes, signature) => {
        expect(portableEd25519.verify(key, bytes, signature)).toBe(false)
        expect(nodeEd25519.verify(key, bytes, signature)).toBe(false)
        expect(nodeEd25519.isValidPublicKey(key)).toBe(portableEd25519.isValidPublicKey(key))
      }),
      { numRuns: 100 },
    )
  })
})

describe('a damaged table', () => {
  it.each([
    ['', 'no JSON'],
    ['null', 'no list'],
    ['{"signatures":[],"keys":[]}', 'no list'],
    [
      '{"signatures":[{"name":"a","publicKey":"0g","message":"","signature":"","valid":true}],"keys":[]}',
      'vector 0 of signatures',
    ],
    ['{"signatures":[{"name":"a","publicKey":"00","message":"","signature":""}],"keys":[]}', 'vector 0 of signatures'],
    ['{"signatures":[null],"keys":[]}', 'vector 0 of signatures'],
  ])('is told in one sentence: %s', (text, words) => {
    const read = readVectors(text)
    expect(read).toMatchObject({ ok: false })
    if (!read.ok) expect(read.message).toContain(words)
  })

  it('is told apart from the sound one', () => {
    expect(readVectors(readFileSync(new URL('ed25519-vectors.json', import.meta.url), 'utf8')).ok).toBe(true)
  })
})
