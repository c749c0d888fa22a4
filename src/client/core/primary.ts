// Whom enough replicas take for the primary, and who gets what is new (PBFT §4.1): the primary alone, where the others know already
// where this session's replies go, and nobody was silent of late.

import type { ReplicaId } from '../../kernel/ids.ts'

export class Primary {
  readonly #hintsNeeded: number
  /** Whom each replica takes for the leader. */
  readonly #hints = new Map<ReplicaId, ReplicaId>()
  /** What so many say as are believed. */
  #believed: ReplicaId | null = null
  /** Until then nothing goes to the primary alone. */
  #toAllUntilMs = 0
  /** Those that have got something of this session. */
  readonly #reached = new Set<ReplicaId>()

  /** Infinity: nobody is ever taken for it, and all get everything. */
  constructor(hintsNeeded: number) {
    this.#hintsNeeded = hintsNeeded
  }

  /** True if the leader that it names may be believed now. */
  hint(from: ReplicaId, leader: ReplicaId): boolean {
    this.#hints.set(from, leader)
    let equal = 0
    for (const other of this.#hints.values()) if (other === leader) equal++
    if (equal < this.#hintsNeeded) return false
    if (this.#believed !== leader) this.#toAllUntilMs = 0
    this.#believed = leader
    return true
  }

  gone(replica: ReplicaId): void {
    this.#hints.delete(replica)
    this.#reached.delete(replica)
  }

  sessionOpened(): void {
    this.#reached.clear()
  }

  /** Something had no answer: whoever had it alone, or held up the rest, is not asked alone for a while. */
  distrust(untilMs: number): void {
    this.#toAllUntilMs = untilMs
  }

  isAskedAlone(among: ReadonlySet<ReplicaId>, nowMs: number): boolean {
    return this.#believed !== null && among.has(this.#believed) && nowMs >= this.#toAllUntilMs
  }

  /** Who gets what is new in this session. */
  addressees(among: ReadonlySet<ReplicaId>, nowMs: number): ReplicaId[] {
    const isNarrow = this.isAskedAlone(among, nowMs)
    const to = [...among].filter((id) => !isNarrow || id === this.#believed || !this.#reached.has(id))
    for (const replica of to) this.#reached.add(replica)
    return to
  }
}
