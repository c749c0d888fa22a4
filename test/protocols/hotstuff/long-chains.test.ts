// Chains that commit nothing for long: they come to an end before their room does, and go on when they can.

import { describe, expect, it } from 'vitest'
import { encode } from '../../../src/wire/codec.ts'
import { decisionProofCodec } from '../../../src/kernel/proof.ts'
import { chainNodesMax, chainNodesReserved, treeNodesMax } from '../../../src/protocols/hotstuff/tree.ts'
import { Bench, type Replica } from './bench.ts'
import { certificateOf, proposalOf, timeoutsOf } from './forging.ts'
import { Lone } from './lone.ts'

const parameters = (leaders: 'round-robin' | 'tenure' | 'reputation'): ConstructorParameters<typeof Bench>[0] => ({
  parameters: {
    batch: { operationsMax: 1, lingerMs: 0 },
    hotstuff: { rule: 'three-chain', leaders },
    timers: { timeoutMsBase: 100, timeoutMsMax: 400, retransmitMs: 10_000 },
  },
})

/** Time passes; what was sent is forgotten. */
function pass(world: Bench, durationMs: number): void {
  for (const endMs = world.nowMs + durationMs; world.nowMs < endMs;) {
    world.elapse(10_000)
    world.sent.length = 0
  }
}

function underWay({ status }: Replica): number {
  return Number(/(\d+) blocks are under way/.exec(status.phase)?.[1] ?? 0)
}

/** Of the highest node that it has voted for: so long is its chain, since nothing of it is decided. */
function height({ disk }: Replica): number {
  return Math.max(...disk.map(({ record }) => (record.kind === 'voted' ? record.proposal.header.height : 0)))
}

describe('three-chain with round-robin, one of four dead', () => {
  it('stops short of its room however long that lasts, and commits all when the dead one is back', () => {
    const world = new Bench(parameters('round-robin')).start()
    world.replica(3).crash()
    const alive = [1, 2, 4].map((id) => world.replica(id))
    for (const replica of alive) replica.propose(`r${replica.id}`)
    pass(world, 200_000)
    const nodes = alive.map(height)
    for (const count of nodes) expect(count).toBeGreaterThanOrEqual(chainNodesMax - chainNodesReserved)
    const view = alive[0]!.status.view
    pass(world, 400_000)
    expect(alive[0]!.status.view).toBeGreaterThan(view + 900)
    // Nothing more is proposed meanwhile, and nothing is kept but the reasons for views.
    expect(alive.map(height)).toEqual(nodes)
    for (const replica of alive) expect(underWay(replica)).toBeLessThan(2 * chainNodesMax)
    for (const count of nodes) expect(count).toBeLessThan(chainNodesMax - chainNodesReserved + 4)
    for (const replica of alive) expect(replica.texts).toEqual([])

    world.replica(3).start()
    pass(world, 60_000)
    for (const replica of world.replicas) expect([...replica.texts].sort()).toEqual(['r1', 'r2', 'r4'])
    world.replica(3).propose('after')
    pass(world, 20_000)
    for (const replica of world.replicas) {
      expect(replica.texts).toContain('after')
      expect(underWay(replica)).toBeLessThan(4)
    }
    const proofs = world.replica(1).decided.map(({ proof }) => proof)
    const headers = proofs.map((proof) => (proof.kind === 'hotstuff' ? proof.headers.length : 0))
    expect(Math.max(...headers)).toBeLessThanOrEqual(chainNodesMax)
    expect(Math.max(...proofs.map((proof) => encode(decisionProofCodec, proof).length))).toBeLessThan(64 * 1024)
  })
})

it.each(['tenure', 'reputation'] as const)('with %s the same death keeps no chain long', (leaders) => {
  const world = new Bench(parameters(leaders)).start()
  world.replica(3).crash()
  const alive = [1, 2, 4].map((id) => world.replica(id))
  let longest = 0
  for (let round = 0; round < 40; round++) {
    for (const replica of alive) replica.propose(`r${replica.id} ${round}`)
    pass(world, 10_000)
    longest = Math.max(longest, ...alive.map(underWay))
    for (const replica of alive) expect(replica.texts).toHaveLength(3 * (round + 1))
  }
  expect(longest).toBeLessThan(16)
})

describe('a life in which views failed for long', () => {
  const views = 1.5 * treeNodesMax + 1

  it.each(['two-chain', 'three-chain'] as const)('loses nothing that is certified in a restart (%s)', (rule) => {
    const lone = new Lone(rule)
    const { world } = lone
    const first = proposalOf(world, 1, 1, 'first')
    const certificate = certificateOf(world, first)
    lone.hear(2, first)
    // Each is voted for and never certified: the votes were lost.
    for (let view = 2; view < views; view++) {
      const timeouts = view === 2 ? null : timeoutsOf(world, view - 1, 1)
      lone.hear(2, proposalOf(world, view, 2, `${view}`, certificate, timeouts))
      world.sent.length = 0
    }
    lone.restart().hear(2, proposalOf(world, views, 2, 'last', certificate, timeoutsOf(world, views - 1, 1)))
    // Nobody else may have it: all were down at once.
    expect(lone.said('ask')).toEqual([])
    const { record } = lone.one.disk.at(-1)!
    expect(record).toMatchObject({ kind: 'voted', proposal: { view: views } })
  })

  it('loses nothing either that it was only told to be certified, and that nothing it voted for extends', () => {
    const lone = new Lone()
    const { world } = lone
    const first = proposalOf(world, 1, 1, 'first')
    const second = proposalOf(world, 2, 2, 'second', certificateOf(world, first))
    const certificate = certificateOf(world, second)
    lone.hear(2, first, second, { kind: 'newest', certificate, timeouts: timeoutsOf(world, 4, 2) })
    for (let view = 6; view < views; view++) {
      // It leads that itself, and would extend the other one.
      if (view % 4 === 0) continue
      lone.hear(2, proposalOf(world, view, 2, `${view}`, certificateOf(world, first), timeoutsOf(world, view - 1, 1)))
      world.sent.length = 0
    }
    lone.restart().hear(2, proposalOf(world, views, 3, 'last', certificate, timeoutsOf(world, views - 1, 2)))
    expect(lone.said('ask')).toEqual([])
    expect(lone.one.disk.at(-1)!.record).toMatchObject({ kind: 'voted', proposal: { view: views } })
  })
})
