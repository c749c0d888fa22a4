// Elections: who may vote when, that a healthy leader stays, and that some leader always emerges.

import { describe, expect, it } from 'vitest'
import { termMax, type RaftMessage } from '../../../src/protocols/raft/messages.ts'
import { replicaId } from '../../../src/kernel/ids.ts'
import { createRandom } from '../../../src/kernel/random.ts'
import { Bench, electionTimeoutMs, isTo, kinds, logOf } from './bench.ts'

const withoutPreVote = { raft: { preVote: false } }
const one = replicaId(1)
const two = replicaId(2)
const three = replicaId(3)

function answersOf(bench: Bench, from: number): RaftMessage[] {
  return bench.take((sent) => sent.from === from).map((sent) => sent.message)
}

function voteRequest(term: number, changes: Partial<Extract<RaftMessage, { kind: 'vote-request' }>> = {}): RaftMessage {
  return { kind: 'vote-request', term, preVote: false, lastIndex: 0, lastTerm: 0, ...changes }
}

it('a timer that fires late, when its role is over, does nothing', () => {
  const bench = new Bench().start().elect(1)
  bench.take()
  const [leader, follower] = [bench.replica(1), bench.replica(2)]
  bench.nowMs += 5 * electionTimeoutMs
  // Twice, since one is forgiven that is late.
  for (let time = 0; time < 2; time++) leader.step({ kind: 'timer', name: 'election' })
  expect(leader.status).toMatchObject({ role: 'leader', view: 1 })
  const before = [...follower.timers]
  for (const name of ['heartbeat', 'check-quorum', 'transfer-leadership', 'linger']) {
    follower.step({ kind: 'timer', name })
  }
  expect(follower.status).toMatchObject({ role: 'follower', leader: 1, view: 1 })
  expect([...follower.timers]).toEqual(before)
  expect(bench.take()).toEqual([])
})

describe('a vote', () => {
  it('C1: leaves only when term and vote are durable, and outlives a crash', () => {
    const bench = new Bench({ autoSync: false, parameters: withoutPreVote }).start()
    const voter = bench.replica(3)
    voter.receive(one, voteRequest(1))
    expect(answersOf(bench, 3)).toEqual([])
    voter.sync()
    expect(answersOf(bench, 3)).toMatchObject([{ kind: 'vote-answer', term: 1, granted: true }])
    voter.crash()
    voter.start()
    voter.receive(two, voteRequest(1))
    voter.sync()
    expect(answersOf(bench, 3)).toMatchObject([{ kind: 'vote-answer', term: 1, granted: false }])
  })

  it('C1: within a known term is persisted too', () => {
    const bench = new Bench({ autoSync: false }).givenLog(3, [], 4, 0).start()
    const voter = bench.replica(3)
    voter.receive(one, voteRequest(4))
    expect(answersOf(bench, 3)).toEqual([])
    voter.sync()
    expect(answersOf(bench, 3)).toMatchObject([{ granted: true }])
    voter.crash()
    voter.start()
    voter.receive(two, voteRequest(4))
    voter.sync()
    expect(answersOf(bench, 3)).toMatchObject([{ granted: false }])
  })

  it('C1: is not moved to another by asking for it twice', () => {
    const bench = new Bench({ parameters: withoutPreVote }).start()
    const voter = bench.replica(3)
    voter.receive(one, voteRequest(1))
    for (let attempt = 0; attempt < 2; attempt++) voter.receive(two, voteRequest(1))
    expect(answersOf(bench, 3)).toMatchObject([{ granted: true }, { granted: false }, { granted: false }])
    expect(voter.disk.at(-1)?.record).toEqual({ kind: 'hard-state', term: 1, votedFor: 1 })
  })

  it('C1: that was lost in a crash before it left may be given to another', () => {
    const bench = new Bench({ autoSync: false }).start()
    const voter = bench.replica(3)
    voter.receive(one, voteRequest(1))
    voter.crash()
    voter.start()
    voter.receive(two, voteRequest(1))
    voter.sync()
    expect(answersOf(bench, 3)).toMatchObject([{ kind: 'vote-answer', term: 1, granted: true }])
  })

  it('for itself counts when it is durable, and not before', () => {
    const bench = new Bench({ autoSync: false, parameters: withoutPreVote }).start()
    const candidate = bench.replica(1)
    candidate.fireWhenDue('election')
    expect(bench.network).toEqual([])
    // A vote from an impatient test: the candidate's own is not on disk yet.
    candidate.receive(two, { kind: 'vote-answer', term: 1, preVote: false, granted: true })
    expect(candidate.status.role).toBe('candidate')
    candidate.sync()
    expect(candidate.status.role).toBe('leader')
  })

  it('is given again to the one who has it, without another persist', () => {
    const bench = new Bench().start()
    const voter = bench.replica(3)
    voter.receive(one, voteRequest(1))
    const { persisted } = voter
    voter.receive(one, voteRequest(1))
    expect(answersOf(bench, 3)).toMatchObject([{ granted: true }, { granted: true }])
    expect(voter.persisted).toBe(persisted)
  })

  it('of a learner, or for one, counts for nothing', () => {
    const bench = new Bench({ voters: 3, learners: 1, parameters: withoutPreVote }).start()
    const candidate = bench.replica(1)
    candidate.fireWhenDue('election')
    expect(bench.take().map((sent) => sent.to)).toEqual([2, 3])
    candidate.receive(replicaId(4), { kind: 'vote-answer', term: 1, preVote: false, granted: true })
    expect(candidate.status.role).toBe('candidate')
    bench.replica(2).receive(replicaId(4), voteRequest(1))
    expect(answersOf(bench, 2)).toEqual([])
  })

  it('C2: that comes late, from an earlier election, counts for nothing', () => {
    const bench = new Bench({ voters: 5, parameters: withoutPreVote }).start()
    const candidate = bench.replica(1)
    candidate.fireWhenDue('election')
    candidate.fireWhenDue('election')
    expect(candidate.status.view).toBe(2)
    for (const voter of [two, three]) {
      candidate.receive(voter, { kind: 'vote-answer', term: 1, preVote: false, granted: true })
    }
    expect(candidate.status.role).toBe('candidate')
    for (const voter of [two, three]) {
      candidate.receive(voter, { kind: 'vote-answer', term: 2, preVote: false, granted: true })
    }
    expect(candidate.status.role).toBe('leader')
  })

  it('of one voter counts once, however often it comes', () => {
    const bench = new Bench({ voters: 5, parameters: withoutPreVote }).start()
    const candidate = bench.replica(1)
    candidate.fireWhenDue('election')
    for (let copy = 0; copy < 5; copy++) {
      candidate.receive(two, { kind: 'vote-answer', term: 1, preVote: false, granted: true })
    }
    expect(candidate.status.role).toBe('candidate')
  })
})

describe('a pre-vote', () => {
  it('raises no term and persists nothing, at the one who asks and at the one who answers', () => {
    const bench = new Bench().start()
    bench.replica(1).fireWhenDue('election')
    bench.deliver()
    for (const replica of bench.replicas) {
      expect(replica.status.view).toBe(0)
      expect(replica.persisted).toBe(0)
    }
  })

  it('C7: that comes late is no vote', () => {
    const bench = new Bench({ voters: 5 }).start()
    const candidate = bench.replica(1)
    candidate.fireWhenDue('election')
    bench.deliver(isTo(2))
    bench.deliver(isTo(3))
    bench.deliver((sent) => sent.to === 1)
    expect(candidate.status).toMatchObject({ role: 'candidate', view: 1 })
    bench.take()
    // Pre-votes for term 1, asked for before the candidate had it, and one for a term that it might be taken for.
    for (const voter of [4, 5]) {
      candidate.receive(replicaId(voter), { kind: 'vote-answer', term: 1, preVote: true, granted: true })
      candidate.receive(replicaId(voter), { kind: 'vote-answer', term: 2, preVote: true, granted: true })
    }
    expect(candidate.status.role).toBe('candidate')
  })

  it('is refused to a candidate whose log is behind, and to one whose term is not above', () => {
    const bench = new Bench().givenLog(3, logOf(1, 1, 2), 5).start()
    const voter = bench.replica(3)
    voter.receive(one, voteRequest(6, { preVote: true, lastIndex: 9, lastTerm: 1 }))
    voter.receive(one, voteRequest(5, { preVote: true, lastIndex: 3, lastTerm: 2 }))
    voter.receive(one, voteRequest(6, { preVote: true, lastIndex: 3, lastTerm: 2 }))
    expect(answersOf(bench, 3)).toMatchObject([
      { granted: false, term: 5 },
      { granted: false, term: 5 },
      { granted: true, term: 6 },
    ])
  })
})

describe('a healthy leader', () => {
  it('C5: is not deposed by one that was cut off for a hundred timeouts', () => {
    const bench = new Bench({ voters: 5 }).start().elect(1)
    const { view } = bench.replica(1).status
    bench.isolate(3).elapse(100 * electionTimeoutMs)
    bench.heal().elapse(10 * electionTimeoutMs)
    expect(bench.leader?.id).toBe(1)
    expect(bench.replicas.map((replica) => replica.status.view)).toEqual([view, view, view, view, view])
  })

  it('C5: is not deposed by requests for votes while its followers hear it', () => {
    const bench = new Bench({ parametersOf: (id) => (id === 3 ? withoutPreVote : {}) }).start().elect(1)
    const { view } = bench.replica(1).status
    bench.replica(2).receive(three, voteRequest(view + 1, { lastIndex: 99, lastTerm: view }))
    bench.replica(2).receive(three, voteRequest(view + 1, { preVote: true, lastIndex: 99, lastTerm: view }))
    bench.replica(1).receive(three, voteRequest(view + 1, { lastIndex: 99, lastTerm: view }))
    expect(bench.replica(1).status).toMatchObject({ role: 'leader', view })
    expect(bench.replica(2).status).toMatchObject({ leader: 1, view })
    expect(bench.replica(2).noted('pre-vote-refused')).toHaveLength(1)
    expect(bench.replica(2).noted('vote-ignored')).toHaveLength(1)
  })

  it('C8: survives a follower that stood still for three timeouts and hears all of them at once', () => {
    const bench = new Bench({ parameters: withoutPreVote }).start().elect(1)
    bench.settle()
    const { view } = bench.replica(1).status
    const stalled = bench.replica(3)
    const dueMs = stalled.timers.get('election')!
    const endMs = Math.max(bench.nowMs, dueMs) + 3 * electionTimeoutMs
    stalled.timers.delete('election')
    while (bench.nowMs < endMs) bench.elapse(100, (sent) => sent.to !== 3)
    // The timer is handled before the messages that waited, as an event loop may do it.
    stalled.step({ kind: 'timer', name: 'election' })
    expect(stalled.status.view).toBe(view)
    expect(stalled.noted('stall-noticed')).toHaveLength(1)
    bench.elapse(3 * electionTimeoutMs)
    expect(bench.leader?.id).toBe(1)
    expect(stalled.status).toMatchObject({ role: 'follower', leader: 1, view })
  })

  it('C8: is replaced even by one whose timers are always late: a stall is forgiven once', () => {
    const bench = new Bench().start()
    const late = bench.replica(2)
    for (let firing = 0; firing < 2; firing++) {
      bench.nowMs = late.timers.get('election')! + electionTimeoutMs
      late.fire('election')
    }
    expect(late.status.role).toBe('pre-candidate')
  })
})

describe('a leader emerges', () => {
  it('C2: when one with an old term rejoins as the leader dies', () => {
    const bench = new Bench().givenLog(3, [], 0).start()
    bench.isolate(3).elect(1)
    bench.replica(1).propose('a')
    bench.settle()
    // Replica 3 comes back with term 0 and an empty log, replica 1 is gone: 2 has all it takes, and needs 3.
    bench.replica(1).crash()
    bench.heal().elapse(6 * electionTimeoutMs)
    expect(bench.leader?.id).toBe(2)
    expect(bench.replica(3).texts).toEqual(['a'])
  })

  it('C2: when one with a higher term and a shorter log answers pre-votes', () => {
    const bench = new Bench().givenLog(1, logOf(1, 1), 1).givenLog(2, logOf(1, 1), 1).givenLog(3, logOf(1), 7).start()
    bench.replica(1).crash()
    bench.elapse(8 * electionTimeoutMs)
    expect(bench.leader?.id).toBe(2)
    expect(bench.replica(2).status.view).toBeGreaterThan(7)
  })

  it('C3: whatever flags for pre-vote and check-quorum each replica has', () => {
    const random = createRandom(8501)
    for (let run = 0; run < 40; run++) {
      const flags = Array.from({ length: 3 }, () => ({
        preVote: random.chance(1, 2),
        checkQuorum: random.chance(1, 2),
      }))
      const bench = new Bench({ seed: run, parametersOf: (id) => ({ raft: flags[id - 1]! }) })
      const longest = 1 + random.below(3)
      for (const { id } of bench.replicas) bench.givenLog(id, id === longest ? logOf(1, 1) : [], 1 + random.below(9))
      bench.start()
      for (let fault = 0; fault < 6; fault++) {
        if (random.chance(1, 2)) bench.isolate(1 + random.below(3))
        else bench.heal()
        bench.elapse(random.below(4000))
      }
      bench.heal().elapse(12 * electionTimeoutMs)
      const { leader } = bench
      expect(leader, `run ${run}: ${JSON.stringify(flags)}`).not.toBeNull()
      leader!.propose('after')
      bench.elapse(electionTimeoutMs)
      for (const replica of bench.replicas) expect(replica.texts).toContain('after')
    }
  })

  it('C3: a replica that is stuck with a higher term behind the refusal of votes gets back in', () => {
    const bench = new Bench({ parametersOf: (id) => (id === 3 ? withoutPreVote : {}) }).start().elect(1)
    bench.isolate(3).elapse(10 * electionTimeoutMs)
    const { view } = bench.replica(3).status
    expect(view).toBeGreaterThan(bench.replica(1).status.view)
    bench.heal().elapse(10 * electionTimeoutMs)
    expect(bench.leader!.status.view).toBeGreaterThanOrEqual(view)
    bench.leader!.propose('a')
    bench.elapse(electionTimeoutMs)
    expect(bench.replica(3).texts).toEqual(['a'])
  })

  it('alone at once, when it is the only voter', () => {
    const bench = new Bench({ voters: 1 }).start()
    expect(bench.replica(1).status.role).toBe('leader')
    bench.replica(1).propose('a')
    expect(bench.replica(1).texts).toEqual(['a'])
  })

  it('but terms end at their limit, without a throw or an overflow', () => {
    const bench = new Bench().givenLog(1, [], termMax).start()
    bench.replica(1).fireWhenDue('election')
    expect(bench.replica(1).status.view).toBe(termMax)
    expect(bench.replica(1).noted('terms-exhausted')).toHaveLength(1)
  })
})

describe('check-quorum', () => {
  it('makes a leader that hears no quorum step down, refuse reads, and propose nothing', () => {
    const bench = new Bench().start().elect(1)
    bench.isolate(1).elapse(2 * electionTimeoutMs + 200)
    const old = bench.replica(1)
    expect(old.status.role).not.toBe('leader')
    expect(old.noted('stepped-down').at(-1)?.detail).toMatchObject({ reason: 'no-quorum' })
    old.step({ kind: 'read', id: 1 })
    expect(old.failedReads).toEqual([{ id: 1, reason: 'not-leader' }])
    const { length } = old.log
    old.propose('a')
    expect(old.log).toHaveLength(length)
    expect(old.pool.texts).toEqual(['a'])
  })

  it('counts voters that answer, and no learners', () => {
    const bench = new Bench({ voters: 3, learners: 2 }).start().elect(1)
    for (const voter of [2, 3]) bench.replica(voter).crash()
    bench.elapse(2 * electionTimeoutMs + 200)
    expect(bench.replica(1).noted('stepped-down').at(-1)?.detail).toMatchObject({ reason: 'no-quorum' })
  })

  it('C8: lets nothing that a leader was told before it stood still confirm a read', () => {
    const bench = new Bench().start().elect(1)
    bench.replica(1).fireWhenDue('heartbeat')
    bench.deliver(kinds('heartbeat'))
    bench.nowMs += 3 * electionTimeoutMs
    bench.replica(1).step({ kind: 'read', id: 1 })
    // The answers to heartbeats of before the stall arrive after the read came.
    bench.deliver(kinds('heartbeat-answer'))
    expect(bench.replica(1).reads).toEqual([])
    bench.settle()
    expect(bench.replica(1).reads).toHaveLength(1)
  })

  it('lets nobody else lead the same term, neither at the leader nor at a follower', () => {
    const bench = new Bench().start().elect(1)
    const { view } = bench.replica(1).status
    const impostor: RaftMessage = {
      kind: 'append',
      term: view,
      previousIndex: 0,
      previousTerm: 0,
      commit: 0,
      round: 0,
      entries: [],
    }
    const before = bench.sent.length
    bench.replica(1).receive(three, impostor)
    bench.replica(2).receive(three, impostor)
    expect(bench.replica(1).status.role).toBe('leader')
    expect(bench.replica(2).status.leader).toBe(1)
    expect(bench.sent).toHaveLength(before)
    expect(bench.replica(2).noted('second-leader')).toHaveLength(1)
  })

  it('notes a step-down for a higher term', () => {
    const bench = new Bench().start().elect(1)
    bench.replica(1).receive(two, { kind: 'rejection', term: 9, round: 0, rejectedIndex: 0, hintIndex: 0, hintTerm: 0 })
    expect(bench.replica(1).status).toMatchObject({ role: 'follower', view: 9, leader: null })
    expect(bench.replica(1).noted('stepped-down').at(-1)?.detail).toMatchObject({ reason: 'higher-term' })
  })
})

describe('timeouts', () => {
  it('are drawn between the base and twice the base, anew for each attempt', () => {
    const bench = new Bench().start()
    const replica = bench.replica(1)
    bench.isolate(1)
    const drawn = new Set<number>()
    for (let attempt = 0; attempt < 50; attempt++) {
      const afterMs = replica.timers.get('election')! - bench.nowMs
      expect(afterMs).toBeGreaterThanOrEqual(electionTimeoutMs)
      expect(afterMs).toBeLessThan(2 * electionTimeoutMs)
      drawn.add(afterMs)
      replica.fireWhenDue('election')
    }
    expect(drawn.size).toBeGreaterThan(30)
  })
})

it('elections settle at every size, with one leader and all others following it', () => {
  for (const voters of [1, 2, 3, 4, 5, 7]) {
    const bench = new Bench({ voters, seed: voters }).start().elapse(10 * electionTimeoutMs)
    const { leader } = bench
    expect(leader).not.toBeNull()
    expect(bench.replicas.every((replica) => replica.status.leader === leader!.id)).toBe(true)
    expect(bench.network).toEqual([])
  }
})
