// The entries of the store, and how they are written into chunks.

import { WireError } from '../../wire/error.ts'
import { latin1, latin1Bytes } from '../state-chunks.ts'
import type { EntryCodec } from './chunked-map.ts'
import type { Comparison, Compare } from './commands.ts'
import { keyBytesMax, valueBytesMax } from './limits.ts'
import type { KeyValue } from './results.ts'

export interface Entry {
  readonly value: Uint8Array
  readonly createRevision: number
  readonly modRevision: number
  readonly version: number
  readonly lease: number
}

/** Two lengths of 4 bytes and four numbers of 8. */
const entryOverheadBytes = 40

export const entryCodec: EntryCodec<Entry> = {
  bytesOf: (key, entry) => entryOverheadBytes + key.length + entry.value.length,
  write: (writer, key, entry) => {
    writer.bytes(latin1Bytes(key), keyBytesMax)
    writer.bytes(entry.value, valueBytesMax)
    writer.u53(entry.createRevision)
    writer.u53(entry.modRevision)
    writer.u53(entry.version)
    writer.u53(entry.lease)
  },
  read: (reader) => {
    const key = reader.bytes(keyBytesMax)
    if (key.length === 0) throw new WireError('ERR_WIRE_RANGE', 'a key has at least one byte')
    const value = reader.bytes(valueBytesMax).slice()
    const createRevision = reader.u53()
    const modRevision = reader.u53()
    const version = reader.u53()
    return [latin1(key), { value, createRevision, modRevision, version, lease: reader.u53() }]
  },
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
