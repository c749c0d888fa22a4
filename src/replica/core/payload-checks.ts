/**
 * Payloads that a protocol wants checked before it votes: their envelopes decode, each in its one encoding and within the limits, and are
 * signed as the epoch asks. It is a function of epoch and bytes alone, so that no two correct replicas differ about a vote. A command
 * that its state machine refuses is none of this: that is an outcome, agreed on and told to its client as definite.
 *
 * Signatures take long: a slice of them is checked in each turn, so that whoever proposes many envelopes silences nobody.
 */

import { decode } from '../../wire/codec.ts'
import { payloadEnvelopesCodec } from '../../kernel/block.ts'
import type { Digest } from '../../kernel/crypto-ports.ts'
import { envelopeCodec } from '../../kernel/envelope.ts'
import { payloadBytesMax } from '../../kernel/limits.ts'
import type { EnvelopeChecks, SignedBytes } from './envelope-checks.ts'

/** Signatures verified in one turn for payloads: about 15 ms. */
export const verificationsPerTurnMax = 128
/** Envelopes looked at in one turn, verified or known. */
export const envelopesPerTurnMax = 4096

export interface CheckedPayload {
  digest: Digest
  ok: boolean
}

/**
 * Verifies elsewhere, so that the verifier knows the verdicts when it is asked; says so from a later turn. Where it did not get to some of
 * them, they are verified here.
 */
export type VerifyAhead = (signed: readonly SignedBytes[], done: () => void, urgency: 'first' | 'later') => void

interface Job {
  digest: Digest
  isReady: boolean
  /** Null: the payload is no list of envelopes. */
  envelopes: readonly Uint8Array[] | null
  next: number
}

export class PayloadChecks {
  readonly #checks: EnvelopeChecks
  readonly #ahead: VerifyAhead | null
  #jobs: Job[] = []

  constructor(checks: EnvelopeChecks, ahead: VerifyAhead | null = null) {
    this.#checks = checks
    this.#ahead = ahead
  }

  /** There is more to do at once. */
  get isBusy(): boolean {
    return this.#jobs[0]?.isReady === true
  }

  /** Answered by a later call of `work`, once for each call of this, in their order. */
  add(payload: Uint8Array, digest: Digest): void {
    const envelopes = payload.length > payloadBytesMax ? null : decode(payloadEnvelopesCodec, payload)
    const list = envelopes?.ok === true ? envelopes.value : null
    const job: Job = { digest, isReady: true, envelopes: list, next: 0 }
    this.#jobs.push(job)
    if (list !== null && this.#ahead !== null) this.#prepare(job, list, this.#ahead)
  }

  #prepare(job: Job, envelopes: readonly Uint8Array[], ahead: VerifyAhead): void {
    const signed = this.#checks.allOpen(envelopes)
    if (signed.length === 0) return
    job.isReady = false
    ahead(signed, () => (job.isReady = true), 'first')
  }

  /** One slice: what is finished. */
  work(): CheckedPayload[] {
    const checked: CheckedPayload[] = []
    const verificationsMax = this.#checks.verifications + verificationsPerTurnMax
    let left = envelopesPerTurnMax
    for (let job = this.#jobs[0]; job?.isReady === true; job = this.#jobs[0]) {
      let ok = job.envelopes !== null
      for (const envelopes = job.envelopes ?? []; ok && job.next < envelopes.length; left--) {
        if (left <= 0 || this.#checks.verifications >= verificationsMax) return checked
        ok = this.#isGood(envelopes[job.next++]!)
      }
      checked.push({ digest: job.digest, ok })
      this.#jobs.shift()
    }
    return checked
  }

  #isGood(encoded: Uint8Array): boolean {
    const envelope = decode(envelopeCodec, encoded)
    return envelope.ok && this.#checks.authentic(envelope.value, encoded)
  }
}
