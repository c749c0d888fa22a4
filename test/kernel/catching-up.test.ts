// Goal: a height counts as decided when one correct voter must have said so, or a certified checkpoint shows it.

import { expect, it } from 'vitest'
import { decidedByOthers } from '../../src/kernel/catching-up.ts'
import { membershipOf, type Member } from '../../src/kernel/membership.ts'
import { replicaId } from '../../src/kernel/ids.ts'

const learner = 5
const members = [1, 2, 3, 4, learner].map((id): Member => {
  const key = new Uint8Array(32).fill(id)
  const role = id === learner ? 'learner' : 'voter'
  return { id: replicaId(id), name: `org-${id}`, role, consensusKey: key, linkKey: key, addresses: [], priority: 0 }
})
const membership = membershipOf({ protocol: 'pbft', members })

function decided(claimed: Readonly<Record<number, number>>, decidedHeight = 4): number {
  const claims = new Map(
    Object.entries(claimed).map(([id, height]) => [replicaId(Number(id)), { decidedHeight: height, servesFrom: 1 }]),
  )
  return decidedByOthers({ membership, claims, certified: null, decidedHeight })
}

it('is what the second highest claim says, in whatever order they came', () => {
  expect(decided({ 2: 6, 3: 9 })).toBe(6)
  expect(decided({ 2: 9, 3: 6 })).toBe(6)
  expect(decided({ 2: 7, 3: 100, 4: 8 })).toBe(8)
})

it('is never what one says alone, nor one with a learner', () => {
  expect(decided({ 2: 100 })).toBe(4)
  expect(decided({ 2: 100, 3: 3 })).toBe(4)
  expect(decided({ 2: 100, [learner]: 100 })).toBe(4)
})
