// What is lost is said again, and what lacks is asked for, before anybody has to give a view up; and no request is lost with its block.

import { describe, expect, it } from 'vitest'
import { replicaId } from '../../../src/kernel/ids.ts'
import type { HotstuffMessage } from '../../../src/protocols/hotstuff/messages.ts'
import { Bench, kinds, timeoutMs } from './bench.ts'
import { certificateOf, chainOf, genesisOf, proposalOf, timeoutsOf } from './forging.ts'
import { Lone } from './lone.ts'

const oneByOne = { batch: { operationsMax: 1, lingerMs: 0 } }
const rules = ['two-chain', 'three-chain'] as const

describe.each(rules)('%s', (rule) => {
  const bench = (): Bench => new Bench({ parameters: { ...oneByOne, hotstuff: { rule } } }).start()

  it('a chain ends by itself: what was proposed is decided everywhere, with no time passing', () => {
    const world = bench()
    world.replica(2).propose('a')
    world.settle()
    for (const replica of world.replicas) expect(replica.texts).toEqual(['a'])
  })

  it.each(['proposal', 'vote', 'newest'] satisfies HotstuffMessage['kind'][])(
    'the first %s of each replica is lost: no view is given up for it',
    (kind) => {
      const world = bench()
      for (const replica of world.replicas) replica.propose('a')
      const lost = new Set<number>()
      for (let round = 0; round < 100; round++) {
        const first = new Set(world.network.filter((sent) => kinds(kind)(sent) && !lost.has(sent.from)))
        for (const { from } of world.take((sent) => first.has(sent))) lost.add(from)
        if (world.deliver() === 0) break
      }
      expect(lost.size).toBeGreaterThan(0)
      // As many lost messages as leaders, each less than a timeout late.
      world.elapse(4 * timeoutMs)
      for (const replica of world.replicas) {
        expect(replica.noted('view-given-up')).toEqual([])
        expect(replica.texts).toEqual(['a'])
      }
    },
  )

  it('the first timeouts are lost: the next view is reached', () => {
    const world = bench()
    world.replica(2).crash()
    world.replica(3).propose('a')
    world.elapse(2 * timeoutMs, (sent) => sent.message.kind !== 'timeout')
    for (const id of [1, 3, 4]) expect(world.replica(id).noted('view-given-up')).toHaveLength(1)
    expect(world.take(kinds('timeout')).length).toBeGreaterThan(0)
    world.elapse(timeoutMs)
    for (const id of [1, 3, 4]) expect(world.replica(id).status.view).toBeGreaterThan(1)
  })
})

it('a node that lacks is asked for until it comes, of one replica after the other', () => {
  const lone = new Lone()
  const [first] = chainOf(lone.world, 1)
  lone.hear(4, { kind: 'newest', certificate: certificateOf(lone.world, first!), timeouts: null })
  lone.world.elapse(3 * timeoutMs)
  const asked = lone.world.sent.filter(({ from, message }) => from === 1 && message.kind === 'ask')
  expect(new Set(asked.map(({ to }) => to))).toEqual(new Set([2, 3, 4].map(replicaId)))
})

it('what one replica claims to have decided is not fetched, and what two claim is (B24)', () => {
  const lone = new Lone()
  const claim = { kind: 'status', view: 1, certificateView: 0, proposed: false, servesFrom: 1, asks: false } as const
  lone.hear(4, { ...claim, decidedHeight: 1000 })
  lone.world.elapse(timeoutMs)
  expect(lone.one.wanted).toEqual([])
  lone.hear(3, { ...claim, decidedHeight: 900 })
  lone.world.elapse(timeoutMs)
  expect(lone.one.wanted.length).toBeGreaterThan(0)
})

describe('requests wait again', () => {
  it('when the view of their block was given up', () => {
    const lone = new Lone()
    lone.one.propose('x')
    lone.hear(2, proposalOf(lone.world, 1, 1, 'x'))
    expect(lone.one.pool.waitingOperations).toBe(0)
    lone.world.elapse(timeoutMs)
    expect(lone.noted('view-given-up')).toBe(1)
    expect(lone.one.pool.waitingOperations).toBe(1)
  })

  it('when another block is decided in the place of theirs', () => {
    const lone = new Lone()
    const { world } = lone
    lone.one.propose('x')
    const chain = chainOf(world, 5, 6)
    lone.hear(2, ...chain, proposalOf(world, 10, 1, 'x', genesisOf(world), timeoutsOf(world, 9, 0)))
    expect(lone.one.pool.waitingOperations).toBe(0)
    lone.hear(2, { kind: 'newest', certificate: certificateOf(world, chain[1]!), timeouts: null })
    expect(lone.one.decidedHeight).toBe(1)
    expect(lone.one.pool.waitingOperations).toBe(1)
  })
})
