// Runs operations one after the other, in the order they were asked for: the thread pool beneath keeps no order.

import type { Done, FileError } from '../log/file-port.ts'

/** Calls `answer` once: from within when `now` is true, else later. */
export type Operation = (answer: (error: FileError | null) => void) => void

/** Operations of one file that wait. A log has a handful; so many wait only behind a disk that no longer answers. */
export const waitingOperationsMax = 4096

export class OperationChain {
  readonly #waiting: { run: Operation; done: Done }[] = []
  #running = false
  #closed = false
  #ended: () => void

  /** `ended` is called once: after `close`, when nothing runs any more. */
  constructor(ended: () => void) {
    this.#ended = ended
  }

  push(run: Operation, done: Done): void {
    if (this.#closed) return
    if (this.#waiting.length >= waitingOperationsMax) {
      const message = `more than ${waitingOperationsMax} operations of one file wait: check whether the disk still answers`
      this.#answer(done, { code: 'ERR_DISK_IO', message })
      return
    }
    this.#waiting.push({ run, done })
    if (!this.#running) this.#next()
  }

  /** What waits is dropped, what runs is waited for, and nothing answers any more. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#waiting.length = 0
    if (!this.#running) this.#end()
  }

  #next(): void {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      const { run, done } = next
      let isWithin = true
      this.#running = true
      run((error) => {
        this.#running = false
        if (isWithin) return this.#answer(done, error)
        if (this.#closed) return this.#end()
        // The next begins before this one is answered: whoever is called then may throw.
        this.#next()
        done(error)
      })
      isWithin = false
      if (this.#running) return
    }
  }

  /** Never from within a call of the port. */
  #answer(done: Done, error: FileError | null): void {
    queueMicrotask(() => {
      if (!this.#closed) done(error)
    })
  }

  #end(): void {
    const ended = this.#ended
    this.#ended = () => {}
    ended()
  }
}
