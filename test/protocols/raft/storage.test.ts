// A disk that is full, hangs, is slow, or loses what was not synced.

import { describe, expect, it } from 'vitest'
import { replicaId } from '../../../src/kernel/ids.ts'
import { Bench, electionTimeoutMs } from './bench.ts'

const one = replicaId(1)

describe('a full disk', () => {
  it('makes a leader step down, and others elect another', () => {
    const bench = new Bench().start().elect(1)
    bench.replica(1).step({ kind: 'storage-stalled' })
    expect(bench.replica(1).noted('stepped-down').at(-1)?.detail).toMatchObject({ reason: 'storage-stalled' })
    bench.elapse(5 * electionTimeoutMs)
    expect([2, 3]).toContain(bench.leader?.id)
    bench.leader!.propose('a')
    bench.settle()
    expect(bench.replica(1).texts).toEqual([])
    bench.replica(1).step({ kind: 'storage-resumed' })
    bench.elapse(electionTimeoutMs)
    expect(bench.replica(1).texts).toEqual(['a'])
  })

  it('keeps a replica from promising anything: no votes, no acknowledgements, no candidacy', () => {
    const bench = new Bench().start()
    const full = bench.replica(2)
    full.step({ kind: 'storage-stalled' })
    full.receive(one, { kind: 'vote-request', term: 1, preVote: true, lastIndex: 0, lastTerm: 0 })
    full.receive(one, { kind: 'vote-request', term: 1, preVote: false, lastIndex: 0, lastTerm: 0 })
    full.receive(one, {
      kind: 'append',
      term: 1,
      previousIndex: 0,
      previousTerm: 0,
      commit: 0,
      round: 0,
      entries: [],
    })
    full.fireWhenDue('election')
    expect(bench.sent).toEqual([])
    expect(full.persisted).toBe(0)
    expect(full.status.phase).toContain('disk is full')
    full.step({ kind: 'storage-resumed' })
    full.fireWhenDue('election')
    expect(bench.sent.length).toBeGreaterThan(0)
  })

  it('keeps a candidate from winning by votes that were on their way', () => {
    const bench = new Bench({ parameters: { raft: { preVote: false } } }).start()
    const candidate = bench.replica(1)
    candidate.autoSync = false
    candidate.fireWhenDue('election')
    candidate.receive(replicaId(2), { kind: 'vote-answer', term: 1, preVote: false, granted: true })
    candidate.step({ kind: 'storage-stalled' })
    candidate.sync()
    expect(candidate.status.role).toBe('follower')
  })
})

describe('a disk that hangs', () => {
  it('C40: makes a leader step down in bounded time, and others elect another', () => {
    const bench = new Bench().start().elect(1)
    const hung = bench.replica(1)
    hung.autoSync = false
    hung.propose('a')
    bench.elapse(6 * electionTimeoutMs)
    expect(hung.noted('stepped-down').at(-1)?.detail).toMatchObject({ reason: 'storage-hangs' })
    expect([2, 3]).toContain(bench.leader?.id)
    bench.leader!.propose('b')
    bench.settle()
    expect(bench.leader!.texts).toEqual(['a', 'b'])
    // Nor does it ever lead again before its disk answers.
    bench.elapse(20 * electionTimeoutMs)
    expect(bench.leader?.id).not.toBe(1)
    hung.autoSync = true
    hung.sync()
    bench.elapse(2 * electionTimeoutMs)
    expect(hung.texts).toEqual(['a', 'b'])
  })

  it('C40: and one that is slow, but answers within a timeout, does not', () => {
    const bench = new Bench().start().elect(1)
    const slow = bench.replica(1)
    slow.autoSync = false
    for (let round = 0; round < 20; round++) {
      slow.propose(`${round}`)
      bench.elapse(0.8 * electionTimeoutMs)
      slow.sync()
    }
    expect(bench.leader?.id).toBe(1)
  })

  it('does not keep its owner from deciding what a quorum of others has stored', () => {
    const bench = new Bench().start().elect(1)
    bench.replica(1).autoSync = false
    bench.replica(1).propose('a')
    bench.settle()
    expect(bench.replica(1).texts).toEqual(['a'])
    // It crashes, and has lost what it decided; the others have it.
    bench.replica(1).crash()
    bench.replica(1).autoSync = true
    bench.replica(1).start()
    bench.elapse(5 * electionTimeoutMs)
    expect(bench.replica(1).texts).toEqual(['a'])
  })
})

it('a restart replays terms, votes, entries and truncations from the log, and decides everything again', () => {
  const bench = new Bench().start().elect(1)
  bench.replica(1).propose('a')
  bench.settle()
  bench.isolate(1).replica(1).propose('lost')
  bench.elect(2)
  bench.replica(2).propose('b')
  bench.settle()
  bench.heal().elapse(2000)
  const before = bench.replicas.map((replica) => replica.texts)
  for (const replica of bench.replicas) replica.crash()
  bench.network = []
  bench.start().elapse(6000)
  expect(bench.replicas.map((replica) => replica.texts)).toEqual(before)
  expect(before[0]).toEqual(['a', 'b'])
})
