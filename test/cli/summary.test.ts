// What a sweep says must not depend on how it was cut up, and must not lose a failure.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  addFailure,
  addReport,
  addSummary,
  emptySummary,
  failuresKept,
  missedMinima,
  seedsForMinima,
  type Summary,
} from '../../src/cli/sweep/summary.ts'
import type { SeedReport } from '../../src/simulator/report.ts'

function report(seed: number, changes: Partial<SeedReport> = {}): SeedReport {
  const counts = { events: 10, virtualMs: 5, committedOperations: 2, coverage: {} }
  return { seed, verdict: 'passed', violation: null, excuse: null, traceHash: 'a', ...counts, ...changes }
}

function violated(seed: number, coverage: Record<string, number> = {}): SeedReport {
  return report(seed, {
    verdict: 'violated',
    coverage,
    violation: { invariant: 'agreement', explanation: 'two blocks', timeUs: 1 },
  })
}

function summaryOf(reports: readonly SeedReport[]): Summary {
  const summary = emptySummary()
  for (const one of reports) addReport(summary, one)
  return summary
}

const anyReport: fc.Arbitrary<SeedReport> = fc
  .record({
    seed: fc.nat(1000),
    verdict: fc.constantFrom('passed', 'violated', 'excused'),
    excuse: fc.constantFrom('disk-lost', 'clock-jumped'),
    crashes: fc.nat(5),
    counted: fc.boolean(),
  })
  .map(({ seed, verdict, excuse, crashes, counted }) => {
    const coverage: Record<string, number> = counted ? { crashes } : {}
    if (verdict === 'violated') return violated(seed, coverage)
    return report(seed, verdict === 'excused' ? { verdict, excuse, coverage } : { coverage })
  })

describe('a summary', () => {
  it('counts each verdict, each excuse and all that happened', () => {
    const excused = report(3, { verdict: 'excused', excuse: 'disk-lost', coverage: { crashes: 2 } })
    const summary = summaryOf([report(1, { coverage: { crashes: 1, pauses: 1 } }), violated(2), excused])
    expect(summary).toEqual({
      seeds: 3,
      passed: 1,
      excused: 1,
      excuses: { 'disk-lost': 1 },
      failures: [{ seed: 2, invariant: 'agreement', explanation: 'two blocks' }],
      violated: 1,
      events: 30,
      virtualMs: 15,
      committedOperations: 6,
      cpuSeconds: 0,
      coverage: { crashes: 3, pauses: 1 },
    })
  })

  it('comes to the same however the seeds are cut into parts, and in whichever order the parts arrive', () => {
    const parts = fc.array(fc.array(anyReport, { maxLength: 12 }), { maxLength: 6 })
    fc.assert(
      fc.property(parts, fc.infiniteStream(fc.nat()), (cut, order) => {
        const whole = summaryOf(cut.flat())
        const total = emptySummary()
        const waiting = cut.map(summaryOf)
        while (waiting.length > 0) {
          const [part] = waiting.splice(order.next().value % waiting.length, 1)
          addSummary(total, part!)
        }
        expect(total).toEqual(whole)
      }),
    )
  })

  it('adds up the time that the parts took', () => {
    const total = { ...emptySummary(), cpuSeconds: 1.5 }
    addSummary(total, { ...emptySummary(), cpuSeconds: 2 })
    expect(total.cpuSeconds).toBe(3.5)
  })

  it('leaves the part as it was, and shares nothing with it', () => {
    const part = summaryOf([violated(1), report(2, { coverage: { crashes: 1 } })])
    const before = structuredClone(part)
    const total = emptySummary()
    addSummary(total, part)
    addReport(total, violated(3))
    addReport(total, report(4, { coverage: { crashes: 1 } }))
    expect(part).toEqual(before)
  })
})

describe('failures', () => {
  it('are counted all, and kept with their words for the lowest seeds', () => {
    const summary = emptySummary()
    for (let seed = 30; seed >= 1; seed--) addReport(summary, violated(seed))
    expect(summary.violated).toBe(30)
    expect(summary.failures.map((failure) => failure.seed)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    expect(failuresKept).toBe(10)
  })

  it('are counted in parts too that kept no words for them', () => {
    const parts = [31, 61].map((first) => summaryOf(Array.from({ length: 30 }, (_, index) => violated(first + index))))
    const total = summaryOf([violated(100)])
    for (const part of parts) addSummary(total, part)
    expect(total.violated).toBe(61)
    expect(total.failures).toHaveLength(failuresKept)
    expect(total.failures[0]!.seed).toBe(31)
  })

  it('of the sweep itself count like those of seeds', () => {
    const summary = summaryOf([report(1)])
    addFailure(summary, { seed: 1, invariant: 'determinism', explanation: 'two histories' })
    expect(summary).toMatchObject({ violated: 1, failures: [{ invariant: 'determinism' }] })
  })
})

describe('minima', () => {
  const minima = [
    { name: 'crashes', perThousandSeeds: 1000, why: 'recovery' },
    { name: 'rare', perThousandSeeds: 1, why: 'a corner' },
  ]
  const seen = (seeds: number, coverage: Record<string, number>): Summary => ({ ...emptySummary(), seeds, coverage })

  it('are met by as many as are wanted for so many seeds', () => {
    expect(missedMinima(seen(500, { crashes: 500, rare: 1 }), minima)).toEqual([])
  })

  it('name what was seen too rarely, how often it was wanted, and why', () => {
    expect(missedMinima(seen(500, { crashes: 499, rare: 1 }), minima)).toEqual([
      { name: 'crashes', seen: 499, wanted: 500, why: 'recovery' },
    ])
  })

  it('ask for each thing once at least, and notice what never happened', () => {
    expect(missedMinima(seen(500, { crashes: 500 }), minima)).toEqual([
      { name: 'rare', seen: 0, wanted: 1, why: 'a corner' },
    ])
  })

  it('are not asked for where chance decides', () => {
    expect(missedMinima(seen(seedsForMinima - 1, {}), minima)).toEqual([])
    expect(missedMinima(seen(seedsForMinima, {}), minima)).toHaveLength(2)
  })
})
