// Real sessions behind links that lose, repeat and reorder, under leaders that change: thousands of runs. What the client says about an
// operation must be what became of it.

import { expect, it } from 'vitest'
import { asText, SmallNetwork } from './small-network.ts'

const runs = 1_500
const stepsMin = 60
const stepsMax = 400
const roundsMax = 3_000

interface Seen {
  ok: number
  definite: number
  indefinite: number
  sessionsLost: number
  answers: number
}

function runSeed(seed: number, seen: Seen): void {
  const world = new SmallNetwork(seed)
  const steps = world.random.between(stepsMin, stepsMax)
  for (let step = 0; step < steps; step++) world.step()
  expect(world.heal(roundsMax), `seed ${seed}: nothing is left open on a healthy network`).toBe(true)
  world.orderAll()
  judge(world, seed, seen)
}

function judge(world: SmallNetwork, seed: number, seen: Seen): void {
  const where = `seed ${seed}`
  expect(world.wrongs, where).toEqual([])
  const places = new Map<string, number>()
  for (const [index, command] of world.executed.entries()) {
    expect(places.has(command), `${where}: ${command} is executed once`).toBe(false)
    places.set(command, index + 1)
  }
  for (const { command, settled } of world.submitted) {
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
  for (const { least, settled } of world.asked) {
    if (settled?.ok !== true) continue
    seen.answers++
    const count = Number(JSON.parse(asText(settled.result)))
    expect(count, `${where}: a read sees what was executed before it was asked`).toBeGreaterThanOrEqual(least)
    expect(count, where).toBeLessThanOrEqual(world.executed.length)
  }
  seen.sessionsLost += world.sessionsLost
}

it(`holds in ${runs} runs what it says about each operation`, () => {
  const seen: Seen = { ok: 0, definite: 0, indefinite: 0, sessionsLost: 0, answers: 0 }
  for (let seed = 1; seed <= runs; seed++) runSeed(seed, seen)
  // Each kind of end is met often enough to mean something.
  expect(seen.ok).toBeGreaterThan(10 * runs)
  expect(seen.definite).toBeGreaterThan(runs)
  expect(seen.indefinite).toBeGreaterThan(runs)
  expect(seen.sessionsLost).toBeGreaterThan(runs / 100)
  expect(seen.answers).toBeGreaterThan(runs)
}, 120_000)
