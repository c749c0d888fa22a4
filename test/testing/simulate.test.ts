// Goal: an author's machine runs in the whole simulator, and what is wrong with it or with what clients are told is found.

import { describe, expect, it } from 'vitest'
import { simulate } from '../../src/testing/index.ts'
import { machineApplication } from '../../src/testing/machine-application.ts'
import { runApplicationSeed } from '../../src/simulator/simulation.ts'
import { drawCommand, drawQuery, machineWith, right, transactional } from './broken-machines.ts'

const draws = { commands: drawCommand, queries: drawQuery, seeds: 12 }

describe('simulate', () => {
  it.each([
    ['that keeps the rules', right],
    ['whose operations fail and are undone', transactional(true)],
  ])('finds nothing in a machine %s, while replicas crash', (_, machine) => {
    const report = simulate(machine, draws)
    expect(report).toMatchObject({ ok: true, seeds: 12 })
    if (!report.ok) return
    expect(report.operations).toBeGreaterThan(200)
    expect(report.crashes).toBeGreaterThan(3)
  })

  it.each(['pbft', 'hotstuff'] as const)('runs it under %s too, among replicas that lie', (protocol) => {
    const report = simulate(right, { ...draws, seeds: 2, protocol })
    expect(report).toMatchObject({ ok: true, seeds: 2 })
    if (!report.ok) return
    expect(report.operations).toBeGreaterThan(20)
  })

  it('finds under pbft a machine that draws its results', () => {
    const machine = machineWith(() => ({ apply: () => Math.random() }))
    const report = simulate(machine, { ...draws, protocol: 'pbft' })
    expect(report).toMatchObject({ ok: false, finding: { invariant: 'execution-agreement' } })
  })

  it.each([
    ['draws its results', 'execution-agreement', machineWith(() => ({ apply: () => Math.random() }))],
    [
      'throws',
      'replica-failed',
      machineWith(() => ({
        apply: () => {
          throw new Error('broken')
        },
      })),
    ],
  ])('finds a machine that %s', (_, invariant, machine) => {
    expect(simulate(machine, draws)).toMatchObject({ ok: false, finding: { invariant } })
  })

  it('finds an answer that the decided order does not explain', () => {
    // All replicas agree, and what they answer depends on more than the order: each executor's machine counts its queries.
    const machine = machineWith(() => {
      let asked = 0
      return { query: () => ++asked }
    })
    expect(simulate(machine, { ...draws, faults: 'none' })).toMatchObject({
      ok: false,
      finding: { invariant: 'replayed-result' },
    })
  })

  it.each([
    ['ordered', 'command'],
    ['observed', 'query'],
  ])('finds a client that was told something else, of what is %s', (_, kind) => {
    const application = machineApplication(right, drawCommand, drawQuery)
    const { judge } = application
    const report = runApplicationSeed(
      { protocol: 'raft', replicas: 3, seed: 1, faults: 'none' },
      {
        ...application,
        judge: (run) => {
          expect(judge(run)).toEqual({ kind: 'passed' })
          const operations = run.history.operations.map((told) =>
            told.operation.kind === kind && told.outcome.kind === 'ok'
              ? Object.assign(told, { outcome: Object.assign(told.outcome, { result: new Uint8Array(1) }) })
              : told,
          )
          return judge({ ...run, history: { ...run.history, operations } })
        },
      },
    )
    expect(report.violation).toMatchObject({ invariant: 'replayed-result' })
  })

  it('finds an operation that was executed twice, and one that was lost', () => {
    const application = machineApplication(right, drawCommand, null)
    const verdicts: unknown[] = []
    runApplicationSeed(
      { protocol: 'raft', replicas: 3, seed: 1, faults: 'none' },
      {
        ...application,
        judge: (run) => {
          const [first, ...others] = run.decided
          verdicts.push(application.judge({ ...run, decided: [...run.decided, { ...first!, index: 99 }] }))
          verdicts.push(application.judge({ ...run, decided: others }))
          return { kind: 'passed' }
        },
      },
    )
    expect(verdicts).toMatchObject([{ invariant: 'executed-once' }, { invariant: 'acknowledged-kept' }])
  })

  it('says the same of one seed each time', () => {
    const machine = machineWith(() => ({ apply: () => null, query: () => null }), { validate: () => 'never' })
    const report = simulate(machine, { ...draws, seeds: 1, firstSeed: 7 })
    expect(report).toMatchObject({ ok: false, finding: { seed: 7, invariant: 'application-threw' } })
    expect(simulate(machine, { ...draws, seeds: 1, firstSeed: 7 })).toEqual(report)
  })

  it.each([{ seeds: 0 }, { firstSeed: 0 }, { replicas: 10 }])('refuses options that make no sense: %j', (options) => {
    expect(() => simulate(right, { ...draws, ...options })).toThrow('option ')
  })
})
