// Counts equal replies for one operation: it is answered when those who say the same cannot all be faulty (architecture.md §10).

import type { Hasher } from '../../kernel/crypto-ports.ts'
import type { ReplicaId } from '../../kernel/ids.ts'
import { wordsOf } from './words.ts'

/** How many equal replies are believed, and what they are compared by. */
export interface Belief {
  /** Equal replies that cannot all be lies. */
  repliesNeeded: number
  /** Where more than one is needed: long replies are held as digests. Whoever completes the count brings the bytes. */
  hasher?: Hasher
}

export class ReplyCount {
  readonly #needed: number
  readonly #hasher: Hasher | null
  /** What each replica said last, in a hundred bytes at most, however they lie. Null where the first reply is believed. */
  readonly #said: Map<ReplicaId, string> | null

  constructor({ repliesNeeded, hasher }: Belief) {
    if (repliesNeeded > 1 && hasher === undefined) {
      throw new RangeError(`option repliesNeeded is ${repliesNeeded}: above 1 it needs option hasher`)
    }
    this.#needed = repliesNeeded
    this.#hasher = hasher ?? null
    this.#said = repliesNeeded > 1 ? new Map() : null
  }

  /** True when this reply completes it. */
  add(from: ReplicaId, height: number, index: number, outcome: Uint8Array): boolean {
    if (this.#hasher === null || this.#said === null) return true
    const words = `${height}.${index}.${wordsOf(this.#hasher, outcome)}`
    this.#said.set(from, words)
    let equal = 0
    for (const other of this.#said.values()) if (other === words) equal++
    return equal >= this.#needed
  }
}
