// What is committed: counted against brute force, and never by copies of earlier terms' entries.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { replicaId } from '../../../src/kernel/ids.ts'
import { quorum } from '../../../src/kernel/quorum.ts'
import { quorumIndex } from '../../../src/protocols/raft/replication.ts'
import { newsMs } from '../../../src/protocols/raft/sending.ts'
import { timer } from '../../../src/protocols/raft/state.ts'
import { Bench, isTo, kinds, logOf } from './bench.ts'

describe('the commit index', () => {
  it('C10: is the highest that some quorum has reached, against brute force', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(12), { minLength: 1, maxLength: 9 }), (matches) => {
        const needed = quorum('crash', matches.length)
        let expected = 0
        for (let index = 1; index <= 12; index++) {
          if (matches.filter((match) => match >= index).length >= needed) expected = index
        }
        expect(quorumIndex(matches, needed)).toBe(expected)
      }),
    )
  })

  it('C10, C11: in a running core, by acknowledgements in any order, of voters only', () => {
    const answer = fc.record({ from: fc.integer({ min: 2, max: 7 }), index: fc.integer({ min: 1, max: 9 }) })
    fc.assert(
      fc.property(fc.array(answer, { maxLength: 30 }), (answers) => {
        const bench = new Bench({ voters: 5, learners: 2, parameters: { batch: { operationsMax: 1, lingerMs: 0 } } })
        bench.start().elect(1)
        const leader = bench.replica(1)
        bench.isolate(1)
        for (let block = 0; block < 8; block++) leader.propose(`${block}`)
        const matches = [9, 1, 1, 1, 1, 1, 1]
        for (const { from, index } of answers) {
          const { id } = bench.replica(from)
          leader.receive(id, { kind: 'append-answer', term: 1, round: 0, matchIndex: index })
          matches[from - 1] = Math.max(matches[from - 1]!, index)
        }
        expect(leader.status.decidedHeight).toBe(matches.slice(0, 5).sort((left, right) => right - left)[2])
      }),
      { numRuns: 60 },
    )
  })

  it('C9: counts no copies of earlier terms (figure 8, verbatim)', () => {
    // Five servers; index 1 is of term 1 everywhere. (a) S1 led term 2 and replicated index 2 to S2 only. (b) S5 led term 3 and
    // stored another entry at index 2. (c) S1 is elected for term 4, and brings its entry of term 2 to S3.
    const bench = new Bench({ voters: 5 })
    for (const id of [1, 2]) bench.givenLog(id, logOf(1, 2), 3)
    for (const id of [3, 4]) bench.givenLog(id, logOf(1), 3)
    bench.givenLog(5, logOf(1, 3), 3, 5).start()
    const [first, , , , fifth] = bench.replicas
    for (const id of [4, 5]) bench.cut(1, id)
    first!.fireWhenDue('election')
    bench.settle(kinds('vote-request', 'vote-answer'))
    expect(first!.status).toMatchObject({ role: 'leader', view: 4 })
    // The no-op of term 4 stays with S1; only the entry of term 2 gets to S3, as in the figure.
    first!.receive(bench.replica(2).id, { kind: 'append-answer', term: 4, round: 0, matchIndex: 2 })
    first!.receive(bench.replica(3).id, { kind: 'append-answer', term: 4, round: 0, matchIndex: 2 })
    // Index 2 is on a majority, and not committed.
    expect(first!.status.decidedHeight).toBe(0)
    bench.take()
    // (d) S1 crashes; S5 is elected by S2, S3 and S4 and overwrites index 2 everywhere.
    first!.crash()
    bench.heal().elect(5)
    bench.elapse(1000)
    for (const replica of bench.replicas.slice(1)) expect(replica.terms.slice(0, 2)).toEqual([1, 3])
    expect(fifth!.texts).toEqual(['1.1', '3.2'])
  })

  it('C9: and (e): once an entry of its own term is on a majority, all before it is committed, and S5 cannot win', () => {
    const bench = new Bench({ voters: 5 })
    for (const id of [1, 2]) bench.givenLog(id, logOf(1, 2), 3)
    for (const id of [3, 4]) bench.givenLog(id, logOf(1), 3)
    bench.givenLog(5, logOf(1, 3), 3, 5).start()
    for (const id of [4, 5]) bench.cut(1, id)
    bench.elect(1)
    expect(bench.replica(1).texts).toEqual(['1.1', '2.2'])
    bench.replica(1).crash()
    bench.heal()
    bench.nowMs += 5000
    bench.replica(5).fire('election')
    if (bench.replica(5).status.role === 'follower') bench.replica(5).fireWhenDue('election')
    bench.settle()
    expect(bench.replica(5).status.role).not.toBe('leader')
    bench.elapse(10_000)
    expect([2, 3]).toContain(bench.leader!.id)
    for (const replica of bench.replicas.slice(1)) expect(replica.texts).toEqual(['1.1', '2.2'])
  })

  /** One request, committed at the leader: what it says next. */
  const committedLone = (handedOnBy: number[]): Bench => {
    const bench = new Bench().start().elect(1)
    const leader = bench.replica(1)
    leader.pool.handedOnBy = handedOnBy.map(replicaId)
    leader.propose('a')
    bench.deliver(kinds('append'))
    bench.deliver(isTo(1))
    expect(leader.texts).toEqual(['a'])
    return bench
  }

  it('is told to all a little later, where nothing is coming that it could ride on', () => {
    const bench = committedLone([])
    expect(bench.network).toEqual([])
    bench.elapse(newsMs - 1)
    expect(bench.replica(2).texts).toEqual([])
    bench.elapse(1)
    for (const replica of bench.replicas) expect(replica.texts).toEqual(['a'])
  })

  it('is told at once to a follower that handed on what is committed, and to no other', () => {
    const bench = committedLone([3])
    expect(bench.network.map(({ to, message }) => [to, message.kind])).toEqual([[3, 'heartbeat']])
    bench.deliver()
    expect(bench.replicas.map(({ texts }) => texts)).toEqual([['a'], [], ['a']])
    bench.elapse(newsMs)
    expect(bench.replica(2).texts).toEqual(['a'])
    // Whoever waited for one waits for no other.
    bench.replica(1).pool.handedOnBy = []
    bench.replica(1).propose('b')
    bench.deliver(kinds('append'))
    bench.deliver(isTo(1))
    expect(bench.network.map(({ message }) => message.kind)).not.toContain('heartbeat')
  })

  it('rides on the next append: requests one after the other cost no news', () => {
    const bench = new Bench().start().elect(1)
    const before = bench.sent.length
    for (const text of ['a', 'b', 'c']) {
      bench.replica(1).propose(text)
      bench.deliver(kinds('append'))
      bench.deliver(isTo(1))
      bench.elapse(newsMs - 4)
    }
    expect(new Set(bench.sent.slice(before).map(({ message }) => message.kind))).toEqual(
      new Set(['append', 'append-answer']),
    )
  })

  it('is not put off by a follower that acknowledges later', () => {
    const bench = new Bench().start().elect(1)
    bench.replica(1).propose('a')
    bench.deliver(kinds('append'))
    bench.deliver(({ from, to }) => from === 2 && to === 1)
    bench.nowMs += newsMs - 1
    bench.deliver(isTo(1))
    bench.elapse(1)
    expect(bench.replica(2).texts).toEqual(['a'])
  })

  it('is told to nobody who learns it otherwise, nor while another block is under way', () => {
    const bench = committedLone([])
    const before = bench.sent.length
    bench.replica(1).propose('b')
    bench.take(kinds('append'))
    bench.elapse(newsMs)
    expect(bench.sent.slice(before).filter(({ message }) => message.kind === 'heartbeat')).toEqual([])
    const two = new Bench({ parameters: { batch: { lingerMs: 0 } } }).start().elect(1)
    two.replica(1).propose('a')
    two.replica(1).propose('b')
    two.deliver(kinds('append'))
    two.deliver(({ to, message }) => to === 1 && message.kind === 'append-answer' && message.matchIndex === 2)
    expect(two.replica(1).texts).toEqual(['a'])
    expect(two.replica(1).timers.has(timer.news)).toBe(false)
  })

  it('is forgotten by who leads no longer, and told by him when he leads again', () => {
    const bench = committedLone([])
    const leader = bench.replica(1)
    expect(leader.timers.has(timer.news)).toBe(true)
    leader.step({ kind: 'storage-stalled' })
    expect(leader.timers.has(timer.news)).toBe(false)
    leader.step({ kind: 'storage-resumed' })
    bench.elect(1)
    leader.propose('b')
    bench.deliver(kinds('append'))
    bench.deliver(isTo(1))
    expect(leader.texts).toEqual(['a', 'b'])
    expect(leader.timers.has(timer.news)).toBe(true)
  })

  it('is flushed to a slow follower too, when it has caught up', () => {
    const bench = new Bench().start().elect(1)
    bench.replica(1).propose('a')
    bench.settle((sent) => sent.from !== 3 && sent.to !== 3)
    expect(bench.replica(2).texts).toEqual(['a'])
    bench.settle()
    expect(bench.replica(3).texts).toEqual(['a'])
    expect(bench.sent.filter((sent) => sent.to === 3 && sent.message.kind === 'heartbeat').length).toBeLessThanOrEqual(
      3,
    )
  })
})
