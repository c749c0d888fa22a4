// The order of effects (architecture.md §4): nothing leaves before what was persisted before it is durable, but for what was to be persisted soon.

import { Line } from '../../kernel/line.ts'
import type { Persisted } from '../../kernel/protocol.ts'

interface Waiting {
  barrier: Persisted
  act: () => void
}

export class EffectQueue {
  /** Effects that wait for everything persisted before them, and for one another. */
  readonly #ordered = new Line<Waiting>()
  /** Effects that named an earlier persist: few, and free to overtake. */
  #named: Waiting[] = []
  #persisted: Persisted
  /** The last record, also of those that no ordered effect waits for. */
  #appended: Persisted
  #durable: Persisted

  constructor(durable: Persisted) {
    this.#persisted = durable
    this.#appended = durable
    this.#durable = durable
  }

  get durable(): Persisted {
    return this.#durable
  }

  get waiting(): number {
    return this.#ordered.length + this.#named.length
  }

  persisted(sequence: Persisted): void {
    this.#persisted = sequence
    this.#appended = sequence
  }

  /** A record that nothing waits for, but what is added by `addAfterAll`. */
  persistedSoon(sequence: Persisted): void {
    this.#appended = sequence
  }

  /** Waits for every record there is. True: for one that nothing else waits for. */
  addAfterAll(act: () => void): boolean {
    const isAlone = this.#appended > Math.max(this.#persisted, this.#durable)
    if (isAlone) this.#ordered.push({ barrier: this.#appended, act })
    else this.add(act)
    return isAlone
  }

  /** Acts at once when nothing stands before it. */
  add(act: () => void, after?: Persisted): void {
    if (after !== undefined) {
      if (after > this.#appended)
        throw new RangeError(`effect named persist ${after}, the last one is ${this.#appended}`)
      if (after <= this.#durable) act()
      else this.#named.push({ barrier: after, act })
      return
    }
    if (this.#persisted <= this.#durable && this.#ordered.length === 0) act()
    else this.#ordered.push({ barrier: this.#persisted, act })
  }

  /** Lets go, in the order they arose, of the effects that were waiting for nothing beyond this persist. */
  release(upTo: Persisted): void {
    if (upTo <= this.#durable) return
    this.#durable = upTo
    if (this.#named.length > 0) {
      const ready = this.#named.filter((waiting) => waiting.barrier <= upTo)
      this.#named = this.#named.filter((waiting) => waiting.barrier > upTo)
      for (const waiting of ready) waiting.act()
    }
    for (let { first } = this.#ordered; first !== null && first.barrier <= upTo; { first } = this.#ordered) {
      this.#ordered.take().act()
    }
  }
}
