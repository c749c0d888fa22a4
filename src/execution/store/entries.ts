// The entries of the store, and what they are compared by.

import type { Comparison, Compare } from './commands.ts'
import type { KeyValue } from './results.ts'
import { latin1 } from '../../wire/latin1.ts'

export interface Entry {
  readonly value: Uint8Array
  readonly createRevision: number
  readonly modRevision: number
  readonly version: number
  readonly lease: number
}

export function keyValue(key: Uint8Array, entry: Entry, keysOnly = false): KeyValue {
  const { value, createRevision, modRevision, version, lease } = entry
  return { key, value: keysOnly ? nothing : value, createRevision, modRevision, version, lease }
}

const nothing = new Uint8Array(0)

/** Does the comparison hold? Of a key that does not exist, no comparison of values does. */
export function holds(compare: Compare, entry: Entry | undefined): boolean {
  if (compare.kind === 'value') {
    return entry !== undefined && orderHolds(compare.comparison, compareBytes(entry.value, compare.value))
  }
  return orderHolds(compare.comparison, (entry?.[compare.field] ?? 0) - compare.number)
}

function orderHolds(comparison: Comparison, order: number): boolean {
  switch (comparison) {
    case 'equal':
      return order === 0
    case 'notEqual':
      return order !== 0
    case 'less':
      return order < 0
    case 'greater':
      return order > 0
  }
}

/** Below, at or above 0, as the left bytes sort before, with or after the right ones. */
export function compareBytes(left: Uint8Array, right: Uint8Array): number {
  const length = Math.min(left.length, right.length)
  for (let index = 0; index < length; index++) {
    const order = left[index]! - right[index]!
    if (order !== 0) return order
  }
  return left.length - right.length
}

const numberTextMax = 17

/** The number that a value spells, if it is a safe integer in its one decimal spelling. */
export function decimal(value: Uint8Array): number | null {
  if (value.length > numberTextMax) return null
  const text = latin1(value)
  const number = Number(text)
  return Number.isSafeInteger(number) && String(number) === text ? number : null
}
