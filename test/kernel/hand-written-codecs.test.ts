// Goal: what is read and written by hand, because it comes with every operation, is what the building blocks would read and write: the same
// bytes, the same values with their fields in the same order, the same refusals. Method: both, over sound, mutated and random bytes.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { clientRequestCodec, clientResponseCodec, outcomeBytesMax } from '../../src/kernel/client-messages.ts'
import { envelopeCodec, envelopeSignatureBytesMax, readQueriesMax } from '../../src/kernel/envelope.ts'
import { envelopeBytesMax, envelopeOperationsMax, operationBytesMax, resultBytesMax } from '../../src/kernel/limits.ts'
import { outcomeCodec } from '../../src/kernel/outcome.ts'
import { bool, bytes, decode, encode, fixedBytes, list, struct, u53, union, type Codec } from '../../src/wire/codec.ts'

const fill = (length: number, byte: number): Uint8Array => new Uint8Array(length).fill(byte)
const session = { height: 3, index: Number.MAX_SAFE_INTEGER }
const sessionCodec = struct({ height: u53, index: u53 })

/** One variant alone: bytes of all others are not compared. */
function only<Fields extends object>(kind: string, tag: number, fields: Codec<Fields>): Codec<unknown> {
  return union({ [kind]: { tag, codec: fields } } as never) as Codec<unknown>
}

interface Pair {
  name: string
  byHand: Codec<unknown>
  generic: Codec<unknown>
  tag: number
  values: object[]
}

const pairs: Pair[] = [
  {
    name: 'operations',
    byHand: envelopeCodec as Codec<unknown>,
    tag: 2,
    generic: only(
      'operations',
      2,
      struct({
        client: fixedBytes(32),
        session: sessionCodec,
        firstNumber: u53,
        acknowledgedNumber: u53,
        operations: list(bytes(operationBytesMax), envelopeOperationsMax),
        signature: bytes(envelopeSignatureBytesMax),
      }),
    ),
    values: [[], [fill(0, 0)], [fill(3, 1), fill(200, 2)]].map((operations) => ({
      kind: 'operations',
      client: fill(32, 9),
      session,
      firstNumber: 2 ** 52 + 1,
      acknowledgedNumber: 2 ** 32,
      operations,
      signature: fill(64, 5),
    })),
  },
  {
    name: 'submit',
    byHand: clientRequestCodec as Codec<unknown>,
    tag: 1,
    generic: only('submit', 1, struct({ envelopes: list(bytes(envelopeBytesMax), 256) })),
    values: [{ kind: 'submit', envelopes: [fill(70, 1), fill(0, 0)] }],
  },
  {
    name: 'reads',
    byHand: clientRequestCodec as Codec<unknown>,
    tag: 4,
    generic: only(
      'reads',
      4,
      struct({
        nonce: fixedBytes(16),
        statesFirst: bool,
        reads: list(struct({ id: u53, query: bytes(operationBytesMax) }), readQueriesMax),
      }),
    ),
    values: [{ kind: 'reads', nonce: fill(16, 1), statesFirst: true, reads: [{ id: 5, query: fill(3, 4) }] }],
  },
  {
    name: 'replies',
    byHand: clientResponseCodec as Codec<unknown>,
    tag: 1,
    generic: only(
      'replies',
      1,
      struct({
        replies: list(
          struct({ session: sessionCodec, number: u53, height: u53, index: u53, outcome: bytes(outcomeBytesMax) }),
          envelopeOperationsMax,
        ),
      }),
    ),
    values: [
      { kind: 'replies', replies: [] },
      {
        kind: 'replies',
        replies: [1, 2].map((n) => ({ session, number: n, height: 7, index: n, outcome: fill(n, n) })),
      },
    ],
  },
  {
    name: 'answers',
    byHand: clientResponseCodec as Codec<unknown>,
    tag: 8,
    generic: only(
      'answers',
      8,
      struct({
        nonce: fixedBytes(16),
        stated: u53,
        height: u53,
        answers: list(struct({ id: u53, answer: bytes(outcomeBytesMax) }), readQueriesMax),
      }),
    ),
    values: [{ kind: 'answers', nonce: fill(16, 1), stated: 1, height: 2, answers: [{ id: 5, answer: fill(3, 4) }] }],
  },
  {
    name: 'executed',
    byHand: outcomeCodec as Codec<unknown>,
    tag: 1,
    generic: only('executed', 1, struct({ result: bytes(resultBytesMax) })),
    values: [
      { kind: 'executed', result: fill(0, 0) },
      { kind: 'executed', result: fill(90, 1) },
    ],
  },
]

/** What came of it, to compare: the words of an error too, for they name the limit that was broken. */
function outcomeOf(codec: Codec<unknown>, input: Uint8Array): string {
  const decoded = decode(codec, input)
  return decoded.ok ? JSON.stringify(decoded.value) : `${decoded.error.code} ${decoded.error.message}`
}

describe.each(pairs)('$name', ({ byHand, generic, tag, values }) => {
  it('has the bytes and the values of the building blocks', () => {
    for (const value of values) {
      const encoded = encode(generic, value)
      expect(encode(byHand, value)).toEqual(encoded)
      expect(outcomeOf(byHand, encoded)).toBe(outcomeOf(generic, encoded))
      expect(decode(byHand, encoded)).toEqual({ ok: true, value })
    }
  })

  it('refuses what they refuse, for the same reason', () => {
    const sound = values.map((value) => encode(generic, value))
    const change = fc.record({ of: fc.nat(sound.length - 1), at: fc.nat(150), byte: fc.nat(255), cut: fc.nat(400) })
    fc.assert(
      fc.property(change, ({ of, at, byte, cut }) => {
        const input = sound[of]!.slice(0, cut)
        if (at > 0 && at < input.length) input[at] = byte
        expect(outcomeOf(byHand, input)).toBe(outcomeOf(generic, input))
      }),
      { numRuns: 500 },
    )
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), (rest) => {
        const input = Uint8Array.of(tag, ...rest)
        expect(outcomeOf(byHand, input)).toBe(outcomeOf(generic, input))
      }),
      { numRuns: 200 },
    )
  })

  it('writes nothing above a limit', () => {
    const long = fill(operationBytesMax + 65, 0)
    for (const value of values) {
      for (const [name, field] of Object.entries(value)) {
        if (!(field instanceof Uint8Array) || name === 'kind') continue
        expect(() => encode(byHand, { ...value, [name]: long })).toThrowError(/bytes/)
      }
    }
  })
})
