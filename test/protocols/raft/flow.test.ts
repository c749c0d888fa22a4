// From the pool into blocks: batching, lingering, pipelining, forwarding, and limits on all of them.

import { describe, expect, it } from 'vitest'
import { forwardedAgainBytesMax } from '../../../src/kernel/limits.ts'
import { Bench, electionTimeoutMs, wallStartMs } from './bench.ts'

const single = { batch: { operationsMax: 1, lingerMs: 0 } }

describe('a leader proposes', () => {
  it('at once when nothing is in flight, and all that waits in one block', () => {
    const bench = new Bench().start().elect(1)
    bench.replica(1).propose('a', 'b', 'c')
    expect(bench.replica(1).log).toHaveLength(2)
    bench.settle()
    expect(bench.replica(2).texts).toEqual(['a', 'b', 'c'])
  })

  it('after the linger time when blocks are in flight and the batch is not full', () => {
    const bench = new Bench({ parameters: { batch: { operationsMax: 3, lingerMs: 5 } } }).start().elect(1)
    const leader = bench.replica(1)
    bench.isolate(1)
    leader.propose('a')
    leader.propose('b')
    leader.propose('c')
    expect(leader.log).toHaveLength(2)
    leader.fireWhenDue('linger')
    expect(leader.log).toHaveLength(3)
    expect(leader.pool.waitingOperations).toBe(0)
  })

  it('without lingering when the batch is full, or when what was in flight is committed', () => {
    const bench = new Bench({ parameters: { batch: { operationsMax: 2, lingerMs: 5 } } }).start().elect(1)
    const leader = bench.replica(1)
    leader.propose('a')
    leader.propose('b', 'c')
    expect(leader.log).toHaveLength(3)
    leader.propose('d')
    expect(leader.log).toHaveLength(3)
    bench.settle()
    expect(leader.texts).toEqual(['a', 'b', 'c', 'd'])
    expect(leader.timers.has('linger')).toBe(false)
  })

  it('no more than the pipeline takes, and goes on as it empties', () => {
    const bench = new Bench({ parameters: { ...single, flow: { pipelineBlocksMax: 4 } } }).start().elect(1)
    const leader = bench.replica(1)
    for (let block = 0; block < 10; block++) leader.propose(`${block}`)
    expect(leader.log).toHaveLength(1 + 4)
    expect(leader.pool.waitingOperations).toBe(6)
    bench.settle()
    expect(leader.texts).toHaveLength(10)
  })

  it('no further ahead of its executor than the limit, and goes on when it has caught up', () => {
    const bench = new Bench({ parameters: { ...single, flow: { executionLagBlocksMax: 3 } } }).start().elect(1)
    const leader = bench.replica(1)
    leader.autoExecute = false
    for (let block = 0; block < 10; block++) {
      leader.propose(`${block}`)
      bench.settle()
    }
    expect(leader.status.decidedHeight - leader.status.executedHeight).toBe(3)
    expect(leader.status.phase).toContain('waits for its own executor')
    leader.autoExecute = true
    leader.execute()
    bench.settle()
    expect(leader.texts).toHaveLength(10)
  })

  it('nor hands a follower more than that to its executor, however much others execute', () => {
    const bench = new Bench({ parameters: { ...single, flow: { executionLagBlocksMax: 3 } } }).start().elect(1)
    const [leader, slow] = [bench.replica(1), bench.replica(2)]
    slow.autoExecute = false
    for (let block = 0; block < 10; block++) {
      leader.propose(`${block}`)
      bench.settle()
    }
    expect(leader.texts).toHaveLength(10)
    expect(slow.status.decidedHeight - slow.status.executedHeight).toBe(3)
    slow.autoExecute = true
    slow.execute()
    expect(slow.texts).toHaveLength(10)
  })

  it('C42: a bounded number of blocks without a quorum, for ever', () => {
    const bench = new Bench({ parameters: { ...single, raft: { checkQuorum: false } } }).start().elect(1)
    const leader = bench.replica(1)
    bench.isolate(1)
    for (let request = 0; request < 1000; request++) {
      leader.propose(`${request}`)
      if (request % 100 === 0) bench.elapse(500)
    }
    expect(leader.status.role).toBe('leader')
    expect(leader.log).toHaveLength(1 + 16)
    expect(leader.pool.waitingOperations).toBe(1000 - 16)
  })

  it('with times that never fall, whatever the clocks of successive leaders say', () => {
    const bench = new Bench({ parameters: single }).start().elect(1)
    bench.replica(1).propose('a')
    bench.settle()
    const { now } = bench
    Object.defineProperty(bench, 'now', {
      get: () => ({ monotonicMs: bench.nowMs, wallMs: wallStartMs - 3_600_000.5 }),
    })
    bench.elect(2)
    bench.replica(2).propose('b')
    bench.settle()
    const times = bench.replica(3).decided.map(({ block }) => block.header.timestamp)
    expect(times).toEqual([...times].sort((left, right) => left - right))
    expect(times.at(-1)).toBe(now.wallMs)
    bench.replica(2).crash()
    bench.elect(3)
    bench.settle()
    expect(bench.replica(3).decided.at(-1)!.block.header.timestamp).toBe(now.wallMs)
  })
})

describe('a follower hands requests on', () => {
  it('to the leader at once, and to a new leader when it learns of one', () => {
    const bench = new Bench().start()
    const follower = bench.replica(3)
    follower.propose('early')
    expect(follower.pool.forwarded).toEqual([])
    bench.elect(1)
    follower.propose('a')
    expect(follower.pool.forwarded).toEqual([
      { to: 1, texts: ['early'] },
      { to: 1, texts: ['a'] },
    ])
    bench.elect(2)
    expect(follower.pool.forwarded.at(-1)).toEqual({ to: 2, texts: ['early', 'a'] })
    // One that leads again has perhaps lost its pool since.
    bench.elect(1)
    expect(follower.pool.forwarded.at(-1)).toEqual({ to: 1, texts: ['early', 'a'] })
  })

  it('again when they have waited for half a timeout, though new ones come all the time', () => {
    const bench = new Bench().start().elect(1)
    const follower = bench.replica(3)
    follower.propose('lost')
    for (let request = 0; request < 12; request++) {
      bench.elapse(100)
      follower.propose(`${request}`)
    }
    const times = follower.pool.forwarded.filter(({ texts }) => texts.includes('lost'))
    expect(times.length).toBeGreaterThanOrEqual(2)
    expect(times.length).toBeLessThanOrEqual(4)
    // Never all of it once more, but to another leader.
    expect(follower.pool.boundsOfForwardsAgain.slice(1)).toContain(forwardedAgainBytesMax)
    expect(follower.pool.boundsOfForwardsAgain.slice(1)).not.toContain(Infinity)
  })

  it('again no more when they were executed, and no sooner than they are old', () => {
    const bench = new Bench().start().elect(1)
    const follower = bench.replica(3)
    follower.propose('a')
    bench.elapse(400)
    bench.replica(1).propose('a')
    bench.settle()
    follower.propose('b')
    bench.elapse(electionTimeoutMs / 2 - 10)
    expect(follower.pool.forwarded.map(({ texts }) => texts)).toEqual([['a'], ['b']])
    bench.replica(1).propose('b')
    bench.settle()
    bench.elapse(2000)
    expect(follower.pool.forwarded).toHaveLength(2)
    expect(follower.timers.has('forward')).toBe(false)
  })

  it('that it had when it still led', () => {
    const bench = new Bench({ parameters: { ...single, flow: { pipelineBlocksMax: 1 } } }).start().elect(1)
    const old = bench.isolate(1).replica(1)
    old.propose('taken', 'waiting')
    bench.elect(2)
    bench.heal().elapse(1000)
    expect(old.pool.forwarded.flatMap(({ to, texts }) => texts.map((text) => [to, text]))).toEqual(
      expect.arrayContaining([
        [2, 'waiting'],
        [2, 'taken'],
      ]),
    )
  })
})
