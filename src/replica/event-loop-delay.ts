// How late this process comes to what it has to do: a replica that shares its process with a busy application is slow for everybody.

import { monitorEventLoopDelay, type IntervalHistogram } from 'node:perf_hooks'

/** Looked at so often: half a percent of a CPU. */
const resolutionMs = 20

export class EventLoopDelay {
  readonly #histogram: IntervalHistogram = monitorEventLoopDelay({ resolution: resolutionMs })

  constructor() {
    this.#histogram.enable()
  }

  /** How much later than asked a timer fired, the ninety-ninth percentile since this was asked last; 0 if none has fired since. */
  takeP99Ms(): number {
    const p99Ms = this.#histogram.count === 0 ? resolutionMs : this.#histogram.percentile(99) / 1e6
    this.#histogram.reset()
    // It counts the whole pause from one firing to the next.
    return Math.max(0, Math.round((p99Ms - resolutionMs) * 1000) / 1000)
  }

  stop(): void {
    this.#histogram.disable()
  }
}
