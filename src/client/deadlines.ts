// When waits end. Nearly all have the same length, so those of one length end in the order they began: one timer for each length, not one for
// each operation, which would cost a client more than the rest of its work.

/** One wait. */
export class Deadline {
  readonly queue: DeadlineQueue
  readonly atMs: number
  /** Called when the time is up; null when nobody waits any more. */
  expire: (() => void) | null

  constructor(queue: DeadlineQueue, atMs: number, expire: () => void) {
    this.queue = queue
    this.atMs = atMs
    this.expire = expire
  }
}

/** Ended ones in a queue, beside as many as wait. */
const endedMax = 64

export class Deadlines {
  readonly #queues = new Map<number, DeadlineQueue>()

  add(lengthMs: number, expire: () => void): Deadline {
    let queue = this.#queues.get(lengthMs)
    if (queue === undefined) {
      queue = new DeadlineQueue(lengthMs, (ended) => {
        if (this.#queues.get(lengthMs) === ended) this.#queues.delete(lengthMs)
      })
      this.#queues.set(lengthMs, queue)
    }
    return queue.add(expire)
  }

  /** Its time does not matter any more. */
  remove(deadline: Deadline): void {
    if (deadline.expire === null) return
    deadline.expire = null
    deadline.queue.removed()
  }
}

/** Waits of one length, oldest first. */
class DeadlineQueue {
  readonly #lengthMs: number
  readonly #ended: (queue: DeadlineQueue) => void
  #deadlines: Deadline[] = []
  #waiting = 0
  #timer: ReturnType<typeof setTimeout> | null = null

  constructor(lengthMs: number, ended: (queue: DeadlineQueue) => void) {
    this.#lengthMs = lengthMs
    this.#ended = ended
  }

  /** Those that have ended and are still in it included. */
  get length(): number {
    return this.#deadlines.length
  }

  add(expire: () => void): Deadline {
    const deadline = new Deadline(this, performance.now() + this.#lengthMs, expire)
    this.#deadlines.push(deadline)
    this.#waiting++
    this.#timer ??= setTimeout(() => this.#due(), this.#lengthMs)
    return deadline
  }

  removed(): void {
    this.#waiting--
    if (this.#deadlines.length > 2 * this.#waiting + endedMax) this.#compact()
    if (this.#waiting === 0) this.#end()
  }

  #due(): void {
    const nowMs = performance.now()
    // Whoever is called may begin another wait, which stands behind all of these.
    for (const deadline of this.#deadlines) {
      if (deadline.atMs > nowMs) break
      const { expire } = deadline
      if (expire === null) continue
      deadline.expire = null
      this.#waiting--
      expire()
    }
    this.#compact()
    this.#timer = null
    const next = this.#deadlines[0]
    if (next === undefined) this.#end()
    else this.#timer = setTimeout(() => this.#due(), Math.max(1, Math.ceil(next.atMs - nowMs)))
  }

  #compact(): void {
    this.#deadlines = this.#deadlines.filter(({ expire }) => expire !== null)
  }

  /** A timer that nobody waits for would keep the process alive. */
  #end(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    this.#ended(this)
  }
}
