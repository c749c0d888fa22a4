// How long to wait before the next attempt to connect: doubling up to a cap, with jitter, so that a network that comes back is not
// met by everyone at once.

import type { Random } from '../../kernel/random.ts'

export interface BackoffLimits {
  delayMsMin: number
  delayMsMax: number
}

export const backoffLimitsDefault: BackoffLimits = { delayMsMin: 50, delayMsMax: 5_000 }

export class Backoff {
  readonly #random: Random
  readonly #limits: BackoffLimits
  #delayMs: number

  constructor(random: Random, limits: BackoffLimits = backoffLimitsDefault) {
    this.#random = random
    this.#limits = limits
    this.#delayMs = limits.delayMsMin
  }

  /** Between half of the present delay and all of it; the next is twice as long. */
  next(): number {
    const delayMs = this.#delayMs
    this.#delayMs = Math.min(this.#limits.delayMsMax, delayMs * 2)
    return Math.ceil(delayMs / 2) + this.#random.below(Math.floor(delayMs / 2) + 1)
  }

  /** A link has ended that was open for so long. One that falls at once did not work: who breaks it must not keep us dialling. */
  lasted(openMs: number): void {
    if (openMs >= this.#limits.delayMsMax) this.#delayMs = this.#limits.delayMsMin
  }
}
