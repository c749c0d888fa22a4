/**
 * One fast linearizable read where replicas may lie (architecture.md §10).
 *
 * Each replica states the highest height for which it has voted to commit, and answers from the state of a height. The answer is
 * believed when `oneCorrect` replicas give the same for the same height, and that height is not below what a `quorum` has stated.
 *
 * WHY. What was acknowledged before the question had been committed by a quorum; any two quorums share a correct replica; so whatever
 * quorum of statements is looked at, the highest of them is not below it. The lowest such bound is the quorum-th lowest statement:
 * a liar's absurd statement delays nobody. Of `oneCorrect` equal answers one is a correct replica's, so it is what the state of that
 * height says; and what another read sees later is not older, because a correct replica had executed that height already.
 * docs/decisions/0014-fast-reads.md has the whole argument.
 */

import type { Hasher } from '../../kernel/crypto-ports.ts'
import type { Height, ReplicaId } from '../../kernel/ids.ts'
import { wordsOf } from './words.ts'

/** Answers of which the bytes are held until they are agreed on or given up, all reads together. */
export class HeldBytes {
  readonly #bytesMax: number
  bytes = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  take(bytes: number): boolean {
    if (this.bytes + bytes > this.#bytesMax) return false
    this.bytes += bytes
    return true
  }

  release(bytes: number): void {
    this.bytes -= bytes
  }
}

interface Said {
  height: Height
  words: string
}

export interface Agreed {
  height: Height
  /** Null where too much was held to keep it: it must be asked for again. */
  answer: Uint8Array | null
}

export interface AgreementRule {
  quorum: number
  oneCorrect: number
  hasher: Hasher
  held: HeldBytes
}

export class ReadAgreement {
  readonly #rule: AgreementRule
  /** The first answer of each replica; a correct one gives no other. */
  readonly #said = new Map<ReplicaId, Said>()
  /** One copy of what was said. */
  readonly #kept = new Map<string, Uint8Array>()

  constructor(rule: AgreementRule) {
    this.#rule = rule
  }

  hasAnswered(replica: ReplicaId): boolean {
    return this.#said.has(replica)
  }

  add(from: ReplicaId, height: Height, answer: Uint8Array): void {
    if (this.#said.has(from)) return
    const { hasher, held } = this.#rule
    const words = wordsOf(hasher, answer)
    this.#said.set(from, { height, words })
    // Copied: a small answer would keep its whole message alive.
    if (!this.#kept.has(words) && held.take(answer.length)) this.#kept.set(words, Uint8Array.from(answer))
  }

  /** Null as long as nothing can be believed. */
  agreed(stated: ReadonlyMap<ReplicaId, Height>): Agreed | null {
    const heightMin = boundOf(stated, this.#rule.quorum)
    if (heightMin === null) return null
    for (const { height, words } of this.#said.values()) {
      if (height < heightMin) continue
      let equal = 0
      for (const other of this.#said.values()) if (other.height === height && other.words === words) equal++
      if (equal >= this.#rule.oneCorrect) return { height, answer: this.#kept.get(words) ?? null }
    }
    return null
  }

  /** Lets go of what it holds. */
  release(): void {
    for (const answer of this.#kept.values()) this.#rule.held.release(answer.length)
    this.#kept.clear()
  }
}

/** Of all quorums that have stated something, the one whose highest statement is lowest. */
function boundOf(stated: ReadonlyMap<ReplicaId, Height>, quorum: number): Height | null {
  return [...stated.values()].sort((left, right) => left - right)[quorum - 1] ?? null
}
