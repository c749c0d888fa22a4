// What is on disk before what leaves, and what a restart has not forgotten of it.

import { describe, expect, it } from 'vitest'
import { Bench, timeoutMs } from './bench.ts'
import { certificateOf, chainOf, genesisOf, proposalOf, timeoutsOf } from './forging.ts'
import { Lone } from './lone.ts'

describe('nothing leaves before it is on disk', () => {
  it('a vote', () => {
    const lone = new Lone('two-chain', { autoSync: false })
    lone.hear(2, proposalOf(lone.world, 1, 1, 'a'))
    expect(lone.voted).toEqual([])
    lone.one.sync()
    expect(lone.voted).toEqual([1])
  })

  it('a proposal', () => {
    const lone = new Lone('two-chain', { autoSync: false })
    lone.one.propose('x')
    lone.hear(3, { kind: 'newest', certificate: genesisOf(lone.world), timeouts: timeoutsOf(lone.world, 3, 0) })
    expect(lone.said('proposal')).toEqual([])
    lone.one.sync()
    expect(lone.said('proposal', 2).map(({ view }) => view)).toEqual([4])
  })

  it('a timeout', () => {
    const lone = new Lone('two-chain', { autoSync: false })
    lone.one.propose('x')
    lone.world.elapse(timeoutMs)
    expect(lone.noted('view-given-up')).toBe(1)
    expect(lone.said('timeout')).toEqual([])
    lone.one.sync()
    expect(lone.said('timeout').length).toBeGreaterThan(0)
  })

  it('a decision, to others; to the application it goes at once', () => {
    const lone = new Lone('two-chain', { autoSync: false })
    const [first, second] = chainOf(lone.world, 1, 2)
    lone.hear(2, first!, second!)
    lone.one.sync()
    lone.hear(2, { kind: 'newest', certificate: certificateOf(lone.world, second!), timeouts: null })
    expect(lone.noted('committed')).toBe(1)
    expect(lone.one.decided).toHaveLength(1)
    expect(lone.one.blocksFrom(1)).toEqual([])
    lone.one.sync()
    expect(lone.one.blocksFrom(1)).toHaveLength(1)
  })
})

describe('a lock', () => {
  it.each([
    ['two-chain', [undefined, undefined, undefined]],
    ['three-chain', [undefined, undefined, 1]],
  ] as const)('is on disk with the vote that raises it, where the rule has one: %s', (rule, views) => {
    const lone = new Lone(rule)
    lone.hear(2, ...chainOf(lone.world, 1, 2, 3))
    const locks = lone.one.disk.flatMap(({ record }) => (record.kind === 'voted' ? [record.lock?.view] : []))
    expect(locks).toEqual(views)
  })
})

describe.each(['two-chain', 'three-chain'] as const)('%s: all lose power', (rule) => {
  it('and what was executed is decided again, though no disk has the decision', () => {
    const world = new Bench({
      autoSync: false,
      parameters: { batch: { operationsMax: 1, lingerMs: 0 }, hotstuff: { rule } },
    }).start()
    for (const replica of world.replicas) replica.propose('a')
    const isExecuted = (): boolean => world.replicas.some(({ texts }) => texts.includes('a'))
    for (let round = 0; round < 100 && !isExecuted(); round++) {
      for (const replica of world.replicas) replica.sync()
      if (!isExecuted()) world.deliver()
    }
    expect(isExecuted()).toBe(true)
    for (const replica of world.replicas) {
      replica.crash()
      expect(replica.disk.map(({ record }) => record.kind)).not.toContain('decided')
    }
    for (const replica of world.replicas) {
      replica.autoSync = true
      replica.start()
    }
    for (const replica of world.replicas) replica.propose('b')
    world.elapse(20 * timeoutMs)
    for (const replica of world.replicas) expect(replica.texts.slice(0, 2)).toEqual(['a', 'b'])
  })
})

describe('a restart', () => {
  it('votes for nothing else in a view that it had voted in', () => {
    const lone = new Lone()
    lone.hear(2, proposalOf(lone.world, 1, 1, 'a'))
    lone.restart().hear(2, proposalOf(lone.world, 1, 1, 'b'))
    expect(lone.voted).toEqual([1])
  })

  it('proposes nothing else in a view that it had led', () => {
    const lone = new Lone()
    lone.one.propose('x')
    lone.hear(3, { kind: 'newest', certificate: genesisOf(lone.world), timeouts: timeoutsOf(lone.world, 3, 0) })
    lone.restart().one.propose('y')
    expect(lone.one.status.view).toBe(4)
    expect(lone.said('proposal', 2).map(({ view }) => view)).toEqual([4])
  })

  it('votes for nothing in a view that it had given up', () => {
    const lone = new Lone()
    lone.one.propose('x')
    lone.world.elapse(timeoutMs)
    expect(lone.noted('view-given-up')).toBe(1)
    lone.restart().hear(2, proposalOf(lone.world, 1, 1, 'a'))
    expect(lone.voted).toEqual([])
  })

  it('signs no timeout for less than the certificate that it had voted on (R13)', () => {
    const lone = new Lone()
    lone.hear(2, ...chainOf(lone.world, 1, 2))
    lone.restart().one.propose('x')
    lone.world.elapse(timeoutMs)
    const signed = lone.said('timeout').map(({ certificateView }) => certificateView)
    expect(signed.length).toBeGreaterThan(0)
    expect(Math.min(...signed)).toBe(1)
  })

  it('enters no view below the highest that a quorum had given up (B21)', () => {
    const lone = new Lone()
    lone.hear(3, { kind: 'newest', certificate: genesisOf(lone.world), timeouts: timeoutsOf(lone.world, 6, 0) })
    expect(lone.one.status.view).toBe(7)
    expect(lone.restart().one.status.view).toBe(7)
  })

  // Its checkpoints could not be read any more, and the log had been cut for them.
  it('begins behind a decision whose payload was cut from the log', () => {
    const lone = new Lone()
    const [first, second, third] = chainOf(lone.world, 1, 2, 3)
    lone.hear(2, first!, second!, third!)
    expect(lone.one.decided).toHaveLength(1)
    const decision = lone.one.disk.find(({ record }) => record.kind === 'decided')!
    lone.one.crash()
    lone.one.disk = lone.one.disk.filter(({ sequence }) => sequence >= decision.sequence)
    lone.one.start()
    expect(lone.one.status.decidedHeight).toBe(0)
    expect(lone.one.blocksFrom(1)).toEqual([])
  })

  it('three-chain: keeps its lock', () => {
    const lone = new Lone('three-chain')
    lone.hear(2, ...chainOf(lone.world, 1, 2, 3))
    lone.restart()
    const fork = proposalOf(lone.world, 5, 1, 'fork', genesisOf(lone.world), timeoutsOf(lone.world, 4, 0))
    lone.hear(2, fork)
    expect(lone.one.status.view).toBe(5)
    expect(lone.voted).toEqual([1, 2])
  })

  it.each([
    ['two-chain', [1, 2]],
    ['three-chain', [1, 2, 3]],
  ] as const)(
    'answers reads from where it did: what it has voted on may have been acknowledged (R3, %s)',
    (rule, views) => {
      const lone = new Lone(rule)
      lone.hear(2, ...chainOf(lone.world, ...views))
      lone.one.step({ kind: 'read', id: 1 })
      lone.restart().one.step({ kind: 'read', id: 2 })
      expect(lone.one.decidedHeight).toBe(0)
      expect(lone.one.reads).toEqual([
        { id: 1, height: 1 },
        { id: 2, height: 1 },
      ])
    },
  )

  it('without its log promises nothing any more (C27)', () => {
    const lone = new Lone()
    lone.one.abstains = true
    lone.restart().one.propose('x')
    lone.hear(2, proposalOf(lone.world, 1, 1, 'a'))
    lone.world.elapse(10 * timeoutMs)
    expect(lone.voted).toEqual([])
    expect(lone.said('timeout')).toEqual([])
  })
})
