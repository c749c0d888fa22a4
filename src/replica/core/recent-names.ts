/** The last so many names that were added, and when. */
export class RecentNames {
  readonly #max: number
  readonly #addedMs = new Map<string, number>()

  constructor(max: number) {
    this.#max = max
  }

  add(name: string, nowMs: number): void {
    this.#addedMs.delete(name)
    this.#addedMs.set(name, nowMs)
    if (this.#addedMs.size <= this.#max) return
    for (const oldest of this.#addedMs.keys()) return void this.#addedMs.delete(oldest)
  }

  has(name: string): boolean {
    return this.#addedMs.has(name)
  }

  /** If it was added before that. */
  forgetIfOlder(name: string, thanMs: number): void {
    const addedMs = this.#addedMs.get(name)
    if (addedMs !== undefined && addedMs < thanMs) this.#addedMs.delete(name)
  }
}
