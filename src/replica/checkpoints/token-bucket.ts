// So many bytes a second, whatever their size: an answer goes when the bucket is not empty, and what it takes beyond is owed.

export class TokenBucket {
  #perSecond: number
  #tokens: number
  #atMs = 0

  constructor(perSecond: number) {
    this.#perSecond = perSecond
    this.#tokens = perSecond / 4
  }

  /** What was saved or is owed stays. */
  setRate(perSecond: number, nowMs: number): void {
    this.#fill(nowMs)
    this.#perSecond = perSecond
  }

  mayTake(nowMs: number): boolean {
    this.#fill(nowMs)
    return this.#tokens > 0
  }

  take(count: number): void {
    this.#tokens -= count
  }

  /** When something may be taken again. */
  readyMs(nowMs: number): number {
    this.#fill(nowMs)
    return this.#tokens > 0 ? nowMs : nowMs + Math.ceil(((1 - this.#tokens) * 1000) / this.#perSecond)
  }

  /** At most a quarter of a second is saved up. */
  #fill(nowMs: number): void {
    const elapsedMs = Math.max(0, nowMs - this.#atMs)
    this.#atMs = Math.max(this.#atMs, nowMs)
    this.#tokens = Math.min(this.#perSecond / 4, this.#tokens + (elapsedMs * this.#perSecond) / 1000)
  }
}
