// What the built-in store is asked, and how that is written.

import { bytes, list, optional, struct, u16, u53, u8, union, upTo, bool, type Codec } from '../../wire/codec.ts'
import { WireError } from '../../wire/error.ts'
import {
  keyBytesMax,
  leaseTtlMsMax,
  scanEntriesMax,
  transactionComparesMax,
  transactionOperationsMax,
  valueBytesMax,
} from './limits.ts'

export type Comparison = 'equal' | 'notEqual' | 'less' | 'greater'
export type CompareField = 'createRevision' | 'modRevision' | 'version' | 'lease'

/** A condition on one key. A key that does not exist has revisions, version and lease 0, and no value: no comparison of it holds. */
export type Compare =
  | { kind: 'value'; key: Uint8Array; comparison: Comparison; value: Uint8Array }
  | { kind: 'number'; key: Uint8Array; field: CompareField; comparison: Comparison; number: number }

export type KeyCommand =
  /** Attaches the key to a lease; 0 detaches it. */
  | { kind: 'put'; key: Uint8Array; value: Uint8Array; lease: number }
  | { kind: 'get'; key: Uint8Array }
  | { kind: 'delete'; key: Uint8Array }
  /** Null is expected of a key that does not exist. The lease stays. */
  | { kind: 'compareAndSwap'; key: Uint8Array; expected: Uint8Array | null; value: Uint8Array }
  /** Adds to a decimal number in ASCII; a key that does not exist counts as 0. The lease stays. */
  | { kind: 'increment'; key: Uint8Array; by: number }

/** Keys from `from` on and below `to`, in order. */
export interface Scan {
  kind: 'scan'
  /** Empty: from the first key on. */
  from: Uint8Array
  /** Null: to the last key. */
  to: Uint8Array | null
  limit: number
  /** Leaves the values out. */
  keysOnly: boolean
}

export type StoreCommand =
  | KeyCommand
  | Scan
  /** All of `success` if every comparison holds, else all of `failure`: at one revision, or nothing. */
  | { kind: 'transaction'; compares: Compare[]; success: KeyCommand[]; failure: KeyCommand[] }
  | { kind: 'leaseGrant'; ttlMs: number }
  | { kind: 'leaseKeepAlive'; lease: number }
  | { kind: 'leaseRevoke'; lease: number }

export type StoreQuery = { kind: 'get'; key: Uint8Array } | Scan | { kind: 'lease'; lease: number }

/** A key: 1 to `keyBytesMax` bytes. */
export const keyCodec: Codec<Uint8Array> = {
  bytesMin: 5,
  write: (writer, key) => writer.bytes(checkKey(key), keyBytesMax),
  read: (reader) => checkKey(reader.bytes(keyBytesMax)),
}

function checkKey(key: Uint8Array): Uint8Array {
  if (key.length === 0) throw new WireError('ERR_WIRE_RANGE', 'a key has at least one byte')
  return key
}

/** A safe integer, negative or not: a sign and its magnitude. */
export const signedCodec: Codec<number> = {
  bytesMin: 9,
  write: (writer, value) => {
    writer.bool(value < 0)
    writer.u53(Math.abs(value))
  },
  read: (reader) => {
    const negative = reader.bool()
    const magnitude = reader.u53()
    if (negative && magnitude === 0) throw new WireError('ERR_WIRE_RANGE', 'minus zero')
    return negative ? -magnitude : magnitude
  },
}

const value = bytes(valueBytesMax)
const comparisons: readonly Comparison[] = ['equal', 'notEqual', 'less', 'greater']

const fields: readonly CompareField[] = ['createRevision', 'modRevision', 'version', 'lease']
const comparison = names(comparisons)

const compareCodec: Codec<Compare> = union<Compare>({
  value: { tag: 1, codec: struct({ key: keyCodec, comparison, value }) },
  number: { tag: 2, codec: struct({ key: keyCodec, field: names(fields), comparison, number: u53 }) },
})

const keyCommands = {
  put: { tag: 1, codec: struct({ key: keyCodec, value, lease: u53 }) },
  get: { tag: 2, codec: struct({ key: keyCodec }) },
  delete: { tag: 3, codec: struct({ key: keyCodec }) },
  compareAndSwap: { tag: 4, codec: struct({ key: keyCodec, expected: optional(value), value }) },
  increment: { tag: 5, codec: struct({ key: keyCodec, by: signedCodec }) },
}
const keyCommandCodec: Codec<KeyCommand> = union<KeyCommand>(keyCommands)

const scan = {
  tag: 6,
  codec: struct<Omit<Scan, 'kind'>>({
    from: bytes(keyBytesMax),
    to: optional(bytes(keyBytesMax)),
    limit: positive(scanEntriesMax),
    keysOnly: bool,
  }),
}

const branch = list(keyCommandCodec, transactionOperationsMax)
const lease = struct({ lease: u53 })

export const storeCommandCodec: Codec<StoreCommand> = union<StoreCommand>({
  ...keyCommands,
  scan,
  transaction: {
    tag: 7,
    codec: struct({ compares: list(compareCodec, transactionComparesMax), success: branch, failure: branch }),
  },
  leaseGrant: { tag: 8, codec: struct({ ttlMs: positive53(leaseTtlMsMax) }) },
  leaseKeepAlive: { tag: 9, codec: lease },
  leaseRevoke: { tag: 10, codec: lease },
})

export const storeQueryCodec: Codec<StoreQuery> = union<StoreQuery>({
  get: keyCommands.get,
  scan,
  lease: { tag: 11, codec: lease },
})

/** The range of all keys that begin with a prefix, as `from` and `to` of a scan. */
export function prefixRange(prefix: Uint8Array): { from: Uint8Array; to: Uint8Array | null } {
  for (let length = prefix.length; length > 0; length--) {
    const last = prefix[length - 1]!
    if (last === 0xff) continue
    const to = prefix.slice(0, length)
    to[length - 1] = last + 1
    return { from: prefix, to }
  }
  return { from: prefix, to: null }
}

function positive(maximum: number): Codec<number> {
  return above0(upTo(u16, maximum))
}

function positive53(maximum: number): Codec<number> {
  return above0(upTo(u53, maximum))
}

function above0(codec: Codec<number>): Codec<number> {
  return {
    bytesMin: codec.bytesMin,
    write: (writer, value) => codec.write(writer, checkAbove0(value)),
    read: (reader) => checkAbove0(codec.read(reader)),
  }
}

function checkAbove0(value: number): number {
  if (value < 1) throw new WireError('ERR_WIRE_RANGE', `${value} is not above 0`)
  return value
}

function names<Name extends string>(all: readonly Name[]): Codec<Name> {
  return {
    bytesMin: 1,
    write: (writer, name) => writer.u8(all.indexOf(name)),
    read: (reader) => {
      const name = all[u8.read(reader)]
      if (name === undefined) throw new WireError('ERR_WIRE_TAG', 'unknown name')
      return name
    },
  }
}
