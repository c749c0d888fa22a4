// One liar among four, and what it can do to the others: at worst it costs views.

import { describe, expect, it } from 'vitest'
import { replicaId } from '../../../src/kernel/ids.ts'
import type { ViewChange } from '../../../src/protocols/pbft/messages.ts'
import { Bench, kinds, timeoutMs } from './bench.ts'
import * as forge from './forging.ts'

describe('a liar', () => {
  it('whose new view cites what nobody has said keeps out no other primary (B5)', () => {
    const bench = new Bench().start()
    bench.liars.add(replicaId(1))
    bench.replica(1).crash()
    // Voter 1 is the primary of view 400 too.
    const invented = [1, 2, 3].map((id) => forge.viewChange(bench, 1, 400, { sender: replicaId(id) }))
    for (const id of [2, 3, 4]) bench.replica(id).receive(1, forge.newView(bench, 1, 400, invented))
    for (const id of [2, 3, 4]) bench.replica(id).propose('a')
    bench.elapse(10_000)
    for (const id of [2, 3, 4]) expect(bench.replica(id).texts).toEqual(['a'])
    for (const id of [2, 3, 4]) expect(bench.replica(id).status.view).toBe(1)
  })

  it('whose view change has a forged copy of a real certificate ends no honest view', () => {
    const bench = new Bench().start()
    bench.liars.add(replicaId(1))
    bench.replica(1).propose('a')
    bench.settle(kinds('pre-prepare', 'prepare'))
    bench.take(kinds('commit'))
    bench.replica(1).crash()
    for (const id of [2, 3, 4]) bench.replica(id).propose('b')
    // Replica 4 cannot reach the primary of view 1 in time: the liar's is among the three that are cited.
    bench.cut(4, 2)
    bench.elapse(1100, (sent) => sent.message.kind !== 'view-change')
    const real = bench.network
      .map(({ message }) => message)
      .find((one): one is ViewChange => one.kind === 'view-change')!
    const prepared = real.prepared.map((one) => forge.withPrepares(one, forge.wrong(one.prepares)))
    expect(prepared).toHaveLength(1)
    bench.deliver((sent) => sent.to === 2 && sent.from === 3)
    const lie = forge.viewChange(bench, 1, 1, { prepared })
    for (const id of [2, 3, 4]) bench.replica(id).receive(1, lie)
    bench.elapse(1100)
    bench.heal()
    bench.elapse(1100)
    for (const id of [2, 3, 4]) expect(bench.replica(id).noted('new-view-refused')).toEqual([])
    for (const id of [2, 3, 4]) expect(new Set(bench.replica(id).texts)).toEqual(new Set(['a', 'b']))
  })

  it('whose pre-prepare brings the payload that another slot still lacks throws nobody', () => {
    const bench = new Bench().start()
    bench.liars.add(replicaId(2))
    const lacking = forge.block(bench, 1, 'p')
    const claim = forge.certificate(bench, 0, lacking, 1, [3, 4])
    const changes = [1, 3, 2].map((id) => forge.viewChange(bench, id, 1, { prepared: [claim] }))
    const victim = bench.replica(4)
    victim.autoFetch = false
    victim.receive(2, forge.newView(bench, 2, 1, changes, [lacking]))
    for (const change of changes) victim.receive(change.sender, change)
    while (victim.timers.has('judge')) victim.fire('judge')
    expect(victim.status.view).toBe(1)
    expect(victim.wanted).toHaveLength(1)
    const copy = forge.block(bench, 2, 'p')
    expect(() => victim.receive(2, forge.prePrepare(bench, 2, 1, copy))).not.toThrow()
  })

  it('gets no vote for a height at or below the checkpoint of its new view, not even of one that has caught up there', () => {
    const bench = new Bench().start()
    const [decider, liar, late, undecided] = [1, 2, 3, 4]
    bench.liars.add(replicaId(liar))
    // Decided by the primary alone, with commits of the liar and of one that does not know; another one has missed all of it.
    bench.isolate(late)
    bench.replica(decider).propose('y')
    bench.settle(kinds('pre-prepare', 'prepare'))
    bench.settle((sent) => sent.message.kind === 'commit' && sent.to === decider)
    bench.take()
    bench.heal()
    expect(bench.replica(decider).texts).toEqual(['y'])
    bench.replica(late).step({
      kind: 'fetched',
      wanted: { kind: 'decided', fromHeight: 1, toHeight: 1 },
      from: replicaId(decider),
      result: { kind: 'decided', blocks: bench.replica(decider).blocksFrom(1) },
    })
    expect(bench.replica(late).texts).toEqual(['y'])
    // A quorum has signed the checkpoint, and only the liar has all the signatures. Of what was prepared nothing is left to say.
    const checkpoint = bench.checkpointOf(1)
    const changes = [
      forge.viewChange(bench, liar, 1, { checkpoint }),
      forge.viewChange(bench, late, 1),
      forge.viewChange(bench, decider, 1),
    ]
    for (const id of [late, undecided]) {
      const replica = bench.replica(id)
      for (const change of changes) replica.receive(change.sender, change)
      replica.receive(liar, forge.newView(bench, liar, 1, changes))
      for (const change of changes) replica.receive(liar, change)
      while (replica.timers.has('judge')) replica.fire('judge')
      expect(replica.status.view, JSON.stringify(replica.notes)).toBe(1)
    }
    bench.sent.length = 0
    const other = forge.block(bench, 1, 'x')
    for (const id of [late, undecided]) bench.replica(id).receive(liar, forge.prePrepare(bench, liar, 1, other))
    for (const kind of ['prepare', 'commit'] as const) {
      for (const id of [late, undecided]) bench.replica(id).receive(liar, forge.vote(bench, liar, kind, 1, other))
      bench.settle((sent) => sent.to === late || sent.to === undecided)
    }
    expect(bench.replica(undecided).texts).not.toEqual(['x'])
    expect(bench.sent.filter(({ message }) => message.kind === 'prepare' && message.view === 1)).toEqual([])
  })
})

describe("slowness of one's own", () => {
  it('is no bad primary either where fewer blocks may wait for the application than for votes (R20)', () => {
    const flow = { executionLagBlocksMax: 4, pipelineBlocksMax: 16 }
    const bench = new Bench({ parameters: { batch: { lingerMs: 0, operationsMax: 1 }, flow } }).start()
    for (const replica of bench.replicas) replica.autoExecute = false
    for (const replica of bench.replicas) replica.propose(...'abcdefgh')
    bench.elapse(60 * timeoutMs)
    for (const replica of bench.replicas) expect(replica.status.view).toBe(0)
  })

  it('of a checkpoint, with the window full, is none (R20)', () => {
    const parameters = { batch: { lingerMs: 0, operationsMax: 1 }, pbft: { windowBlocks: 4 } }
    const bench = new Bench({ parameters }).start()
    for (const replica of bench.replicas) replica.propose(...'abcdefgh')
    bench.elapse(60 * timeoutMs)
    for (const replica of bench.replicas) expect(replica.texts.join('')).toBe('abcd')
    for (const replica of bench.replicas) expect(replica.status.view).toBe(0)
    for (const replica of bench.replicas) replica.certified(4)
    bench.elapse(timeoutMs)
    for (const replica of bench.replicas) expect(replica.texts.join('')).toBe('abcdefgh')
  })

  it('of one that has lost a proposal under a steady load does not make it ask for a view', () => {
    const bench = new Bench({ parameters: { batch: { lingerMs: 0 } } }).start()
    bench.replica(1).propose('lost')
    bench.settle(({ to, message }) => !(to === 4 && message.kind === 'pre-prepare'))
    bench.take()
    for (let block = 0; block < 60; block++) {
      for (const replica of bench.replicas) replica.propose(`b${block}`)
      bench.elapse(100)
    }
    expect(bench.replica(4).noted('view-change-asked')).toEqual([])
    expect(bench.replica(4).texts).toContain('b40')
  })

  it('of a judgement is none: a new view is announced in the step in which a quorum is proven', () => {
    const bench = new Bench().start()
    for (const id of [1, 2, 3, 4]) if (id !== 2) bench.liars.add(replicaId(id))
    bench.replica(2).propose('a')
    bench.elapse(timeoutMs + 1, () => false)
    for (const id of [1, 3]) bench.replica(2).receive(id, forge.viewChange(bench, id, 1))
    expect(bench.replica(2).noted('new-view-made')).toHaveLength(1)
  })

  it('of the executor after a start with a checkpoint far ahead makes no status too long to be sent', () => {
    const parameters = {
      batch: { lingerMs: 0, operationsMax: 1 },
      pbft: { windowBlocks: 1024 },
      flow: { executionLagBlocksMax: 4 },
    }
    const bench = new Bench({ parameters }).start()
    for (let block = 0; block < 1024; block++) {
      bench.replica(1).propose(`b${block}`)
      bench.settle()
    }
    bench.replica(2).certified(1000)
    bench.replica(1).certified(1000)
    bench.replica(1).propose('last')
    for (let block = 0; block < 100; block++) bench.replica(1).propose(`c${block}`)
    bench.settle()
    const replica = bench.replica(2).crash()
    replica.autoExecute = false
    expect(() => {
      replica.start()
      bench.elapse(timeoutMs)
    }).not.toThrow()
  })
})
