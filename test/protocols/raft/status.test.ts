// A stall can be explained: each replica says what it waits for, whose answers are missing, and which timer fires when.

import { describe, expect, it } from 'vitest'
import { Bench } from './bench.ts'

describe('the status', () => {
  it('of a candidate names the votes that are missing, and who refused', () => {
    const bench = new Bench({ voters: 5 }).givenLog(2, [], 0).start()
    bench.replica(1).fireWhenDue('election')
    bench.replica(1).receive(bench.replica(2).id, { kind: 'vote-answer', term: 0, preVote: true, granted: false })
    expect(bench.replica(1).status).toMatchObject({
      role: 'pre-candidate',
      leader: null,
      phase: 'asks whether it would be elected in term 1, refused by 2',
      awaited: [{ what: 'pre-votes', quorum: 3, have: [1], missing: [2, 3, 4, 5] }],
      timers: [{ name: 'election' }],
    })
  })

  it('of a leader names the disks that a block waits for, its own included', () => {
    const bench = new Bench().start().elect(1)
    const leader = bench.replica(1)
    bench.cut(1, 3)
    leader.autoSync = false
    bench.replica(2).autoSync = false
    leader.propose('a')
    bench.settle()
    expect(leader.status).toMatchObject({
      role: 'leader',
      leader: 1,
      phase: 'leads, 1 blocks are under way',
      awaited: [{ what: 'block 2 on disk', quorum: 2, have: [], missing: [1, 2, 3] }],
    })
    bench.replica(2).sync()
    bench.deliver((sent) => sent.from === 2 && sent.message.kind === 'append-answer')
    expect(leader.status.awaited[0]).toMatchObject({ have: [2], missing: [1, 3] })
  })

  it('of a leader names whose confirmation reads wait for', () => {
    const bench = new Bench().start().elect(1)
    bench.isolate(1)
    bench.replica(1).step({ kind: 'read', id: 1 })
    expect(bench.replica(1).status.awaited).toMatchObject([
      { what: 'confirmation that it still leads, for 1 reads', quorum: 2, have: [1], missing: [2, 3] },
    ])
  })

  it('of a new leader says that its term has not begun', () => {
    const bench = new Bench().start()
    bench.replica(1).fireWhenDue('election')
    bench.settle((sent) => sent.message.kind.startsWith('vote'))
    expect(bench.replica(1).status.phase).toBe('leads, and waits for a quorum to store the first entry of its term')
  })

  it('of a follower names its leader, and when it would ask for votes', () => {
    const bench = new Bench().start().elect(1)
    const { phase, timers, role } = bench.replica(2).status
    expect({ phase, role }).toEqual({ phase: 'follows replica 1', role: 'follower' })
    expect(timers).toHaveLength(1)
    bench.nowMs += 10
    expect(bench.replica(1).status.timers).toMatchObject([{ name: 'heartbeat', dueMs: 90 }])
  })

  it('of one alone among the dead says who is missing, and which timer runs (O2)', () => {
    const bench = new Bench().start().elect(1)
    for (const id of [1, 3]) bench.replica(id).crash()
    bench.elapse(5000)
    const { awaited, timers } = bench.replica(2).status
    expect(awaited).toMatchObject([{ what: 'pre-votes', missing: [1, 3] }])
    expect(timers[0]!.dueMs).toBeLessThan(2000)
  })
})
