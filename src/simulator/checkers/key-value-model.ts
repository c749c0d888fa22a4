// The key-value store as clients see it, one key at a time. A key that does not exist has the state null.

import type { Model } from './model.ts'

export type HistoryOperation =
  | { readonly kind: 'put'; readonly key: string; readonly value: string }
  | { readonly kind: 'get'; readonly key: string }
  | { readonly kind: 'delete'; readonly key: string }
  // Null is expected of a key that does not exist.
  | { readonly kind: 'compareAndSwap'; readonly key: string; readonly expected: string | null; readonly value: string }
  | { readonly kind: 'increment'; readonly key: string }

export type HistoryResult =
  | { readonly kind: 'done' }
  | { readonly kind: 'value'; readonly value: string | null }
  | { readonly kind: 'deleted'; readonly existed: boolean }
  | { readonly kind: 'swapped'; readonly swapped: boolean }
  | { readonly kind: 'number'; readonly value: number }
  // An increment of what is no number, or has no successor among the safe integers.
  | { readonly kind: 'refused' }

export type KeyValueState = string | null

export const keyValueModel: Model<KeyValueState, HistoryOperation, HistoryResult> = {
  initial: () => null,
  step: (state, operation) => {
    switch (operation.kind) {
      case 'put':
        return { state: operation.value, result: { kind: 'done' } }
      case 'get':
        return { state, result: { kind: 'value', value: state } }
      case 'delete':
        return { state: null, result: { kind: 'deleted', existed: state !== null } }
      case 'compareAndSwap': {
        const swapped = state === operation.expected
        return { state: swapped ? operation.value : state, result: { kind: 'swapped', swapped } }
      }
      case 'increment': {
        const value = successor(state)
        if (value === null) return { state, result: { kind: 'refused' } }
        return { state: String(value), result: { kind: 'number', value } }
      }
    }
  },
  equalResults: (left, right) => {
    switch (left.kind) {
      case 'done':
      case 'refused':
        return right.kind === left.kind
      case 'value':
        return right.kind === 'value' && right.value === left.value
      case 'deleted':
        return right.kind === 'deleted' && right.existed === left.existed
      case 'swapped':
        return right.kind === 'swapped' && right.swapped === left.swapped
      case 'number':
        return right.kind === 'number' && right.value === left.value
    }
  },
  fingerprint: (state) => state,
  keyOf: (operation) => operation.key,
  isRead: (operation) => operation.kind === 'get',
  leavesState: (operation, result) => {
    if (operation.kind === 'get' || result.kind === 'refused') return true
    if (result.kind === 'deleted') return !result.existed
    return result.kind === 'swapped' && !result.swapped
  },
  describe: (operation) => {
    const key = JSON.stringify(operation.key)
    switch (operation.kind) {
      case 'put':
        return `put(${key}, ${JSON.stringify(operation.value)})`
      case 'compareAndSwap':
        return `compareAndSwap(${key}, ${JSON.stringify(operation.expected)}, ${JSON.stringify(operation.value)})`
      default:
        return `${operation.kind}(${key})`
    }
  },
  describeResult: (result) => {
    switch (result.kind) {
      case 'done':
      case 'refused':
        return result.kind
      case 'value':
        return JSON.stringify(result.value)
      case 'deleted':
        return result.existed ? 'deleted' : 'nothing to delete'
      case 'swapped':
        return result.swapped ? 'swapped' : 'not swapped'
      case 'number':
        return String(result.value)
    }
  },
}

/** The number after a stored one; a key that does not exist counts as 0. Only one spelling of each number counts. */
function successor(state: KeyValueState): number | null {
  const value = state === null ? 0 : Number(state)
  if (state !== null && String(value) !== state) return null
  return Number.isSafeInteger(value) && value < Number.MAX_SAFE_INTEGER ? value + 1 : null
}
