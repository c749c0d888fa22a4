// Quorum and timeout certificates: what makes one, and which were verified. A copy that was not verified is never handed on: whoever has not seen
// the genuine one would refuse it.

import { toHex } from '../../kernel/hex.ts'
import { detached } from '../../wire/detached.ts'
import type { QuorumCertificate } from '../../kernel/proof.ts'
import { viewMax, type TimeoutCertificate } from './messages.ts'
import { isSignedTimeout, isSignedVote, type Verifying } from './statements.ts'

/** Certificates and signatures that are remembered, so that none is verified twice: of each kind so many. */
export const verifiedMax = 4096

/** Null, or why it certifies nothing. All signatures are checked: what is stored and handed on has none that is wrong. */
export function certificateFault(by: Verifying, { view, node, votes }: QuorumCertificate): string | null {
  // It would not encode: nobody has signed it.
  if (view < 1 || view > viewMax) return 'no view'
  const fault = signersFault(by, votes)
  if (fault !== null) return fault
  const statement = { view, node }
  return votes.every(({ replica, signature }) => isSignedVote(by, replica, statement, signature))
    ? null
    : 'a wrong signature'
}

function signersFault({ membership }: Verifying, signers: readonly { replica: number }[]): string | null {
  if (signers.length < membership.quorum) return 'too few signatures'
  if (signers.length > membership.voters.length) return 'more signatures than voters'
  return new Set(signers.map(({ replica }) => replica)).size === signers.length ? null : 'one signer twice'
}

export class VerifiedCertificates {
  readonly #by: Verifying
  readonly #genuine = new Map<string, QuorumCertificate>()
  /** Timeouts differ from certificate to certificate: each signature is remembered by itself. */
  readonly #timeouts = new Set<string>()

  constructor(by: Verifying) {
    this.#by = by
  }

  /** One that holds, of the same node and view; null if this copy does not hold and none is known. */
  genuine(certificate: QuorumCertificate): QuorumCertificate | null {
    const name = nameOf(certificate)
    const known = this.#genuine.get(name)
    if (known !== undefined) return known
    if (certificateFault(this.#by, certificate) !== null) return null
    return this.remember(certificate)
  }

  /** The same, with the same signers: a node's digest may name them. Its signatures may be others, as long as they hold. */
  genuineOfSigners(certificate: QuorumCertificate): QuorumCertificate | null {
    const known = this.#genuine.get(nameOf(certificate))
    if (known === undefined) return this.genuine(certificate)
    if (haveSameSigners(known, certificate)) return known
    return certificateFault(this.#by, certificate) === null ? detachedCertificate(certificate) : null
  }

  /** It was put together from votes that were checked, or read from one's own disk. Returned is what is kept: its bytes are its own. */
  remember(certificate: QuorumCertificate): QuorumCertificate {
    const kept = detachedCertificate(certificate)
    this.#genuine.set(nameOf(kept), kept)
    for (const oldest of this.#genuine.keys()) {
      if (this.#genuine.size <= verifiedMax) break
      this.#genuine.delete(oldest)
    }
    return kept
  }

  /** The genuine certificate of this node and view, if it was seen. */
  find(view: number, node: Uint8Array): QuorumCertificate | null {
    return this.#genuine.get(nameOf({ view, node })) ?? null
  }

  holds({ view, timeouts }: TimeoutCertificate): boolean {
    if (signersFault(this.#by, timeouts) !== null) return false
    return timeouts.every(({ replica, certificateView, signature }) => {
      return certificateView <= view && this.holdsTimeout(replica, { view, certificateView }, signature)
    })
  }

  holdsTimeout(
    replica: Parameters<typeof isSignedTimeout>[1],
    statement: { view: number; certificateView: number },
    signature: Uint8Array,
  ): boolean {
    const name = `${replica} ${statement.view} ${statement.certificateView} ${toHex(signature)}`
    if (this.#timeouts.has(name)) return true
    if (!isSignedTimeout(this.#by, replica, statement, signature)) return false
    this.#timeouts.add(name)
    for (const oldest of this.#timeouts) {
      if (this.#timeouts.size <= verifiedMax) break
      this.#timeouts.delete(oldest)
    }
    return true
  }
}

/** It came in a frame with a whole block beside it, which would be kept as long as it is. */
function detachedCertificate({ view, node, votes }: QuorumCertificate): QuorumCertificate {
  return { view, node: detached(node), votes: votes.map((vote) => ({ ...vote, signature: detached(vote.signature) })) }
}

export function detachedTimeouts({ view, timeouts }: TimeoutCertificate): TimeoutCertificate {
  return { view, timeouts: timeouts.map((one) => ({ ...one, signature: detached(one.signature) })) }
}

function haveSameSigners({ votes: left }: QuorumCertificate, { votes: right }: QuorumCertificate): boolean {
  return left.length === right.length && left.every(({ replica }, index) => replica === right[index]!.replica)
}

function nameOf({ view, node }: { view: number; node: Uint8Array }): string {
  return `${view} ${toHex(node)}`
}
