// The clocks of one machine: the monotonic one runs a little too fast or too slow, the wall clock is off and may jump.

import type { Now } from '../kernel/protocol.ts'

/** Wall time at virtual time zero. */
const wallMsStart = 1_760_000_000_000

export class VirtualClock {
  readonly #driftPpm: number
  #wallOffsetMs: number

  constructor(driftPpm: number, wallOffsetMs: number) {
    this.#driftPpm = driftPpm
    this.#wallOffsetMs = wallOffsetMs
  }

  at(worldUs: number): Now {
    const localUs = Math.floor((worldUs * (1_000_000 + this.#driftPpm)) / 1_000_000)
    return { monotonicMs: localUs / 1000, wallMs: wallMsStart + Math.floor(localUs / 1000) + this.#wallOffsetMs }
  }

  /** How long the world waits while this clock counts so many milliseconds. */
  toWorldUs(localMs: number): number {
    return Math.ceil((localMs * 1000 * 1_000_000) / (1_000_000 + this.#driftPpm))
  }

  jumpWall(byMs: number): void {
    this.#wallOffsetMs += byMs
  }
}
