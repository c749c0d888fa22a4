// Goal: the record keeps what happened, in the order in which it happened, within its bound.

import { describe, expect, it } from 'vitest'
import { historyOf, HistoryRecorder } from '../../../src/simulator/checkers/history.ts'
import { keyValueModel as model } from '../../../src/simulator/checkers/key-value-model.ts'
import { checkLinearizability } from '../../../src/simulator/checkers/linearizability-checker.ts'
import { done, found, get, put } from './entries.ts'

describe('HistoryRecorder', () => {
  it('records invocations and completions in the order of events', () => {
    const recorder = new HistoryRecorder({ operationsMax: 10 })
    expect(recorder.invoke(1, 1, put('x', 'a'), 5)).toBe(true)
    expect(recorder.invoke(2, 1, get('x'), 5)).toBe(true)
    recorder.complete(1, 1, { kind: 'ok', result: done, position: { kind: 'ordered', height: 1, index: 0 } }, 7)
    const { operations, eventsTotal } = recorder.history()
    expect(eventsTotal).toBe(3)
    expect(recorder.size).toBe(2)
    expect(operations).toEqual([
      {
        client: 1,
        id: 1,
        invokedAtUs: 5,
        completedAtUs: 7,
        invokedEvent: 0,
        completedEvent: 2,
        operation: put('x', 'a'),
        outcome: { kind: 'ok', result: done, position: { kind: 'ordered', height: 1, index: 0 } },
      },
      {
        client: 2,
        id: 1,
        invokedAtUs: 5,
        completedAtUs: null,
        invokedEvent: 1,
        completedEvent: null,
        operation: get('x'),
        outcome: { kind: 'unknown' },
      },
    ])
  })

  it('knows what came first within a microsecond', () => {
    const recorder = new HistoryRecorder({ operationsMax: 10 })
    recorder.invoke(1, 1, put('x', 'a'), 5)
    recorder.complete(1, 1, { kind: 'ok', result: done }, 9)
    recorder.invoke(1, 2, get('x'), 9)
    recorder.complete(1, 2, { kind: 'ok', result: found(null) }, 9)
    expect(checkLinearizability({ model, history: recorder.history() }).kind).toBe('violation')
    // Times alone cannot tell.
    const timed = recorder.history().operations
    expect(checkLinearizability({ model, history: historyOf(timed) }).kind).toBe('linearizable')
  })

  it('hands out a history that later events leave as it is', () => {
    const recorder = new HistoryRecorder({ operationsMax: 10 })
    recorder.invoke(1, 1, put('x', 'a'), 5)
    const before = recorder.history()
    recorder.complete(1, 1, { kind: 'failed-definitely' }, 6)
    expect(before.operations[0]?.outcome).toEqual({ kind: 'unknown' })
    expect(recorder.history().operations[0]?.outcome).toEqual({ kind: 'failed-definitely' })
  })

  it('refuses operations beyond its bound, and completes those it has', () => {
    const recorder = new HistoryRecorder({ operationsMax: 2 })
    expect(recorder.invoke(1, 1, put('x', 'a'), 1)).toBe(true)
    expect(recorder.invoke(1, 2, put('x', 'a'), 1)).toBe(true)
    expect(recorder.invoke(1, 3, put('x', 'a'), 1)).toBe(false)
    recorder.complete(1, 2, { kind: 'ok', result: done }, 2)
    expect(recorder.history().operations).toHaveLength(2)
    expect(() => new HistoryRecorder({ operationsMax: 0 })).toThrow(RangeError)
  })

  it('throws at what no client can do', () => {
    const recorder = new HistoryRecorder({ operationsMax: 10 })
    recorder.invoke(1, 1, put('x', 'a'), 5)
    expect(() => recorder.invoke(1, 1, put('x', 'a'), 6)).toThrow('a second time')
    expect(() => recorder.invoke(1, 2, put('x', 'a'), 4)).toThrow('time runs backwards from 5 to 4 µs')
    expect(() => recorder.complete(2, 1, { kind: 'unknown' }, 6)).toThrow('without invoking it')
    recorder.complete(1, 1, { kind: 'unknown' }, 6)
    expect(() => recorder.complete(1, 1, { kind: 'unknown' }, 6)).toThrow('twice')
  })

  it('leaves no trace of an invocation that it threw at', () => {
    const recorder = new HistoryRecorder({ operationsMax: 10 })
    recorder.invoke(1, 1, put('x', 'a'), 5)
    expect(() => recorder.invoke(1, 2, put('x', 'a'), Number.NaN)).toThrow(RangeError)
    expect(recorder.invoke(1, 2, put('x', 'a'), 5)).toBe(true)
    expect(recorder.history().eventsTotal).toBe(2)
  })
})

describe('historyOf', () => {
  const common = { client: 1, id: 1, operation: put('x', 'a') }

  it('orders operations by their invocations', () => {
    const { operations } = historyOf([
      { ...common, invokedAtUs: 9, completedAtUs: null, outcome: { kind: 'unknown' } },
      { ...common, id: 2, invokedAtUs: 3, completedAtUs: 9, outcome: { kind: 'ok', result: done } },
    ])
    expect(operations.map(({ id, invokedEvent, completedEvent }) => [id, invokedEvent, completedEvent])).toEqual([
      [2, 0, 2],
      [1, 1, null],
    ])
  })

  it('throws at times that cannot be', () => {
    const backwards = { ...common, invokedAtUs: 3, completedAtUs: 2, outcome: { kind: 'ok' as const, result: done } }
    expect(() => historyOf([backwards])).toThrow('before invoking it')
    expect(() => historyOf([{ ...backwards, completedAtUs: null }])).toThrow('without its time')
  })
})
