// One thing at a time with the files that are written whole: two at once could spoil one another's.

export class FileJobs {
  readonly #waiting: ((end: () => void) => void)[] = []
  #isBusy = false

  /** The job begins when those before it have ended; it must end. */
  run(job: (end: () => void) => void): void {
    this.#waiting.push(job)
    if (!this.#isBusy) this.#next()
  }

  #next(): void {
    const job = this.#waiting.shift()
    this.#isBusy = job !== undefined
    job?.(() => this.#next())
  }
}
