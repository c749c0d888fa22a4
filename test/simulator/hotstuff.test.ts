// A handful of histories of the protocol whose leaders take turns, under both rules, judged by all checkers.

import { describe, expect, it } from 'vitest'
import { parameterBounds } from '../../src/kernel/parameters.ts'
import { coverageMinima } from '../../src/simulator/coverage.ts'
import { faultFamilies } from '../../src/simulator/report.ts'
import { runSeed } from '../../src/simulator/simulation.ts'

const rules = parameterBounds.hotstuff.rule.choices
const base = { protocol: 'hotstuff', replicas: 4, faults: 'all' } as const

describe('hotstuff in the simulator', () => {
  it('makes the same history of the same seed, and another under the other rule', () => {
    const first = runSeed({ ...base, seed: 1 })
    expect(runSeed({ ...base, seed: 1, rule: 'two-chain' })).toEqual(first)
    expect(runSeed({ ...base, seed: 1, rule: 'three-chain' }).traceHash).not.toBe(first.traceHash)
  })

  it.each(faultFamilies)('finds nothing wrong under %s faults', (faults) => {
    expect(runSeed({ ...base, faults, seed: 2 }).violation).toBeNull()
  })

  it.each(['none', 'all'] as const)('finds nothing wrong under %s faults by the other rule', (faults) => {
    expect(runSeed({ ...base, faults, seed: 5, rule: 'three-chain' }).violation).toBeNull()
  })

  it.each(rules)('finds nothing wrong with seven replicas, two of which lie (%s)', (rule) => {
    const { violation, coverage } = runSeed({ ...base, replicas: 7, seed: 3, adversaries: 2, rule })
    expect(violation).toBeNull()
    expect(coverage['adversaries']).toBe(2)
  })

  // Four leaders take turns, one of them stays lost, and three-chain needs four in a row.
  it('lets a run off where the rule can commit nothing more, and only under three-chain', () => {
    expect(runSeed({ ...base, seed: 2, rule: 'three-chain' }).excuse).toBe('no-run-of-leaders')
    expect(runSeed({ ...base, seed: 2, rule: 'two-chain' }).verdict).toBe('passed')
  })
})

describe('coverage minima of hotstuff', () => {
  it('ask for what its views and chains can produce', () => {
    const names = coverageMinima('hotstuff', 4, 'all').map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
    for (const name of ['view-given-up', 'orphaned', 'node-wanted', 'chain-ended']) expect(names).toContain(name)
    expect(names).not.toContain('view-change-with-prepared')
    expect(coverageMinima('hotstuff', 4, 'none').map(({ name }) => name)).not.toContain('orphaned')
  })
})
