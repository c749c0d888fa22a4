// Whom a client asks next: all come to their turn, whatever chance says.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Turns } from '../../../src/client/core/turns.ts'
import type { ReplicaId } from '../../../src/kernel/ids.ts'
import { createRandom } from '../../../src/kernel/random.ts'

const replicas = (...ids: number[]): Set<ReplicaId> => new Set(ids as ReplicaId[])

describe('turns', () => {
  it('come to all before anybody has a second', () => {
    fc.assert(
      fc.property(fc.string(), (seed) => {
        const random = createRandom(seed)
        const turns = new Turns()
        let left = 1 as ReplicaId
        const asked = new Set([left])
        for (let count = 1; count < 5; count++) {
          left = turns.next(left, replicas(1, 2, 3, 4, 5), random)!
          asked.add(left)
        }
        expect(asked.size).toBe(5)
        const again = turns.next(left, replicas(1, 2, 3, 4, 5), random)
        expect(again).not.toBe(left)
      }),
    )
  })

  it('come to all, too, where whoever is asked sends the client back to one that is silent', () => {
    fc.assert(
      fc.property(fc.string(), (seed) => {
        const random = createRandom(seed)
        const turns = new Turns()
        const silent = 4 as ReplicaId
        for (let round = 0; round < 3; round++) {
          const asked = new Set<ReplicaId>()
          // Each of the others is left by its hint, and not because it was silent.
          for (let count = 1; count < 7; count++) asked.add(turns.next(silent, replicas(1, 2, 3, 4, 5, 6, 7), random)!)
          expect(asked.size).toBe(6)
        }
      }),
    )
  })

  it('stay with the only one there is, and come to nobody where nobody is', () => {
    const turns = new Turns()
    const random = createRandom('turns')
    expect(turns.next(1 as ReplicaId, replicas(1), random)).toBe(1)
    expect(turns.next(1 as ReplicaId, replicas(), random)).toBe(null)
    expect(turns.next(1 as ReplicaId, replicas(2), random)).toBe(2)
    expect(turns.next(null, replicas(3), random)).toBe(3)
  })
})
