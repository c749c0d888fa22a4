/**
 * Is an envelope signed as the epoch asks? It comes by many ways (from its client, handed on by a member, inside a proposal), and is verified
 * once: what was found good is remembered by the digest of all its bytes. Whatever is bad is found bad each time.
 */

import type { Hasher, Verifier } from '../../kernel/crypto-ports.ts'
import { envelopeDomain, envelopeScope, signingBytes } from '../../kernel/domains.ts'
import { signedPart, type Envelope } from '../../kernel/envelope.ts'
import type { Epoch } from '../../kernel/membership.ts'

/** Good envelopes remembered, two generations of so many: as many as a pool may hold. Those forgotten are verified once more. */
export const verifiedEnvelopesMax = 65_536

export interface EnvelopeChecksOptions {
  epoch: Epoch
  hasher: Hasher
  verifier: Verifier
  rememberedMax?: number
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
    const { epoch, hasher, verifier } = this.#options
    // Where the link vouches for the envelope, a signature beside it would be one that nobody checks: it is refused.
    if (epoch.parameters.envelopeSignatures === 'link') return envelope.signature.length === 0
    const name = String.fromCharCode(...hasher.digest(encoded))
    if (this.#isKnown(name)) return true
    this.verifications++
    const scope = envelopeScope(epoch.network)
    const message = signingBytes(envelopeDomain(envelope.kind), scope, signedPart(encoded, envelope))
    if (!verifier.verify(envelope.client, message, envelope.signature)) return false
    this.#remember(name)
    return true
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
