/**
 * A closed loop: so many operations are under way at any moment. Each lane has one, and begins the next when it has ended; lanes share the
 * clients in turn. It shares its processor with what it measures, and so does as little as it can for an operation: one promise
 * of its own, no closure, no timer.
 */

import type { SystemClient } from '../system.ts'
import type { LoadClock } from './clock.ts'
import type { Operations } from './operations.ts'
import { Tally, type LoadOutcome } from './tally.ts'

export interface LoadOptions {
  clients: readonly SystemClient[]
  operations: Operations
  clock: LoadClock
  seconds: number
}

/** What is under way at the end is waited for so long, and then given up. */
export const drainMsMax = 10_000
/** A lane whose operation has failed rests, or it would do nothing but fail. */
export const restMs = 10

export function runClosedLoop(options: LoadOptions & { outstanding: number }): Promise<LoadOutcome> {
  return new Promise((resolve) => new ClosedLoop(options, options.outstanding, resolve))
}

class ClosedLoop {
  readonly operations: Operations
  readonly tally: Tally
  readonly #finish: (outcome: LoadOutcome) => void
  readonly #giveUp: () => void
  #running: number
  #next = 0

  constructor(options: LoadOptions, outstanding: number, finish: (outcome: LoadOutcome) => void) {
    const { clients, operations, clock, seconds } = options
    this.operations = operations
    this.tally = new Tally(clock, seconds)
    this.#finish = finish
    this.#running = outstanding
    this.#giveUp = clock.after(seconds * 1000 + drainMsMax, () => this.#end())
    for (let lane = 0; lane < outstanding; lane++) {
      new Lane(this, clients[lane % clients.length]!).begin(this.tally.startMs)
    }
  }

  number(): number {
    return this.#next++
  }

  laneEnded(): void {
    if (--this.#running > 0 || this.tally.isOver) return
    this.#giveUp()
    this.#end()
  }

  #end(): void {
    this.#finish(this.tally.close(this.#running))
  }
}

class Lane {
  readonly #loop: ClosedLoop
  readonly #client: SystemClient
  #sinceMs = 0

  constructor(loop: ClosedLoop, client: SystemClient) {
    this.#loop = loop
    this.#client = client
  }

  begin(nowMs: number): void {
    const { tally, operations } = this.#loop
    if (nowMs >= tally.untilMs) return this.#loop.laneEnded()
    this.#sinceMs = nowMs
    operations.begin(this.#client, this.#loop.number()).then(this.#succeeded, this.#failed)
  }

  readonly #succeeded = (): void => {
    const { tally } = this.#loop
    if (tally.isOver) return
    const nowMs = tally.clock.nowMs()
    tally.succeeded(this.#sinceMs, nowMs)
    this.begin(nowMs)
  }

  readonly #failed = (): void => {
    const { tally } = this.#loop
    if (tally.isOver) return
    tally.failed()
    tally.clock.after(restMs, this.#rested)
  }

  readonly #rested = (): void => {
    if (!this.#loop.tally.isOver) this.begin(this.#loop.tally.clock.nowMs())
  }
}
