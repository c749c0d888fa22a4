/**
 * An open loop: operations begin on schedule, whatever becomes of those before, and each one's latency counts from the moment when it should
 * have begun. A system that stops for a second is so charged with everything that came meanwhile, and not with what a closed loop had under
 * way when it stopped (what is called coordinated omission). What is due begins when the timer fires, about a millisecond late at worst on
 * an idle machine, and that too is in the latency: a generator that spun until the moment had come would take a processor from
 * the system.
 */

import type { SystemClient } from '../system.ts'
import { drainMsMax, type LoadOptions } from './closed-loop.ts'
import type { Operations } from './operations.ts'
import { Tally, type LoadOutcome } from './tally.ts'

/** Under way at once: what is due beyond that does not begin, and has failed. */
export const openLoopOutstandingMax = 8192

export function runOpenLoop(options: LoadOptions & { perSecond: number }): Promise<LoadOutcome> {
  return new Promise((resolve) => new OpenLoop(options, options.perSecond, resolve).tick())
}

class OpenLoop {
  readonly tally: Tally
  readonly #operations: Operations
  readonly #clients: readonly SystemClient[]
  readonly #finish: (outcome: LoadOutcome) => void
  readonly #giveUp: () => void
  readonly #perSecond: number
  readonly #total: number
  /** Places of operations that are over, to be used again. */
  readonly #free: Place[] = []
  #due = 0
  #underWay = 0

  constructor(options: LoadOptions, perSecond: number, finish: (outcome: LoadOutcome) => void) {
    const { clients, operations, clock, seconds } = options
    this.tally = new Tally(clock, seconds)
    this.#operations = operations
    this.#clients = clients
    this.#perSecond = perSecond
    this.#total = Math.ceil(seconds * perSecond)
    this.#finish = finish
    this.#giveUp = clock.after(seconds * 1000 + drainMsMax, () => this.#end())
  }

  readonly tick = (): void => {
    const { clock } = this.tally
    if (this.tally.isOver) return
    const nowMs = clock.nowMs()
    while (this.#due < this.#total && this.#dueMs() <= nowMs) this.#begin()
    if (this.#due < this.#total) clock.after(this.#dueMs() - nowMs, this.tick)
    else this.#endIfDone()
  }

  over(place: Place): void {
    this.#underWay--
    this.#free.push(place)
    this.#endIfDone()
  }

  #dueMs(): number {
    return this.tally.startMs + (this.#due * 1000) / this.#perSecond
  }

  #begin(): void {
    const sinceMs = this.#dueMs()
    const number = this.#due++
    if (this.#underWay >= openLoopOutstandingMax) return this.tally.failed()
    this.#underWay++
    const place = this.#free.pop() ?? new Place(this)
    place.sinceMs = sinceMs
    const client = this.#clients[number % this.#clients.length]!
    this.#operations.begin(client, number).then(place.succeeded, place.failed)
  }

  #endIfDone(): void {
    if (this.#due < this.#total || this.#underWay > 0) return
    this.#giveUp()
    this.#end()
  }

  #end(): void {
    if (this.tally.isOver) return
    // What could not even begin has not been answered either.
    this.#finish(this.tally.close(this.#underWay + this.#total - this.#due))
  }
}

/** Of one operation at a time. */
class Place {
  readonly #loop: OpenLoop
  sinceMs = 0

  constructor(loop: OpenLoop) {
    this.#loop = loop
  }

  readonly succeeded = (): void => {
    const { tally } = this.#loop
    if (tally.isOver) return
    tally.succeeded(this.sinceMs, tally.clock.nowMs())
    this.#loop.over(this)
  }

  readonly failed = (): void => {
    if (this.#loop.tally.isOver) return
    this.#loop.tally.failed()
    this.#loop.over(this)
  }
}
