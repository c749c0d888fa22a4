// The time of a load, from outside, so that tests have one of their own.

export interface LoadClock {
  /** Of a clock that never goes back. */
  nowMs(): number
  /** Calls back once, later; what it answers with takes that back. */
  after(milliseconds: number, callback: () => void): () => void
}

export const hostClock: LoadClock = {
  nowMs: () => performance.now(),
  after: (milliseconds, callback) => {
    const timer = setTimeout(callback, milliseconds)
    return () => clearTimeout(timer)
  },
}
