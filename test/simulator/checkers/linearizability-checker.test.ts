// Goal: the verdict depends on what clients saw alone, is right, is explained, and ends within its budget.

import { describe, expect, it } from 'vitest'
import { keyValueModel as model } from '../../../src/simulator/checkers/key-value-model.ts'
import { checkLinearizability } from '../../../src/simulator/checkers/linearizability-checker.ts'
import {
  counted,
  done,
  failed,
  found,
  get,
  increment,
  observed,
  ordered,
  put,
  recordOf,
  told,
  unknown,
} from './entries.ts'
import { badHistories, badOrders, goodHistories } from './history-table.ts'
import { busyHistory } from './random-histories.ts'

describe('checkLinearizability', () => {
  for (const known of [...goodHistories, ...badHistories, ...badOrders]) {
    it(`${known.linearizability === 'linearizable' ? 'accepts' : 'refuses'}: ${known.name}`, () => {
      const verdict = checkLinearizability({ model, history: recordOf(known.entries).history })
      expect(verdict.kind).toBe(known.linearizability)
    })
  }

  it('names the key, the longest order, and the operations that fit nowhere', () => {
    const { history } = recordOf([
      ordered(1, [0, 10], put('y', 'a'), done, [1, 0]),
      ordered(1, [20, 30], put('x', 'a'), done, [2, 0]),
      ordered(1, [40, 50], put('x', 'b'), done, [3, 0]),
      told(2, [60, 70], get('x'), found('a'), null, []),
      told(3, [65, 90], get('x'), found('z'), null, []),
      told(3, [95, 99], get('x'), found('b'), null, []),
    ])
    const verdict = checkLinearizability({ model, history })
    if (verdict.kind !== 'violation') throw new Error(verdict.kind)
    expect(verdict.key).toBe('x')
    expect(verdict.prefix.map(({ id }) => id)).toEqual([2, 3])
    expect(verdict.stuck.map(({ id }) => id)).toEqual([4, 5])
    expect(verdict.violation.invariant).toBe('linearizable')
    expect(verdict.violation.operations.map(({ id }) => id)).toEqual([4, 5, 2, 3])
    expect(verdict.violation.explanation).toBe(
      `on key "x", client 2's operation 4, get("x") from 60 to 70 µs with the answer "a" fits nowhere: ` +
        'behind the longest order of 2 operations that can be explained, which ends with ' +
        `client 1's operation 2, put("x", "a") from 20 to 30 µs with the answer done; then ` +
        `client 1's operation 3, put("x", "b") from 40 to 50 µs with the answer done, the answer is "b"; ` +
        `nor does any order of it with client 3's operation 5, get("x") from 65 to 90 µs with the answer "z" help`,
    )
  })

  it('explains a first operation that fits nowhere', () => {
    const { history } = recordOf([ordered(1, [0, 10], increment('n'), counted(5), [1, 0])])
    const verdict = checkLinearizability({ model, history })
    if (verdict.kind !== 'violation') throw new Error(verdict.kind)
    expect(verdict.prefix).toEqual([])
    expect(verdict.violation.explanation).toContain('fits nowhere: as the first operation the answer is 1')
  })

  it('needs a few steps an operation, with 16 operations open on one key', () => {
    const operationsTotal = 4000
    const { history } = busyHistory({ seed: 1, operationsTotal, keysTotal: 1 })
    const verdict = checkLinearizability({ model, history })
    expect(verdict.kind).toBe('linearizable')
    expect(verdict.steps).toBeLessThan(30 * operationsTotal)
  })

  it('decides histories with hundreds of unknown operations on a key', () => {
    const operationsTotal = 2000
    const { history } = busyHistory({ seed: 2, operationsTotal, keysTotal: 1, unknownShare: 0.1 })
    const verdict = checkLinearizability({ model, history })
    expect(verdict.kind).toBe('linearizable')
    expect(verdict.steps).toBeLessThan(400 * operationsTotal)
  })

  it('handles more open operations than a word has bits', () => {
    const counts = Array.from({ length: 40 }, (_, i) =>
      ordered(i, [i, 1000 + i], increment('x'), counted(40 - i), [1, i]),
    )
    expect(checkLinearizability({ model, history: recordOf(counts).history }).kind).toBe('linearizable')
    const doubled = [...counts, ordered(50, [50, 1050], increment('x'), counted(7), [1, 50])]
    expect(checkLinearizability({ model, history: recordOf(doubled).history }).kind).toBe('violation')
  })

  it('gives up at its budget, and still finds the violation of another key', () => {
    // Sixteen writes that overlap, and a value that none of them wrote: the search must try all their orders.
    const writes = Array.from({ length: 16 }, (_, i) => ordered(i, [i, 100 + i], put('x', `${i}`), done, [1, i]))
    const hard = [...writes, observed(20, [200, 210], get('x'), found('z'), 1)]
    const undecided = checkLinearizability({ model, history: recordOf(hard).history, stepsMax: 1000 })
    expect(undecided.kind === 'undecided' && undecided.keys).toEqual(['x'])
    expect(undecided.steps).toBeLessThan(1000 + 100)
    const wrong = [...hard, observed(20, [220, 230], get('y'), found('z'), 1)]
    const violation = checkLinearizability({ model, history: recordOf(wrong).history, stepsMax: 1000 })
    expect(violation.kind === 'violation' && violation.key).toBe('y')
    expect(() => checkLinearizability({ model, history: recordOf(hard).history, stepsMax: 0 })).toThrow(RangeError)
  })

  it('counts the keys it checked, and takes failures and unknown reads for nothing', () => {
    const { history } = recordOf([
      failed(1, [0, 10], put('x', 'a')),
      unknown(1, 20, get('y')),
      ordered(1, [30, 40], put('z', 'a'), done, [1, 0]),
    ])
    expect(checkLinearizability({ model, history })).toEqual({ kind: 'linearizable', steps: 1, keysTotal: 2 })
  })
})
