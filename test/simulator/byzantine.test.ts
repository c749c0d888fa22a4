// A handful of histories in which replicas lie, judged by all checkers; and seeds that once failed, with their stories.

import { describe, expect, it } from 'vitest'
import { coverageMinima } from '../../src/simulator/coverage.ts'
import { behaviourNames } from '../../src/simulator/protocols.ts'
import { faultFamilies, type TraceLine } from '../../src/simulator/report.ts'
import { runSeed } from '../../src/simulator/simulation.ts'

const base = { protocol: 'pbft', replicas: 4, faults: 'all' } as const

describe('a network in which replicas may lie', () => {
  it('makes the same history of the same seed, and another where it is asked for other liars', () => {
    const asked = { ...base, seed: 5, adversaries: 1, behaviour: 'equivocating-proposals' }
    const first = runSeed(asked)
    expect(runSeed(asked)).toEqual(first)
    expect(runSeed({ ...asked, behaviour: 'silent' }).traceHash).not.toBe(first.traceHash)
  })

  it.each([4, 5, 6, 7])('of %i keeps what it promises, with as many liars as it survives', (replicas) => {
    const { violation, coverage } = runSeed({ ...base, replicas, seed: 5, adversaries: Math.floor((replicas - 1) / 3) })
    expect(violation).toBeNull()
    expect(coverage['adversaries']).toBe(Math.floor((replicas - 1) / 3))
  })

  it('refuses more liars than it survives', () => {
    expect(() => runSeed({ ...base, seed: 1, adversaries: 2 })).toThrow(
      '4 replicas of pbft survive 1 adversaries, not 2',
    )
  })

  it('proves lies that can be proven', () => {
    const lines: TraceLine[] = []
    const { coverage, violation } = runSeed({
      ...base,
      faults: 'none',
      seed: 2,
      adversaries: 1,
      behaviour: 'equivocating-prepares',
      trace: (line) => lines.push(line),
    })
    expect(violation).toBeNull()
    const liar = lines.find(({ what }) => what === 'adversary')!.detail.split(':')[0]
    const accused = lines.filter(({ what }) => what === 'accuses')
    expect(accused.length).toBeGreaterThan(0)
    expect(new Set(accused.map(({ detail }) => detail))).toEqual(new Set([liar]))
    expect(coverage['evidence']).toBe(accused.length)
  })

  it('measures its links, and gives views more time where they are slow', () => {
    const { violation, coverage } = runSeed({ ...base, faults: 'network', adversaries: 0, seed: 4 })
    expect(violation).toBeNull()
    expect(coverage['links-slow']).toBeGreaterThan(0)
  })

  it('has liars that answer pings as they like, and are counted where fewer than a quorum of the others was heard', () => {
    const coverages = [1, 2, 4].map((seed) => runSeed({ ...base, faults: 'none', adversaries: 1, seed }).coverage)
    const seen = coverages.flatMap((coverage) => Object.keys(coverage))
    for (const how of ['honest', 'late', 'early']) expect(seen).toContain(`adversary-pongs-${how}`)
    // Nothing but the liar's answers is slow here.
    const slow = coverages.filter((coverage) => coverage['links-slow'] !== undefined)
    expect(slow.length).toBeGreaterThan(0)
    for (const coverage of slow) expect(coverage['adversary-pongs-late']).toBe(1)
  })

  it('has clients that sign, whatever a seed draws', () => {
    for (const seed of [1, 2, 3]) {
      const { coverage, violation } = runSeed({ ...base, faults: 'none', seed })
      expect(violation).toBeNull()
      expect(coverage['signed-envelopes']).toBeGreaterThan(0)
    }
  })

  it.each(behaviourNames('pbft'))('survives one that is %s', (behaviour) => {
    expect(runSeed({ ...base, faults: 'none', seed: 4, adversaries: 1, behaviour }).violation).toBeNull()
  })
})

// Three seeds that once stopped for ever, with three correct replicas left: one had a quorum of view changes for view 1, and went on to
// view 2 when its new primary did not answer; the others never had that quorum, and their wait for view 1 never began.
it.each([
  [14, 0],
  [21, 0],
  [22, 1],
])('a wait for a view begins when a quorum asks for it or for a later one (seed %i)', (seed, adversaries) => {
  expect(runSeed({ ...base, seed, adversaries }).violation).toBeNull()
})

// An envelope that was in a block proposed again, though decided here, was marked as being in a block under way when its client sent it
// again: known, waited for, and never proposed.
it.each([2, 5])('what is in a decided block is in none under way (seed %i)', (seed) => {
  expect(runSeed({ ...base, faults: 'network', adversaries: 0, seed }).violation).toBeNull()
})

describe('hotstuff among liars', () => {
  const chained = { ...base, protocol: 'hotstuff' } as const

  it('makes the same history of the same seed, and another where it is asked for other liars', () => {
    const asked = { ...chained, seed: 7, adversaries: 1, behaviour: 'forking-leaders' }
    const first = runSeed(asked)
    expect(runSeed(asked)).toEqual(first)
    expect(runSeed({ ...asked, behaviour: 'tail-forking-leaders' }).traceHash).not.toBe(first.traceHash)
  })

  it.each(['equivocating-proposals', 'equivocating-votes', 'proposing-anew', 'restless'])(
    'accuses those who lie, and nobody else (%s)',
    (behaviour) => {
      let accusations = 0
      // In one history alone a lie may come to nobody's notice.
      for (const seed of [1, 2, 3]) {
        const lines: TraceLine[] = []
        const trace = (line: TraceLine): number => lines.push(line)
        const { violation } = runSeed({ ...chained, replicas: 7, seed, adversaries: 2, behaviour, trace })
        expect(violation).toBeNull()
        const liars = lines.filter(({ what }) => what === 'adversary').map(({ detail }) => detail.split(':')[0])
        const accused = lines.filter(({ what }) => what === 'accuses').map(({ detail }) => detail)
        expect(liars).toEqual(expect.arrayContaining(accused))
        accusations += accused.length
      }
      expect(accusations).toBeGreaterThan(0)
    },
  )

  it('is let off under three-chain where a silent leader of four leaves no run of leaders, and never under two-chain', () => {
    const asked = { ...chained, faults: 'none', adversaries: 1, behaviour: 'silent-leaders' } as const
    const outcome = (rule: 'two-chain' | 'three-chain') => runSeed({ ...asked, seed: 4, rule })
    expect(outcome('three-chain')).toMatchObject({ verdict: 'excused', excuse: 'no-run-of-leaders' })
    expect(outcome('two-chain')).toMatchObject({ verdict: 'passed', excuse: null })
  })
})

describe('coverage minima of pbft', () => {
  it('ask for what the faults can produce, each once', () => {
    for (const faults of faultFamilies) {
      const names = coverageMinima('pbft', 4, faults).map((minimum) => minimum.name)
      expect(new Set(names).size).toBe(names.length)
      expect(names.includes('evidence')).toBe(faults !== 'none')
      expect(names.includes('view-change-with-prepared')).toBe(faults === 'network' || faults === 'all')
      expect(names.includes('restarts-that-lost-writes')).toBe(faults === 'process' || faults === 'all')
      expect(names.includes('read-by-lease')).toBe(false)
    }
  })

  it('ask for no liars where none are survived', () => {
    const names = coverageMinima('pbft', 3, 'all').map((minimum) => minimum.name)
    expect(names).not.toContain('adversaries')
  })
})
