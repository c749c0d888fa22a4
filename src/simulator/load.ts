// The operations that simulated clients invoke: few keys, so that they meet; values never written twice, so that a wrong read shows.

import type { Random } from '../kernel/random.ts'
import type { HistoryOperation } from './checkers/key-value-model.ts'

export class Load {
  readonly #keys: number
  #nextValue = 1
  /** Values that compare-and-swap may expect: some are there, some are gone. */
  readonly #recent: string[] = []

  constructor(keys: number) {
    this.#keys = keys
  }

  draw(random: Random): HistoryOperation {
    const key = `k${random.below(this.#keys)}`
    switch (random.below(10)) {
      case 0:
      case 1:
      case 2:
      case 3:
        return { kind: 'get', key }
      case 4:
      case 5:
        return { kind: 'put', key, value: this.#value() }
      case 6:
      case 7:
        return { kind: 'increment', key: `n${random.below(this.#keys)}` }
      case 8:
        return { kind: 'compareAndSwap', key, expected: this.#expected(random), value: this.#value() }
      default:
        return { kind: 'delete', key }
    }
  }

  #value(): string {
    const value = `v${this.#nextValue++}`
    this.#recent.push(value)
    if (this.#recent.length > 8) this.#recent.shift()
    return value
  }

  #expected(random: Random): string | null {
    return this.#recent.length === 0 || random.chance(1, 4) ? null : random.pick(this.#recent)
  }
}
