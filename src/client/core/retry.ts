// When something goes out again: later each time, bounded, and not at one moment with everybody else's.

import type { ReplicaId } from '../../kernel/ids.ts'
import type { Random } from '../../kernel/random.ts'

export interface Attempts {
  /** Times that it has left. */
  attempts: number
  /** Of these, how often in a row it met with silence. */
  silences: number
  dueMs: number
  /** Who has it; null when it may go to the same again. */
  target: ReplicaId | null
  /** A replica said "not now" since it left last: told more often, it would never be due. */
  postponed: boolean
}

export const notSent: Readonly<Attempts> = { attempts: 0, silences: 0, dueMs: 0, target: null, postponed: false }

export interface RetryLimits {
  /** What has no answer goes to the next replica after so long at least, and then twice as long, up to the second. */
  retryMsMin: number
  retryMsMax: number
}

const soonMs = 20
const doublingsMax = 10
/** Of the time that answers take of late: what has no answer after so many of it will hardly have one. */
const patience = 2
/** What the newest answer counts for in that. */
const newestShare = 1 / 8
/** What a network is believed to order at least, as long as nobody knows better. */
const bytesPerMs = 4096

export class RetryTimes {
  readonly #limits: RetryLimits
  readonly #random: Random
  #answerMs = 0

  constructor(limits: RetryLimits, random: Random) {
    this.#limits = limits
    this.#random = random
  }

  /** All of an envelope was answered so long after it first left. */
  answered(afterMs: number): void {
    this.#answerMs += newestShare * (Math.min(afterMs, this.#limits.retryMsMax) - this.#answerMs)
  }

  /**
   * `leastMs`, or what answers take, and time for all that is under way: a network that is slow because it has so much to do, large operations
   * above all, must not be given all of it once more. What is measured holds this patience too: `mostMs` ends what would feed on itself.
   */
  patienceMs(leastMs: number, bytesUnderWay: number, mostMs: number = this.#limits.retryMsMax): number {
    const ms = Math.min(mostMs, Math.max(leastMs, patience * this.#answerMs)) + Math.floor(bytesUnderWay / bytesPerMs)
    return Math.min(this.#limits.retryMsMax, ms)
  }

  /** It leaves now, with so much under way. */
  sent(item: Attempts, target: ReplicaId | null, nowMs: number, bytesUnderWay = 0): void {
    const { retryMsMin, retryMsMax } = this.#limits
    const firstMs = this.patienceMs(retryMsMin, bytesUnderWay)
    const delayMs = Math.min(retryMsMax, firstMs * 2 ** Math.min(item.silences, doublingsMax))
    item.attempts++
    item.silences++
    item.target = target
    item.postponed = false
    item.dueMs = nowMs + this.#about(delayMs)
  }

  /**
   * A replica answered that it cannot now. A time that it names is bounded, because it may lie or be wrong; and what comes once
   * comes again, so that the pause grows with the attempts. But silence has not met it: whoever is asked next, and is silent, is not
   * waited for as if he were the tenth.
   */
  postpone(item: Attempts, nowMs: number, retryAfterMs = 0): void {
    if (item.postponed) return
    item.postponed = true
    item.silences = 0
    const { retryMsMin, retryMsMax } = this.#limits
    const pauseMs = Math.min(retryMsMin, this.soonMs(item.attempts))
    item.dueMs = nowMs + Math.min(retryMsMax, this.#about(Math.max(pauseMs, retryAfterMs)))
  }

  /** A little, and more with each attempt. */
  soonMs(attempts: number): number {
    return this.#about(soonMs * 2 ** Math.min(Math.max(0, attempts - 1), doublingsMax))
  }

  #about(delayMs: number): number {
    return delayMs + this.#random.below(Math.max(1, Math.ceil(Math.min(delayMs, 2 ** 31) / 4)))
  }
}
