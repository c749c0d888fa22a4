// Reads at a follower (thesis §6.4): it learns from the leader what they must see, and nothing old ever passes for the answer.

import { describe, expect, it } from 'vitest'
import { waitingReadsMax } from '../../../src/protocols/raft/state.ts'
import { Bench, isTo, kinds, type Sent } from './bench.ts'

function elected(): Bench {
  const bench = new Bench().start().elect(1)
  bench.replica(1).propose('a')
  bench.settle()
  return bench
}

const questions = (sent: readonly Sent[]): Sent[] => sent.filter(({ message }) => message.kind === 'read-request')

describe('a linearizable read at a follower', () => {
  it('is answered at the commit index that the leader had when it was asked, once a quorum has confirmed it', () => {
    const bench = elected()
    const follower = bench.replica(2)
    follower.step({ kind: 'read', id: 7 })
    expect(follower.reads).toEqual([])
    bench.deliver(kinds('read-request'))
    // Asked, and not confirmed yet: the leader could have been deposed.
    expect(bench.network.filter(({ message }) => message.kind === 'read-answer')).toEqual([])
    bench.settle()
    expect(follower.reads).toEqual([{ id: 7, height: 2 }])
  })

  it('sees what was committed elsewhere before it came, though this follower has not heard of it', () => {
    const bench = elected()
    bench.isolate(2)
    bench.replica(1).propose('b')
    bench.settle()
    bench.heal()
    const follower = bench.replica(2)
    expect(follower.texts).toEqual(['a'])
    follower.step({ kind: 'read', id: 1 })
    bench.deliver(kinds('read-request'))
    bench.settle(kinds('heartbeat', 'heartbeat-answer', 'read-answer', 'rejection'))
    expect(follower.reads).toEqual([{ id: 1, height: 3 }])
  })

  it('shares a question with all that came before it was asked, and none that came after', () => {
    const bench = elected()
    const follower = bench.replica(3)
    for (let id = 1; id <= 20; id++) follower.step({ kind: 'read', id })
    bench.deliver(isTo(1))
    bench.deliver(isTo(2))
    bench.deliver(isTo(1))
    bench.deliver(kinds('read-answer'))
    expect(follower.reads.map((read) => read.id)).toEqual([1])
    bench.settle()
    expect(follower.reads).toHaveLength(20)
    expect(questions(bench.sent)).toHaveLength(2)
  })

  it('asks again when question or answer was lost', () => {
    for (const lost of ['read-request', 'read-answer'] as const) {
      const bench = elected()
      const follower = bench.replica(2)
      follower.step({ kind: 'read', id: 1 })
      if (lost === 'read-answer') bench.settle(kinds('read-request', 'heartbeat', 'heartbeat-answer'))
      expect(bench.take(kinds(lost))).toHaveLength(1)
      follower.fireWhenDue('ask-for-read-index')
      bench.settle()
      expect(follower.reads).toEqual([{ id: 1, height: 2 }])
    }
  })

  it('fails when the leader that was asked leads no more, and is not answered by it later', () => {
    const bench = elected()
    const follower = bench.replica(2)
    follower.step({ kind: 'read', id: 1 })
    bench.settle(kinds('read-request', 'heartbeat', 'heartbeat-answer'))
    const late = bench.take(kinds('read-answer'))
    expect(late).toHaveLength(1)
    bench.elect(3)
    expect(follower.failedReads).toEqual([{ id: 1, reason: 'not-leader' }])
    follower.step({ kind: 'read', id: 2 })
    for (const { from, message } of late) follower.receive(from, message)
    expect(follower.reads).toEqual([])
    bench.settle()
    expect(follower.reads.map((read) => read.id)).toEqual([2])
  })

  it('is not answered by an answer to a question of an earlier life', () => {
    const bench = elected()
    const follower = bench.replica(2)
    follower.step({ kind: 'read', id: 1 })
    bench.settle(kinds('read-request', 'heartbeat', 'heartbeat-answer'))
    const late = bench.take(kinds('read-answer'))
    follower.crash()
    follower.start()
    bench.elapse(300)
    expect(follower.status.leader).toBe(1)
    bench.isolate(2)
    bench.replica(1).propose('b')
    bench.settle()
    // The same number of a question, and the same number of a read: only the life differs.
    follower.step({ kind: 'read', id: 1 })
    for (const { from, message } of late) follower.receive(from, message)
    expect(follower.reads).toEqual([])
    bench.heal()
    follower.fireWhenDue('ask-for-read-index')
    bench.settle()
    expect(follower.reads).toEqual([{ id: 1, height: 3 }])
  })

  it('is not answered by somebody who does not lead, nor by an answer to another question', () => {
    const bench = elected()
    const follower = bench.replica(2)
    follower.step({ kind: 'read', id: 1 })
    const [question] = questions(bench.take(kinds('read-request')))
    const { term, incarnation, number } = question!.message as { term: number; incarnation: number; number: number }
    const answer = { kind: 'read-answer', term, incarnation, number, index: 2 } as const
    follower.receive(bench.replica(3).id, answer)
    follower.receive(bench.replica(1).id, { ...answer, number: number - 1 })
    follower.receive(bench.replica(1).id, { ...answer, incarnation: incarnation - 1 })
    follower.receive(bench.replica(1).id, { ...answer, term: term - 1 })
    expect(follower.reads).toEqual([])
    follower.receive(bench.replica(1).id, answer)
    expect(follower.reads).toEqual([{ id: 1, height: 2 }])
    follower.receive(bench.replica(1).id, answer)
    expect(follower.reads).toHaveLength(1)
  })

  it('is refused where too many wait, or the disk is full', () => {
    const bench = elected()
    const follower = bench.replica(2)
    bench.isolate(2)
    for (let id = 1; id <= waitingReadsMax + 1; id++) follower.step({ kind: 'read', id })
    expect(follower.failedReads).toEqual([{ id: waitingReadsMax + 1, reason: 'overloaded' }])
    follower.step({ kind: 'storage-stalled' })
    expect(follower.failedReads).toHaveLength(waitingReadsMax + 1)
    follower.step({ kind: 'read', id: 99_999 })
    expect(follower.failedReads.at(-1)).toEqual({ id: 99_999, reason: 'not-leader' })
  })

  it('says whom it waits for', () => {
    const bench = elected()
    const follower = bench.replica(2)
    follower.step({ kind: 'read', id: 1 })
    expect(follower.status.awaited).toEqual([
      { what: "the leader's read index, for 1 reads", quorum: 1, have: [], missing: [1] },
    ])
  })
})
