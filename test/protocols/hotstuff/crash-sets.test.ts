// Every set of at most f crashed replicas: which rule and which turn of leaders outlives it, and in how many views. Each set is shown by the cores;
// what they show is told beforehand by arithmetic. docs/protocols/hotstuff-figures.md has the table.

import { describe, expect, it } from 'vitest'
import type { HotstuffLeaders } from '../../../src/kernel/parameters.ts'
import { faultsTolerated } from '../../../src/kernel/quorum.ts'
import { commitView, crashSets, shownCommitView, tenureViews, type Choice } from './crash-sets.ts'

interface Row extends Choice {
  /** The most views that any set needs which commits: for 4, 7 and 10 voters. */
  most: Record<4 | 7 | 10, number>
  /** Sets that never commit. */
  never: Record<4 | 7 | 10, string[]>
}

/** Where a leader hangs on nothing but its view's number, the view that commits is known beforehand. */
const inTurn: readonly HotstuffLeaders[] = ['round-robin', 'tenure']

const none = { 4: [], 7: [], 10: [] }
/** No four in a row are left: nobody is more than three places behind the dead one before it. */
const noFourInARow = {
  4: ['1', '2', '3', '4'],
  7: ['1 4', '1 5', '2 5', '2 6', '3 6', '3 7', '4 7'],
  10: [
    ...['1 3 7', '1 4 7', '1 4 8', '1 5 7', '1 5 8', '1 5 9', '2 4 8', '2 5 8', '2 5 9', '2 6 10'],
    ...['2 6 8', '2 6 9', '3 5 9', '3 6 10', '3 6 9', '3 7 10', '3 7 9', '4 6 10', '4 7 10', '4 8 10'],
  ],
}

const rows: Row[] = [
  // Leaders U U D, f times, and then one that is up and two of the next round: 3f + 3 = n + 2.
  { rule: 'two-chain', leaders: 'round-robin', most: { 4: 6, 7: 9, 10: 12 }, never: none },
  // Of the sets that commit: the last run of three before the run of four may be as late as that.
  { rule: 'three-chain', leaders: 'round-robin', most: { 4: 4, 7: 10, 10: 13 }, never: noFourInARow },
  // What is left of a tenure (the three views 1 to 3), f dead tenures, and a whole one: 3 + 4f + 4.
  { rule: 'three-chain', leaders: 'tenure', most: { 4: 11, 7: 15, 10: 19 }, never: none },
]

describe.each(rows)('$rule with $leaders', ({ most, never, ...choice }) => {
  it.each([4, 7, 10] as const)('among %i voters commits or does not, for each crash set, as stated', (voters) => {
    const views = new Map<string, number | null>()
    // Whatever has committed nothing by then has seen each run of leaders three times.
    const viewsMax = 3 * voters * (choice.leaders === 'tenure' ? tenureViews : 1)
    for (const crashed of crashSets(voters, faultsTolerated('byzantine', voters))) {
      const view = shownCommitView(voters, crashed, choice, viewsMax)
      if (inTurn.includes(choice.leaders))
        expect(view, `crashed: ${crashed.join(' ')}`).toBe(commitView(voters, crashed, choice))
      views.set(crashed.join(' '), view)
    }
    expect([...views.keys()].filter((crashed) => views.get(crashed) === null).sort()).toEqual([...never[voters]].sort())
    expect(Math.max(...[...views.values()].map((view) => view ?? 0))).toBe(most[voters])
  })
})

describe('by arithmetic alone', () => {
  const sizes = Array.from({ length: 13 }, (_, index) => index + 4)
  const neverOf = (voters: number, choice: Choice): number =>
    crashSets(voters, faultsTolerated('byzantine', voters)).filter(
      (crashed) => commitView(voters, crashed, choice) === null,
    ).length

  it.each(sizes)('two-chain in turn has no crash set that stops %i voters', (voters) => {
    expect(neverOf(voters, { rule: 'two-chain', leaders: 'round-robin' })).toBe(0)
  })

  it('three-chain in turn has some wherever a quarter of the voters may be dead', () => {
    const counts = sizes.map((voters) => [voters, neverOf(voters, { rule: 'three-chain', leaders: 'round-robin' })])
    const stopped = counts.filter(([, count]) => count! > 0)
    expect(stopped.map(([voters]) => voters)).toEqual(
      sizes.filter((voters) => 4 * faultsTolerated('byzantine', voters) >= voters),
    )
    expect(stopped.map(([voters, count]) => `${voters}: ${count}`).join(', ')).toBe(
      '4: 4, 7: 7, 8: 4, 10: 20, 11: 11, 12: 4, 13: 65, 14: 35, 15: 15, 16: 212',
    )
  })

  it.each(sizes)('three-chain with tenure has none for %i voters', (voters) => {
    expect(neverOf(voters, { rule: 'three-chain', leaders: 'tenure' })).toBe(0)
  })
})
