// Leaders by reputation in histories that nobody has thought of: crashes, replicas that nobody hears, lost messages, in any order. The bench itself
// sees to it that no two replicas decide different blocks, and that nobody correct is accused.

import { describe, expect, it } from 'vitest'
import { createRandom, type Random } from '../../../src/kernel/random.ts'
import { Bench } from './bench.ts'

/** Faults at a time: never more than there may be dead ones. */
function misfortune(world: Bench, random: Random): void {
  const { faultsTolerated, voters } = world.membership
  const down = world.replicas.filter(({ isUp }) => !isUp)
  const one = world.replica(1 + random.below(voters.length))
  switch (random.below(5)) {
    case 0:
      if (one.isUp && down.length < faultsTolerated) one.crash()
      return
    case 1:
      return down[0]?.start()
    case 2:
      if (one.isUp) one.crash().start()
      return
    case 3:
      world.isolate(one.id)
      return
    case 4:
      world.heal()
  }
}

describe.each([
  [4, 'two-chain'],
  [7, 'two-chain'],
  [4, 'three-chain'],
] as const)('%i voters, %s', (voters, rule) => {
  it.each(Array.from({ length: 4 }, (_, seed) => seed))('go on when all is well again (seed %i)', (seed) => {
    const random = createRandom(`${rule} ${voters} ${seed}`)
    const parameters = { batch: { operationsMax: 2 }, hotstuff: { rule, leaders: 'reputation' as const } }
    const world = new Bench({ voters, parameters }).start()
    for (let step = 0; step < 60; step++) {
      if (random.chance(1, 3)) misfortune(world, random)
      const one = world.replica(1 + random.below(voters))
      if (one.isUp) {
        for (const replica of world.replicas) if (replica.isUp) replica.pool.add(`t${step}`)
        one.step({ kind: 'requests' })
      }
      const lossy = random.chance(1, 4)
      world.elapse(random.below(2_000), lossy ? ({ to }) => to !== one.id : undefined)
      if (lossy) world.take(({ to }) => to === one.id)
    }
    world.heal()
    for (const replica of world.replicas) if (!replica.isUp) replica.start()
    world.elapse(60_000)
    for (const replica of world.replicas) replica.propose('last')
    world.elapse(120_000)
    const height = Math.max(...world.replicas.map(({ decidedHeight }) => decidedHeight))
    for (const replica of world.replicas) {
      expect(replica.texts).toContain('last')
      expect(height - replica.decidedHeight).toBeLessThan(4)
    }
  })
})
