// Goal: what a client signs is the envelope without its signature, and each digest has a purpose of its own.

import { describe, expect, it } from 'vitest'
import { nodeHasher } from '../../src/crypto/node/sha256-hasher.ts'
import { blockDigest, emptyPayload, payloadDigest, payloadEnvelopesCodec } from '../../src/kernel/block.ts'
import { envelopeCodec, operationCount, signedPart, type Envelope } from '../../src/kernel/envelope.ts'
import { decode, encode } from '../../src/wire/codec.ts'
import { header } from '../conformance/registered.ts'
import { registry } from '../conformance/registry.ts'

const envelopes = registry.filter((one) => one.codec === envelopeCodec).map((one) => one.value as Envelope)

describe('the signed part of an envelope', () => {
  it.each(envelopes.map((envelope) => [envelope.kind, envelope] as const))('leaves the signature out: %s', (_, one) => {
    const unsigned = encode(envelopeCodec, { ...one, signature: new Uint8Array(0) })
    const signed = { ...one, signature: new Uint8Array(64).fill(7) }
    const part = signedPart(encode(envelopeCodec, signed), signed)
    expect(part).toEqual(unsigned.subarray(0, unsigned.length - 4))
  })
})

describe('an envelope', () => {
  it('weighs as many operations as it holds, and one where it holds none', () => {
    const counts = envelopes.map((one) => [one.kind, operationCount(one)])
    expect(new Map(counts as [string, number][])).toEqual(
      new Map([
        ['open', 1],
        ['operations', 2],
        ['cancel', 1],
        ['close', 1],
        ['read', 2],
      ]),
    )
  })
})

describe('a block', () => {
  it('has one name for each header, and changes it with each field', () => {
    const name = (changes: object): string => blockDigest(nodeHasher, { ...header, ...changes }).join()
    const names = [{}, { epoch: 2 }, { height: 8 }, { timestamp: 1 }, { payloadDigest: new Uint8Array(32) }].map(name)
    expect(new Set(names).size).toBe(names.length)
    expect(name({})).toBe(name({}))
  })

  it('has an empty payload that is a list of no envelopes', () => {
    expect(decode(payloadEnvelopesCodec, emptyPayload)).toEqual({ ok: true, value: [] })
    expect(payloadDigest(nodeHasher, emptyPayload)).not.toEqual(payloadDigest(nodeHasher, new Uint8Array(5)))
  })
})
