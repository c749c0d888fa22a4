// Timers of one process, on its own clock. A timer that fires while the process is busy or paused fires when it is free again,
// and one that was disarmed or replaced meanwhile does not fire at all.

import type { Timers } from '../replica/driver/driver.ts'
import type { Scheduled, Scheduler } from './scheduler.ts'

export class VirtualTimers implements Timers {
  readonly #scheduler: Scheduler
  readonly #toWorldUs: (localMs: number) => number
  readonly #fire: (run: () => void) => void
  readonly #onTimer: (name: string) => void
  readonly #armed = new Map<string, Scheduled>()

  constructor(
    scheduler: Scheduler,
    toWorldUs: (localMs: number) => number,
    fire: (run: () => void) => void,
    onTimer: (name: string) => void,
  ) {
    this.#scheduler = scheduler
    this.#toWorldUs = toWorldUs
    this.#fire = fire
    this.#onTimer = onTimer
  }

  arm(name: string, afterMs: number): void {
    this.disarm(name)
    const scheduled = this.#scheduler.after(this.#toWorldUs(afterMs), () => {
      this.#fire(() => {
        if (this.#armed.get(name) !== scheduled) return
        this.#armed.delete(name)
        this.#onTimer(name)
      })
    })
    this.#armed.set(name, scheduled)
  }

  disarm(name: string): void {
    const scheduled = this.#armed.get(name)
    if (scheduled === undefined) return
    this.#scheduler.cancel(scheduled)
    this.#armed.delete(name)
  }

  stop(): void {
    for (const name of [...this.#armed.keys()]) this.disarm(name)
  }
}
