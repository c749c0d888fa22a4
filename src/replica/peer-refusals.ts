// What members say who do not let this replica in: that they have seen a newer start of it, or another with the same number. Then its
// directory is an old copy, and it has promised what it does not know. docs/decisions/0012-refusals.md says what that is worth.

import type { ReplicaId } from '../kernel/ids.ts'
import type { Membership } from '../kernel/membership.ts'
import type { LinkRefusal } from '../network/link/link-frame.ts'

/** No start has a number above it: whoever claims one lies (storage/log/rejoin.ts). */
const incarnationMax = 2 ** 52

export class PeerRefusals {
  readonly #membership: Pick<Membership, 'isVoter' | 'oneCorrect'>
  /** The last word of each member: bounded by their number. */
  readonly #refusals = new Map<ReplicaId, LinkRefusal>()

  constructor(membership: Pick<Membership, 'isVoter' | 'oneCorrect'>) {
    this.#membership = membership
  }

  /** False: it says nothing new, or nothing that could be true of this start. */
  add(by: ReplicaId, refusal: LinkRefusal, own: number): boolean {
    const { reason, incarnation } = refusal
    const canBe = reason === 'incarnation-older' ? incarnation > own : incarnation === own
    if (!canBe || incarnation >= incarnationMax) return false
    const before = this.#refusals.get(by)
    if (before !== undefined && before.incarnation >= incarnation && before.reason === reason) return false
    this.#refusals.set(by, refusal)
    return true
  }

  /** The newest start that at least one member has seen which does not lie; null if that is not certain of any. */
  get proven(): number | null {
    const { isVoter, oneCorrect } = this.#membership
    const claims = [...this.#refusals].filter(([by]) => isVoter(by)).map(([, { incarnation }]) => incarnation)
    return claims.sort((left, right) => right - left)[oneCorrect - 1] ?? null
  }

  sentences(): string[] {
    return [...this.#refusals.keys()].sort((left, right) => left - right).flatMap((by) => this.sentenceOf(by) ?? [])
  }

  sentenceOf(by: ReplicaId): string | null {
    const refusal = this.#refusals.get(by)
    if (refusal === undefined) return null
    const seen =
      refusal.reason === 'incarnation-older'
        ? `a newer start of it (incarnation ${refusal.incarnation})`
        : `another process with its incarnation ${refusal.incarnation}`
    return `is refused by replica ${by}, which has seen ${seen}: its directory is an old copy, or runs elsewhere too; stop the other, or start with --rejoin`
  }
}
