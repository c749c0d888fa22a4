// Goal: the model says what the store says, and keeps the promises that the checkers' shortcuts rest on.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { keyValueModel as model } from '../../../src/simulator/checkers/key-value-model.ts'
import { counted, increment, refused } from './entries.ts'
import { operationOf } from './random-histories.ts'

const states = fc.option(fc.constantFrom('', '0', '1', "1'", 'a'))
const operations = fc
  .tuple(fc.nat(8), fc.constantFrom('x', 'y"'), fc.constantFrom('', '0', '1', 'a'))
  .map(([choice, key, value]) => operationOf(choice, key, value))

const after = (state: string | null) => model.step(state, increment('n')).result

describe('keyValueModel', () => {
  it('counts in safe integers of one spelling', () => {
    expect(after(null)).toEqual(counted(1))
    expect(after('-3')).toEqual(counted(-2))
    expect(after('9007199254740990')).toEqual(counted(9007199254740991))
    for (const state of ['', ' 1', '01', '-0', '1.5', '1e3', 'NaN', 'Infinity', '9007199254740991']) {
      expect(after(state)).toEqual(refused)
    }
  })

  it('leaves the state where it says that a result does', () => {
    fc.assert(
      fc.property(states, operations, (before, operation) => {
        const { state, result } = model.step(before, operation)
        if (model.leavesState(operation, result) || model.isRead(operation)) expect(state).toBe(before)
        if (model.isRead(operation)) expect(model.leavesState(operation, result)).toBe(true)
      }),
    )
  })

  it('tells results and operations apart', () => {
    fc.assert(
      fc.property(states, operations, operations, (state, left, right) => {
        expect(model.describe(left) === model.describe(right)).toBe(JSON.stringify(left) === JSON.stringify(right))
        const [ofLeft, ofRight] = [model.step(state, left).result, model.step(state, right).result]
        expect(model.equalResults(ofLeft, ofRight)).toBe(JSON.stringify(ofLeft) === JSON.stringify(ofRight))
      }),
    )
  })
})
