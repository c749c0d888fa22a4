// Who has lost promises gives none and is counted nowhere, nor is a learner; both are replicated to (C11, C27).

import { describe, expect, it } from 'vitest'
import { replicaId } from '../../../src/kernel/ids.ts'
import type { RaftMessage } from '../../../src/protocols/raft/messages.ts'
import { Bench, electionTimeoutMs, isTo, kinds, type BenchOptions } from './bench.ts'

const one = replicaId(1)

/** Replica 1 leads; those named have lost their disks. */
function led(options: BenchOptions, abstainers: readonly number[]): Bench {
  const bench = new Bench(options)
  for (const id of abstainers) bench.replica(id).abstains = true
  bench.start()
  // Alone it leads at once.
  return bench.leader === null ? bench.elect(1) : bench
}

describe('a replica that abstains', () => {
  it('grants no vote and no pre-vote, though it is free to and the candidate has everything', () => {
    const bench = new Bench()
    const replica = bench.replica(2)
    replica.abstains = true
    bench.start()
    for (const preVote of [true, false]) {
      replica.receive(one, { kind: 'vote-request', term: 1, preVote, lastIndex: 9, lastTerm: 1 })
      expect(bench.take().at(-1)?.message).toMatchObject({ kind: 'vote-answer', preVote, granted: false })
    }
    replica.receive(one, { kind: 'transfer-vote-request', term: 2, lastIndex: 9, lastTerm: 1 })
    expect(bench.take().at(-1)?.message).toMatchObject({ kind: 'vote-answer', granted: false })
    expect(replica.disk.some(({ record }) => record.kind === 'hard-state' && record.votedFor !== 0)).toBe(false)
  })

  it('never stands for election, by itself or because it was asked to', () => {
    const bench = led({}, [2])
    const replica = bench.replica(2)
    replica.receive(one, { kind: 'timeout-now', term: 1, round: 99, lastIndex: 1 })
    expect(replica.status.view).toBe(1)
    bench.isolate(1).elapse(10 * electionTimeoutMs)
    expect(replica.status.view).toBe(1)
    expect(bench.sent.filter((sent) => sent.from === 2).filter(kinds('vote-request', 'transfer-vote-request'))).toEqual(
      [],
    )
  })

  it('not even alone', () => {
    const bench = new Bench({ voters: 1 })
    bench.replica(1).abstains = true
    bench.start().elapse(10 * electionTimeoutMs)
    expect(bench.replica(1).status.leader).toBe(null)
  })

  it('says so to operators, and in every answer to the leader', () => {
    const bench = led({}, [3])
    bench.elapse(1000)
    expect(bench.replica(3).status.role).toMatch(/^abstaining: its log was lost/)
    const answers = bench.sent.filter((sent) => sent.from === 3 && sent.to === 1).map(({ message }) => message)
    const logAnswers = answers.filter(({ kind }) => kind !== 'vote-answer')
    expect(logAnswers.length).toBeGreaterThan(5)
    expect(new Set(logAnswers.map(({ kind }) => kind))).toEqual(new Set(['abstainer-answer']))
  })

  it('executes what others decide, and keeps it over a restart', () => {
    const bench = led({}, [3])
    bench.replica(1).propose('a')
    bench.settle()
    expect(bench.replica(3).texts).toEqual(['a'])
    bench.replica(3).crash()
    bench.replica(3).start()
    bench.elapse(1000)
    expect(bench.replica(3).texts).toEqual(['a'])
  })

  it('is not handed leadership: not on request, not as the best, not for its priority', () => {
    const bench = led({ priorities: [1, 1, 9] }, [3])
    bench.elapse(10 * electionTimeoutMs)
    expect(bench.leader?.id).toBe(1)
    bench.replica(1).step({ kind: 'command', command: { kind: 'transfer-leadership', to: replicaId(3) } })
    expect(bench.replica(1).noted('transfer-refused').at(-1)?.detail).toEqual({ reason: 'abstains' })
    bench.replica(1).step({ kind: 'command', command: { kind: 'transfer-leadership', to: null } })
    expect(bench.replica(1).noted('transfer-begun').at(-1)?.detail).toEqual({ to: 2 })
    expect(bench.sent.filter(kinds('timeout-now')).filter(isTo(3))).toEqual([])
  })

  it('lost what it had acknowledged: it gets all of it again, within the term of the same leader, twice', () => {
    const bench = new Bench().start().elect(1)
    for (let at = 0; at < 20; at++) bench.replica(1).propose(`${at}`)
    bench.settle()
    for (let life = 0; life < 2; life++) {
      bench.replica(3).renew()
      bench.elapse(1000)
      expect(bench.replica(3).texts).toEqual(bench.replica(1).texts)
      expect(bench.replica(3).texts).toHaveLength(20)
    }
    expect(bench.replica(1).status).toMatchObject({ role: 'leader', view: 1 })
  })

  it('is not believed what it said before it lost its log, and what comes late does not keep it from catching up', () => {
    const bench = new Bench().start().elect(1)
    bench.replica(1).propose('a')
    bench.settle()
    const late: RaftMessage = { kind: 'append-answer', term: 1, round: 1, matchIndex: 2 }
    bench.replica(3).renew()
    bench.elapse(300)
    bench.isolate(2)
    bench.replica(1).propose('b')
    bench.settle()
    bench.replica(1).receive(replicaId(3), { ...late, matchIndex: 3 })
    expect(bench.replica(1).texts).toEqual(['a'])
    bench.replica(3).renew()
    bench.replica(1).receive(replicaId(3), { ...late, matchIndex: 3 })
    bench.elapse(800)
    expect(bench.replica(3).terms).toEqual([1, 1, 1])
  })

  it('fetches a state when the leader’s log begins later, and follows from there', () => {
    const bench = new Bench().start().elect(1)
    for (let at = 0; at < 20; at++) {
      bench.replica(1).propose(`${at}`)
      bench.settle()
    }
    for (const height of [8, 16]) for (const id of [1, 2]) bench.replica(id).stable(height)
    bench.replica(3).renew()
    bench.elapse(1000)
    expect(bench.replica(3).fetched).toEqual([{ kind: 'state', minimumHeight: 8 }])
    bench.replica(3).restore(16)
    bench.settle()
    expect(bench.replica(3).status.decidedHeight).toBe(21)
    expect(bench.replica(1).status.awaited).toEqual([])
  })

  it('answers reads by the leader’s index', () => {
    const bench = led({}, [3])
    bench.replica(1).propose('a')
    bench.settle()
    bench.replica(3).step({ kind: 'read', id: 7 })
    bench.settle()
    expect(bench.replica(3).reads).toEqual([{ id: 7, height: 2 }])
  })
})

/** Every way to be made up of up to five voters and a learner, some of the voters without a voice, and every set that answers. */
function* configurations(): Generator<{ voters: number; abstainers: number[]; answering: number[]; enough: boolean }> {
  for (let voters = 1; voters <= 5; voters++) {
    const quorum = Math.floor(voters / 2) + 1
    const others = Array.from({ length: voters }, (_, at) => at + 2)
    for (const abstainers of subsets(others.filter((id) => id <= voters))) {
      // Else nobody leads.
      if (voters - abstainers.length < quorum) continue
      for (const answering of subsets(others)) {
        const counted = answering.filter((id) => id <= voters && !abstainers.includes(id))
        yield { voters, abstainers, answering, enough: counted.length + 1 >= quorum }
      }
    }
  }
}

function subsets(of: readonly number[]): number[][] {
  if (of.length === 0) return [[]]
  const [first, ...rest] = of as [number, ...number[]]
  return subsets(rest).flatMap((subset) => [subset, [first, ...subset]])
}

/** The voters and one learner; only those who answer are heard from now on. */
function withAnswering({
  voters,
  abstainers,
  answering,
}: {
  voters: number
  abstainers: number[]
  answering: number[]
}): Bench {
  const bench = led({ voters, learners: 1 }, abstainers)
  bench.elapse(300)
  for (const { id } of bench.replicas) if (id !== 1 && !answering.includes(id)) bench.isolate(id)
  return bench
}

describe('C11: by brute force, learners and abstainers count for nothing', () => {
  const all = [...configurations()]

  it('in commitment', () => {
    for (const configuration of all) {
      const bench = withAnswering(configuration)
      bench.replica(1).propose('a')
      bench.settle()
      expect(bench.replica(1).texts, JSON.stringify(configuration)).toEqual(configuration.enough ? ['a'] : [])
    }
    expect(all.length).toBeGreaterThan(300)
  })

  it('in rounds that confirm reads', () => {
    for (const configuration of all) {
      const bench = withAnswering(configuration)
      bench.replica(1).step({ kind: 'read', id: 1 })
      bench.settle()
      expect(bench.replica(1).reads.length, JSON.stringify(configuration)).toBe(configuration.enough ? 1 : 0)
    }
  })

  it('in the check whether a quorum hears the leader', () => {
    for (const configuration of all) {
      const bench = withAnswering(configuration)
      bench.elapse(3 * electionTimeoutMs)
      const leads = bench.replica(1).status.role === 'leader' && bench.replica(1).status.view === 1
      expect(leads, JSON.stringify(configuration)).toBe(configuration.enough)
    }
  })

  it('in what operators are told is awaited', () => {
    for (const configuration of all) {
      const bench = withAnswering(configuration)
      bench.replica(1).propose('a')
      bench.settle()
      const [awaited] = bench.replica(1).status.awaited
      if (configuration.enough) continue
      for (const id of [...configuration.abstainers, configuration.voters + 1])
        expect(awaited!.have, JSON.stringify(configuration)).not.toContain(id)
    }
  })

  it('in elections: whoever can be elected is elected by those who have a voice', () => {
    for (const { voters, abstainers, answering, enough } of all) {
      const bench = new Bench({ voters, learners: 1 })
      for (const id of abstainers) bench.replica(id).abstains = true
      bench.start()
      for (const { id } of bench.replicas) if (id !== 1 && !answering.includes(id)) bench.isolate(id)
      for (let at = 0; at < 3 && bench.replica(1).status.role !== 'leader'; at++) {
        bench.replica(1).fireWhenDue('election')
        bench.settle()
      }
      expect(bench.replica(1).status.role === 'leader', JSON.stringify({ voters, abstainers, answering })).toBe(enough)
    }
  })
})
