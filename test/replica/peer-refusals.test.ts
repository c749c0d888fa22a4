// What members say who do not let this replica in: one honest word stops it, and no number of lies does.

import { describe, expect, it } from 'vitest'
import { replicaId } from '../../src/kernel/ids.ts'
import { PeerRefusals } from '../../src/replica/peer-refusals.ts'

const id = replicaId
const older = (incarnation: number) => ({ reason: 'incarnation-older', incarnation }) as const
const repeated = (incarnation: number) => ({ reason: 'incarnation-repeated', incarnation }) as const
const of = (oneCorrect: number) => new PeerRefusals({ oneCorrect, isVoter: (replica) => replica < 10 })
const own = 5

describe('the word of a member', () => {
  it('counts if it can be true of this start, and once', () => {
    const refusals = of(1)
    for (const lie of [older(5), older(0), repeated(4), repeated(6), older(2 ** 52)]) {
      expect(refusals.add(id(2), lie, own)).toBe(false)
    }
    expect([refusals.proven, refusals.sentences()]).toEqual([null, []])
    expect(refusals.add(id(2), older(7), own)).toBe(true)
    expect(refusals.add(id(2), older(7), own)).toBe(false)
    expect(refusals.sentences()).toEqual([
      expect.stringMatching(/^is refused by replica 2, which has seen a newer start/),
    ])
  })

  it('is proof where members do not lie, if it is a voter', () => {
    const refusals = of(1)
    refusals.add(id(10), older(9), own)
    expect([refusals.proven, refusals.sentences().length]).toEqual([null, 1])
    refusals.add(id(3), repeated(5), own)
    expect(refusals.proven).toBe(5)
  })

  it('is only reported where they may lie, until one of those who say it must be right; of the rest the highest is a lie', () => {
    const refusals = of(2)
    refusals.add(id(2), older(1_000), own)
    // However often it says it.
    refusals.add(id(2), older(2_000), own)
    expect([refusals.proven, refusals.sentences().length]).toEqual([null, 1])
    refusals.add(id(3), older(7), own)
    expect(refusals.proven).toBe(7)
  })
})
