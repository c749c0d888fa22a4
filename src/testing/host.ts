/**
 * A clock and a source of randomness of its own for each machine that is run: what two replicas have. A machine that reads them
 * differs from its twin for certain, and in the same way each time. All of it is put back before anybody else runs.
 */

import { createRandom, type Random } from '../kernel/random.ts'

const firstMs = 1_700_000_000_000
const apartMs = 86_400_000
const wordsTotal = 0x1_0000_0000

export class Host {
  readonly #random: Random
  #nowMs: number

  /** Hosts of different numbers are days apart. */
  constructor(number: number) {
    this.#random = createRandom(`host ${number}`)
    this.#nowMs = firstMs + number * apartMs
  }

  run<Value>(work: () => Value): Value {
    const { Date: realDate } = globalThis
    const realRandom = Math.random
    const realNow = Object.getOwnPropertyDescriptor(performance, 'now')
    try {
      globalThis.Date = this.#shifted(realDate)
      Math.random = () => this.#random.u32() / wordsTotal
      Object.defineProperty(performance, 'now', { configurable: true, writable: true, value: () => this.#tick() })
      return work()
    } finally {
      globalThis.Date = realDate
      Math.random = realRandom
      if (realNow === undefined) Reflect.deleteProperty(performance, 'now')
      else Object.defineProperty(performance, 'now', realNow)
    }
  }

  #tick(): number {
    this.#nowMs += 1 + this.#random.below(50)
    return this.#nowMs
  }

  #shifted(real: DateConstructor): DateConstructor {
    const now = (): number => this.#tick()
    return new Proxy(real, {
      construct: (target, args, newTarget) =>
        Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget) as object,
      // What stands for Date here is the real one; called without `new`, it says the time as a text.
      // oxlint-disable-next-line unicorn/new-for-builtins -- new is what gives `target` a time of our own
      apply: (target) => new target(now()).toString(),
      get: (target, name, receiver) => (name === 'now' ? now : (Reflect.get(target, name, receiver) as unknown)),
    })
  }
}
