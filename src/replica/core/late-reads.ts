// Answers to ordered reads that were executed here of late: some question comes after its block, and one whose answer was lost comes again.

import type { ReadAnswer } from '../../kernel/client-messages.ts'
import type { Height } from '../../kernel/ids.ts'

/** Envelopes of reads whose answers are kept, and bytes of these. */
export const lateReadsMax = 1024
export const lateReadBytesMax: number = 4 * 1024 * 1024
/** What an answer is counted with beside its bytes: there may be many without any. */
export const lateAnswerOverheadBytes = 64

interface KeptAnswers {
  readonly height: Height
  readonly answers: readonly ReadAnswer[]
  readonly bytes: number
}

export class LateReads {
  /** Oldest first. */
  readonly #kept = new Map<string, KeptAnswers>()
  #bytes = 0

  /**
   * What is kept by that name from now on; null if it is too much. The first answers stay: where a copy is ordered too, those who have
   * seen the one block all answer from it, and those who have not, all from the other.
   */
  keep(name: string, height: Height, answers: Iterable<ReadAnswer>): KeptAnswers | null {
    const earlier = this.find(name)
    if (earlier !== null) return earlier
    const list: ReadAnswer[] = []
    let bytes = 0
    for (const one of answers) {
      bytes += one.answer.length + lateAnswerOverheadBytes
      // What is too much to keep is too much to work out, for nobody who waits.
      if (bytes > lateReadBytesMax) return null
      list.push(one)
    }
    const kept = { height, answers: list, bytes }
    this.#kept.set(name, kept)
    this.#bytes += bytes
    this.#forgetOldest()
    return kept
  }

  find(name: string): KeptAnswers | null {
    return this.#kept.get(name) ?? null
  }

  #forgetOldest(): void {
    for (const [name, { bytes }] of this.#kept) {
      if (this.#kept.size <= lateReadsMax && this.#bytes <= lateReadBytesMax) return
      this.#kept.delete(name)
      this.#bytes -= bytes
    }
  }
}
