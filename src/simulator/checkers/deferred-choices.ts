// Where a search may go on later. Each place is remembered by the operation that led there and the place before, so
// remembering costs the same at any depth; the deepest place comes back first.

export class DeferredChoices {
  readonly #parents: number[] = [-1]
  readonly #items: number[] = [-1]
  readonly #states: number[] = [-1]
  readonly #depths: number[] = [0]
  readonly #byLevel: number[][] = []
  #pending = 0
  #levelMax = 0

  /** A place one operation behind another. Place 0 is the start. */
  enter(parent: number, item: number, state: number): number {
    this.#parents.push(parent)
    this.#items.push(item)
    this.#states.push(state)
    return this.#depths.push(this.#depths[parent]! + 1) - 1
  }

  defer(place: number, level: number): void {
    const places = (this.#byLevel[level] ??= [])
    places.push(place)
    this.#pending += 1
    this.#levelMax = Math.max(this.#levelMax, level)
  }

  /** The latest place at the highest level, and no longer deferred. */
  take(): number | null {
    if (this.#pending === 0) return null
    this.#pending -= 1
    for (;;) {
      const place = this.#byLevel[this.#levelMax]?.pop()
      if (place !== undefined) return place
      this.#levelMax -= 1
    }
  }

  parent(place: number): number {
    return this.#parents[place]!
  }

  item(place: number): number {
    return this.#items[place]!
  }

  state(place: number): number {
    return this.#states[place]!
  }

  depth(place: number): number {
    return this.#depths[place]!
  }
}
