// What became of the operations of one load.

import { LatencyHistogram } from '../latency-histogram.ts'
import type { LoadClock } from './clock.ts'

export const timelineStepMs = 100

export interface LoadOutcome {
  /** From the first beginning to the last end, or as long as was asked for if that is longer. */
  seconds: number
  operations: number
  failed: number
  latency: LatencyHistogram
  /** Operations that ended well in each step of 100 ms of the time asked for. */
  timeline: number[]
}

export class Tally {
  readonly clock: LoadClock
  readonly startMs: number
  readonly #plannedMs: number
  readonly #latency = new LatencyHistogram()
  readonly #timeline: number[]
  #failed = 0
  #lastMs: number
  #over = false

  constructor(clock: LoadClock, seconds: number) {
    this.clock = clock
    this.startMs = clock.nowMs()
    this.#plannedMs = seconds * 1000
    this.#lastMs = this.untilMs
    this.#timeline = Array.from({ length: Math.ceil(this.#plannedMs / timelineStepMs) }, () => 0)
  }

  /** Nothing begins from then on. */
  get untilMs(): number {
    return this.startMs + this.#plannedMs
  }

  /** What is answered from then on was given up before. */
  get isOver(): boolean {
    return this.#over
  }

  succeeded(sinceMs: number, nowMs: number): void {
    this.#latency.record(nowMs - sinceMs)
    if (nowMs > this.#lastMs) this.#lastMs = nowMs
    const step = Math.floor((nowMs - this.startMs) / timelineStepMs)
    if (step < this.#timeline.length) this.#timeline[step]!++
  }

  failed(): void {
    this.#failed++
  }

  /** With so many that have not been answered, and are not waited for any longer. */
  close(unanswered: number): LoadOutcome {
    this.#over = true
    return {
      seconds: (this.#lastMs - this.startMs) / 1000,
      operations: this.#latency.count,
      failed: this.#failed + unanswered,
      latency: this.#latency,
      timeline: this.#timeline,
    }
  }
}
