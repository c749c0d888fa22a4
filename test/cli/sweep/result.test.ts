// Goal: a sweep is bad exactly when it found something, or saw too little of what it should have seen, and says which.

import { describe, expect, it } from 'vitest'
import { createOutput, type Output } from '../../../src/cli/output.ts'
import type { SimRequest } from '../../../src/cli/sweep/request.ts'
import { asJson, isBad, print, type SweepResult } from '../../../src/cli/sweep/result.ts'
import { emptySummary, type Summary } from '../../../src/cli/sweep/summary.ts'

const minima = [{ name: 'crashes', perThousandSeeds: 1000, why: 'recovery' }]
const failure = { seed: 7, invariant: 'agreement', explanation: 'two blocks at one height' }
const request: SimRequest = {
  sweep: { protocol: 'raft', replicas: 3, faults: 'all' },
  from: 1,
  to: 1000,
  jobs: 1,
  stopAfter: 10,
  minutes: null,
  resume: null,
  trace: null,
  record: false,
  json: false,
}

function result(changes: Partial<Summary>, state: SweepResult['state'] = 'complete'): SweepResult {
  const good = { seeds: 1000, passed: 1000, coverage: { crashes: 1000 } }
  return { summary: { ...emptySummary(), ...good, ...changes }, state, minima }
}

function excusing(excused: number, excuse: string, seeds: number = 1000): SweepResult {
  return result({ seeds, excused, excuses: { [excuse]: excused } })
}

function printed(shown: SweepResult): string {
  const lines: string[] = []
  const plain = (text: string): string => text
  const output: Output = {
    ...createOutput(),
    out: (line) => void lines.push(line),
    bold: plain,
    red: plain,
    green: plain,
  }
  print(request, shown, output)
  return lines.join('\n')
}

describe('a sweep', () => {
  it.each([
    ['without a fault', result({}), false],
    ['with a violation', result({ violated: 1, failures: [failure] }), true],
    ['with a violation, stopped early', result({ violated: 1, failures: [failure] }, 'incomplete'), true],
    ['that missed a minimum', result({ coverage: { crashes: 999 } }), true],
    ['that missed a minimum because it was stopped', result({ coverage: {} }, 'incomplete'), false],
    ['that missed a minimum and is too short to tell', result({ seeds: 199, coverage: {} }), false],
    ['that excused 2% of its seeds', excusing(20, 'linearizability-undecided'), true],
    ['that excused fewer', excusing(19, 'linearizability-undecided'), false],
    ['whose rule cannot commit with the leaders that are left', excusing(500, 'no-run-of-leaders'), false],
    ['that excused much and is too short to tell', excusing(100, 'linearizability-undecided', 199), false],
  ])('%s', (_name, one, bad) => {
    expect(isBad(one)).toBe(bad)
  })
})

describe('what is printed', () => {
  it('names the failed seed, what it broke, and the command that replays it', () => {
    const text = printed(result({ violated: 1, failures: [failure] }))
    expect(text).toContain('seed 7 failed: agreement\n  two blocks at one height\n')
    expect(text).toContain('replay: npx quorate sim --protocol raft --replicas 3 --faults all --seed 7 --trace -')
    expect(text).not.toContain('no violation')
  })

  it('replays a difference between two runs with two runs', () => {
    const text = printed(result({ violated: 1, failures: [{ ...failure, invariant: 'determinism' }] }))
    expect(text).toContain('--seed 7 --verify-determinism')
  })

  it('says how many failures it does not show', () => {
    expect(printed(result({ violated: 12, failures: [failure] }))).toContain('11 more failed')
  })

  it('puts what had to be seen beside what was seen, never seen included', () => {
    expect(printed(result({ coverage: { crashes: 1234, pauses: 5 } }))).toMatch(
      /crashes +1,234 +\(at least 1,000\)\n +pauses +5\n/,
    )
    const missed = printed(result({ coverage: {} }))
    expect(missed).toMatch(/crashes +0 +\(at least 1,000\)/)
    expect(missed).toContain('too little coverage: crashes was seen 0 times, at least 1000 are needed (recovery)')
  })

  it('says that there were too many excuses, their share and their names', () => {
    const text = printed(result({ excused: 25, excuses: { 'linearizability-undecided': 25 } }))
    expect(text).toContain('25 (2.50%) linearizability-undecided: 25')
    expect(text).toContain('too many excuses')
  })

  it('says that the sweep is not complete', () => {
    expect(printed(result({ seeds: 300 }, 'interrupted'))).toContain('300 of 1,000 (interrupted)')
  })
})

describe('the JSON object', () => {
  it('has the options, the range, the sums and what was missed', () => {
    expect(asJson(request, result({ coverage: { crashes: 1 } }))).toMatchObject({
      protocol: 'raft',
      replicas: 3,
      faults: 'all',
      seeds: { from: 1, to: 1000, run: 1000 },
      state: 'complete',
      violated: 0,
      coverage: { crashes: 1 },
      missed: [{ name: 'crashes', seen: 1, wanted: 1000, why: 'recovery' }],
    })
  })
})
