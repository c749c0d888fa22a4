// Goal: the quorum arithmetic is right for every group that fits on a page. Method: sets of voters as bitmasks, all of them,
// against what a quorum promises; nothing here uses the formulas.

import { describe, expect, it } from 'vitest'
import type { FaultModel } from '../../src/kernel/ids.ts'
import { faultsTolerated, oneCorrect, quorum, votersMin } from '../../src/kernel/quorum.ts'

const votersMax = 13
const models: readonly FaultModel[] = ['crash', 'byzantine']
const groups = models.flatMap((model) =>
  Array.from({ length: votersMax }, (_, index) => ({ model, voters: index + 1 })),
)

describe('quorum', () => {
  it.each(groups)('two quorums meet in a voter that counts: $model, $voters voters', ({ model, voters }) => {
    expect(isSafe(model, voters, quorum(model, voters), faultsTolerated(model, voters))).toBe(true)
  })

  it.each(groups)('one voter fewer would let two quorums miss each other: $model, $voters voters', (group) => {
    const { model, voters } = group
    expect(isSafe(model, voters, quorum(model, voters) - 1, faultsTolerated(model, voters))).toBe(false)
  })

  it.each(groups)('the voters that are not faulty are a quorum: $model, $voters voters', ({ model, voters }) => {
    expect(voters - faultsTolerated(model, voters)).toBeGreaterThanOrEqual(quorum(model, voters))
  })
})

describe('faultsTolerated', () => {
  it.each(groups)('no size of quorum survives one fault more: $model, $voters voters', ({ model, voters }) => {
    const more = faultsTolerated(model, voters) + 1
    for (let size = 0; size <= voters - more; size++) expect(isSafe(model, voters, size, more)).toBe(false)
  })
})

describe('oneCorrect', () => {
  it.each(groups)(
    'a set of this size has a voter that does not lie, a smaller one need not: $model, $voters',
    (group) => {
      const { model, voters } = group
      const liars = model === 'crash' ? 0 : faultsTolerated(model, voters)
      const liarSets = setsOf(voters, liars)
      const allLiars = (set: number): boolean => liarSets.some((faulty) => (set & ~faulty) === 0)
      expect(setsOf(voters, oneCorrect(model, voters)).some(allLiars)).toBe(false)
      expect(setsOf(voters, oneCorrect(model, voters) - 1).some(allLiars)).toBe(true)
    },
  )
})

describe('votersMin', () => {
  it.each(models)('is the first group that survives a fault: %s', (model) => {
    expect(faultsTolerated(model, votersMin(model))).toBe(1)
    expect(faultsTolerated(model, votersMin(model) - 1)).toBe(0)
  })
})

describe('a number that is no number of voters', () => {
  const wrong = [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, Number.MAX_SAFE_INTEGER + 1]

  it.each(models.flatMap((model) => wrong.map((voters) => ({ model, voters }))))('throws: $model, $voters', (group) => {
    expect(() => quorum(group.model, group.voters)).toThrow(RangeError)
    expect(() => faultsTolerated(group.model, group.voters)).toThrow(RangeError)
  })

  it.each(wrong)('throws when liars are to be outnumbered: %s', (voters) => {
    expect(() => oneCorrect('byzantine', voters)).toThrow(RangeError)
  })
})

/** Any two quorums meet: in a voter (crash), or in more voters than can lie (byzantine). */
function isSafe(model: FaultModel, voters: number, size: number, faulty: number): boolean {
  const meeting = smallestMeeting(voters, size)
  // A crashed voter tells no lies, but those that are left must still be able to decide.
  return model === 'crash' ? meeting > 0 && voters - faulty >= size : meeting > faulty
}

const meetings = new Map<string, number>()

function smallestMeeting(voters: number, size: number): number {
  const key = `${voters}/${size}`
  const known = meetings.get(key)
  if (known !== undefined) return known
  const sets = setsOf(voters, size)
  let least = voters
  for (const left of sets) for (const right of sets) least = Math.min(least, members(left & right))
  meetings.set(key, least)
  return least
}

function setsOf(voters: number, size: number): number[] {
  return Array.from({ length: 2 ** voters }, (_, set) => set).filter((set) => members(set) === size)
}

function members(set: number): number {
  let rest = set
  let count = 0
  for (; rest !== 0; count++) rest &= rest - 1
  return count
}
