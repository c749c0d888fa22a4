// What a block costs in signatures while leaders take turns and nothing is lost: the difference between a long chain and a longer one, so that its
// beginning and its end are not counted. docs/protocols/hotstuff-figures.md has it beside pbft's.

import { describe, expect, it } from 'vitest'
import { blockCost } from '../../../src/benchmark/complexity/closed-forms.ts'
import type { HotstuffRule } from '../../../src/kernel/parameters.ts'
import { Bench } from './bench.ts'

function signatures(voters: number, rule: HotstuffRule, blocks: number): { made: number; checked: number } {
  const parameters = { batch: { operationsMax: 1, lingerMs: 0 }, hotstuff: { rule } }
  const bench = new Bench({ voters, parameters }).start()
  const texts = Array.from({ length: blocks }, (_, index) => `${index}`)
  for (const replica of bench.replicas) replica.pool.add(...texts)
  bench.replica(2).step({ kind: 'requests' })
  bench.settle()
  expect(bench.replica(1).texts).toEqual(texts)
  const sum = (of: 'made' | 'checked'): number =>
    bench.replicas.reduce((total, replica) => total + replica.signatures[of], 0)
  return { made: sum('made'), checked: sum('checked') }
}

describe.each(['two-chain', 'three-chain'] as const)('%s', (rule) => {
  it.each([4, 7, 10, 13])('makes n + 1 signatures for a block, and checks (n−1)(q+1) + (q−1) (%i voters)', (voters) => {
    // A whole round of leaders apart.
    const [short, long] = [signatures(voters, rule, voters), signatures(voters, rule, 2 * voters)]
    const { signaturesMade, signaturesChecked } = blockCost({ protocol: 'hotstuff' }, voters)
    expect(long.made - short.made).toBe(voters * signaturesMade)
    expect(long.checked - short.checked).toBe(voters * signaturesChecked)
  })
})
