// Validity of a payload is a function of its bytes and the epoch; what it costs in one turn is bounded, and no signature is verified twice.

import { describe, expect, it } from 'vitest'
import { emptyPayload } from '../../../src/kernel/block.ts'
import { envelopeCodec, type Envelope } from '../../../src/kernel/envelope.ts'
import { payloadBytesMax } from '../../../src/kernel/limits.ts'
import type { Epoch } from '../../../src/kernel/membership.ts'
import { defaultParameters, type EnvelopeSignatures } from '../../../src/kernel/parameters.ts'
import { EnvelopeChecks } from '../../../src/replica/core/envelope-checks.ts'
import {
  envelopesPerTurnMax,
  PayloadChecks,
  verificationsPerTurnMax,
} from '../../../src/replica/core/payload-checks.ts'
import { encode } from '../../../src/wire/codec.ts'
import { cancel, close, hasher, open, operations, payloadOf } from '../../execution/fixtures.ts'

const session = { height: 3, index: 0 }
const digest = new Uint8Array(32)

function create(envelopeSignatures: EnvelopeSignatures, rememberedMax?: number) {
  const epoch = {
    network: new Uint8Array(32).fill(7),
    number: 1,
    parameters: defaultParameters(envelopeSignatures),
  } as unknown as Epoch
  const messages: Uint8Array[] = []
  const verifier = {
    verify: (key: Uint8Array, message: Uint8Array, signature: Uint8Array) => {
      messages.push(message)
      return signature.length === 64 && signature[0] === key[0]
    },
  }
  const checks = new EnvelopeChecks({
    epoch,
    hasher,
    verifier,
    ...(rememberedMax === undefined ? {} : { rememberedMax }),
  })
  const payloads = new PayloadChecks(checks)
  const judge = (payload: Uint8Array): boolean => {
    payloads.add(payload, digest)
    const [checked] = payloads.work()
    return checked!.ok
  }
  return { checks, payloads, judge, messages }
}

const signed = (envelope: Envelope): Envelope => ({
  ...envelope,
  signature: new Uint8Array(64).fill(envelope.client[0]!),
})
const many = (count: number, first = 0): Envelope[] =>
  Array.from({ length: count }, (_, index) => signed(operations(1, session, first + index + 1, ['x'])))

describe('a payload', () => {
  const kinds = [open(1, 1), operations(1, session, 1, ['x']), cancel(1, session, 1, 2), close(1, session)]

  it('may hold envelopes of every kind, each signed over all that stands before its signature, or none', () => {
    const { judge, messages } = create('required')
    expect(judge(emptyPayload)).toBe(true)
    expect(judge(payloadOf(kinds.map((kind) => signed(kind))))).toBe(true)
    const bodies = kinds.map((kind) => encode(envelopeCodec, kind).subarray(0, -4))
    // An opening has a domain of its own, and the network is in each.
    const scopes = messages.map((message, index) => {
      const text = Buffer.from(message)
      expect(text.indexOf(Buffer.from(bodies[index]!)), `envelope ${index}`).toBeGreaterThan(0)
      return text.subarray(0, text.indexOf(Buffer.alloc(32, 7))).toString('hex')
    })
    expect(new Set(scopes).size).toBe(2)
  })

  it.each<[string, Uint8Array]>([
    ['no list of envelopes', Uint8Array.of(0, 0, 0, 1)],
    ['nothing at all', new Uint8Array(0)],
    ['bytes behind its list', Uint8Array.from([...payloadOf([signed(open(1, 1))]), 0])],
    ['an envelope that is none', payloadOf([signed(open(1, 1)), Uint8Array.of(9)])],
    ['bytes behind an envelope', payloadOf([Uint8Array.from([...encode(envelopeCodec, signed(open(1, 1))), 0])])],
    ['a signature that is wrong', payloadOf([signed(open(1, 1)), { ...open(1, 2), signature: new Uint8Array(64) }])],
    ['no signature', payloadOf([open(1, 1)])],
  ])('is refused when it has %s', (_what, payload) => {
    const { judge } = create('required')
    expect(judge(payload)).toBe(false)
    expect(judge(payload)).toBe(false)
  })

  it('is refused when it is larger than a payload may be, though its list is one', () => {
    const large = operations(1, session, 1, [new Uint8Array(1024 * 1024), new Uint8Array(1000 * 1024)])
    const { judge } = create('link')
    expect(judge(payloadOf([large, large]))).toBe(true)
    const payload = payloadOf([large, large, large])
    expect(payload.length).toBeGreaterThan(payloadBytesMax)
    expect(judge(payload)).toBe(false)
  })

  it('has no signatures where the link vouches for its envelopes', () => {
    const { judge, messages } = create('link')
    expect(judge(payloadOf(kinds))).toBe(true)
    expect(judge(payloadOf(kinds.map((kind) => signed(kind))))).toBe(false)
    expect(messages).toEqual([])
  })
})

describe('the work of one turn', () => {
  it('is a bounded number of signatures, and the rest has its turn', () => {
    const { checks, payloads } = create('required')
    payloads.add(payloadOf(many(verificationsPerTurnMax + 10)), digest)
    expect(payloads.work()).toEqual([])
    expect([checks.verifications, payloads.isBusy]).toEqual([verificationsPerTurnMax, true])
    expect(payloads.work()).toEqual([{ digest, ok: true }])
    expect([checks.verifications, payloads.isBusy]).toEqual([verificationsPerTurnMax + 10, false])
  })

  it('is a bounded number of envelopes, where nothing is to be verified', () => {
    const { payloads } = create('link')
    const unsigned = Array.from({ length: envelopesPerTurnMax + 1 }, (_, index) => close(1, { height: index, index }))
    payloads.add(payloadOf(unsigned), digest)
    expect(payloads.work()).toEqual([])
    expect(payloads.work()).toEqual([{ digest, ok: true }])
  })
})

describe('what is verified elsewhere', () => {
  it('keeps its place, and holds up nothing but what comes behind it', () => {
    const { checks } = create('required')
    const asked: { signatures: number; done: () => void }[] = []
    const payloads = new PayloadChecks(checks, (signed, done) => asked.push({ signatures: signed.length, done }))
    payloads.add(payloadOf(many(3)), digest)
    payloads.add(Uint8Array.of(1), digest)
    expect([payloads.work(), payloads.isBusy]).toEqual([[], false])
    expect(asked.map(({ signatures }) => signatures)).toEqual([3])
    asked[0]!.done()
    expect(payloads.isBusy).toBe(true)
    expect(payloads.work().map(({ ok }) => ok)).toEqual([true, false])
    // What is known needs nobody.
    payloads.add(payloadOf(many(3)), digest)
    expect([asked.length, payloads.work()]).toEqual([1, [{ digest, ok: true }]])
  })
})

describe('what was verified', () => {
  it('is remembered up to a limit: whatever is used stays longest', () => {
    const { checks, judge } = create('required', 4)
    const [kept, ...others] = many(12)
    for (const other of others) {
      judge(payloadOf([kept!]))
      judge(payloadOf([other]))
    }
    expect(checks.verifications).toBe(12)
    judge(payloadOf([others[0]!]))
    expect(checks.verifications).toBe(13)
  })

  it('is remembered with its signature: another one is verified for itself', () => {
    const { checks, judge } = create('required')
    const envelope = signed(open(1, 1))
    expect(judge(payloadOf([envelope]))).toBe(true)
    expect(judge(payloadOf([{ ...envelope, signature: new Uint8Array(64) }]))).toBe(false)
    expect(checks.verifications).toBe(2)
  })
})
