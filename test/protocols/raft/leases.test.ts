// Reads by lease: what a lease rests on, how long it lasts, and when it is dropped. The bench checks of every read that it sees what was
// decided before it came.

import { describe, expect, it } from 'vitest'
import { replicaId } from '../../../src/kernel/ids.ts'
import { createRandom } from '../../../src/kernel/random.ts'
import type { RaftMessage } from '../../../src/protocols/raft/messages.ts'
import { Bench, electionTimeoutMs, kinds, type BenchOptions, type ParameterChanges } from './bench.ts'

const two = replicaId(2)
const driftPerMille = 100
const leaseMs = (electionTimeoutMs * (1000 - driftPerMille)) / 1000
const leases: ParameterChanges = { raft: { leaseDriftPerMille: driftPerMille } }

/** Replica 1 leads, and its lease is fresh. */
function leased(options: BenchOptions = {}): Bench {
  return new Bench({ parameters: leases, ...options }).start().elect(1).elapse(300)
}

let nextRead = 1

/** Whether a read is answered in the very step in which it comes. */
function readsAtOnce(bench: Bench, id: number = 1): boolean {
  const replica = bench.replica(id)
  const before = replica.reads.length
  replica.step({ kind: 'read', id: nextRead++ })
  return replica.reads.length > before
}

describe('a lease', () => {
  it('answers reads without a message', () => {
    const bench = leased()
    const before = bench.sent.length
    expect(readsAtOnce(bench)).toBe(true)
    expect(bench.sent.length).toBe(before)
    expect(bench.replica(1).noted('read-by-lease')).toHaveLength(1)
    expect(bench.replica(1).status.timers.map(({ name }) => name)).toContain('lease')
  })

  it('answers followers too', () => {
    const bench = leased()
    bench.replica(2).step({ kind: 'read', id: 1 })
    bench.deliver(kinds('read-request'))
    expect(bench.network.map(({ message }) => message.kind)).toEqual(['read-answer'])
  })

  it('tells a follower that asks at once how far it may read', () => {
    const bench = leased()
    bench.replica(1).propose('a')
    bench.deliver(kinds('append'))
    bench.deliver(({ to }) => to === 1)
    expect(bench.replica(2).texts).toEqual([])
    bench.replica(2).step({ kind: 'read', id: 1 })
    bench.deliver(kinds('read-request'))
    expect(bench.network.map(({ to, message }) => [to, message.kind])).toEqual([
      [2, 'read-answer'],
      [2, 'heartbeat'],
    ])
    bench.deliver()
    expect(bench.replica(2).reads).toHaveLength(1)
  })

  it('is off unless the parameters name a bound of the clocks', () => {
    const bench = leased({ parameters: {} })
    expect(readsAtOnce(bench)).toBe(false)
    bench.settle()
    expect(bench.replica(1).reads).toHaveLength(1)
  })

  it('does not begin with a quorum that has answered, where leases are off', () => {
    const bench = leased({ parameters: {} })
    bench.replica(1).step({ kind: 'read', id: nextRead++ })
    bench.settle()
    expect(bench.replica(1).reads).toHaveLength(1)
    expect(readsAtOnce(bench)).toBe(false)
    expect(bench.replica(1).status.timers.map(({ name }) => name)).not.toContain('lease')
  })

  it('C31: answers nothing before the first entry of the term is committed', () => {
    const bench = new Bench({ parameters: leases }).start()
    const leader = bench.replica(1)
    for (let at = 0; at < 2 && leader.status.role === 'follower'; at++) leader.fireWhenDue('election')
    bench.settle(kinds('vote-request', 'vote-answer'))
    bench.take(kinds('append'))
    leader.fireWhenDue('heartbeat')
    bench.settle(kinds('heartbeat', 'heartbeat-answer'))
    expect(leader.status).toMatchObject({ role: 'leader', decidedHeight: 0 })
    expect(readsAtOnce(bench)).toBe(false)
    expect(leader.status.timers.map(({ name }) => name)).not.toContain('lease')
  })

  it('costs no more messages than heartbeats do', () => {
    const counts = [leases, {}].map((parameters) => {
      const bench = leased({ parameters })
      const before = bench.sent.length
      bench.elapse(10_000)
      return bench.sent.length - before
    })
    expect(counts[0]).toBe(counts[1])
  })

  it.each([100, 400])(
    'lasts from the sending of what a quorum answered, %i ms before, not from the answer',
    (delayMs) => {
      const bench = leased()
      bench.settle()
      bench.take()
      bench.replica(1).fireWhenDue('heartbeat')
      const sentMs = bench.nowMs
      bench.nowMs += delayMs
      bench.settle()
      // Nothing more is heard of others.
      bench.isolate(1)
      bench.nowMs = sentMs + leaseMs - 1
      expect(readsAtOnce(bench)).toBe(true)
      bench.nowMs = sentMs + leaseMs
      expect(readsAtOnce(bench)).toBe(false)
    },
  )

  it('is not extended by an answer to an earlier round', () => {
    const bench = leased()
    bench.settle()
    const sentMs = bench.nowMs
    bench.replica(1).fireWhenDue('heartbeat')
    bench.settle()
    const late = bench.sent.findLast(({ message }) => message.kind === 'heartbeat-answer')!
    bench.isolate(1).elapse(600)
    bench.replica(1).receive(late.from, late.message)
    bench.nowMs = sentMs + 100 + leaseMs
    expect(readsAtOnce(bench)).toBe(false)
  })

  it('needs a quorum: one follower of four is none', () => {
    const bench = leased({ voters: 5 })
    for (const id of [3, 4, 5]) bench.isolate(id)
    bench.elapse(leaseMs)
    expect(readsAtOnce(bench)).toBe(false)
  })

  it('needs a quorum of those who have a voice', () => {
    const bench = new Bench({ parameters: leases, voters: 3, learners: 1 })
    bench.replica(3).abstains = true
    bench.start().elect(1).elapse(300)
    expect(readsAtOnce(bench)).toBe(true)
    bench.isolate(2).elapse(leaseMs)
    expect(readsAtOnce(bench)).toBe(false)
  })

  it('C31: answers nothing before an entry of the term is committed', () => {
    const bench = new Bench({ parameters: leases }).start()
    const votes = kinds('vote-request', 'vote-answer')
    for (let at = 0; at < 3 && bench.leader === null; at++) {
      bench.replica(1).fireWhenDue('election')
      bench.settle(votes)
    }
    // The followers' disks hang: they answer heartbeats, which rest on what they had promised before, and no appends.
    for (const id of [2, 3]) bench.replica(id).autoSync = false
    bench.elapse(300)
    expect(readsAtOnce(bench)).toBe(false)
    bench.settle()
    expect(bench.replica(1).reads).toEqual([])
    for (const id of [2, 3]) bench.replica(id).sync()
    bench.settle()
    expect(bench.replica(1).reads.map(({ height }) => height)).toEqual([1])
    expect(readsAtOnce(bench)).toBe(true)
  })

  it('ends when the leader steps down', () => {
    const bench = leased()
    bench.replica(1).step({ kind: 'storage-stalled' })
    expect(readsAtOnce(bench)).toBe(false)
    expect(bench.replica(1).failedReads).toHaveLength(1)
  })

  it('answers reads that wait for a round all the same, when answers take longer than heartbeats', () => {
    const bench = leased()
    bench.replica(1).step({ kind: 'command', command: { kind: 'transfer-leadership', to: two } })
    bench.take()
    // The target never answers; without a lease every read takes a round, of messages that are 250 ms on their way.
    expect(readsAtOnce(bench)).toBe(false)
    const late: { dueMs: number; sent: (typeof bench.network)[number] }[] = []
    for (let at = 0; at < 20; at++) {
      bench.elapse(50, () => false)
      for (const sent of bench.take((one_) => one_.to !== 2 && one_.from !== 2))
        late.push({ dueMs: bench.nowMs + 250, sent })
      bench.take()
      for (const { dueMs, sent } of late)
        if (dueMs === bench.nowMs) bench.replica(sent.to).receive(sent.from, sent.message)
    }
    expect(bench.replica(1).reads.length).toBeGreaterThan(0)
  })
})

describe('a transfer of leadership', () => {
  it('begins with the end of the lease', () => {
    const bench = leased()
    bench.isolate(2)
    bench.replica(1).propose('a')
    bench.replica(1).step({ kind: 'command', command: { kind: 'transfer-leadership', to: two } })
    // The target has not the whole log, so it was asked nothing yet.
    expect(bench.sent.filter(kinds('timeout-now'))).toEqual([])
    expect(readsAtOnce(bench)).toBe(false)
  })

  it('that failed before anybody was asked gives the lease back', () => {
    const bench = leased()
    bench.cut(1, 2)
    bench.replica(1).propose('a')
    bench.settle()
    bench.replica(1).step({ kind: 'command', command: { kind: 'transfer-leadership', to: two } })
    bench.elapse(electionTimeoutMs + 300)
    expect(bench.replica(1).noted('transfer-failed')).toHaveLength(1)
    expect(bench.leader?.id).toBe(1)
    expect(readsAtOnce(bench)).toBe(true)
  })

  it('in which somebody was asked to stand for election forfeits it for the term: that may come late', () => {
    const bench = leased()
    bench.replica(1).step({ kind: 'command', command: { kind: 'transfer-leadership', to: two } })
    const asked = bench.take(kinds('timeout-now'))
    expect(asked).toHaveLength(1)
    // All requests are lost but the first, which is late; the transfer has failed meanwhile, and everybody hears the leader again.
    bench.elapse(electionTimeoutMs + 300, (sent) => sent.message.kind !== 'timeout-now')
    bench.take()
    expect(bench.replica(1).noted('transfer-failed')).toHaveLength(1)
    expect(bench.replica(1).status.role).toBe('leader')
    expect(readsAtOnce(bench)).toBe(false)
    bench.settle()
    expect(bench.replica(1).reads).toHaveLength(1)
  })

  it('goes through at once, though all voters have just heard the leader', () => {
    const bench = leased()
    bench.replica(1).step({ kind: 'command', command: { kind: 'transfer-leadership', to: two } })
    bench.settle()
    expect(bench.leader?.id).toBe(2)
    bench.elapse(300)
    expect(readsAtOnce(bench, 2)).toBe(true)
    expect(readsAtOnce(bench, 1)).toBe(false)
  })
})

describe('a voter that has heard a leader', () => {
  const request: RaftMessage = { kind: 'vote-request', term: 5, preVote: false, lastIndex: 99, lastTerm: 4 }

  function grants(bench: Bench): boolean {
    const before = bench.sent.length
    bench.replica(3).receive(two, request)
    return bench.sent.slice(before).some(({ message }) => message.kind === 'vote-answer' && message.granted)
  }

  it('helps nobody else for a timeout, though it has heard of a later term meanwhile', () => {
    const bench = leased()
    bench.settle()
    const heardMs = bench.nowMs
    bench.isolate(3)
    bench.replica(3).receive(two, { kind: 'read-request', term: 4, incarnation: 1, number: 1 })
    expect(bench.replica(3).status).toMatchObject({ view: 4, leader: null })
    bench.nowMs = heardMs + electionTimeoutMs - 150
    expect(grants(bench)).toBe(false)
    bench.nowMs = heardMs + electionTimeoutMs
    expect(grants(bench)).toBe(true)
  })

  it('nor stands for election itself', () => {
    const bench = leased({ parameters: { raft: { leaseDriftPerMille: driftPerMille, preVote: false } } })
    const voter = bench.replica(3)
    bench.settle()
    // Its timer was set when it began; it has heard the leader later, and of another term since.
    const dueMs = voter.timers.get('election')!
    while (bench.nowMs < dueMs - 100) bench.elapse(50)
    const heardMs = bench.nowMs
    bench.isolate(3)
    voter.receive(two, { kind: 'read-request', term: 4, incarnation: 1, number: 1 })
    voter.fireWhenDue('election')
    expect(bench.nowMs - heardMs).toBeLessThan(electionTimeoutMs)
    expect(voter.status).toMatchObject({ role: 'follower', view: 4 })
    bench.elapse(2 * electionTimeoutMs)
    expect(voter.status.role).toBe('candidate')
  })

  it('keeps to that over a restart, by waiting for a timeout of its own clock', () => {
    const bench = leased()
    bench.isolate(3)
    bench.replica(3).crash()
    bench.replica(3).start()
    const startedMs = bench.nowMs
    bench.nowMs = startedMs + electionTimeoutMs - 1
    expect(grants(bench)).toBe(false)
    bench.nowMs = startedMs + electionTimeoutMs
    expect(grants(bench)).toBe(true)
  })

  it('is not bound where leases are off', () => {
    const bench = leased({ parameters: {} })
    bench.isolate(3)
    bench.replica(3).crash()
    bench.replica(3).start()
    expect(grants(bench)).toBe(true)
  })
})

describe('C33: with clocks that differ as much as they may', () => {
  /** The slowest and the fastest clock that the bound allows, beside each other. */
  const slow = 1 - driftPerMille / 1000

  it('no read misses what was decided before it came', () => {
    let byLease = 0
    let leaders = 0
    for (let seed = 1; seed <= 250; seed++) {
      const random = createRandom(seed)
      const bench = new Bench({ seed, parameters: { ...leases, timers }, voters: seed % 4 === 0 ? 5 : 3 })
      for (const replica of bench.replicas) replica.clockRate = random.below(2) === 0 ? 1 : slow
      bench.start()
      let written = 0
      for (let step = 0; step < 60; step++) {
        disturb(bench, random)
        for (const replica of bench.replicas) {
          if (!replica.isUp) continue
          if (replica.status.role === 'leader') replica.propose(`${seed}.${written++}`)
          replica.step({ kind: 'read', id: nextRead++ })
        }
        // Some messages stay on the network until later, and a paused replica neither fires nor hears.
        const paused = random.below(4) === 0 ? 1 + random.below(3) : 0
        bench.elapse(10 + random.below(120), ({ to }) => to !== paused && random.below(12) > 0)
      }
      byLease += bench.replicas.reduce((sum, replica) => sum + replica.noted('read-by-lease').length, 0)
      leaders += bench.replicas.reduce((sum, replica) => sum + replica.noted('leader-elected').length, 0)
    }
    // It was put to the test.
    expect(byLease).toBeGreaterThan(2000)
    expect(leaders).toBeGreaterThan(400)
  })

  const timers = { timeoutMsBase: 200, heartbeatMs: 20, retransmitMs: 50 }

  function disturb(bench: Bench, random: ReturnType<typeof createRandom>): void {
    const replica = bench.replica(1 + random.below(bench.replicas.length))
    switch (random.below(9)) {
      case 0:
      case 1:
        if (bench.leader !== null) bench.isolate(bench.leader.id)
        return
      case 2:
      case 3:
        bench.heal()
        return
      case 4:
        replica.crash()
        return
      case 5:
      case 6:
        for (const other of bench.replicas) if (!other.isUp) other.start()
        return
      case 7:
        bench.leader?.step({ kind: 'command', command: { kind: 'transfer-leadership', to: null } })
    }
  }
})
