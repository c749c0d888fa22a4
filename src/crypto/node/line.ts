// Those who wait, the oldest first. Who was taken is not kept until nobody waits: under a steady load that is never.

export class Line<Item> {
  #items: Item[] = []
  #head = 0

  get length(): number {
    return this.#items.length - this.#head
  }

  /** Items in memory: fewer than twice those that wait. */
  get kept(): number {
    return this.#items.length
  }

  push(item: Item): void {
    this.#items.push(item)
  }

  /** Of a line in which somebody waits. */
  take(): Item {
    const item = this.#items[this.#head++]!
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
