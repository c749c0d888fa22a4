/**
 * How many of the machine's cores the others leave to this process, of late: whether a thread of ours would run beside its loop, or take turns
 * with it and with everybody else. What this process uses itself does not count, or what is moved to threads would speak against threads.
 *
 * Not known here: what a container may use, and what of the machine its host takes. Where either is less than the machine has, the answer is too high.
 */

import { cpus } from 'node:os'

/** Asking the system takes some 0.1 ms. */
export const sampleMsMin = 1000
/** What was so long ago says nothing about now. */
export const sampleMsMax = 10_000

/** One for the loop, and half of one for a thread: from here on a thread is worth what it costs (docs/decisions/0022-crowded-cores.md). */
export const coresForThreads = 1.5

/** CPU time so far. */
export interface CoreTimes {
  atMs: number
  cores: number
  /** Of all processes; not of those that give way to whoever is in earnest. */
  busyMs: number
  ownMs: number
}

export class CoresLeft {
  readonly #nowMs: () => number
  readonly #times: () => Omit<CoreTimes, 'atMs'>
  #last: CoreTimes
  #left: number

  constructor(nowMs: () => number = () => performance.now(), times = () => timesOfSystem()) {
    this.#nowMs = nowMs
    this.#times = times
    this.#last = this.#sample(nowMs())
    this.#left = this.#last.cores
  }

  get left(): number {
    const sinceMs = this.#nowMs() - this.#last.atMs
    if (sinceMs >= sampleMsMin) this.#look(sinceMs)
    return this.#left
  }

  get sufficeForThreads(): boolean {
    return this.left >= coresForThreads
  }

  #look(sinceMs: number): void {
    const before = this.#last
    const now = this.#sample(before.atMs + sinceMs)
    this.#last = now
    const othersMs = Math.max(0, now.busyMs - before.busyMs - (now.ownMs - before.ownMs))
    this.#left = sinceMs > sampleMsMax ? now.cores : Math.max(0, now.cores - othersMs / sinceMs)
  }

  #sample(atMs: number): CoreTimes {
    return { atMs, ...this.#times() }
  }
}

/** Of the machine as Node describes it. */
export function timesOfSystem(all = cpus()): Omit<CoreTimes, 'atMs'> {
  const { user, system } = process.cpuUsage()
  // Where the system does not say what it has, nothing is known against threads.
  const cores = all.length === 0 ? Infinity : all.length
  const busyMs = all.reduce((sum, { times }) => sum + times.user + times.sys + times.irq, 0)
  return { cores, busyMs, ownMs: (user + system) / 1000 }
}
