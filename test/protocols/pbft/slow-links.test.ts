// Links that take their time, and pools that hand requests on: what is slow by nature is nobody's fault.

import { describe, expect, it } from 'vitest'
import { forwardedAgainBytesMax } from '../../../src/kernel/limits.ts'
import { Bench, timeoutMs } from './bench.ts'
import { slowly } from './slowly.ts'

describe('links of 200 ms', () => {
  it('make a correct primary none that is slow: one request after the other, for a minute', () => {
    const bench = new Bench().start()
    const elapse = slowly(bench, () => 200)
    for (let request = 0; request < 90; request++) {
      for (const replica of bench.replicas) replica.propose(`r${request}`)
      elapse(650)
    }
    for (const replica of bench.replicas) expect(replica.noted('wish')).toEqual([])
    for (const replica of bench.replicas) expect(replica.status.view).toBe(0)
    expect(bench.replica(4).texts.length).toBeGreaterThan(80)
  })
})

describe('links on which a block takes many timeouts', () => {
  it('are waited for in the end: wishes end no view before its own timeout, which grows', () => {
    const bench = new Bench().start()
    const elapse = slowly(bench, () => 3 * timeoutMs)
    for (const replica of bench.replicas) replica.propose('a')
    elapse(200 * timeoutMs)
    for (const replica of bench.replicas) expect(replica.texts).toContain('a')
  })
})

describe('the pace of a primary', () => {
  it('is not judged by whoever lags: its requests may be decided long since (R20)', () => {
    const bench = new Bench().start()
    const late = bench.replica(4)
    late.autoFetch = false
    const claim = { view: 0, active: true, decidedHeight: 30, servesFrom: 1, stages: [], asks: false }
    for (const id of [2, 3]) late.receive(id, { kind: 'status', ...claim })
    late.propose('a')
    bench.elapse(10 * timeoutMs, ({ to }) => to !== 4)
    expect(late.status.view).toBe(0)
    expect(late.noted('wish')).toEqual([])
  })

  it('is its own: looks at the one before it do not count', () => {
    const bench = new Bench({ parameters: { batch: { lingerMs: 0 } } }).start()
    const work = (primary: number, durationMs: number): void => {
      for (const endMs = bench.nowMs + durationMs; bench.nowMs < endMs;) {
        bench.replica(primary).propose(`${bench.nowMs}`)
        bench.elapse(100)
      }
    }
    for (const id of [3, 4]) bench.replica(id).propose('old')
    work(1, 1.8 * timeoutMs)
    for (const id of [3, 4]) bench.replica(id).step({ kind: 'command', command: { kind: 'suspect-leader' } })
    bench.settle()
    for (const replica of bench.replicas) expect(replica.status.view).toBe(1)
    work(2, 1.8 * timeoutMs)
    for (const id of [3, 4]) expect(bench.replica(id).noted('wish')).toHaveLength(1)
    work(2, timeoutMs)
    for (const replica of bench.replicas) expect(replica.status.view).toBe(2)
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
    // Never all of it once more, to nobody.
    const { boundsOfForwards, boundsOfForwardsAgain } = replica.pool
    expect([...boundsOfForwardsAgain, ...boundsOfForwards]).toEqual(
      Array.from({ length: 1 + 3 }, () => forwardedAgainBytesMax),
    )
  })
})
