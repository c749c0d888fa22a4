// Links that take their time, and pools that hand requests on: what is slow by nature is nobody's fault.

import { describe, expect, it } from 'vitest'
import { Bench, timeoutMs, type Sent } from './bench.ts'

/** Every message takes so long. */
function delayed(bench: Bench, delayMs: number): (durationMs: number) => void {
  const due = new Map<Sent, number>()
  const post = bench.post.bind(bench)
  bench.post = (sent) => {
    due.set(sent, bench.nowMs + delayMs)
    post(sent)
  }
  return (durationMs) => {
    for (const endMs = bench.nowMs + durationMs; bench.nowMs < endMs;) {
      bench.elapse(10, (sent) => (due.get(sent) ?? 0) <= bench.nowMs)
    }
  }
}

describe('links of 200 ms', () => {
  it('make a correct primary none that is slow: one request after the other, for a minute', () => {
    const bench = new Bench().start()
    const elapse = delayed(bench, 200)
    for (let request = 0; request < 90; request++) {
      for (const replica of bench.replicas) replica.propose(`r${request}`)
      elapse(650)
    }
    for (const replica of bench.replicas) expect(replica.noted('wish')).toEqual([])
    for (const replica of bench.replicas) expect(replica.status.view).toBe(0)
    expect(bench.replica(4).texts.length).toBeGreaterThan(80)
  })
})

describe('a backup', () => {
  it('hands a request on to everybody once in half a timeout, however many come in meanwhile', () => {
    // The pool of the tests remembers the last receiver only: one more.
    const bench = new Bench().start()
    const replica = bench.replica(2)
    replica.propose('old')
    bench.elapse(timeoutMs / 2 + 1, () => false)
    for (let step = 0; step < 100; step++) {
      replica.propose(`new ${step}`)
      bench.elapse(2, () => false)
    }
    const olds = replica.pool.forwarded.filter(({ texts }) => texts.includes('old'))
    expect(olds.length).toBeLessThanOrEqual(1 + 3 + 1)
  })
})
