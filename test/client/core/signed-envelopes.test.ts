// Where the epoch asks for signed envelopes: each is signed once, however many operations it holds and however often it goes out, and
// what is not signed by its client is refused.

import { describe, expect, it } from 'vitest'
import { envelopeDomain, envelopeScope, signingBytes } from '../../../src/kernel/domains.ts'
import { envelopeCodec, signedPart, type Envelope } from '../../../src/kernel/envelope.ts'
import { createSimulatedSuite } from '../../../src/simulator/simulated-suite.ts'
import { encode } from '../../../src/wire/codec.ts'
import { envelopes, Scripted, type Sent } from './scripted.ts'

const network = new Uint8Array(32)
const suite = createSimulatedSuite()

function signing(options: object = {}) {
  const signer = suite.signer(new Uint8Array(32).fill(5))
  let signatures = 0
  const counting = {
    publicKey: signer.publicKey,
    sign: (message: Uint8Array) => {
      signatures++
      return signer.sign(message)
    },
  }
  const client = new Scripted({ client: signer.publicKey, signer: counting, repliesKept: 4096, ...options })
  return { client, signatures: () => signatures }
}

function isSigned(envelope: Envelope): boolean {
  const signed = signedPart(encode(envelopeCodec, envelope), envelope)
  const message = signingBytes(envelopeDomain(envelope.kind), envelopeScope(network), signed)
  return suite.verify(envelope.client, message, envelope.signature)
}

function kindsOf(sent: readonly Sent[]): string[] {
  const all = envelopes(sent)
  expect(all.every(isSigned)).toBe(true)
  return all.map(({ kind }) => kind)
}

describe('a signed envelope', () => {
  it('is signed once for all that it holds, and not again when it goes out again', () => {
    const { client, signatures } = signing()
    for (let count = 0; count < 500; count++) client.submit('one')
    const sent = client.turn()
    expect([kindsOf(sent), signatures()]).toEqual([['open'], 1])
    const [open] = envelopes(sent)
    if (open?.kind !== 'open') throw new Error('no opening')
    client.opened(1, open.nonce)
    expect([kindsOf(client.turn()), signatures()]).toEqual([['operations'], 2])
    expect([kindsOf(client.next()), signatures()]).toEqual([['operations'], 2])
    client.core.close()
    expect([kindsOf(client.turn()), signatures()]).toEqual([['close'], 3])
  })

  it('is what ends a session, what ends those of an earlier life, and what orders a read', () => {
    const left = [{ height: 1, index: 0 }]
    const { client, signatures } = signing({ left, reads: { kind: 'ordered' } })
    for (let count = 0; count < 100; count++) client.query()
    expect([kindsOf(client.turn()).sort(), signatures()]).toEqual([['close', 'read'], 2])
  })
})
