// PBFT §4.2: three phases in a window, and what they cost.

import { describe, expect, it } from 'vitest'
import { Bench, kinds } from './bench.ts'

describe('the normal case', () => {
  it('decides what the primary proposes, everywhere, in order', () => {
    const bench = new Bench().start()
    bench.replica(1).propose('a')
    bench.settle()
    bench.replica(1).propose('b', 'c')
    bench.settle()
    for (const replica of bench.replicas) expect(replica.texts).toEqual(['a', 'b', 'c'])
  })

  it('changes the primary when it is dead', () => {
    const bench = new Bench().start()
    bench.replica(1).propose('a')
    bench.settle()
    bench.replica(1).crash()
    for (const id of [2, 3, 4]) bench.replica(id).propose('b')
    bench.elapse(5_000)
    for (const id of [2, 3, 4]) expect(bench.replica(id).texts).toEqual(['a', 'b'])
    expect(bench.replica(2).status.view).toBe(1)
  })

  it('carries what was prepared into the next view', () => {
    const bench = new Bench().start()
    bench.replica(1).propose('a')
    // Prepared everywhere, committed nowhere.
    bench.settle(kinds('pre-prepare', 'prepare'))
    bench.take(kinds('commit'))
    bench.replica(1).crash()
    for (const id of [2, 3, 4]) bench.replica(id).propose('b')
    bench.elapse(5_000)
    for (const id of [2, 3, 4]) expect(bench.replica(id).texts).toEqual(['a', 'b'])
    // Whoever comes back learns of it.
    bench.replica(1).start()
    bench.elapse(5_000)
    expect(bench.replica(1).texts).toEqual(['a', 'b'])
    expect(bench.replica(1).status.view).toBe(1)
  })

  it('survives the loss of any one replica, and its return, over many views', () => {
    const bench = new Bench({ parameters: { batch: { lingerMs: 0 } } }).start()
    for (let round = 0; round < 12; round++) {
      const victim = bench.replica((round % 4) + 1)
      victim.crash()
      for (const replica of bench.replicas) if (replica.isUp) replica.propose(`r${round}`)
      bench.elapse(30_000)
      victim.start()
      bench.elapse(5_000)
      const heights = bench.replicas.map((replica) => replica.decidedHeight)
      expect(new Set(heights).size).toBe(1)
    }
    expect(bench.replica(1).status.view).toBeGreaterThan(2)
    expect(bench.replica(2).decidedHeight).toBeGreaterThanOrEqual(12)
  })
})
