// The virtual CPU of one replica: one thing at a time, in the order of arrival, each taking as long as it costs. A process that is
// paused does nothing, and afterwards everything that has gathered meanwhile comes in one burst.

import type { Scheduler } from './scheduler.ts'

export class Processor {
  readonly #scheduler: Scheduler
  /** Called when a turn's work has been handed in: the turn's effects leave. */
  readonly #endTurn: () => void
  #waiting: (() => void)[] = []
  #busyUntilUs = 0
  #pausedUntilUs = 0
  #wakeScheduled = false
  #stopped = false
  #inTurn = false
  /** Virtual time that the turn under way has cost so far. */
  #spentUs = 0

  constructor(scheduler: Scheduler, endTurn: () => void) {
    this.#scheduler = scheduler
    this.#endTurn = endTurn
  }

  /** The moment at which what the turn does now takes effect outside. */
  get nowUs(): number {
    return this.#scheduler.nowUs + this.#spentUs
  }

  get isPaused(): boolean {
    return this.#pausedUntilUs > this.#scheduler.nowUs
  }

  charge(us: number): void {
    this.#spentUs += us
  }

  run(work: () => void): void {
    if (this.#stopped) return
    this.#waiting.push(work)
    if (this.#inTurn) return
    if (this.#freeAtUs() <= this.#scheduler.nowUs && this.#waiting.length === 1) this.#turn()
    else this.#scheduleWake()
  }

  pause(durationUs: number): void {
    this.#pausedUntilUs = Math.max(this.#pausedUntilUs, this.#scheduler.nowUs + durationUs)
  }

  resume(): void {
    this.#pausedUntilUs = 0
    if (this.#waiting.length > 0) this.#scheduleWake()
  }

  /** The process is gone: nothing that waits will happen. */
  stop(): void {
    this.#stopped = true
    this.#waiting = []
  }

  #freeAtUs(): number {
    return Math.max(this.#busyUntilUs, this.#pausedUntilUs)
  }

  #scheduleWake(): void {
    if (this.#wakeScheduled) return
    this.#wakeScheduled = true
    this.#scheduler.at(this.#freeAtUs(), () => {
      this.#wakeScheduled = false
      if (this.#stopped || this.#waiting.length === 0) return
      if (this.#freeAtUs() > this.#scheduler.nowUs) this.#scheduleWake()
      else this.#turn()
    })
  }

  #turn(): void {
    const turn = this.#waiting
    this.#waiting = []
    this.#spentUs = 0
    this.#inTurn = true
    for (const work of turn) work()
    this.#endTurn()
    this.#inTurn = false
    this.#busyUntilUs = this.#scheduler.nowUs + Math.ceil(this.#spentUs)
    this.#spentUs = 0
    if (this.#waiting.length > 0) this.#scheduleWake()
  }
}
