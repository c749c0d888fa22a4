// Goal: nothing signed or hashed for one purpose, network, epoch or protocol is valid in another.
// Method: the tables themselves, a frozen copy of them, and a property over pairs of different statements.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  envelopeDomain,
  envelopeScope,
  hashingBytes,
  hashingDomains,
  hashingPrefixBytes,
  signingBytes,
  signingDomainOf,
  signingDomains,
  signingPrefixBytes,
  type HashingDomain,
  type SigningDomain,
  type SigningScope,
} from '../../src/kernel/domains.ts'
import { Writer } from '../../src/wire/writer.ts'

const network = new Uint8Array(32).fill(7)
const scope: SigningScope = { network, epoch: 1, protocol: 'pbft' }
const signingNames = Object.keys(signingDomains) as SigningDomain[]
const hashingNames = Object.keys(hashingDomains) as HashingDomain[]
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

describe('the table of domains', () => {
  it('gives no tag and no name twice', () => {
    const tags = [...Object.values(signingDomains), ...Object.values(hashingDomains)]
    expect(new Set(tags).size).toBe(tags.length)
    const names = [...signingNames, ...hashingNames]
    expect(new Set<string>(names).size).toBe(names.length)
    for (const name of names) expect(name).toMatch(/^[a-z]+(-[a-z]+)*$/)
    for (const tag of tags) expect(Number.isInteger(tag) && tag >= 1 && tag <= 255).toBe(true)
  })

  it('signs below 128 and hashes from there on, so that no signed statement is the preimage of a digest', () => {
    for (const tag of Object.values(signingDomains)) expect(tag).toBeLessThan(128)
    for (const tag of Object.values(hashingDomains)) expect(tag).toBeGreaterThanOrEqual(128)
  })

  it('is part of the wire format: a tag that moves breaks every signature and digest', () => {
    expect(signingDomains).toEqual({
      'network-file': 1,
      'session-opening': 2,
      envelope: 3,
      'read-answer': 4,
      'member-file': 5,
      checkpoint: 16,
      'header-attestation': 17,
      ready: 32,
      stop: 33,
      'epoch-entry': 34,
      approval: 35,
      'operator-command': 36,
      wish: 48,
      'pbft-pre-prepare': 64,
      'pbft-prepare': 65,
      'pbft-commit': 66,
      'pbft-view-change': 67,
      'pbft-new-view': 68,
      'hotstuff-proposal': 80,
      'hotstuff-vote': 81,
      'hotstuff-timeout': 82,
    })
    expect(hashingDomains).toEqual({
      'network-id': 128,
      epoch: 129,
      payload: 144,
      block: 145,
      'hotstuff-node': 146,
      'raft-entry': 147,
      'envelope-digest': 148,
      operation: 149,
      'pbft-view-change-digest': 150,
      'pbft-new-view-digest': 151,
      'executed-header': 160,
      'results-leaf': 161,
      'results-node': 162,
      'state-chunk': 163,
      'state-node': 164,
      'snapshot-manifest': 165,
      'checkpoint-digest': 166,
      'operation-seed': 167,
      evidence: 176,
      'stop-digest': 177,
    })
  })

  it('finds a signing domain by its tag, and nothing under the tag of a hash', () => {
    for (const name of signingNames) expect(signingDomainOf(signingDomains[name])).toBe(name)
    for (const tag of [0, 6, 127, 256, -1, 1.5, Number.NaN, ...Object.values(hashingDomains)]) {
      expect(signingDomainOf(tag)).toBe(null)
    }
  })
})

describe('the bytes of a statement', () => {
  it('have a fixed layout', () => {
    const bytes = signingBytes('pbft-commit', { network, epoch: 0x0001_0203_0405_06, protocol: 'hotstuff' }, network)
    const expected = `${hex(Buffer.from('quorate/1'))}4203${'07'.repeat(32)}0605040302010000${'07'.repeat(32)}`
    expect(hex(bytes)).toBe(expected)
    expect(signingPrefixBytes).toBe(51)
    expect(hex(hashingBytes('payload', Uint8Array.of(1, 2)))).toBe(`${hex(Buffer.from('quorate/1'))}900102`)
    expect(hashingPrefixBytes).toBe(10)
  })

  it('write the epoch as the wire does, up to the largest', () => {
    for (const epoch of [0, 1, 255, 256, 2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER]) {
      const writer = new Writer()
      writer.u53(epoch)
      const bytes = signingBytes('wish', { network, epoch, protocol: 'any' }, new Uint8Array(0))
      expect(hex(bytes.subarray(43))).toBe(hex(writer.finish()))
    }
  })

  it('refuse a scope that is none', () => {
    for (const epoch of [-1, 0.5, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => signingBytes('wish', { ...scope, epoch }, network)).toThrow(RangeError)
    }
    for (const length of [0, 31, 33]) {
      const short = new Uint8Array(length)
      expect(() => signingBytes('wish', { ...scope, network: short }, network)).toThrow(RangeError)
    }
  })

  it('differ as soon as one of domain, network, epoch, protocol and body differs', () => {
    const statement = fc.tuple(
      fc.constantFrom(...signingNames),
      fc.constantFrom(1, 2, 255),
      fc.oneof(fc.constantFrom(0, 1, 2), fc.maxSafeNat()),
      fc.constantFrom('any' as const, 'raft' as const, 'pbft' as const, 'hotstuff' as const),
      fc.uint8Array({ maxLength: 60 }),
    )
    type Statement = typeof statement extends fc.Arbitrary<infer Value> ? Value : never
    const bytesOf = ([domain, byte, epoch, protocol, body]: Statement): string =>
      hex(signingBytes(domain, { network: new Uint8Array(32).fill(byte), epoch, protocol }, body))
    fc.assert(
      fc.property(statement, statement, fc.nat(4), (left, other, field) => {
        const right = left.map((value, index) => (index === field ? other[field] : value)) as Statement
        const isSame = String(left[field]) === String(other[field])
        expect(bytesOf(left) === bytesOf(right)).toBe(isSame)
        expect(bytesOf(left) === bytesOf(other)).toBe(
          left.every((value, index) => String(value) === String(other[index])),
        )
      }),
      { numRuns: 500 },
    )
  })

  it('differ between each pair of domains, even when a body imitates the rest of the other prefix', () => {
    const seen = new Set<string>()
    for (const name of signingNames) seen.add(hex(signingBytes(name, scope, new Uint8Array(0))))
    const rest = signingBytes('wish', scope, new Uint8Array(0)).subarray(hashingPrefixBytes)
    for (const name of hashingNames) seen.add(hex(hashingBytes(name, rest)))
    expect(seen.size).toBe(signingNames.length + hashingNames.length)
  })
})

describe('a client signs', () => {
  it('for every epoch and protocol of one network, in a scope that no replica signs in', () => {
    expect(envelopeScope(network)).toEqual({ network, epoch: 0, protocol: 'any' })
    expect(envelopeDomain('open')).toBe('session-opening')
    for (const kind of ['operations', 'cancel', 'close'] as const) expect(envelopeDomain(kind)).toBe('envelope')
  })
})
