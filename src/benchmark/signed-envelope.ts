// Envelopes without a client around them: signed, where the epoch asks for it.

import type { Signer } from '../kernel/crypto-ports.ts'
import { envelopeCodec, type Envelope } from '../kernel/envelope.ts'
import type { Epoch } from '../kernel/membership.ts'
import { signedBytesOf } from '../replica/core/envelope-checks.ts'
import { encode } from '../wire/codec.ts'

export const unsigned: Uint8Array = new Uint8Array(0)

/** Encoded; `envelope` has no signature yet. */
export function signedEnvelope(envelope: Envelope, epoch: Epoch, signer: Signer): Uint8Array {
  const encoded = encode(envelopeCodec, envelope)
  if (epoch.parameters.envelopeSignatures === 'link') return encoded
  const { message } = signedBytesOf(envelope, encoded, epoch.network)
  return encode(envelopeCodec, { ...envelope, signature: signer.sign(message) })
}
