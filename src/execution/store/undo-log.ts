// Takes back what an operation did, last step first.

export class UndoLog {
  #steps: (() => void)[] = []
  #undoing = false

  /** How to take back the step that was just done. */
  add(undo: () => void): void {
    // Taking a step back is done with the same methods that do it.
    if (!this.#undoing) this.#steps.push(undo)
  }

  /** Where the log is now: what `rollbackTo` returns to. */
  get mark(): number {
    return this.#steps.length
  }

  rollbackTo(mark: number): void {
    this.#undoing = true
    while (this.#steps.length > mark) this.#steps.pop()!()
    this.#undoing = false
  }

  /** What was done stays. */
  clear(): void {
    if (this.#steps.length > 0) this.#steps = []
  }
}
