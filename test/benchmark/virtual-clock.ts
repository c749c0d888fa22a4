// Time that passes when told to, and a client that takes some of it.

import type { LoadClock } from '../../src/benchmark/load/clock.ts'
import type { SystemClient } from '../../src/benchmark/system.ts'

export class VirtualClock implements LoadClock {
  #nowMs = 0
  readonly #waiting = new Set<{ dueMs: number; callback: () => void }>()

  nowMs(): number {
    return this.#nowMs
  }

  after(milliseconds: number, callback: () => void): () => void {
    const waiting = { dueMs: this.#nowMs + milliseconds, callback }
    this.#waiting.add(waiting)
    return () => this.#waiting.delete(waiting)
  }

  /** One moment after another, until this has come about. */
  async until<Value>(wanted: Promise<Value>): Promise<Value> {
    let isThere = false
    void wanted.then(() => (isThere = true))
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve))
      if (isThere) return wanted
      if (this.#waiting.size === 0) throw new Error('nothing will ever happen')
      this.#nowMs = [...this.#waiting].reduce((least, { dueMs }) => Math.min(least, dueMs), Infinity)
      for (const waiting of this.#waiting) {
        if (waiting.dueMs > this.#nowMs) continue
        this.#waiting.delete(waiting)
        waiting.callback()
      }
    }
  }
}

export class FakeClient implements SystemClient {
  readonly #clock: VirtualClock
  readonly #answer: (atMs: number) => number | 'fails' | 'never'
  begunMs: number[] = []
  outstanding = 0
  outstandingMost = 0

  /** `answer`: after how many milliseconds, for what begins at some time. */
  constructor(clock: VirtualClock, answer: (atMs: number) => number | 'fails' | 'never') {
    this.#clock = clock
    this.#answer = answer
  }

  put(): Promise<void> {
    return this.#operate()
  }

  get(): Promise<void> {
    return this.#operate()
  }

  close(): Promise<void> {
    return Promise.resolve()
  }

  #operate(): Promise<void> {
    const nowMs = this.#clock.nowMs()
    const answer = this.#answer(nowMs)
    this.begunMs.push(nowMs)
    this.outstandingMost = Math.max(this.outstandingMost, ++this.outstanding)
    if (answer === 'never') return new Promise(() => {})
    return new Promise((resolve, reject) => {
      this.#clock.after(answer === 'fails' ? 0 : answer, () => {
        this.outstanding--
        if (answer === 'fails') reject(new Error('no'))
        else resolve()
      })
    })
  }
}
