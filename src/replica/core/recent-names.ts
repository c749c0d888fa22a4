/** The last so many names that were added. */
export class RecentNames {
  readonly #max: number
  readonly #names = new Set<string>()

  constructor(max: number) {
    this.#max = max
  }

  add(name: string): void {
    this.#names.delete(name)
    this.#names.add(name)
    if (this.#names.size <= this.#max) return
    for (const oldest of this.#names) return void this.#names.delete(oldest)
  }

  has(name: string): boolean {
    return this.#names.has(name)
  }
}
