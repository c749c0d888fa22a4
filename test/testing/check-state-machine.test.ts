// Goal: every rule of a state machine is checked. Method: machines that break one rule each are found under the name of that rule, with
// a short list of commands; machines that break none are not.

import { describe, expect, it } from 'vitest'
import { assertStateMachine, checkStateMachine } from '../../src/testing/index.ts'
import { keyValueStore } from '../../src/execution/store/key-value-store.ts'
import type { StoreCommand } from '../../src/execution/store/commands.ts'
import { broken, drawCommand, drawQuery, machineWith, right, rightInChunks, transactional } from './broken-machines.ts'

const draws = { commands: drawCommand, queries: drawQuery }
const text = (value: string): Uint8Array => new TextEncoder().encode(value)

describe('checkStateMachine', () => {
  it.each([
    ['in one piece', right],
    ['in chunks', rightInChunks],
    ['that undoes', transactional(true)],
  ])('finds nothing in a machine that keeps the rules, %s', (_, machine) => {
    const report = checkStateMachine(machine, { ...draws, runs: 8 })
    expect(report).toMatchObject({ ok: true, counts: { runs: 8, commands: 800 } })
  })

  it('says how much it has tried', () => {
    const counts = assertStateMachine(transactional(true), { ...draws, runs: 10 })
    for (const [name, value] of Object.entries(counts)) if (name !== 'refused') expect(value, name).toBeGreaterThan(9)
  })

  it('finds nothing in the built-in store', () => {
    const report = checkStateMachine(keyValueStore, {
      commands: (random): StoreCommand => {
        const key = text(random.pick(['a', 'b', 'c']))
        if (random.chance(1, 3)) return { kind: 'increment', key, by: 1 }
        if (random.chance(1, 4)) return { kind: 'delete', key }
        return { kind: 'put', key, value: text(`${random.below(9)}`), lease: 0 }
      },
      runs: 8,
      queries: (random) => ({ kind: 'get' as const, key: text(random.pick(['a', 'b', 'c'])) }),
    })
    expect(report).toMatchObject({ ok: true })
  })

  it.each(broken)('finds, as a breach of %s, a machine that %s', (rule, _, machine) => {
    const report = checkStateMachine(machine, draws)
    if (report.ok) throw new Error('it was not found')
    expect(report.finding.explanation).not.toBe('')
    expect(report.finding.rule).toBe(rule)
    expect(report.finding.commands.length).toBeLessThanOrEqual(25)
  })

  it('finds a broken invariant, and the command without which it holds', () => {
    const report = checkStateMachine(right, {
      ...draws,
      invariant: (ask) => (Number(ask({ name: 'a' })) > 5 ? 'a is above 5' : null),
    })
    if (report.ok) throw new Error('it was not found')
    expect(report.finding).toMatchObject({ rule: 'invariant', explanation: 'a is above 5' })
    expect(report.finding.commands.length).toBeLessThanOrEqual(3)
    expect(report.finding.commands.every((command) => 'add' in command && command.add === 'a')).toBe(true)
  })

  it('says the same each time, of a machine that draws too', () => {
    const machine = machineWith(() => ({ apply: () => Math.random() }))
    const [first, second] = [checkStateMachine(machine, draws), checkStateMachine(machine, draws)]
    expect(first.ok).toBe(false)
    expect(second).toEqual(first)
  })

  it('puts the clock and the randomness of the host back', () => {
    const [date, random, now] = [Date, Math.random, performance.now]
    checkStateMachine(
      machineWith(() => ({
        apply: () => {
          throw new Error('early')
        },
      })),
      { ...draws, runs: 1 },
    )
    expect([Date, Math.random, performance.now]).toEqual([date, random, now])
    expect(Math.abs(Date.now() - new Date().getTime())).toBeLessThan(60_000)
  })

  it('counts what validate refuses, and applies none of it', () => {
    const machine = machineWith(
      () => ({
        apply: (command) => {
          if ('first' in command) throw new Error('applied')
          return null
        },
      }),
      { validate: (command) => ('first' in command ? 'no' : null) },
    )
    expect(assertStateMachine(machine, { ...draws, runs: 2 }).refused).toBeGreaterThan(0)
  })

  it('finds a generator that throws', () => {
    const report = checkStateMachine(right, {
      commands: () => {
        throw new Error('out of ideas')
      },
    })
    expect(report).toMatchObject({ ok: false, finding: { rule: 'commands', commands: [] } })
  })

  it.each([{ runs: 0 }, { commandsPerRun: 1.5 }, { seed: 0.5 }, { clients: [] }, { clients: [new Uint8Array(3)] }])(
    'refuses options that make no sense: %j',
    (options) => {
      expect(() => checkStateMachine(right, { ...draws, ...options })).toThrow('option ')
    },
  )
})

describe('assertStateMachine', () => {
  it('throws the rule, the explanation, the seed and the commands', () => {
    const machine = machineWith(() => ({ apply: () => Date.now() }))
    expect(() => assertStateMachine(machine, { ...draws, seed: 4 })).toThrow(
      /state machine numbers breaks the rule determinism: .* \(seed 4\)\n {2}1\. \{/,
    )
  })
})
