// Goal: replay finds each way in which a decided order can fail clients, names it rightly, and accepts all good ones.

import { describe, expect, it } from 'vitest'
import { keyValueModel as model } from '../../../src/simulator/checkers/key-value-model.ts'
import { checkReplay } from '../../../src/simulator/checkers/replay-checker.ts'
import { counted, done, get, increment, found, observed, ordered, put, recordOf, told } from './entries.ts'
import { badHistories, badOrders, goodHistories, type KnownHistory } from './history-table.ts'

function judge({ entries, alsoDecided = [], heightDecided }: KnownHistory) {
  const { history, decided } = recordOf(entries)
  return checkReplay({
    model,
    history,
    decided: [...decided, ...alsoDecided],
    ...(heightDecided === undefined ? {} : { heightDecided }),
  })
}

describe('checkReplay', () => {
  for (const known of [...goodHistories, ...badHistories, ...badOrders]) {
    it(`${known.replay.length === 0 ? 'accepts' : 'refuses'}: ${known.name}`, () => {
      const { violations, violationsTotal } = judge(known)
      expect([...new Set(violations.map(({ invariant }) => invariant))]).toEqual(known.replay)
      expect(violationsTotal).toBe(violations.length)
    })
  }

  it('has a known history for each of its invariants', () => {
    const found = new Set([...badHistories, ...badOrders].flatMap(({ replay }) => replay))
    expect([...found].sort()).toEqual([
      'acknowledged-kept',
      'executed-once',
      'failure-definite',
      'invoked-first',
      'position-agreed',
      'position-decided',
      'position-unique',
      'real-time-order',
      'replayed-result',
    ])
  })

  it('explains in one sentence with clients, operations, times and places', () => {
    const { history, decided } = recordOf([
      ordered(1, [0, 10], put('x', 'a'), done, [2, 0]),
      observed(2, [20, 30], get('x'), found(null), 1),
      observed(2, [40, 50], get('x'), found('b'), 2),
    ])
    const { violations } = checkReplay({ model, history, decided })
    expect(violations.map(({ explanation }) => explanation)).toEqual([
      `client 1's operation 1, put("x", "a") from 0 to 10 µs with the answer done completed first and stands ` +
        `at height 2, index 0, but client 2's operation 2, get("x") from 20 to 30 µs with the answer null ` +
        'stands after height 1',
      `client 2's operation 3, get("x") from 40 to 50 µs with the answer "b" stands after height 2, ` +
        'where replay answers "a"',
    ])
    expect(violations[0]?.operations.map(({ id }) => id)).toEqual([1, 2])
  })

  it('counts what it compared, and what it could not', () => {
    const { history, decided } = recordOf([
      ordered(1, [0, 10], put('x', 'a'), done, [1, 0]),
      observed(2, [20, 30], get('x'), found('a'), 1),
      told(2, [40, 50], get('x'), found('a'), null, []),
    ])
    const verdict = checkReplay({ model, history, decided })
    expect(verdict).toEqual({ violations: [], violationsTotal: 0, orderedTotal: 1, observedTotal: 1, unplacedTotal: 1 })
  })

  it('keeps a bounded number of violations and counts them all', () => {
    const entries = Array.from({ length: 50 }, (_, i) =>
      ordered(1, [i * 10, i * 10 + 5], increment('n'), counted(0), [i + 1, 0]),
    )
    const { history, decided } = recordOf(entries)
    const verdict = checkReplay({ model, history, decided, violationsMax: 3 })
    expect(verdict.violations).toHaveLength(3)
    expect(verdict.violationsTotal).toBe(50)
    expect(() => checkReplay({ model, history, decided, violationsMax: 0 })).toThrow(RangeError)
  })

  it('takes the decided list in any order', () => {
    const { history, decided } = recordOf([
      ordered(1, [0, 10], put('x', 'a'), done, [1, 0]),
      ordered(1, [20, 30], put('x', 'b'), done, [1, 1]),
      ordered(1, [40, 50], get('x'), found('b'), [2, 0]),
    ])
    expect(checkReplay({ model, history, decided: decided.reverse() }).violations).toEqual([])
  })

  it('throws at a decided position that is none, and at an operation that is there twice', () => {
    const { history, decided } = recordOf([ordered(1, [0, 10], put('x', 'a'), done, [1, 0])])
    const wrong = [{ height: Number.NaN, index: 0, client: 1, id: 1 }]
    expect(() => checkReplay({ model, history, decided: wrong })).toThrow('(NaN, 0) is no position')
    const doubled = { ...history, operations: [...history.operations, ...history.operations] }
    expect(() => checkReplay({ model, history: doubled, decided })).toThrow('two operations 1')
  })
})
