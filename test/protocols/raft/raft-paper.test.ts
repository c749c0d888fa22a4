// A test for each rule of "In Search of an Understandable Consensus Algorithm (Extended Version)", Ongaro and Ousterhout 2014, in the
// order of its sections. The sentence that is tested stands in the test's name.

import { describe, expect, it } from 'vitest'
import { replicaId } from '../../../src/kernel/ids.ts'
import type { Append, RaftMessage } from '../../../src/protocols/raft/messages.ts'
import { Bench, electionTimeoutMs, entryOf, kinds, logOf, type Sent } from './bench.ts'
import { textsOf } from './test-pool.ts'

const plain = { parameters: { raft: { preVote: false, checkQuorum: false } } }
const one = replicaId(1)
const two = replicaId(2)

function append(changes: Partial<Append>): Append {
  return { kind: 'append', term: 1, previousIndex: 0, previousTerm: 0, commit: 0, round: 0, entries: [], ...changes }
}

function lastTo(bench: Bench, to: number): RaftMessage | undefined {
  return bench.sent.findLast((sent) => sent.to === to)?.message
}

describe('§5.1', () => {
  it.each([
    ['follower', 'append'],
    ['follower', 'heartbeat'],
    ['candidate', 'append'],
    ['candidate', 'heartbeat'],
    ['leader', 'append'],
    ['leader', 'heartbeat'],
  ] as const)(
    'if one server’s current term is smaller than the other’s, it updates to the larger: a %s by an %s',
    (role, kind) => {
      const bench = new Bench(plain).start()
      if (role === 'candidate') bench.replica(1).fireWhenDue('election')
      if (role === 'leader') bench.elect(1)
      const { entries, ...bare } = append({ term: 5 })
      bench.replica(1).receive(two, kind === 'append' ? { ...bare, kind, entries } : { ...bare, kind })
      expect(bench.replica(1).status).toMatchObject({ view: 5, role: 'follower', leader: 2 })
    },
  )

  it('if a candidate or leader discovers that its term is out of date, it immediately reverts to follower state', () => {
    const rejection: RaftMessage = { kind: 'rejection', term: 8, round: 0, rejectedIndex: 0, hintIndex: 0, hintTerm: 0 }
    const refusal: RaftMessage = { kind: 'vote-answer', term: 8, preVote: false, granted: false }
    for (const answer of [rejection, refusal]) {
      const bench = new Bench(plain).start()
      bench.replica(1).fireWhenDue('election')
      bench.replica(1).receive(two, answer)
      expect(bench.replica(1).status).toMatchObject({ view: 8, role: 'follower' })
      const other = new Bench(plain).start().elect(1)
      other.replica(1).receive(two, answer)
      expect(other.replica(1).status).toMatchObject({ view: 8, role: 'follower' })
    }
  })

  it('if a server receives a request with a stale term number, it rejects the request', () => {
    const bench = new Bench(plain).givenLog(1, [], 3).start()
    bench.replica(1).receive(two, append({ term: 2, entries: logOf(1) }))
    expect(lastTo(bench, 2)).toMatchObject({ kind: 'rejection', term: 3 })
    bench.replica(1).receive(two, { kind: 'vote-request', term: 2, preVote: false, lastIndex: 9, lastTerm: 2 })
    expect(lastTo(bench, 2)).toMatchObject({ kind: 'vote-answer', granted: false, term: 3 })
    expect(bench.replica(1).log).toEqual([])
  })
})

describe('§5.2', () => {
  it('when servers start up, they begin as followers', () => {
    const bench = new Bench(plain).start()
    for (const { status } of bench.replicas) expect(status).toMatchObject({ role: 'follower', view: 0, leader: null })
  })

  it('a server remains in follower state as long as it receives valid RPCs from a leader', () => {
    const bench = new Bench(plain).start().elect(1)
    bench.elapse(50 * electionTimeoutMs)
    expect(bench.replicas.map(({ status }) => status.role)).toEqual(['leader', 'follower', 'follower'])
    expect(bench.replica(1).status.view).toBe(1)
  })

  it('leaders send periodic heartbeats to all followers', () => {
    const bench = new Bench(plain).start().elect(1)
    const before = bench.sent.length
    bench.replica(1).fireWhenDue('heartbeat')
    const sent = bench.sent.slice(before)
    expect(sent.map(({ to, message }) => [to, message.kind])).toEqual([
      [2, 'heartbeat'],
      [3, 'heartbeat'],
    ])
  })

  it.each(['follower', 'candidate'] as const)(
    'a %s that hears nothing over the election timeout increments its term, votes for itself and asks all others',
    (role) => {
      const bench = new Bench(plain).start()
      const server = bench.replica(1)
      if (role === 'candidate') server.fireWhenDue('election')
      const { view } = server.status
      bench.take()
      server.fireWhenDue('election')
      expect(server.status).toMatchObject({ role: 'candidate', view: view + 1 })
      expect(server.disk.at(-1)?.record).toEqual({ kind: 'hard-state', term: view + 1, votedFor: 1 })
      const request = { kind: 'vote-request', term: view + 1, preVote: false, lastIndex: 0, lastTerm: 0 }
      expect(bench.network).toEqual([2, 3].map((to) => ({ from: 1, to, message: request })))
    },
  )

  it.each([
    [1, [], true],
    [3, [2], true],
    [3, [], false],
    [4, [2], false],
    [4, [2, 3], true],
    [5, [2, 3], true],
    [5, [2, 3, 4, 5], true],
    [5, [2], false],
    [5, [], false],
  ])('a candidate wins with the votes of a majority: of %i, with the votes of %j, %s', (voters, from, wins) => {
    const bench = new Bench({ voters, ...plain }).start()
    const server = bench.replica(1)
    if (voters > 1) server.fireWhenDue('election')
    for (const voter of from) {
      server.receive(replicaId(voter), { kind: 'vote-answer', term: 1, preVote: false, granted: true })
    }
    expect(server.status.role).toBe(wins ? 'leader' : 'candidate')
  })

  it('each server will vote for at most one candidate in a given term, first come, first served', () => {
    const request: RaftMessage = { kind: 'vote-request', term: 1, preVote: false, lastIndex: 0, lastTerm: 0 }
    const bench = new Bench(plain).start()
    bench.replica(3).receive(one, request)
    bench.replica(3).receive(two, request)
    expect(bench.take().map(({ to, message }) => [to, (message as { granted?: boolean }).granted])).toEqual([
      [1, true],
      [2, false],
    ])
  })

  it('a server that grants its vote waits for another whole timeout before it asks itself (figure 2, followers)', () => {
    const bench = new Bench(plain).start()
    const voter = bench.replica(3)
    bench.nowMs = voter.timers.get('election')! - 1
    voter.receive(one, { kind: 'vote-request', term: 1, preVote: false, lastIndex: 0, lastTerm: 0 })
    expect(voter.timers.get('election')! - bench.nowMs).toBeGreaterThanOrEqual(electionTimeoutMs)
  })

  it('once a candidate wins an election, it sends heartbeat messages to all other servers', () => {
    const bench = new Bench(plain).start()
    bench.replica(1).fireWhenDue('election')
    bench.settle(kinds('vote-request', 'vote-answer'))
    expect(bench.network.map(({ to, message }) => [to, message.kind, 'term' in message && message.term])).toEqual([
      [2, 'append', 1],
      [3, 'append', 1],
    ])
  })

  it('a candidate that hears a leader of a term at least as large as its own recognises it', () => {
    for (const term of [1, 2]) {
      const bench = new Bench(plain).start()
      bench.replica(1).fireWhenDue('election')
      bench.replica(1).receive(two, append({ term }))
      expect(bench.replica(1).status).toMatchObject({ role: 'follower', leader: 2, view: term })
    }
  })

  it('if the term in the RPC is smaller, the candidate rejects it and continues in candidate state', () => {
    const bench = new Bench(plain).givenLog(1, [], 5).start()
    bench.replica(1).fireWhenDue('election')
    bench.replica(1).receive(two, append({ term: 5 }))
    expect(bench.replica(1).status).toMatchObject({ role: 'candidate', view: 6 })
    expect(lastTo(bench, 2)).toMatchObject({ kind: 'rejection', term: 6 })
  })

  it('each candidate restarts its randomised timeout at the start of an election, so split votes are resolved', () => {
    for (let seed = 1; seed <= 30; seed++) {
      const bench = new Bench({ voters: 4, seed, ...plain }).start()
      // All time out at the same moment, and each votes for itself.
      for (const replica of bench.replicas) {
        while (replica.status.role !== 'candidate') replica.fireWhenDue('election')
      }
      bench.settle()
      expect(bench.leader).toBeNull()
      bench.elapse(10 * electionTimeoutMs)
      expect(bench.leader).not.toBeNull()
    }
  })
})

describe('§5.3', () => {
  it('the leader appends the command to its log as a new entry, then issues AppendEntries in parallel', () => {
    const bench = new Bench(plain).start().elect(1)
    bench.replica(1).propose('a')
    expect(bench.replica(1).log.at(-1)).toMatchObject({ term: 1, block: { header: { height: 2 } } })
    const appends = bench.network.map(({ message }) => message as Append)
    expect(appends).toHaveLength(2)
    for (const message of appends) {
      expect(message).toMatchObject({ kind: 'append', term: 1, previousIndex: 1, previousTerm: 1, commit: 1 })
      expect(textsOf(message.entries[0]!.block.payload)).toEqual(['a'])
    }
  })

  it.each([
    [3, [2], true],
    [3, [], false],
    [5, [2], false],
    [5, [2, 3], true],
    [5, [2, 4, 5], true],
  ])('an entry is committed once it is on a majority: of %i, with the answers of %j, %s', (voters, from, committed) => {
    const bench = new Bench({ voters, ...plain }).start().elect(1)
    bench.replica(1).propose('a')
    bench.take()
    for (const voter of from) {
      bench.replica(1).receive(replicaId(voter), { kind: 'append-answer', term: 1, round: 0, matchIndex: 2 })
    }
    expect(bench.replica(1).texts).toEqual(committed ? ['a'] : [])
  })

  it('this also commits all preceding entries in the leader’s log, including entries created by previous leaders', () => {
    for (const log of [logOf(1), logOf(1, 1), logOf(1, 2), logOf(2, 2, 2)]) {
      const bench = new Bench(plain).givenLog(1, log, 2).start().elect(1)
      expect(bench.replica(1).status.decidedHeight).toBe(log.length + 1)
      for (const replica of bench.replicas) expect(replica.texts).toEqual(bench.replica(1).texts)
    }
  })

  it('the leader retries AppendEntries indefinitely until all followers eventually store all log entries', () => {
    const bench = new Bench(plain).start().elect(1)
    bench.isolate(3)
    bench.replica(1).propose('a')
    bench.elapse(60 * electionTimeoutMs)
    const { view } = bench.replica(1).status
    bench.heal().elapse(5 * electionTimeoutMs)
    for (const replica of bench.replicas) expect(replica.texts).toEqual(['a'])
    expect(view).toBe(1)
  })

  it('once a follower learns that an entry is committed, it applies it to its state machine, in log order', () => {
    const bench = new Bench().start()
    bench.replica(2).receive(one, append({ entries: logOf(1, 1, 1), commit: 2 }))
    expect(bench.replica(2).texts).toEqual(['1.1', '1.2'])
    bench.replica(2).receive(one, append({ previousIndex: 3, previousTerm: 1, commit: 3 }))
    expect(bench.replica(2).texts).toEqual(['1.1', '1.2', '1.3'])
  })

  it.each([
    [0, 0, true],
    [1, 1, true],
    [2, 2, true],
    [1, 2, false],
    [2, 1, false],
    [3, 3, false],
  ])(
    'if the follower does not find an entry with the same index and term, it refuses: (%i, %i), %s',
    (index, term, accepts) => {
      const bench = new Bench().givenLog(2, logOf(1, 2), 3).start()
      bench.replica(2).receive(one, append({ term: 3, previousIndex: index, previousTerm: term }))
      expect(lastTo(bench, 1)?.kind).toBe(accepts ? 'append-answer' : 'rejection')
    },
  )

  it.each([
    ['(a)', [1, 1, 1, 4, 4, 5, 5, 6, 6]],
    ['(b)', [1, 1, 1, 4]],
    ['(c)', [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6]],
    ['(d)', [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7]],
    ['(e)', [1, 1, 1, 4, 4, 4, 4]],
    ['(f)', [1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3]],
  ])('figure 7: follower %s comes to have the leader’s log', (_name, follower) => {
    const leader = [1, 1, 1, 4, 4, 5, 5, 6, 6, 6]
    const bench = new Bench().givenLog(1, logOf(...leader), 7).givenLog(3, logOf(...leader), 7)
    bench
      .givenLog(2, logOf(...follower), 7)
      .start()
      .elect(1)
    expect(bench.replica(2).terms).toEqual([...leader, bench.replica(1).status.view])
    expect(bench.replica(2).texts).toEqual(bench.replica(1).texts)
  })

  it('if an existing entry conflicts with a new one, the follower deletes it and all that follow it', () => {
    const cases: [Partial<Append>, number[]][] = [
      [{ previousIndex: 2, previousTerm: 2, entries: [entryOf(3, 3)] }, [1, 2, 3]],
      [{ previousIndex: 1, previousTerm: 1, entries: [entryOf(3, 2), entryOf(4, 3)] }, [1, 3, 4]],
      [{ entries: logOf(1, 2) }, [1, 2]],
      [{ entries: logOf(3) }, [3]],
    ]
    for (const [changes, terms] of cases) {
      const bench = new Bench().givenLog(2, logOf(1, 2), 4).start()
      bench.replica(2).receive(one, append({ term: 4, ...changes }))
      expect(bench.replica(2).terms).toEqual(terms)
    }
  })

  it('a leader never overwrites or deletes entries in its own log', () => {
    const bench = new Bench(plain).givenLog(1, logOf(1, 1), 1).start().elect(1)
    const { log } = bench.replica(1)
    bench.replica(1).receive(two, append({ term: bench.replica(1).status.view, entries: [entryOf(1, 1, 'other')] }))
    expect(bench.replica(1).log).toEqual(log)
    expect(bench.replica(1).status.role).toBe('leader')
  })
})

describe('§5.4.1', () => {
  it('the request includes information about the candidate’s log', () => {
    const bench = new Bench(plain).givenLog(1, logOf(1, 2, 2), 4).start()
    bench.replica(1).fireWhenDue('election')
    expect(bench.network[0]!.message).toMatchObject({ kind: 'vote-request', term: 5, lastIndex: 3, lastTerm: 2 })
  })

  it.each([
    [[1], 1, 1, true],
    [[1], 1, 2, true],
    [[1, 1], 2, 1, true],
    [[1], 2, 1, true],
    [[1, 1], 1, 1, false],
    [[1, 2], 9, 1, false],
    [[1, 2], 1, 2, false],
    [[1, 2], 1, 3, true],
    [[], 0, 0, true],
  ])(
    'the voter denies its vote if its own log is more up-to-date: %j, asked by (%i, %i), %s',
    (log, lastIndex, lastTerm, granted) => {
      const bench = new Bench(plain).givenLog(2, logOf(...log), 4).start()
      bench.replica(2).receive(one, { kind: 'vote-request', term: 5, preVote: false, lastIndex, lastTerm })
      expect(lastTo(bench, 1)).toMatchObject({ granted, term: 5 })
      // The term is taken over in either case.
      expect(bench.replica(2).status.view).toBe(5)
    },
  )
})

describe('§5.4.2', () => {
  it('only log entries from the leader’s current term are committed by counting replicas', () => {
    const bench = new Bench(plain).givenLog(1, logOf(1, 2), 2).start()
    const leader = bench.replica(1)
    leader.fireWhenDue('election')
    bench.settle(kinds('vote-request', 'vote-answer'))
    bench.take()
    for (const [matchIndex, decided] of [
      [1, 0],
      [2, 0],
      [3, 3],
    ] as const) {
      leader.receive(two, { kind: 'append-answer', term: 3, round: 0, matchIndex })
      expect(leader.status.decidedHeight).toBe(decided)
    }
  })
})

describe('§5.5', () => {
  it('RPCs are idempotent: a repeated request has no further effect', () => {
    const bench = new Bench().start()
    const follower = bench.replica(2)
    const message = append({ entries: logOf(1, 1), commit: 2 })
    follower.receive(one, message)
    const { persisted } = follower
    follower.receive(one, message)
    expect(follower.persisted).toBe(persisted)
    expect(follower.texts).toEqual(['1.1', '1.2'])
    const answers: Sent[] = bench.take()
    expect(answers[0]).toEqual(answers[1])
  })
})

describe('§8', () => {
  it('each leader commits a blank no-op entry at the start of its term', () => {
    const bench = new Bench(plain).givenLog(1, logOf(1), 1).start().elect(1)
    const { block } = bench.replica(1).decided.at(-1)!
    expect(bench.replica(1).log.at(-1)?.term).toBe(bench.replica(1).status.view)
    expect(textsOf(block.payload)).toEqual([])
  })
})
