// Each connection is heard in its order, though its signatures are verified elsewhere; what waits is bounded, and nobody waits for others.

import { describe, expect, it } from 'vitest'
import { clientRequestCodec, clientResponseCodec } from '../../src/kernel/client-messages.ts'
import { envelopeCodec } from '../../src/kernel/envelope.ts'
import type { Epoch } from '../../src/kernel/membership.ts'
import { defaultParameters, type EnvelopeSignatures } from '../../src/kernel/parameters.ts'
import { ClientIntake, intakeBytesMax, intakeMessagesMax } from '../../src/replica/client-intake.ts'
import { decode, encode } from '../../src/wire/codec.ts'
import { open, operations } from '../execution/fixtures.ts'

function create(envelopeSignatures: EnvelopeSignatures = 'required') {
  const delivered: string[] = []
  const responses: unknown[] = []
  const verifying: { keys: number[]; done: () => void; urgency: string }[] = []
  const intake = new ClientIntake({
    epoch: { network: new Uint8Array(32), parameters: defaultParameters(envelopeSignatures) } as unknown as Epoch,
    verifyAhead: (signed, done, urgency) =>
      void verifying.push({ keys: signed.map(({ publicKey }) => publicKey[0]!), done, urgency }),
    deliver: (connection, bytes) => {
      const request = decode(clientRequestCodec, bytes)
      delivered.push(`${connection} ${request.ok ? request.value.kind : 'malformed'}`)
    },
    respond: (_connection, bytes) => {
      const response = decode(clientResponseCodec, bytes)
      responses.push(response.ok ? response.value : response.error)
    },
  })
  const submit = (connection: number, ...clients: number[]): void => {
    const envelopes = clients.map((client) => encode(envelopeCodec, open(client, 1)))
    intake.message(connection, encode(clientRequestCodec, { kind: 'submit', envelopes }))
  }
  const status = (connection: number): void =>
    intake.message(connection, encode(clientRequestCodec, { kind: 'status', id: 1 }))
  return { intake, submit, status, verifying, delivered: () => delivered.splice(0), responses }
}

describe('what a client submits', () => {
  it('waits for all of its signatures, and what comes after it waits behind it; other connections do not', () => {
    const { submit, status, verifying, delivered, intake } = create()
    submit(1, 7, 8)
    submit(1, 9)
    status(1)
    intake.message(1, Uint8Array.of(250))
    status(2)
    submit(2, 5)
    expect(verifying.map(({ keys }) => keys)).toEqual([[7, 8], [9], [5]])
    expect(delivered()).toEqual(['2 status'])
    expect(new Set(verifying.map(({ urgency }) => urgency))).toEqual(new Set(['later']))
    verifying[1]!.done()
    expect(delivered()).toEqual([])
    verifying[2]!.done()
    expect(delivered()).toEqual(['2 submit'])
    verifying[0]!.done()
    expect(delivered()).toEqual(['1 submit', '1 submit', '1 status', '1 malformed'])
    expect(intake.waiting).toBe(0)
    status(1)
    expect(delivered()).toEqual(['1 status'])
  })

  it('goes on at once where the link vouches for it', () => {
    const { submit, verifying, delivered } = create('link')
    submit(1, 7)
    expect([delivered(), verifying]).toEqual([['1 submit'], []])
  })

  it('is dropped with its connection', () => {
    const { intake, submit, verifying, delivered } = create()
    submit(1, 7)
    submit(1, 8)
    intake.closed(1)
    expect(intake.waiting).toBe(0)
    for (const { done } of verifying) done()
    expect(delivered()).toEqual([])
  })
})

describe('the intake', () => {
  const refusal = { kind: 'refused', reason: 'overloaded', retryAfterMs: 100, leader: null }

  it('holds so many messages, refuses what is submitted beyond, and answers the rest at once', () => {
    const { submit, status, responses, delivered, verifying, intake } = create()
    for (let count = 0; count < intakeMessagesMax; count++) submit(1 + (count % 3), 7)
    expect(responses).toEqual([])
    submit(9, 7)
    status(1)
    expect([responses, delivered()]).toEqual([[refusal], ['1 status']])
    for (const { done } of verifying) done()
    expect([intake.waiting, delivered().length]).toEqual([0, intakeMessagesMax])
    submit(9, 7)
    expect(responses).toHaveLength(1)
  })

  it('holds so many bytes', () => {
    const { intake, responses } = create()
    const large = operations(1, { height: 1, index: 0 }, 1, [new Uint8Array(1024 * 1024)])
    const bytes = encode(clientRequestCodec, { kind: 'submit', envelopes: [encode(envelopeCodec, large)] })
    const fitting = Math.floor(intakeBytesMax / bytes.length)
    for (let count = 0; count <= fitting; count++) intake.message(1, bytes)
    expect([intake.waiting, responses]).toEqual([fitting, [refusal]])
  })
})
