// Handing leadership over (thesis §3.10): the leader proposes nothing, brings the target up to date, and tells it to stand for election.

import { describe, expect, it } from 'vitest'
import { replicaId } from '../../../src/kernel/ids.ts'
import type { RaftMessage, TimeoutNow, TransferVoteRequest } from '../../../src/protocols/raft/messages.ts'
import { Bench, electionTimeoutMs, kinds, type BenchOptions, type Replica } from './bench.ts'

const one = replicaId(1)
const two = replicaId(2)
const three = replicaId(3)

function elected(options: BenchOptions = {}): Bench {
  const bench = new Bench(options).start().elect(1)
  bench.replica(1).propose('a')
  return bench.settle()
}

function transfer(replica: Replica, to: number | null): void {
  replica.step({ kind: 'command', command: { kind: 'transfer-leadership', to: to === null ? null : replicaId(to) } })
}

function refusals(replica: Replica): unknown[] {
  return replica.noted('transfer-refused').map((note) => note.detail!['reason'])
}

const leaderOf = (bench: Bench): number | undefined => bench.leader?.id

describe('a transfer', () => {
  it('moves leadership to the voter that was named, at once, in one term and without a pre-vote', () => {
    for (const voters of [2, 3, 5]) {
      const bench = elected({ voters })
      const { view } = bench.replica(1).status
      const sentBefore = bench.sent.length
      transfer(bench.replica(1), 2)
      bench.settle()
      expect(bench.replica(2).status).toMatchObject({ role: 'leader', view: view + 1 })
      expect(bench.replica(1).status).toMatchObject({ role: 'follower', leader: 2 })
      const requests = bench.sent.slice(sentBefore).filter(kinds('vote-request', 'transfer-vote-request'))
      expect(requests.map(({ message }) => message)).toEqual(
        Array.from({ length: voters - 1 }, () => expect.objectContaining({ kind: 'transfer-vote-request' })),
      )
      expect(bench.replica(1).timers.has('transfer-leadership')).toBe(false)
    }
  })

  it('asks once where nothing is lost', () => {
    const bench = elected()
    bench.replica(1).propose('b')
    transfer(bench.replica(1), 2)
    bench.settle()
    expect(bench.sent.filter(kinds('timeout-now'))).toHaveLength(1)
  })

  it('goes to the highest priority among those who are caught up, when nobody is named', () => {
    const bench = elected({ voters: 5, priorities: [9, 1, 3, 7, 3] })
    bench.isolate(4)
    bench.replica(1).propose('b')
    bench.settle().heal()
    transfer(bench.replica(1), null)
    bench.settle()
    expect(leaderOf(bench)).toBe(3)
  })

  it('goes to whoever has most, when nobody is caught up and nobody is named', () => {
    const bench = elected({ voters: 5, priorities: [9, 8, 0, 0, 0] })
    const leader = bench.replica(1)
    bench.isolate(2).isolate(3)
    leader.propose('b')
    bench.settle()
    bench.heal().elapse(100)
    // What is committed is everywhere; of what comes now, replica 3 gets more than replica 2, and neither all.
    bench.take()
    bench.cut(1, 2)
    leader.propose('c')
    bench.settle()
    bench.cut(1, 4)
    bench.cut(1, 5)
    bench.cut(1, 3)
    leader.propose('d')
    bench.settle()
    transfer(leader, null)
    expect(leader.status.phase).toBe('leads, proposes nothing, and hands over to replica 3')
  })

  it('goes to nobody who has not been heard for an election timeout', () => {
    const bench = elected({ parameters: { raft: { checkQuorum: false } } })
    bench.isolate(1).elapse(electionTimeoutMs)
    transfer(bench.replica(1), null)
    expect(refusals(bench.replica(1))).toEqual(['nobody-connected'])
  })

  it('is refused at a follower, to a learner, to a stranger, to oneself, and while another runs', () => {
    const bench = elected({ learners: 1 })
    transfer(bench.replica(2), 3)
    expect(refusals(bench.replica(2))).toEqual(['not-leader'])
    const leader = bench.replica(1)
    for (const to of [4, 9, 1]) transfer(leader, to)
    bench.isolate(2)
    transfer(leader, 2)
    transfer(leader, 3)
    expect(refusals(leader)).toEqual(['no-voter', 'no-voter', 'leads-already', 'under-way'])
    bench.settle()
    expect(leaderOf(bench)).toBe(1)
  })

  it('waits until the target has the whole log', () => {
    const bench = elected()
    bench.isolate(2)
    const leader = bench.replica(1)
    leader.propose('b')
    bench.settle().heal()
    transfer(leader, 2)
    bench.settle()
    expect(bench.sent.filter(kinds('timeout-now'))).toEqual([])
    bench.elapse(300)
    expect(leaderOf(bench)).toBe(2)
    expect(bench.replica(2).texts).toEqual(['a', 'b'])
  })

  it('asks again at each heartbeat, because messages are lost', () => {
    const bench = elected()
    transfer(bench.replica(1), 2)
    expect(bench.take(kinds('timeout-now'))).toHaveLength(1)
    bench.elapse(100)
    expect(leaderOf(bench)).toBe(2)
  })
})

describe('while a transfer runs', () => {
  it('nothing is proposed, and what waits is handed to the next leader', () => {
    const bench = elected()
    const leader = bench.replica(1)
    transfer(leader, 2)
    const logLength = leader.log.length
    leader.propose('b')
    bench.replica(3).propose('c')
    bench.deliver(kinds('append-answer'))
    expect(leader.log).toHaveLength(logLength)
    expect(leader.pool.waitingOperations).toBe(1)
    bench.settle()
    // The test's pool has no network: what it hands on is seen, and stays.
    expect(leader.pool.forwarded.at(-1)).toEqual({ to: 2, texts: ['b'] })
    expect(bench.replica(3).pool.forwarded.at(-1)).toEqual({ to: 2, texts: ['c'] })
  })

  it('the status says to whom, and until when', () => {
    const bench = elected()
    bench.isolate(2)
    transfer(bench.replica(1), 2)
    bench.nowMs += 400
    expect(bench.replica(1).status).toMatchObject({
      role: 'leader',
      phase: 'leads, proposes nothing, and hands over to replica 2',
      awaited: [{ what: 'an election that the next leader begins', quorum: 1, have: [], missing: [2] }],
      timers: [{ name: 'heartbeat' }, { name: 'transfer-leadership', dueMs: electionTimeoutMs - 400 }],
    })
  })

  it('reads are confirmed by a quorum as ever, or told to try elsewhere', () => {
    const bench = elected()
    const leader = bench.replica(1)
    transfer(leader, 2)
    const held = bench.take(kinds('timeout-now'))
    leader.step({ kind: 'read', id: 1 })
    bench.settle()
    expect(leader.reads).toEqual([{ id: 1, height: 2 }])
    leader.step({ kind: 'read', id: 2 })
    bench.take(kinds('heartbeat'))
    bench.replica(2).receive(one, { ...(held[0]!.message as TimeoutNow), round: 99 })
    bench.settle()
    expect(leaderOf(bench)).toBe(2)
    expect(leader.failedReads).toEqual([{ id: 2, reason: 'not-leader' }])
  })

  it('reads that wait at the target are told to try again', () => {
    const bench = elected()
    const target = bench.replica(2)
    transfer(bench.replica(1), 2)
    target.step({ kind: 'read', id: 5 })
    bench.settle(kinds('timeout-now'))
    expect(target.failedReads).toEqual([{ id: 5, reason: 'not-leader' }])
  })
})

describe('a transfer that fails', () => {
  it('leaves leadership where it was: the leader proposes again after an election timeout, and nothing is lost', () => {
    const bench = elected()
    const leader = bench.replica(1)
    const { view } = leader.status
    bench.isolate(2)
    transfer(leader, 2)
    leader.propose('b')
    bench.elapse(electionTimeoutMs - 1)
    expect(bench.replica(3).texts).toEqual(['a'])
    bench.elapse(1)
    expect(leader.noted('transfer-failed')).toHaveLength(1)
    expect(leader.status).toMatchObject({ role: 'leader', view })
    expect(bench.replica(3).texts).toEqual(['a', 'b'])
    expect(leader.status.phase).not.toContain('hands over')
  })

  it('leaves room for another', () => {
    const bench = elected().isolate(2)
    transfer(bench.replica(1), 2)
    bench.elapse(electionTimeoutMs)
    transfer(bench.replica(1), 3)
    bench.settle()
    expect(leaderOf(bench)).toBe(3)
  })

  it('ends when the leader is deposed meanwhile: what it led later it leads freely', () => {
    const bench = elected()
    const leader = bench.replica(1)
    bench.cut(1, 2)
    transfer(leader, 2)
    leader.receive(three, { kind: 'vote-answer', term: leader.status.view + 1, preVote: false, granted: false })
    expect(leader.status.role).toBe('follower')
    expect(leader.timers.has('transfer-leadership')).toBe(false)
    bench.heal().elect(1)
    leader.propose('b')
    bench.settle()
    expect(bench.replica(3).texts).toEqual(['a', 'b'])
  })
})

describe('C30: a stale request', () => {
  /** A transfer to replica 2 of which every request is kept back, and which has failed. */
  function failedTransfer(): { bench: Bench; kept: RaftMessage[] } {
    const bench = elected()
    transfer(bench.replica(1), 2)
    const isRequest = kinds('timeout-now')
    bench.elapse(electionTimeoutMs, (sent) => !isRequest(sent))
    expect(bench.replica(1).noted('transfer-failed')).toHaveLength(1)
    const kept = bench.take(isRequest).map((sent) => sent.message)
    expect(kept.length).toBeGreaterThan(5)
    return { bench, kept }
  }

  function deliverTwice(bench: Bench, kept: readonly RaftMessage[]): void {
    for (const message of [...kept, ...kept]) bench.replica(2).receive(one, message)
    bench.elapse(2 * electionTimeoutMs)
  }

  it('that comes ten timeouts late, and twice, deposes nobody, though nothing was proposed since', () => {
    const { bench, kept } = failedTransfer()
    const { view } = bench.replica(1).status
    bench.elapse(10 * electionTimeoutMs)
    deliverTwice(bench, kept)
    expect(bench.replica(1).status).toMatchObject({ role: 'leader', view })
    expect(bench.replica(2).noted('timeout-now-ignored')).toHaveLength(2 * kept.length)
  })

  it('is refused as soon as the leader was heard after the transfer failed', () => {
    const { bench, kept } = failedTransfer()
    const { view } = bench.replica(1).status
    deliverTwice(bench, kept)
    expect(bench.replica(1).status).toMatchObject({ role: 'leader', view })
  })

  it('is refused by whoever has another log than the leader had', () => {
    const bench = elected()
    const { view } = bench.replica(1).status
    for (const lastIndex of [1, 3]) {
      bench.replica(2).receive(one, { kind: 'timeout-now', term: view, round: 99, lastIndex })
    }
    expect(bench.replica(2).status.role).toBe('follower')
    bench.replica(2).receive(one, { kind: 'timeout-now', term: view, round: 99, lastIndex: 2 })
    expect(bench.replica(2).status.role).toBe('candidate')
  })

  it('is refused by whoever has not heard the leader for an election timeout', () => {
    const bench = elected()
    const { view } = bench.replica(1).status
    bench.nowMs += electionTimeoutMs
    bench.replica(2).receive(one, { kind: 'timeout-now', term: view, round: 99, lastIndex: 2 })
    expect(bench.replica(2).status.role).toBe('follower')
  })

  it('of an earlier term, from another replica, before any leader was heard or at a learner counts for nothing', () => {
    const bench = elected({ learners: 1 })
    const { view } = bench.replica(1).status
    const request: TimeoutNow = { kind: 'timeout-now', term: view, round: 99, lastIndex: 2 }
    bench.replica(2).receive(one, { ...request, term: view - 1 })
    bench.replica(2).receive(three, request)
    bench.replica(4).receive(one, request)
    bench.replica(1).receive(one, request)
    bench.replica(3).crash()
    bench.replica(3).start()
    bench.replica(3).receive(one, request)
    for (const id of [2, 3, 4]) expect(bench.replica(id).status.role).not.toBe('candidate')
    expect(bench.replica(1).status).toMatchObject({ role: 'leader', view })
    expect(bench.take(kinds('transfer-vote-request'))).toEqual([])
  })

  it('begins one election when it comes twice', () => {
    const bench = elected()
    const { view } = bench.replica(1).status
    const request: TimeoutNow = { kind: 'timeout-now', term: view, round: 99, lastIndex: 2 }
    bench.replica(2).receive(one, request)
    bench.replica(2).receive(one, request)
    expect(bench.replica(2).noted('election-begun')).toHaveLength(1)
  })

  it('of a later term does not begin an election', () => {
    const bench = elected()
    const { view } = bench.replica(1).status
    bench.replica(2).receive(one, { kind: 'timeout-now', term: view + 1, round: 99, lastIndex: 2 })
    expect(bench.replica(2).status).toMatchObject({ role: 'follower', view: view + 1 })
  })
})

describe('a vote for a candidate that was asked to stand', () => {
  const request = (term: number): TransferVoteRequest => ({
    kind: 'transfer-vote-request',
    term,
    lastIndex: 2,
    lastTerm: 1,
  })
  /** Replica 3, that hears replica 1, is asked by replica 2. */
  function asked(message: (view: number) => RaftMessage): Replica {
    const bench = elected()
    const { view } = bench.replica(1).status
    expect(view).toBe(1)
    bench.replica(3).receive(two, message(view))
    return bench.replica(3)
  }

  it('is given though the leader is heard', () => {
    expect(asked((view) => request(view + 1)).status.view).toBe(2)
  })

  it('is not given in any term but the next: nobody hands over a later one', () => {
    expect(asked((view) => request(view + 2)).status.view).toBe(1)
    expect(asked((view) => request(view)).status.view).toBe(1)
  })

  it('is not given to a log that is behind', () => {
    const bench = elected()
    bench.replica(3).receive(two, { ...request(2), lastIndex: 1 })
    expect(bench.take(kinds('vote-answer')).map(({ message }) => message)).toMatchObject([{ granted: false }])
  })

  it('is given by the leader only to the one that it hands over to', () => {
    const bench = elected()
    const leader = bench.replica(1)
    leader.receive(two, request(2))
    transfer(leader, 3)
    leader.receive(two, request(2))
    expect(leader.status).toMatchObject({ role: 'leader', view: 1 })
    leader.receive(three, request(2))
    expect(leader.status).toMatchObject({ role: 'follower', view: 2 })
  })
})
