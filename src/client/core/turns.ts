// Whom to ask next where somebody did not answer.

import type { ReplicaId } from '../../kernel/ids.ts'
import type { Random } from '../../kernel/random.ts'

/** Any, but none twice before all had their turn: left to chance alone it could be the same two of five, both gone, for long. */
export class Turns {
  readonly #had = new Set<ReplicaId>()

  /** After `left`, which is asked again only if there is nobody else. */
  next(left: ReplicaId | null, connected: ReadonlySet<ReplicaId>, random: Random): ReplicaId | null {
    const others = [...connected].filter((replica) => replica !== left)
    if (others.length === 0) return left !== null && connected.has(left) ? left : null
    if (left !== null) this.#had.add(left)
    const fresh = others.filter((replica) => !this.#had.has(replica))
    if (fresh.length === 0) this.#had.clear()
    const next = random.pick(fresh.length > 0 ? fresh : others)
    // Now, and not when it is left: it may send us elsewhere, and would be the only fresh one for good.
    this.#had.add(next)
    return next
  }
}
