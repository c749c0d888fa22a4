/**
 * While somebody fetches a snapshot from this replica, it writes no newer ones: two are kept, and on a busy network what is fetched would
 * be gone before it has arrived. Bounded, because whoever fetches may do so for ever: then the log would grow for ever.
 */

/** Somebody who has asked for nothing for so long has gone, or has what it wanted. */
export const holdMs = 3_000
/** Held in one go at the most, … */
export const holdMsMax = 300_000
/** … and then not for so long: what is newer is written, and fetched anew with all chunks that are the same. */
export const holdPauseMs = 10_000

export class SnapshotHold {
  #sinceMs: number | null = null
  #askedMs = 0
  #notBeforeMs = -Infinity

  asked(nowMs: number): void {
    if (nowMs < this.#notBeforeMs) return
    if (this.#sinceMs === null || nowMs - this.#askedMs > holdMs) this.#sinceMs = nowMs
    this.#askedMs = nowMs
  }

  holds(nowMs: number): boolean {
    if (this.#sinceMs === null) return false
    if (nowMs - this.#sinceMs > holdMsMax) {
      this.#sinceMs = null
      this.#notBeforeMs = nowMs + holdPauseMs
      return false
    }
    return nowMs - this.#askedMs <= holdMs
  }
}
