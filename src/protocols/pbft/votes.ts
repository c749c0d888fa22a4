// Counting votes: at most one of each sender, verified only when enough are there to decide something, and never a wrong one among them (R10).

import { equalBytes } from '../../wire/equal-bytes.ts'
import type { Digest } from '../../kernel/crypto-ports.ts'
import type { ReplicaId } from '../../kernel/ids.ts'
import type { SignatureSet } from '../../kernel/proof.ts'
import type { ReceivedVote, Votes } from './slot.ts'

export type IsValid = (signer: ReplicaId, vote: ReceivedVote) => boolean

/** So many valid votes for this digest, ascending by sender, or null. What does not verify is dropped, and the count goes on. */
export function gather(votes: Votes, digest: Digest, needed: number, isValid: IsValid): SignatureSet | null {
  const matching = [...votes].filter(([, vote]) => equalBytes(vote.digest, digest))
  if (matching.length < needed) return null
  // Those that were checked before come first, so that no more is verified than must be.
  matching.sort(([, left], [, right]) => Number(right.verified) - Number(left.verified))
  const valid: SignatureSet = []
  for (const [replica, vote] of matching) {
    if (valid.length === needed) break
    if (!vote.verified && !isValid(replica, vote)) {
      votes.delete(replica)
      continue
    }
    vote.verified = true
    valid.push({ replica, signature: vote.signature })
  }
  if (valid.length < needed) return null
  return valid.sort((left, right) => left.replica - right.replica)
}

/** Whose votes for this digest are there, checked or not: for people who ask what is waited for. */
export function votersFor(votes: Votes, digest: Digest): ReplicaId[] {
  return [...votes].flatMap(([replica, vote]) => (equalBytes(vote.digest, digest) ? [replica] : []))
}
