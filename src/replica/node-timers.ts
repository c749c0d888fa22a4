// The protocol's timers on Node's.

import type { Timers } from './driver/driver.ts'
import { EventLoopDelay } from './event-loop-delay.ts'

export class NodeTimers implements Timers {
  /** How late timers fire here. */
  readonly delay = new EventLoopDelay()
  readonly #fire: (name: string) => void
  readonly #running = new Map<string, ReturnType<typeof setTimeout>>()
  #stopped = false

  constructor(fire: (name: string) => void) {
    this.#fire = fire
  }

  arm(name: string, afterMs: number): void {
    this.disarm(name)
    // A step in the middle of which the replica was closed goes on to its end.
    if (this.#stopped) return
    this.#wait(name, performance.now() + afterMs)
  }

  /**
   * Never before its time, as protocols count on: one that looks at the clock, finds its time not come and waits once more may be too late
   * for the only thing that it was armed for. Node's fire up to a millisecond before, and cut fractions off.
   */
  #wait(name: string, dueMs: number): void {
    const timer = setTimeout(
      () => {
        if (performance.now() < dueMs) return this.#wait(name, dueMs)
        this.#running.delete(name)
        this.#fire(name)
      },
      Math.ceil(dueMs - performance.now()),
    )
    this.#running.set(name, timer)
  }

  disarm(name: string): void {
    const timer = this.#running.get(name)
    if (timer === undefined) return
    clearTimeout(timer)
    this.#running.delete(name)
  }

  stop(): void {
    this.#stopped = true
    this.delay.stop()
    for (const name of [...this.#running.keys()]) this.disarm(name)
  }
}
