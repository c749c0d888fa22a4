// The chain when nothing goes wrong: what is decided, after how many messages, and that it comes to rest.

import { describe, expect, it } from 'vitest'
import { blockCost } from '../../../src/benchmark/complexity/closed-forms.ts'
import { Bench, timeoutMs } from './bench.ts'

const oneByOne = { batch: { operationsMax: 1, lingerMs: 0 } }

describe.each([
  ['two-chain', 'round-robin'],
  ['three-chain', 'round-robin'],
  ['two-chain', 'reputation'],
  ['three-chain', 'reputation'],
] as const)('%s, leaders by %s', (rule, leaders) => {
  const bench = (voters: number): Bench =>
    new Bench({ voters, parameters: { ...oneByOne, hotstuff: { rule, leaders } } }).start()

  it.each([4, 5, 6, 7])('decides what was proposed, everywhere, in one order, once each (%i voters)', (voters) => {
    const world = bench(voters)
    for (const [index, text] of [...'abcdefgh'].entries()) world.replica((index % voters) + 1).propose(text)
    world.settle()
    for (const replica of world.replicas) expect([...replica.texts].sort().join('')).toBe('abcdefgh')
    const [first] = world.replicas
    for (const replica of world.replicas) expect(replica.texts).toEqual(first!.texts)
  })

  // Who leads is told in the headers: it changes no count.
  const sizes = leaders === 'round-robin' ? [4, 7, 10, 16, 31] : [4, 7]
  it.each(sizes)('takes 2(n−1) messages a block (%i voters)', (voters) => {
    const world = bench(voters)
    const texts = Array.from({ length: 12 }, (_, index) => `${index}`)
    for (const replica of world.replicas) replica.pool.add(...texts)
    world.replica(2).step({ kind: 'requests' })
    world.settle()
    expect(world.replica(1).texts).toEqual(texts)
    const counted = world.sent.filter(({ message }) => message.kind !== 'status')
    const proposals = counted.filter(({ message }) => message.kind === 'proposal').length
    const blocks = proposals / (voters - 1)
    const votes = counted.filter(({ message }) => message.kind === 'vote').length
    expect(blocks).toBeGreaterThanOrEqual(texts.length)
    expect(proposals + votes).toBe(blocks * blockCost({ protocol: 'hotstuff' }, voters).messages)
    // The last certificate is told to all by itself.
    expect(counted.length - proposals - votes).toBe(voters - 1)
  })

  const restMinutes = leaders === 'round-robin' ? 60 : 10
  it(`comes to rest when all is committed: nothing is said, and no view changes, for ${restMinutes} minutes`, () => {
    const world = bench(4)
    world.replica(2).propose('a')
    world.settle()
    const { view } = world.replica(1).status
    world.elapse(1000)
    const sent = world.sent.length
    world.elapse(restMinutes * 60_000)
    expect(world.sent.slice(sent).filter(({ message }) => message.kind !== 'status')).toEqual([])
    for (const replica of world.replicas) {
      expect(replica.status.view).toBe(view)
      expect(replica.status.phase).toMatch(/, and nothing is under way$/)
      expect(replica.texts).toEqual(['a'])
    }
  })

  it('answers reads at once when it is at rest: they wait for no node that nobody will commit', () => {
    const world = bench(4)
    world.replica(2).propose('a')
    world.settle()
    for (const replica of world.replicas) {
      replica.step({ kind: 'read', id: 1 })
      expect(replica.reads).toEqual([{ id: 1, height: replica.decidedHeight }])
    }
  })

  it('goes on after a dead leader, with its requests', () => {
    const world = bench(7)
    world.replica(3).crash()
    for (const id of [1, 2, 4]) world.replica(id).propose(`r${id}`)
    world.elapse(60 * timeoutMs)
    for (const replica of world.replicas)
      if (replica.isUp) expect([...replica.texts].sort()).toEqual(['r1', 'r2', 'r4'])
  })
})
