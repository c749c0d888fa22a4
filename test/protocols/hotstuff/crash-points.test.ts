// B22: a crash after every record that becomes durable, of every replica, in short scenarios. What was not durable is lost; the replica starts
// again from the rest. Nobody decides two blocks (the bench looks), nobody ever signs two statements for one view, in whatever life, and no
// timeout is for less than what its replica has voted on.

import { describe, expect, it } from 'vitest'
import type { HotstuffRule } from '../../../src/kernel/parameters.ts'
import { Bench, timeoutMs, type Sent } from './bench.ts'
import { digestOf } from './forging.ts'

const limitMax = 40

/** Everything becomes durable, one record at a time, with deliveries between; the victim stops for good at its limit. */
function sync(world: Bench, victim: number, limit: number): void {
  for (let isBusy = true; isBusy;) {
    isBusy = false
    for (const replica of world.replicas) {
      if (!replica.isUp || replica.durable >= replica.persisted) continue
      if (replica.id === victim && replica.durable >= limit) continue
      replica.sync(replica.durable + 1)
      isBusy = true
    }
    if (world.deliver() > 0) isBusy = true
    for (const replica of world.replicas) replica.execute()
  }
}

/** What each has signed, by its kind and view: more than one word is a contradiction. */
function contradictions(world: Bench): string[] {
  const words = new Map<string, Set<string>>()
  for (const { from, message } of world.sent) {
    if (message.kind !== 'proposal' && message.kind !== 'vote' && message.kind !== 'timeout') continue
    const name = `${message.kind} of ${from} in view ${message.view}`
    words.set(name, (words.get(name) ?? new Set()).add(wordOf(world, message)))
  }
  return [...words].filter(([, said]) => said.size > 1).map(([name]) => name)
}

function wordOf(world: Bench, message: Sent['message']): string {
  if (message.kind === 'proposal') return digestOf(world, message).join()
  if (message.kind === 'vote') return message.node.join()
  return message.kind === 'timeout' ? `${message.certificateView}` : ''
}

/** Votes in views that were given up before, and timeouts for less than what was voted on. */
function brokenPromises(world: Bench): string[] {
  const broken: string[] = []
  const given = new Map<number, number>()
  const certified = new Map<number, number>()
  const justified = new Map(
    world.sent.flatMap(({ message }) =>
      message.kind === 'proposal' ? [[digestOf(world, message).join(), message.justify.view]] : [],
    ),
  )
  for (const { from, message } of world.sent) {
    if (message.kind === 'timeout') {
      given.set(from, Math.max(message.view, given.get(from) ?? 0))
      if (message.certificateView < (certified.get(from) ?? 0)) broken.push(`${from} signs for less in ${message.view}`)
    }
    if (message.kind !== 'vote') continue
    certified.set(from, Math.max(justified.get(message.node.join()) ?? 0, certified.get(from) ?? 0))
    if (message.view <= (given.get(from) ?? 0)) broken.push(`${from} votes in ${message.view}`)
  }
  return broken
}

interface Scenario {
  name: string
  act: (world: Bench, settle: () => void) => void
}

const scenarios: Scenario[] = [
  {
    name: 'two blocks',
    act: (world, settle) => {
      world.replica(2).propose('a')
      settle()
      world.replica(3).propose('b')
      settle()
    },
  },
  {
    name: 'a leader that is cut off, and two views that are given up',
    act: (world, settle) => {
      world.replica(2).propose('a')
      world.deliver()
      world.isolate(2)
      for (const id of [1, 3, 4]) world.replica(id).propose('b')
      for (let round = 0; round < 2; round++) {
        settle()
        world.nowMs += 4 * timeoutMs
        for (const id of [1, 3, 4]) if (world.replica(id).timers.has('view')) world.replica(id).fire('view')
        settle()
      }
    },
  },
]

/** How many records the victim had when it was crashed. */
function crashAt(rule: HotstuffRule, { act }: Scenario, victim: number, limit: number): number {
  const world = new Bench({
    autoSync: false,
    parameters: { batch: { operationsMax: 1, lingerMs: 0 }, hotstuff: { rule } },
  })
  for (const replica of world.replicas) {
    replica.autoExecute = false
    replica.start()
  }
  const settle = (): void => sync(world, victim, limit)
  settle()
  act(world, settle)
  const reached = world.replica(victim).persisted
  world.heal()
  world.take()
  world.replica(victim).crash()
  for (const replica of world.replicas) {
    replica.autoSync = true
    replica.autoExecute = true
    replica.sync()
  }
  world.replica(victim).start()
  const last = `after ${limit}`
  for (const replica of world.replicas) replica.propose(last)
  const isDone = (): boolean => world.replicas.every(({ texts }) => texts.includes(last))
  for (let timeouts = 0; timeouts < 30 && !isDone(); timeouts++) world.elapse(timeoutMs)
  expect(contradictions(world)).toEqual([])
  expect(brokenPromises(world)).toEqual([])
  for (const replica of world.replicas) expect(replica.texts).toContain(last)
  return reached
}

describe.each(['two-chain', 'three-chain'] as const)('%s: a crash at every point of persistence', (rule) => {
  for (const scenario of scenarios) {
    it.each([1, 2, 3, 4])(`${scenario.name}: replica %i`, (victim) => {
      let points = 0
      for (let limit = 0; limit <= limitMax; limit++) {
        points++
        if (crashAt(rule, scenario, victim, limit) <= limit) break
      }
      expect(points).toBeGreaterThan(1)
      expect(points).toBeLessThan(limitMax)
    })
  }
})
