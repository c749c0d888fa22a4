/**
 * Is an envelope signed as the epoch asks? It comes by many ways (from its client, handed on by a member, inside a proposal), and is verified
 * once: what was found good is remembered by the digest of all its bytes. Whatever is bad is found bad each time.
 */

import { decode } from '../../wire/codec.ts'
import { latin1 } from '../../wire/latin1.ts'
import type { Digest, Hasher, PublicKey, Signature, Verifier } from '../../kernel/crypto-ports.ts'
import { envelopeDomain, envelopeScope, signingBytes } from '../../kernel/domains.ts'
import { envelopeCodec, signedPart, type Envelope } from '../../kernel/envelope.ts'
import type { Epoch } from '../../kernel/membership.ts'

/** Good envelopes remembered, two generations of so many: as many as a pool may hold. Those forgotten are verified once more. */
export const verifiedEnvelopesMax = 65_536

export interface EnvelopeChecksOptions {
  epoch: Epoch
  hasher: Hasher
  verifier: Verifier
  rememberedMax?: number
}

/** What a verifier is asked about an envelope. */
export interface SignedBytes {
  publicKey: PublicKey
  message: Uint8Array
  signature: Signature
}

export function signedBytesOf(envelope: Envelope, encoded: Uint8Array, network: Digest): SignedBytes {
  const { client, kind, signature } = envelope
  const message = signingBytes(envelopeDomain(kind), envelopeScope(network), signedPart(encoded, envelope))
  return { publicKey: client, message, signature }
}

export class EnvelopeChecks {
  readonly #options: EnvelopeChecksOptions
  readonly #rememberedMax: number
  #recent = new Set<string>()
  #older = new Set<string>()
  /** Signatures verified: what bounds a turn's work, and what tests ask. */
  verifications = 0

  constructor(options: EnvelopeChecksOptions) {
    this.#options = options
    this.#rememberedMax = options.rememberedMax ?? verifiedEnvelopesMax
  }

  /** `encoded` is all of the envelope, and decodes to it. */
  authentic(envelope: Envelope, encoded: Uint8Array): boolean {
    const { epoch, verifier } = this.#options
    // Where the link vouches for the envelope, a signature beside it would be one that nobody checks: it is refused.
    if (epoch.parameters.envelopeSignatures === 'link') return envelope.signature.length === 0
    const name = this.#nameOf(encoded)
    if (this.#isKnown(name)) return true
    this.verifications++
    const { publicKey, message, signature } = signedBytesOf(envelope, encoded, epoch.network)
    if (!verifier.verify(publicKey, message, signature)) return false
    this.#remember(name)
    return true
  }

  /** What is still to be verified of them. */
  allOpen(envelopes: readonly Uint8Array[]): SignedBytes[] {
    return envelopes.map((encoded) => this.#open(encoded)).filter((one) => one !== null)
  }

  #open(encoded: Uint8Array): SignedBytes | null {
    const { network, parameters } = this.#options.epoch
    if (parameters.envelopeSignatures === 'link' || this.#isKnown(this.#nameOf(encoded))) return null
    const envelope = decode(envelopeCodec, encoded)
    return envelope.ok ? signedBytesOf(envelope.value, encoded, network) : null
  }

  #nameOf(encoded: Uint8Array): string {
    return latin1(this.#options.hasher.digest(encoded))
  }

  #isKnown(name: string): boolean {
    if (this.#recent.has(name)) return true
    if (!this.#older.has(name)) return false
    this.#remember(name)
    return true
  }

  #remember(name: string): void {
    this.#recent.add(name)
    if (this.#recent.size < this.#rememberedMax) return
    this.#older = this.#recent
    this.#recent = new Set()
  }
}
