// ReadIndex (thesis §6.4): a read sees everything that was committed before it came, or is refused.

import { describe, expect, it } from 'vitest'
import { replicaId } from '../../../src/kernel/ids.ts'
import { waitingReadsMax } from '../../../src/protocols/raft/state.ts'
import { Bench, isTo, kinds } from './bench.ts'

describe('a linearizable read', () => {
  it('is answered at the commit index of its arrival, after a quorum has confirmed the leader', () => {
    const bench = new Bench().start().elect(1)
    const leader = bench.replica(1)
    leader.propose('a')
    bench.settle()
    leader.step({ kind: 'read', id: 7 })
    expect(leader.reads).toEqual([])
    bench.deliver(isTo(2))
    expect(leader.reads).toEqual([])
    bench.deliver(isTo(1))
    expect(leader.reads).toEqual([{ id: 7, height: 2 }])
  })

  it('C31: waits for the first entry of the leader’s term, and then sees all that was committed before', () => {
    const bench = new Bench().start().elect(1)
    bench.replica(1).propose('a')
    bench.settle()
    bench.replica(1).crash()
    bench.nowMs += 3000
    const leader = bench.replica(2)
    leader.fireWhenDue('election')
    if (leader.status.role === 'follower') leader.fireWhenDue('election')
    bench.settle(kinds('vote-request', 'vote-answer'))
    expect(leader.status.role).toBe('leader')
    bench.take(kinds('append'))
    // Its commit index may lie behind what the old leader acknowledged: confirmation alone is not enough.
    leader.step({ kind: 'read', id: 1 })
    bench.settle(kinds('heartbeat', 'heartbeat-answer'))
    expect(leader.reads).toEqual([])
    bench.elapse(1000)
    expect(leader.reads).toEqual([{ id: 1, height: 3 }])
  })

  it('C31: is not answered by what commits the first entry of the term: that was sent before it came', () => {
    const bench = new Bench().start()
    const leader = bench.replica(1)
    for (let at = 0; at < 2 && leader.status.role === 'follower'; at++) leader.fireWhenDue('election')
    bench.settle(kinds('vote-request', 'vote-answer'))
    expect(leader.status.role).toBe('leader')
    bench.deliver(kinds('append'))
    leader.step({ kind: 'read', id: 1 })
    bench.deliver(kinds('append-answer'))
    expect(leader.status.decidedHeight).toBe(1)
    expect(leader.reads).toEqual([])
    bench.settle()
    expect(leader.reads).toEqual([{ id: 1, height: 1 }])
  })

  it('is confirmed by no answer to a message that was sent before it came', () => {
    const bench = new Bench().start().elect(1)
    const leader = bench.replica(1)
    leader.fireWhenDue('heartbeat')
    bench.deliver(kinds('heartbeat'))
    leader.step({ kind: 'read', id: 1 })
    const late = bench.take(kinds('heartbeat'))
    bench.deliver(kinds('heartbeat-answer'))
    expect(leader.reads).toEqual([])
    for (const { to, from, message } of late) bench.replica(to).receive(from, message)
    bench.settle()
    expect(leader.reads).toHaveLength(1)
  })

  it('that comes while a round is under way waits for the next one, which many share', () => {
    const bench = new Bench().start().elect(1)
    const leader = bench.replica(1)
    leader.step({ kind: 'read', id: 1 })
    for (let id = 2; id <= 50; id++) leader.step({ kind: 'read', id })
    expect(bench.network).toHaveLength(2)
    const before = bench.sent.length
    bench.deliver(isTo(2))
    bench.deliver(isTo(1))
    expect(leader.reads.map((read) => read.id)).toEqual([1])
    bench.settle()
    expect(leader.reads).toHaveLength(50)
    expect(bench.sent.slice(before).filter((sent) => sent.message.kind === 'heartbeat')).toHaveLength(2)
  })

  it('is answered by one cut-off leader never, though another leads already', () => {
    const bench = new Bench().start().elect(1)
    const old = bench.replica(1)
    bench.isolate(1)
    old.step({ kind: 'read', id: 1 })
    bench.elect(2)
    bench.replica(2).propose('new')
    bench.settle()
    old.step({ kind: 'read', id: 2 })
    bench.heal().elapse(4000)
    expect(old.reads).toEqual([])
    expect(old.failedReads.map((read) => read.id)).toEqual([1, 2])
  })

  it('is confirmed by voters, and by no learner', () => {
    const bench = new Bench({ voters: 3, learners: 2 }).start().elect(1)
    const leader = bench.replica(1)
    for (const voter of [2, 3]) bench.cut(1, voter)
    leader.step({ kind: 'read', id: 1 })
    bench.settle()
    expect(leader.reads).toEqual([])
  })

  it('is confirmed again by a heartbeat when the round’s messages were lost', () => {
    const bench = new Bench().start().elect(1)
    bench.replica(1).step({ kind: 'read', id: 1 })
    bench.take()
    bench.elapse(150)
    expect(bench.replica(1).reads).toHaveLength(1)
  })

  it('is refused by whoever knows no leader', () => {
    const bench = new Bench().start()
    bench.replica(2).step({ kind: 'read', id: 1 })
    expect(bench.replica(2).failedReads).toEqual([{ id: 1, reason: 'not-leader' }])
  })

  it('is refused where too many wait, and all that wait are told when the leader steps down', () => {
    const bench = new Bench().start().elect(1)
    const leader = bench.replica(1)
    bench.isolate(1)
    for (let id = 1; id <= waitingReadsMax + 2; id++) leader.step({ kind: 'read', id })
    expect(leader.failedReads).toEqual([
      { id: waitingReadsMax + 1, reason: 'overloaded' },
      { id: waitingReadsMax + 2, reason: 'overloaded' },
    ])
    bench.elapse(3000)
    expect(leader.failedReads).toHaveLength(waitingReadsMax + 2)
    expect(leader.reads).toEqual([])
  })

  it('is not confirmed by answers for rounds that never were', () => {
    const bench = new Bench().start().elect(1)
    const leader = bench.replica(1)
    bench.isolate(1)
    leader.step({ kind: 'read', id: 1 })
    for (const from of [2, 3]) {
      leader.receive(replicaId(from), { kind: 'heartbeat-answer', term: 1, round: 2 ** 52, matchIndex: 0 })
    }
    expect(leader.reads).toEqual([])
  })

  it('is answered at once by the only voter', () => {
    const bench = new Bench({ voters: 1 }).start()
    bench.replica(1).step({ kind: 'read', id: 1 })
    bench.replica(1).step({ kind: 'read', id: 2 })
    expect(bench.replica(1).reads).toEqual([
      { id: 1, height: 1 },
      { id: 2, height: 1 },
    ])
  })
})
