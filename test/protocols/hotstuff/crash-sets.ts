// Which crashed replicas a network outlives: told by arithmetic alone, and shown by the real cores.
//
// The table in docs/protocols/hotstuff-figures.md is what crash-sets.test.ts asserts.

import type { HotstuffLeaders, HotstuffRule } from '../../../src/kernel/parameters.ts'
import { Bench, timeoutMs } from './bench.ts'

export interface Choice {
  rule: HotstuffRule
  leaders: HotstuffLeaders
}

export const tenureViews = 4

/** Every set of at most so many of these voters, numbered from 1. */
export function crashSets(voters: number, crashedMax: number): number[][] {
  const sets: number[][] = [[]]
  for (let id = 1; id <= voters; id++) {
    const fitting = sets.filter(({ length }) => length < crashedMax)
    sets.push(...fitting.map((set) => set.concat(id)))
  }
  return sets
}

/** So many leaders in a row have to be up: each certified node of the run needs its own, and the one after it, who gathers its votes. */
export function leadersInARow(rule: HotstuffRule): number {
  return rule === 'two-chain' ? 3 : 4
}

/**
 * By arithmetic, without any of the protocol's code: the first view by which something that waits since view 1 is committed; null: never. The leaders
 * of views repeat, so that two rounds of them show whatever there is.
 */
export function commitView(voters: number, crashed: readonly number[], { rule, leaders }: Choice): number | null {
  const viewsEach = leaders === 'tenure' ? tenureViews : 1
  let inARow = 0
  for (let view = 1; view <= 2 * voters * viewsEach; view++) {
    const leader = (Math.floor(view / viewsEach) % voters) + 1
    inARow = crashed.includes(leader) ? 0 : inARow + 1
    if (inARow === leadersInARow(rule)) return view
  }
  return null
}

/** By the cores: the view in which the last of those that are up has decided what all of them were asked for in view 1; null: nobody has by then. */
export function shownCommitView(
  voters: number,
  crashed: readonly number[],
  { rule, leaders }: Choice,
  viewsMax: number,
): number | null {
  const bench = new Bench({
    voters,
    parameters: {
      hotstuff: { rule, leaders, tenureViews },
      // Views are counted here, and nothing is lost: timeouts need not grow, and nothing need be said again.
      timers: { timeoutMsMax: timeoutMs, retransmitMs: 600_000 },
    },
  })
  const up = bench.replicas.filter(({ id }) => !crashed.includes(id))
  for (const replica of up) replica.start()
  bench.settle()
  for (const replica of up) replica.propose('a request')
  bench.settle()
  while (up.some(({ texts }) => texts.length === 0)) {
    if (up.every(({ status }) => status.view > viewsMax)) {
      if (up.some(({ decidedHeight }) => decidedHeight > 0)) throw new Error('some have decided, and others have not')
      return null
    }
    bench.elapse(timeoutMs)
  }
  return Math.max(...up.map(({ status }) => status.view))
}
