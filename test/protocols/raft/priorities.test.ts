// Whoever could lead and has a higher priority is handed leadership, once it has been fit for longer than an election timeout.

import { describe, expect, it } from 'vitest'
import { Bench, electionTimeoutMs, type BenchOptions, type Sent } from './bench.ts'

function elected(options: BenchOptions = {}): Bench {
  const bench = new Bench(options).start().elect(1)
  bench.replica(1).propose('a')
  return bench.settle()
}

const leaderOf = (bench: Bench): number | undefined => bench.leader?.id

function elections(bench: Bench): number {
  return bench.replicas.reduce((sum, replica) => sum + replica.noted('leader-elected').length, 0)
}

describe('priorities', () => {
  it('bring leadership to the highest, by way of nobody else, after more than an election timeout', () => {
    const bench = elected({ voters: 5, priorities: [1, 2, 9, 5, 0] })
    bench.elapse(electionTimeoutMs)
    expect(leaderOf(bench)).toBe(1)
    bench.elapse(3 * 100)
    expect(leaderOf(bench)).toBe(3)
    expect(elections(bench)).toBe(2)
  })

  it('that are equal move nothing, ever', () => {
    const bench = elected({ voters: 5, priorities: [4, 4, 4, 4, 3] })
    bench.elapse(100 * electionTimeoutMs)
    expect(leaderOf(bench)).toBe(1)
    expect(elections(bench)).toBe(1)
  })

  it('leave leadership with the highest: it is never handed on again', () => {
    const bench = elected({ priorities: [0, 1, 0] })
    bench.elapse(100 * electionTimeoutMs)
    expect(leaderOf(bench)).toBe(2)
    expect(elections(bench)).toBe(2)
  })

  it('of learners count for nothing', () => {
    const bench = elected({ learners: 1, priorities: [0, 0, 0, 9] })
    bench.elapse(10 * electionTimeoutMs)
    expect(leaderOf(bench)).toBe(1)
    expect(bench.replica(1).noted('transfer-begun')).toEqual([])
  })

  it('wait for a voter that is away, and for an election timeout after it is back', () => {
    const bench = elected({ priorities: [0, 9, 0] })
    const leader = bench.replica(1)
    bench.isolate(2).elapse(5 * electionTimeoutMs)
    expect(leader.noted('transfer-begun')).toEqual([])
    leader.propose('b')
    bench.settle().heal()
    bench.elapse(electionTimeoutMs)
    expect(leaderOf(bench)).toBe(1)
    bench.elapse(electionTimeoutMs)
    expect(leaderOf(bench)).toBe(2)
    expect(bench.replica(2).texts).toEqual(['a', 'b'])
  })

  it('wait for a voter that answers and has not caught up', () => {
    const bench = elected({ priorities: [0, 9, 0] })
    const leader = bench.replica(1)
    leader.propose('b')
    // Heartbeats pass, appends do not.
    bench.elapse(5 * electionTimeoutMs, ({ to, message }) => to !== 2 || message.kind !== 'append')
    expect(leader.noted('transfer-begun')).toEqual([])
    bench.elapse(3 * electionTimeoutMs)
    expect(leaderOf(bench)).toBe(2)
  })

  it('work under load: a heartbeat behind is caught up', () => {
    const bench = elected({ priorities: [0, 9, 0] })
    for (let round = 0; round < 50 && leaderOf(bench) === 1; round++) {
      bench.replica(1).propose(`x${round}`)
      // Replica 3 commits it; replica 2 has not answered when the heartbeat comes.
      bench.settle(({ from, to }) => from !== 2 && to !== 2)
      bench.elapse(90, ({ from, to }) => from !== 2 && to !== 2)
      bench.elapse(5, ({ from, to }) => from !== 2 && to !== 2)
      bench.settle()
      bench.nowMs += 5
    }
    expect(leaderOf(bench)).toBe(2)
  })

  it('cost a voter that cannot be elected ever rarer pauses, not one after the other', () => {
    const bench = elected({ priorities: [0, 9, 0] })
    bench.elapse(100 * electionTimeoutMs, ({ message }) => message.kind !== 'timeout-now')
    const attempts = bench.replica(1).noted('transfer-begun').length
    expect(attempts).toBeGreaterThan(3)
    expect(attempts).toBeLessThan(8)
    expect(elections(bench)).toBe(1)
  })

  it('count the wait anew after each attempt', () => {
    const bench = elected({ priorities: [0, 9, 0] })
    const isNoRequest = ({ message }: Sent): boolean => message.kind !== 'timeout-now'
    bench.elapse(electionTimeoutMs + 300, isNoRequest)
    expect(bench.replica(1).noted('transfer-begun')).toHaveLength(1)
    bench.elapse(2 * electionTimeoutMs, isNoRequest)
    expect(bench.replica(1).noted('transfer-begun')).toHaveLength(1)
  })

  it('forget that once the voter has led', () => {
    const bench = elected({ priorities: [0, 9, 0] })
    for (let round = 0; round < 3; round++) {
      bench.elapse(electionTimeoutMs + 300)
      expect(leaderOf(bench)).toBe(2)
      bench.elect(1)
    }
  })
})
