// Goal: pauses grow to their cap and never beyond, are never the same for all, and shrink only after a link that lasted.

import { describe, expect, it } from 'vitest'
import { createRandom } from '../../../src/kernel/random.ts'
import { Backoff } from '../../../src/network/link/backoff.ts'

const limits = { delayMsMin: 50, delayMsMax: 5_000 }

describe('Backoff', () => {
  it('doubles up to the cap; each pause lies between half and all of it', () => {
    for (let seed = 0; seed < 50; seed++) {
      const backoff = new Backoff(createRandom(`${seed}`), limits)
      for (const delayMs of [50, 100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000]) {
        const nextMs = backoff.next()
        expect(nextMs).toBeGreaterThanOrEqual(delayMs / 2)
        expect(nextMs).toBeLessThanOrEqual(delayMs)
      }
    }
  })

  it('has jitter: who was cut off together does not come back together', () => {
    const firsts = new Set<number>()
    for (let seed = 0; seed < 200; seed++) firsts.add(new Backoff(createRandom(`${seed}`), limits).next())
    expect(firsts.size).toBeGreaterThan(15)
  })

  it('begins again after a link that lasted, and goes on after one that fell at once', () => {
    const backoff = new Backoff(createRandom('lasted'), limits)
    for (let attempt = 0; attempt < 10; attempt++) backoff.next()
    backoff.lasted(4_999)
    expect(backoff.next()).toBeGreaterThanOrEqual(2_500)
    backoff.lasted(5_000)
    expect(backoff.next()).toBeLessThanOrEqual(50)
  })
})
