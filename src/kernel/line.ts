// Those who wait, the oldest first. Who was taken is not kept until nobody waits: under a steady load that is never.

export class Line<Item> {
  #items: (Item | null)[] = []
  #head = 0

  get length(): number {
    return this.#items.length - this.#head
  }

  /** Places in memory: fewer than twice those that wait. */
  get kept(): number {
    return this.#items.length
  }

  /** Null: nobody waits. */
  get first(): Item | null {
    return this.#items[this.#head] ?? null
  }

  push(item: Item): void {
    this.#items.push(item)
  }

  /** Of a line in which somebody waits. */
  take(): Item {
    const item = this.#items[this.#head]!
    // Not even until the place is given up: it may be large.
    this.#items[this.#head++] = null
    if (this.#head * 2 >= this.#items.length) {
      this.#items = this.#items.slice(this.#head)
      this.#head = 0
    }
    return item
  }

  clear(): void {
    this.#items = []
    this.#head = 0
  }
}
