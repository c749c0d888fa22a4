// A disk that is full for a while, and members without a vote.

import { describe, expect, it } from 'vitest'
import { replicaId } from '../../../src/kernel/ids.ts'
import { idleLooksMax } from '../../../src/protocols/pbft/status-exchange.ts'
import { Bench, parametersOf, timeoutMs } from './bench.ts'
import * as forge from './forging.ts'

describe('a full disk', () => {
  it('of the primary: the others replace it, and it follows when there is room again (C40)', () => {
    const bench = new Bench().start()
    bench.replica(1).propose('a')
    bench.settle()
    bench.replica(1).step({ kind: 'storage-stalled' })
    for (const id of [2, 3, 4]) bench.replica(id).propose('b')
    bench.elapse(5 * timeoutMs)
    for (const id of [2, 3, 4]) expect(bench.replica(id).texts).toEqual(['a', 'b'])
    bench.replica(1).step({ kind: 'storage-resumed' })
    bench.elapse(5 * timeoutMs)
    expect(bench.replica(1).texts).toEqual(['a', 'b'])
    expect(bench.replica(1).status.view).toBe(1)
  })

  it('of everybody: nothing is promised meanwhile, and all goes on afterwards', () => {
    const bench = new Bench().start()
    bench.replica(1).propose('a')
    bench.settle()
    for (const replica of bench.replicas) replica.step({ kind: 'storage-stalled' })
    for (const replica of bench.replicas) replica.propose('b')
    bench.elapse(30 * timeoutMs)
    for (const { disk } of bench.replicas) {
      expect(disk.map(({ record }) => record.kind)).toEqual(['proposal', 'prepared', 'decided'])
    }
    for (const replica of bench.replicas) replica.step({ kind: 'storage-resumed' })
    bench.elapse(10 * timeoutMs)
    for (const replica of bench.replicas) expect(replica.texts).toContain('b')
  })

  it('of the one who completes a quorum: all waits for it, and goes on', () => {
    const bench = new Bench().start()
    bench.replica(4).crash()
    bench.replica(3).step({ kind: 'storage-stalled' })
    for (const id of [1, 2, 3]) bench.replica(id).propose('b')
    bench.elapse(30 * timeoutMs)
    for (const id of [1, 2, 3]) expect(bench.replica(id).decided).toEqual([])
    bench.replica(3).step({ kind: 'storage-resumed' })
    bench.elapse(60 * timeoutMs)
    for (const id of [1, 2, 3]) expect(bench.replica(id).texts).toContain('b')
  })
})

describe('a learner', () => {
  it('follows through a view change that it has missed, and says nothing but how far it is', () => {
    const bench = new Bench({ learners: 1 }).start()
    bench.replica(1).propose('a')
    bench.settle()
    bench.isolate(5)
    bench.replica(1).crash()
    for (const id of [2, 3, 4]) bench.replica(id).propose('b')
    bench.elapse(5 * timeoutMs)
    bench.heal()
    bench.replica(2).propose('c')
    bench.elapse(5 * timeoutMs)
    expect(bench.replica(5).texts).toEqual(['a', 'b', 'c'])
    expect(bench.replica(5).status.view).toBe(1)
    const kinds = bench.sent.filter(({ from }) => from === 5).map(({ message }) => message.kind)
    for (const kind of new Set(kinds)) expect(['status', 'ask-view-changes']).toContain(kind)
  })

  it('counts in no quorum, whatever it signs (R4)', () => {
    const bench = new Bench({ learners: 3 }).start()
    for (const id of [1, 3, 4, 5, 6, 7]) bench.liars.add(replicaId(id))
    const replica = bench.replica(2)
    const block = forge.block(bench, 1, 'a')
    replica.receive(1, forge.prePrepare(bench, 1, 0, block))
    bench.take()
    for (const id of [5, 6, 7]) {
      for (const kind of ['prepare', 'commit'] as const) replica.receive(id, forge.vote(bench, id, kind, 0, block))
      replica.receive(id, forge.viewChange(bench, id, 1))
      replica.receive(id, forge.wish(bench, id, 0))
    }
    expect(bench.sent.filter(({ from, message }) => from === 2 && message.kind === 'commit')).toEqual([])
    expect(replica.decided).toEqual([])
    expect(replica.status.view).toBe(0)
  })
})

describe('a new view that nobody can complete', () => {
  it('keeps nobody restless', () => {
    const bench = new Bench().start()
    bench.liars.add(replicaId(4))
    bench.replica(4).crash()
    const invented = [1, 2, 3].map((id) => forge.viewChange(bench, 4, 403, { sender: replicaId(id) }))
    for (const id of [1, 2, 3]) bench.replica(id).receive(4, forge.newView(bench, 4, 403, invented))
    bench.elapse(10 * timeoutMs)
    bench.sent.length = 0
    bench.elapse(60 * timeoutMs)
    expect(new Set(bench.sent.map(({ message }) => message.kind))).toEqual(new Set(['status']))
    // What an idle network says, and no more.
    const words = (60 * timeoutMs) / (idleLooksMax * parametersOf().timers.retransmitMs)
    for (const id of [2, 3]) {
      expect(bench.sent.filter(({ from }) => from === id).length).toBeLessThanOrEqual(3 * (words + 2))
    }
  })
})
