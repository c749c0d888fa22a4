// What a fresh reader found in the first version, each as the history that showed it.

import { describe, expect, it } from 'vitest'
import { replicaId } from '../../../src/kernel/ids.ts'
import type { SignedTimeout } from '../../../src/protocols/hotstuff/messages.ts'
import { signTimeout } from '../../../src/protocols/hotstuff/statements.ts'
import { Bench, timeoutMs, type Sent } from './bench.ts'
import { by, certificateOf, genesisOf, proposalOf, timeoutsOf } from './forging.ts'

const oneByOne = { batch: { operationsMax: 1, lingerMs: 0 } }
const hourMs = 3_600_000

/** Replica 2, which leads view 1, lies and is heard by nobody else than it wants. */
function withLiar(): Bench {
  const world = new Bench({ parameters: oneByOne }).start()
  world.liars.add(replicaId(2))
  return world.isolate(2)
}

it('a certificate of a view that nobody can sign is refused', () => {
  const world = new Bench().start()
  const votes = [1, 2, 3].map((id) => ({ replica: replicaId(id), signature: new Uint8Array(4) }))
  const certificate = { view: 2 ** 52, node: new Uint8Array(32), votes }
  const one = world.replica(1)
  one.receive(4, { kind: 'newest', certificate, timeouts: null })
  one.receive(4, { kind: 'newest', certificate: { ...certificate, view: 0 }, timeouts: null })
  expect(one.noted('false-certificate')).toHaveLength(2)
  expect(one.status.view).toBe(1)
})

it('a state that was fetched brings its replica into the view of its proof', () => {
  const world = new Bench({ parameters: oneByOne }).start().isolate(4)
  for (const text of 'abcdef') world.replica(1).propose(text)
  world.elapse(20_000)
  expect(world.replica(4).status.view).toBe(1)
  world.replica(4).restore(world.replica(1).decidedHeight)
  expect(world.replica(4).status.view).toBeGreaterThan(1)
  world.heal().elapse(20_000)
  world.replica(4).propose('g')
  world.elapse(20_000)
  expect(world.replica(4).texts).toContain('g')
})

it('the log is cut as before when a view was given up once', () => {
  const world = new Bench({ parameters: oneByOne }).start().isolate(2)
  world.replica(1).propose('x')
  world.elapse(8_000).heal().elapse(20_000)
  const sizes: number[] = []
  for (let round = 1; round <= 8; round++) {
    for (let index = 0; index < 20; index++) for (const replica of world.replicas) replica.propose(`${round}-${index}`)
    world.elapse(3_000)
    const height = Math.min(...world.replicas.map(({ decidedHeight }) => decidedHeight))
    for (const replica of world.replicas) replica.stable(height)
    sizes.push(world.replica(1).disk.length)
  }
  expect(Math.max(...sizes)).toBeLessThan(2 * sizes[0]! + 50)
})

describe('a node of a liar that nobody extends', () => {
  it.each([1, 2])('lets the others rest, whose pools have not got its requests (told to %i)', (told) => {
    const world = withLiar()
    const proposal = proposalOf(world, 1, 1, 'X')
    for (const id of [4, 1].slice(0, told)) world.replica(id).receive(2, proposal)
    world.elapse(hourMs)
    for (const id of [1, 3, 4]) expect(world.replica(id).status.view).toBeLessThan(10)
  })

  it('keeps no request from being ordered', () => {
    const world = withLiar()
    world.replica(4).propose('r')
    world.replica(4).receive(2, proposalOf(world, 1, 1, 'r'))
    world.elapse(60_000)
    for (const id of [1, 3, 4]) expect(world.replica(id).texts).toEqual(['r'])
  })
})

it('a timeout certificate in which a liar names a certificate that there is not moves nobody', () => {
  const world = withLiar()
  const genesis = genesisOf(world)
  const honest = [1, 3, 4].map((id) => world.replica(id))
  for (const replica of honest) replica.propose('a')
  for (let passedMs = 0; passedMs < 60_000; passedMs += 10) {
    const byView = new Map<number, Map<number, SignedTimeout>>()
    for (const { from, message } of world.network) {
      if (message.kind !== 'timeout') continue
      const { view, certificateView, signature } = message
      const known = byView.get(view) ?? new Map<number, SignedTimeout>()
      byView.set(view, known.set(from, { replica: from, certificateView, signature }))
    }
    for (const [view, known] of byView) {
      if (known.size < 2) continue
      const signature = signTimeout(by(world, 2), { view, certificateView: view })
      const own = { replica: replicaId(2), certificateView: view, signature }
      const timeouts = [...[...known.values()].slice(0, 2), own].sort((left, right) => left.replica - right.replica)
      for (const replica of honest) {
        replica.receive(2, { kind: 'newest', certificate: genesis, timeouts: { view, timeouts } })
      }
    }
    world.deliver()
    world.nowMs += 10
    for (const replica of honest) {
      for (const [name, dueMs] of [...replica.timers]) {
        if (dueMs <= world.nowMs && replica.timers.has(name)) replica.fire(name)
      }
    }
  }
  for (const replica of honest) expect(replica.texts).toEqual(['a'])
})

it('what lies below a node that was voted for is asked for after a restart', () => {
  const world = new Bench({ parameters: oneByOne }).start().isolate(1)
  const one = world.replica(1)
  const below = proposalOf(world, 1, 1, 'g')
  const above = proposalOf(world, 5, 2, 'c', certificateOf(world, below), timeoutsOf(world, 4, 1))
  one.receive(2, above)
  one.receive(2, below)
  const votes = (): number => world.sent.filter(({ from, message }) => from === 1 && message.kind === 'vote').length
  expect(votes()).toBe(1)
  one.crash()
  one.start()
  const before = world.sent.length
  one.receive(3, proposalOf(world, 6, 3, 'd', certificateOf(world, above)))
  world.elapse(300)
  const asked = world.sent.slice(before).filter(({ from, message }) => from === 1 && message.kind === 'ask')
  expect(asked.length).toBeGreaterThan(0)
  one.receive(2, below)
  expect(world.sent.slice(before).filter(({ message }) => message.kind === 'vote')).toHaveLength(1)
})

it('what a state has passed over is asked for no more', () => {
  const world = new Bench({ parameters: oneByOne }).start().isolate(1)
  const one = world.replica(1)
  for (const text of 'abcdef') world.replica(2).propose(text)
  world.elapse(20_000)
  const proofs = world.replica(2).decided.map(({ proof }) => proof)
  for (const proof of [proofs[1]!, proofs.at(-1)!]) {
    if (proof.kind !== 'hotstuff') throw new Error('another proof')
    one.receive(2, { kind: 'newest', certificate: proof.certificates.at(-1)!, timeouts: null })
  }
  one.restore(world.replica(2).decidedHeight)
  world.heal().elapse(10_000)
  const before = world.sent.length
  world.elapse(600_000)
  expect(world.sent.slice(before).filter(({ message }) => message.kind === 'ask')).toEqual([])
})

it('a replica whose disk is full gives no view up, and does not look for a reason all the time', () => {
  const world = new Bench({ parameters: oneByOne }).start().isolate(1)
  const one = world.replica(1)
  one.propose('x')
  one.step({ kind: 'storage-stalled' })
  let fired = 0
  const fire = one.fire.bind(one)
  one.fire = (name) => {
    if (name === 'view') fired++
    fire(name)
  }
  world.elapse(11_000)
  expect(fired).toBeLessThan(3)
  expect(one.noted('view-given-up')).toEqual([])
})

it('who has missed the quorum that gave a view up is told when its status says so', () => {
  const world = new Bench().start()
  world.replica(2).crash()
  const [one, three, four] = [1, 3, 4].map((id) => world.replica(id))
  for (const replica of [one!, three!, four!]) replica.propose('r')
  const answers = (): number => world.sent.filter(({ to, message }) => to === 4 && message.kind === 'newest').length
  // Nothing comes through to it but answers.
  const fromOrToIt = ({ to, message }: Sent): boolean => to !== 4 || message.kind === 'newest'
  world.elapse(timeoutMs, fromOrToIt)
  expect(one!.status.view).toBe(2)
  expect(four!.status.view).toBe(1)
  expect(answers()).toBe(0)
  world.elapse(timeoutMs / 2, fromOrToIt)
  expect(answers()).toBeGreaterThan(0)
  expect(four!.status.view).toBe(2)
})
