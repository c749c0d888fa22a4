// Answers to ordered reads that were executed here before their client's question came: it sends one to each replica, and is nearer to some.

import type { ReadAnswer } from '../../kernel/client-messages.ts'
import type { Height } from '../../kernel/ids.ts'

/** Envelopes of reads whose answers are kept, and bytes of these. */
export const lateReadsMax = 1024
export const lateReadBytesMax: number = 4 * 1024 * 1024

interface Kept {
  readonly height: Height
  readonly answers: ReadAnswer[]
  readonly bytes: number
}

export class LateReads {
  /** Oldest first. */
  readonly #kept = new Map<string, Kept>()
  #bytes = 0

  keep(name: string, height: Height, answers: Iterable<ReadAnswer>): void {
    const list: ReadAnswer[] = []
    let bytes = 0
    for (const one of answers) {
      bytes += one.answer.length
      // What is too much to keep is too much to work out: its client asks anew.
      if (bytes > lateReadBytesMax) return
      list.push(one)
    }
    this.take(name)
    this.#kept.set(name, { height, answers: list, bytes })
    this.#bytes += bytes
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= lateReadsMax && this.#bytes <= lateReadBytesMax) return
      this.take(oldest)
    }
  }

  /** Once. */
  take(name: string): Kept | null {
    const kept = this.#kept.get(name)
    if (kept === undefined) return null
    this.#kept.delete(name)
    this.#bytes -= kept.bytes
    return kept
  }
}
