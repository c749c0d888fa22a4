// Whom enough replicas take for the primary, and who gets what is new (PBFT §4.1): the primary alone, where the others know already
// where this session's replies go, and it was not silent of late.

import type { ReplicaId } from '../../kernel/ids.ts'
import type { RetryLimits } from './retry.ts'

export class Primary {
  readonly #hintsNeeded: number
  /** Whom each replica takes for the leader. */
  readonly #hints = new Map<ReplicaId, ReplicaId>()
  /** What so many say as are believed. */
  #believed: ReplicaId | null = null
  /** Until then nothing goes to the primary alone. */
  #toAllUntilMs = 0
  /** How long that is when it is silent once more. */
  #pauseMs: number
  readonly #limits: RetryLimits
  /** Those that have got something of this session. */
  readonly #reached = new Set<ReplicaId>()

  /** Infinity: nobody is ever taken for it, and all get everything. */
  constructor(hintsNeeded: number, limits: RetryLimits) {
    this.#hintsNeeded = hintsNeeded
    this.#limits = limits
    this.#pauseMs = limits.retryMsMin
  }

  /** True if the leader that it names may be believed now. */
  hint(from: ReplicaId, leader: ReplicaId): boolean {
    this.#hints.set(from, leader)
    let equal = 0
    for (const other of this.#hints.values()) if (other === leader) equal++
    if (equal < this.#hintsNeeded) return false
    if (this.#believed !== leader) {
      this.#toAllUntilMs = 0
      this.#pauseMs = this.#limits.retryMsMin
    }
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

  get believed(): ReplicaId | null {
    return this.#believed
  }

  /**
   * What this replica has had alone since then had no answer in time: it is not asked alone for a while, and longer each time in a row. Not for
   * long at once: where much is under way answers may be late now and then, and whoever then sends all to all makes them later still.
   */
  wasSilent(replica: ReplicaId | null, sinceMs: number, nowMs: number): void {
    // Of another primary, or as late as what was blamed already, it says nothing new.
    if (replica === null || replica !== this.#believed || sinceMs < this.#toAllUntilMs) return
    this.#toAllUntilMs = nowMs + this.#pauseMs
    this.#pauseMs = Math.min(2 * this.#pauseMs, this.#limits.retryMsMax)
  }

  /** What it had alone was answered. */
  wasInTime(replica: ReplicaId | null): void {
    if (replica !== null && replica === this.#believed) this.#pauseMs = this.#limits.retryMsMin
  }

  /** Who gets what is new in this session. */
  addressees(among: ReadonlySet<ReplicaId>, nowMs: number): readonly ReplicaId[] {
    const isNarrow = this.#believed !== null && among.has(this.#believed) && nowMs >= this.#toAllUntilMs
    return [...among].filter((id) => !isNarrow || id === this.#believed || !this.#reached.has(id))
  }

  /** They know now where the replies of this session go. */
  reach(replicas: readonly ReplicaId[]): void {
    for (const replica of replicas) this.#reached.add(replica)
  }
}
