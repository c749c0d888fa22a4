// Goal: histories of linear executions are always accepted, and small ones that were tampered with are decided as the
// plain definitions decide them.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { historyOf, type TimedOperation } from '../../../src/simulator/checkers/history.ts'
import { keyValueModel as model, type HistoryResult } from '../../../src/simulator/checkers/key-value-model.ts'
import { checkLinearizability } from '../../../src/simulator/checkers/linearizability-checker.ts'
import { checkReplay } from '../../../src/simulator/checkers/replay-checker.ts'
import { isInRealTimeOrder, isLinearizable } from './brute-force.ts'
import { counted, deleted, done, found, refused, swapped } from './entries.ts'
import { execute, operationOf, type Effect, type Fate } from './random-histories.ts'

const fates: readonly Fate[] = ['seen', 'seen', 'seen', 'unknown-executed', 'unknown-lost', 'failed']

function effects(lengths: { maxLength: number; minLength?: number }, spanUsMax: number): fc.Arbitrary<Effect[]> {
  const effect = fc.record({
    operation: fc
      .tuple(fc.nat(8), fc.constantFrom('x', 'x', 'y'), fc.constantFrom('0', '1', '2'))
      .map(([choice, key, value]) => operationOf(choice, key, value)),
    pointUs: fc.integer({ min: 100, max: 200 }),
    beforeUs: fc.nat(spanUsMax),
    afterUs: fc.nat(spanUsMax),
    fate: fc.constantFrom(...fates),
    observed: fc.boolean(),
    endsBlock: fc.boolean(),
  })
  return fc.array(effect, lengths)
}

/** Another answer that the operation might have had. */
function otherResult({ operation, outcome }: TimedOperation, choice: number): HistoryResult {
  const others: Record<typeof operation.kind, HistoryResult[]> = {
    put: [done, refused],
    get: [found(null), found('0'), found('1'), found('2'), found("1'")],
    delete: [deleted(true), deleted(false)],
    compareAndSwap: [swapped(true), swapped(false)],
    increment: [counted(1), counted(2), counted(3), refused],
  }
  const different = others[operation.kind].filter(
    (other) => outcome.kind !== 'ok' || !model.equalResults(outcome.result, other),
  )
  return different[choice % different.length]!
}

function tamper(timed: readonly TimedOperation[], victim: number, choice: number): TimedOperation[] {
  const seen = timed.filter(({ outcome }) => outcome.kind === 'ok')
  const target = seen[victim % Math.max(1, seen.length)]
  return timed.map((operation) => {
    if (operation !== target || operation.outcome.kind !== 'ok') return operation
    return { ...operation, outcome: { ...operation.outcome, result: otherResult(operation, choice) } }
  })
}

describe('histories of linear executions', () => {
  it('are accepted by both checkers', () => {
    fc.assert(
      fc.property(effects({ maxLength: 60 }, 30), (drawn) => {
        const { history, decided } = execute(drawn)
        expect(checkReplay({ model, history, decided }).violations).toEqual([])
        expect(checkLinearizability({ model, history }).kind).toBe('linearizable')
      }),
      { numRuns: 500 },
    )
  })

  it('come with an unplaced read or without: only replay notices', () => {
    fc.assert(
      fc.property(effects({ maxLength: 30 }, 30), (drawn) => {
        const { timed, decided } = execute(drawn)
        const history = historyOf(timed.map(withoutPosition))
        expect(checkReplay({ model, history, decided }).violations).toEqual([])
        expect(checkLinearizability({ model, history }).kind).toBe('linearizable')
      }),
      { numRuns: 200 },
    )
  })
})

describe('histories with one result changed', () => {
  it('are linearizable exactly if some order of all operations explains them', () => {
    const verdicts = { linearizable: 0, violation: 0, undecided: 0 }
    fc.assert(
      fc.property(effects({ minLength: 2, maxLength: 7 }, 60), fc.nat(6), fc.nat(10), (drawn, victim, choice) => {
        const history = historyOf(tamper(execute(drawn).timed, victim, choice))
        const verdict = checkLinearizability({ model, history })
        verdicts[verdict.kind] += 1
        expect(verdict.kind).toBe(isLinearizable(history) ? 'linearizable' : 'violation')
      }),
      { numRuns: 2000 },
    )
    // A comparison that only ever meets one verdict would say little.
    expect(verdicts.linearizable).toBeGreaterThan(200)
    expect(verdicts.violation).toBeGreaterThan(200)
  })

  it('fail replay, whatever overlaps', () => {
    fc.assert(
      fc.property(effects({ minLength: 1, maxLength: 30 }, 60), fc.nat(29), fc.nat(10), (drawn, victim, choice) => {
        const { timed, decided } = execute(drawn)
        fc.pre(timed.some(({ outcome }) => outcome.kind === 'ok'))
        const { violations } = checkReplay({ model, history: historyOf(tamper(timed, victim, choice)), decided })
        expect(violations.map(({ invariant }) => invariant)).toEqual(['replayed-result'])
      }),
      { numRuns: 500 },
    )
  })
})

describe('histories with all results drawn', () => {
  it('are linearizable exactly if some order of all operations explains them', () => {
    fc.assert(
      fc.property(
        effects({ maxLength: 7 }, 60),
        fc.array(fc.nat(4), { minLength: 7, maxLength: 7 }),
        (drawn, choices) => {
          const { timed } = execute(drawn)
          const redrawn = choices.reduce(
            (current, choice, i) => (choice > 2 ? tamper(current, i, choice) : current),
            [...timed],
          )
          const history = historyOf(redrawn)
          expect(checkLinearizability({ model, history }).kind).toBe(
            isLinearizable(history) ? 'linearizable' : 'violation',
          )
        },
      ),
      { numRuns: 1000 },
    )
  })
})

describe('the longest order of a violation', () => {
  it('explains its operations, and what happened before the one that is stuck is linearizable', () => {
    fc.assert(
      fc.property(effects({ minLength: 2, maxLength: 7 }, 30), fc.nat(6), fc.nat(10), (drawn, victim, choice) => {
        const verdict = checkLinearizability({
          model,
          history: historyOf(tamper(execute(drawn).timed, victim, choice)),
        })
        if (verdict.kind !== 'violation') return
        let state = model.initial(verdict.key)
        for (const { operation, outcome } of verdict.prefix) {
          const stepped = model.step(state, operation)
          state = stepped.state
          if (outcome.kind === 'ok') expect(outcome.result).toEqual(stepped.result)
        }
        const stuckAtUs = verdict.stuck[0]!.completedAtUs!
        for (const { completedAtUs } of verdict.stuck) expect(completedAtUs).toBeGreaterThanOrEqual(stuckAtUs)
        expect(verdict.prefix).not.toContain(verdict.stuck[0])
      }),
      { numRuns: 500 },
    )
  })
})

describe('histories with positions shuffled', () => {
  it('break real-time order exactly if some pair of operations does', () => {
    const broken = [0, 0]
    fc.assert(
      fc.property(effects({ minLength: 2, maxLength: 7 }, 15), fc.nat(1000), fc.boolean(), (drawn, seed, shuffle) => {
        const { timed } = execute(drawn.map((effect) => ({ ...effect, fate: 'seen' as const })))
        const moved = shuffle ? swapPositions(timed, seed) : timed
        const history = historyOf(moved)
        const decided = moved.flatMap(({ client, id, outcome }) => {
          if (outcome.kind !== 'ok' || outcome.position?.kind !== 'ordered') return []
          return [{ height: outcome.position.height, index: outcome.position.index, client, id }]
        })
        const { violations } = checkReplay({ model, history, decided })
        const found = violations.some(({ invariant }) => invariant === 'real-time-order')
        broken[Number(found)]! += 1
        expect(found).toBe(!isInRealTimeOrder(history))
      }),
      { numRuns: 1000 },
    )
    expect(Math.min(...broken)).toBeGreaterThan(100)
  })
})

function withoutPosition(operation: TimedOperation): TimedOperation {
  const { outcome } = operation
  return outcome.kind === 'ok' ? { ...operation, outcome: { kind: 'ok', result: outcome.result } } : operation
}

function kindOf({ outcome }: TimedOperation): string | undefined {
  return outcome.kind === 'ok' ? outcome.position?.kind : undefined
}

/** Exchanges the outcomes of two operations of which both, or neither, were answered from the state after a block. */
function swapPositions(timed: readonly TimedOperation[], seed: number): TimedOperation[] {
  const left = timed[seed % timed.length]!
  const others = timed.filter((operation) => operation !== left && kindOf(operation) === kindOf(left))
  const right = others[Math.floor(seed / timed.length) % Math.max(1, others.length)]
  if (right === undefined) return [...timed]
  return timed.map((operation) => {
    if (operation === left) return { ...operation, outcome: right.outcome }
    return operation === right ? { ...operation, outcome: left.outcome } : operation
  })
}
