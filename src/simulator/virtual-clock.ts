// The clocks of one machine: the monotonic one runs a little too fast or too slow, the wall clock is off and may jump.

import type { Now } from '../kernel/protocol.ts'

/** Wall time at virtual time zero. */
const wallMsStart = 1_760_000_000_000

export class VirtualClock {
  readonly #driftPpm: number
  readonly #offsetMsMax: number
  #wallOffsetMs: number
  /** Of what it has shown. */
  #lowestMs = Infinity
  #highestMs = -Infinity

  /** `offsetMsMax`: however often it jumps, it is off by no more. */
  constructor(driftPpm: number, wallOffsetMs: number, offsetMsMax: number = Infinity) {
    this.#driftPpm = driftPpm
    this.#offsetMsMax = offsetMsMax
    this.#wallOffsetMs = wallOffsetMs
    this.#remember(0)
  }

  at(worldUs: number): Now {
    const localUs = Math.floor((worldUs * (1_000_000 + this.#driftPpm)) / 1_000_000)
    return { monotonicMs: localUs / 1000, wallMs: wallMsStart + Math.floor(localUs / 1000) + this.#wallOffsetMs }
  }

  /** How long the world waits while this clock counts so many milliseconds. */
  toWorldUs(localMs: number): number {
    return Math.ceil((localMs * 1000 * 1_000_000) / (1_000_000 + this.#driftPpm))
  }

  jumpWall(byMs: number, worldUs: number): void {
    this.#remember(worldUs)
    const most = this.#offsetMsMax
    this.#wallOffsetMs = Math.max(-most, Math.min(most, this.#wallOffsetMs + byMs))
    this.#remember(worldUs)
  }

  /** Sets it right, but for so much. */
  setWall(offsetMs: number, worldUs: number): void {
    this.jumpWall(offsetMs - this.#wallOffsetMs, worldUs)
  }

  /** The lowest and the highest wall time that it has shown so far. */
  shown(worldUs: number): { lowestMs: number; highestMs: number } {
    this.#remember(worldUs)
    return { lowestMs: this.#lowestMs, highestMs: this.#highestMs }
  }

  #remember(worldUs: number): void {
    const { wallMs } = this.at(worldUs)
    this.#lowestMs = Math.min(this.#lowestMs, wallMs)
    this.#highestMs = Math.max(this.#highestMs, wallMs)
  }
}
