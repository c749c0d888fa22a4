// States and checkpoints that come late, too low, or to a replica in an unlikely place: nothing that was promised or decided is taken
// back, and what is still lacking is asked for.

import { describe, expect, it } from 'vitest'
import type { Checkpoint } from '../../../src/kernel/checkpoint.ts'
import { Bench, electionTimeoutMs, kinds, type Replica } from './bench.ts'

/** All have decided `count` blocks of the first term. */
function decided(count: number): Bench {
  const bench = new Bench().start().elect(1)
  for (let at = 1; at < count; at++) {
    bench.replica(1).propose(`${at}`)
    bench.settle()
  }
  return bench.elapse(2 * electionTimeoutMs)
}

/** Replica 3 starts with a log that begins behind 24, and with this checkpoint. */
function withCutLog(bench: Bench, checkpoint: Checkpoint | null): Replica {
  const replica = bench.replica(3)
  for (const height of [8, 16, 24, 32]) replica.stable(height)
  replica.crash()
  replica.checkpoint = checkpoint
  bench.isolate(3)
  replica.start()
  return replica
}

const records = (replica: Replica): string[] => replica.disk.map(({ record }) => record.kind)

describe('a state that is too low for the log', () => {
  it('at the start: is taken, and a higher one is asked for before anybody is heard', () => {
    const bench = decided(40)
    const replica = withCutLog(bench, bench.checkpointOf(16))
    expect(replica.status).toMatchObject({ decidedHeight: 16, view: 1 })
    expect(replica.fetched).toEqual([{ kind: 'state', minimumHeight: 24 }])
    expect(replica.terms).toHaveLength(16)
  })

  it('fetched: is taken, and a higher one is asked for at once', () => {
    const bench = decided(40)
    const replica = withCutLog(bench, null)
    replica.restore(16)
    expect(replica.fetched).toEqual([24, 24].map((minimumHeight) => ({ kind: 'state', minimumHeight })))
    expect(replica.status.decidedHeight).toBe(16)
  })
})

describe('a state that is there already', () => {
  it('takes nothing back of what was decided and executed since', () => {
    const bench = decided(20)
    const replica = bench.replica(3)
    replica.step({ kind: 'restored', checkpoint: bench.checkpointOf(8) })
    expect(replica.status).toMatchObject({ decidedHeight: 20, executedHeight: 20 })
    bench.replica(1).propose('next')
    bench.settle()
    bench.elapse(200)
    // The bench throws on a block that is decided twice.
    expect(replica.status).toMatchObject({ decidedHeight: 21, executedHeight: 21 })
  })

  it('is the base of the log: the next checkpoint cuts nothing for it again', () => {
    const bench = new Bench().start().isolate(3)
    bench.elect(1)
    for (let at = 1; at < 20; at++) {
      bench.replica(1).propose(`${at}`)
      bench.settle()
    }
    const replica = bench.replica(3)
    replica.restore(8)
    bench.heal().elapse(2 * electionTimeoutMs)
    expect(replica.status.decidedHeight).toBe(20)
    expect(records(replica).filter((kind) => kind === 'base')).toHaveLength(1)
    const { persisted } = replica
    replica.stable(16)
    expect(replica.persisted).toBe(persisted)
  })

  it('makes a leader whose log has it say nothing to itself', () => {
    const bench = decided(10)
    const leader = bench.replica(3)
    // It gets entries, and does not hear that they are committed.
    bench.replica(1).propose('unheard')
    bench.deliver(kinds('append'))
    bench.deliver((sent) => sent.from === 2)
    expect([1, 3].map((id) => bench.replica(id).status.decidedHeight)).toEqual([11, 10])
    bench.take()
    bench.replica(1).crash()
    bench.nowMs += 2 * electionTimeoutMs
    for (let at = 0; at < 2 && leader.status.role === 'follower'; at++) leader.fireWhenDue('election')
    bench.settle(kinds('vote-request', 'vote-answer'))
    expect(leader.status.role).toBe('leader')
    leader.restore(11)
    expect(leader.status).toMatchObject({ role: 'leader', decidedHeight: 11 })
    expect(bench.sent.filter(({ from, to }) => from === to)).toEqual([])
  })
})

describe('what cannot be', () => {
  it('a log whose beginning was cut without a word about where', () => {
    const bench = decided(10)
    const replica = bench.replica(3)
    replica.crash()
    replica.disk = replica.disk.filter(({ record }) => record.kind !== 'entries' || record.firstIndex > 4)
    expect(() => replica.start()).toThrow('do not reach back')
  })

  it('a checkpoint of another protocol, or of another place than its block', () => {
    const bench = decided(10)
    const checkpoint = bench.checkpointOf(8)
    const stable = (proof: Checkpoint['proof']) => () =>
      bench.replica(2).step({ kind: 'stable', checkpoint: { ...checkpoint, proof } })
    expect(stable({ kind: 'raft', term: 1, index: 7 })).toThrow('not of this protocol')
    expect(stable({ ...checkpoint.proof, kind: 'pbft' } as unknown as Checkpoint['proof'])).toThrow(
      'not of this protocol',
    )
  })
})
