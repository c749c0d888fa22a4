// The definitions, spelled out without a thought for speed. For histories of up to seven operations.

import type { History, Operation } from '../../../src/simulator/checkers/history.ts'
import { keyValueModel } from '../../../src/simulator/checkers/key-value-model.ts'

function precedes(left: Operation, right: Operation): boolean {
  return left.outcome.kind === 'ok' && left.completedEvent !== null && left.completedEvent < right.invokedEvent
}

/** Tries every order of all operations of all keys, with and without each unknown one. */
export function isLinearizable({ operations }: History): boolean {
  const candidates = operations.filter(({ outcome }) => outcome.kind !== 'failed-definitely')
  return extend(candidates, new Map())
}

function extend(left: readonly Operation[], states: ReadonlyMap<string, string | null>): boolean {
  if (left.every(({ outcome }) => outcome.kind === 'unknown')) return true
  return left.some((operation) => {
    if (left.some((other) => precedes(other, operation))) return false
    const { key } = operation.operation
    const { state, result } = keyValueModel.step(states.get(key) ?? null, operation.operation)
    const { outcome } = operation
    if (outcome.kind === 'ok' && !keyValueModel.equalResults(outcome.result, result)) return false
    const rest = left.filter((other) => other !== operation)
    return extend(rest, new Map(states).set(key, state))
  })
}

/** Compares every pair of operations that clients know the positions of, rule by rule. */
export function isInRealTimeOrder({ operations }: History): boolean {
  return operations.every((earlier) => operations.every((later) => !precedes(earlier, later) || agree(earlier, later)))
}

function agree(earlier: Operation, later: Operation): boolean {
  if (earlier.outcome.kind !== 'ok' || later.outcome.kind !== 'ok') return true
  const [first, second] = [earlier.outcome.position, later.outcome.position]
  if (first === undefined || second === undefined) return true
  if (first.kind === 'ordered' && second.kind === 'ordered') {
    return first.height < second.height || (first.height === second.height && first.index < second.index)
  }
  if (first.kind === 'observed' && second.kind === 'ordered') return second.height > first.height
  return first.height <= second.height
}
