// A real client, real sessions and gateways, and one replica of four that says anything. Whatever it says, what the client believes is
// what was executed, no read is older than what had been executed when it was asked, and all completes.

import { expect, it } from 'vitest'
import { LyingNetwork } from './lying-network.ts'
import { asText } from './small-network.ts'

const runs = 2_000
const stepsMin = 60
const stepsMax = 200
const roundsMax = 1_500

const seen = { ok: 0, definite: 0, indefinite: 0, fast: 0, ordered: 0, lies: 0 }

function judge(world: LyingNetwork, where: string): void {
  expect(world.wrongs, where).toEqual([])
  const places = new Map(world.executed.map((command, index) => [command, index + 1]))
  expect(places.size, `${where}: each is executed once`).toBe(world.executed.length)
  for (const { command, settled } of world.written) {
    const place = places.get(command)
    expect(settled, `${where}: ${command} is settled`).not.toBeNull()
    if (settled!.ok) {
      seen.ok++
      expect(asText(settled!.result), where).toBe(`"${command} as ${place}"`)
    } else if (settled!.failure.certainty === 'definite') {
      seen.definite++
      expect(place, `${where}: ${command} failed for certain (${settled!.failure.message})`).toBeUndefined()
    } else seen.indefinite++
  }
  let answered = 0
  for (const { least, settled } of world.asked) {
    expect(settled, `${where}: a read is settled`).not.toBeNull()
    if (!settled!.ok) {
      expect(settled!.failure.code, where).toBe('ERR_OVERLOADED')
      continue
    }
    answered++
    const count = Number(JSON.parse(asText(settled!.result)))
    expect(count, `${where}: a read sees what was executed before it was asked`).toBeGreaterThanOrEqual(least)
    expect(count, `${where}: a read is the state of the height that it names`).toBe(world.lengthAt[settled!.height])
  }
  seen.ordered += world.readsOrdered
  seen.fast += answered - world.readsOrdered
  seen.lies += world.lying.lies
}

it(`believes nothing that is wrong in ${runs} runs, and waits for nothing in vain`, () => {
  for (let seed = 1; seed <= runs; seed++) {
    const world = new LyingNetwork(seed)
    for (let left = world.random.between(stepsMin, stepsMax); left > 0; left--) world.step()
    expect(world.heal(roundsMax), `seed ${seed}: nothing is left open while one lies`).toBe(true)
    world.orderAll()
    judge(world, `seed ${seed}`)
  }
  // Each kind of end is met often enough to mean something.
  expect(seen.ok).toBeGreaterThan(5 * runs)
  expect(seen.definite).toBeGreaterThan(runs / 20)
  expect(seen.indefinite).toBeGreaterThan(runs / 8)
  expect(seen.fast).toBeGreaterThan(runs)
  expect(seen.ordered).toBeGreaterThan(runs / 2)
  expect(seen.lies).toBeGreaterThan(10 * runs)
}, 240_000)
