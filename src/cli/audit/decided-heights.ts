// The decisions of one log, as they follow each other.

import type { Height } from '../../kernel/ids.ts'

export class DecidedHeights {
  count = 0
  /** Places at which heights are left out. */
  gaps = 0
  #last: Height | null = null

  add(height: Height): void {
    this.count++
    // A state that was fetched closes it; what was fetched then may be gone.
    if (this.#last !== null && height > this.#last + 1) this.gaps++
    // Lower ones come again where a fetched state was lost in a crash.
    this.#last = Math.max(height, this.#last ?? 0)
  }
}
