// Virtual time: a heap of what is to happen, ordered by time and then by the order in which it was scheduled.

export interface Scheduled {
  atUs: number
  order: number
  /** Null once it was cancelled. */
  run: (() => void) | null
}

export class Scheduler {
  nowUs = 0
  events = 0
  #order = 0
  readonly #heap: Scheduled[] = []

  after(delayUs: number, run: () => void): Scheduled {
    return this.at(this.nowUs + delayUs, run)
  }

  /** What lies in the past happens now, behind all that is already due. */
  at(timeUs: number, run: () => void): Scheduled {
    const scheduled: Scheduled = { atUs: Math.max(this.nowUs, Math.round(timeUs)), order: this.#order++, run }
    this.#push(scheduled)
    return scheduled
  }

  cancel(scheduled: Scheduled): void {
    scheduled.run = null
  }

  /** Runs the next event that is due by then. False when there is none: time then stands at `untilUs`. */
  step(untilUs: number): boolean {
    for (;;) {
      const next = this.#heap[0]
      if (next === undefined || next.atUs > untilUs) {
        this.nowUs = Math.max(this.nowUs, untilUs)
        return false
      }
      this.#pop()
      if (next.run === null) continue
      this.nowUs = next.atUs
      this.events++
      next.run()
      return true
    }
  }

  #push(scheduled: Scheduled): void {
    const heap = this.#heap
    let index = heap.length
    heap.push(scheduled)
    while (index > 0) {
      const parent = (index - 1) >> 1
      const above = heap[parent]!
      if (!isBefore(scheduled, above)) break
      heap[index] = above
      index = parent
    }
    heap[index] = scheduled
  }

  #pop(): void {
    const heap = this.#heap
    const last = heap.pop()!
    if (heap.length === 0) return
    let index = 0
    for (;;) {
      let child = 2 * index + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++
      if (!isBefore(heap[child]!, last)) break
      heap[index] = heap[child]!
      index = child
    }
    heap[index] = last
  }
}

function isBefore(left: Scheduled, right: Scheduled): boolean {
  return left.atUs < right.atUs || (left.atUs === right.atUs && left.order < right.order)
}
