// What the built-in store answers, and how that is written.

import { bool, bytes, list, optional, struct, u53, u8, union, type Codec } from '../../wire/codec.ts'
import { WireError } from '../../wire/error.ts'
import { keyCodec, signedCodec } from './commands.ts'
import { keyBytesMax, scanEntriesMax, transactionOperationsMax, valueBytesMax } from './limits.ts'

/** A key with its value and what is known of its past. */
export interface KeyValue {
  key: Uint8Array
  /** Empty where only keys were asked for. */
  value: Uint8Array
  /** The store's revision when the key came to be, and when it was last written. */
  createRevision: number
  modRevision: number
  /** How often it was written since it came to be. */
  version: number
  /** 0 if it is attached to none. */
  lease: number
}

/** The state refuses; nothing was changed. */
export type StoreRefusal =
  | 'not-a-number' // what is to be incremented is no safe decimal integer, or would be none afterwards
  | 'lease-not-found' // never granted, revoked, or expired
  | 'lease-full' // as many keys are attached to it as may be
  | 'too-many-leases'
  | 'result-too-large' // the values that a transaction would return

/** Revisions are those of the store after the command. */
export type KeyResult =
  | { kind: 'put'; revision: number }
  | { kind: 'value'; entry: KeyValue | null }
  | { kind: 'deleted'; existed: boolean; revision: number }
  | { kind: 'swapped'; swapped: boolean; revision: number }
  | { kind: 'number'; value: number; revision: number }

export type StoreResult =
  | KeyResult
  | { kind: 'refused'; reason: StoreRefusal }
  /** `next`: where a scan for the rest begins; null if this is all. */
  | { kind: 'entries'; entries: KeyValue[]; next: Uint8Array | null; revision: number }
  | { kind: 'transaction'; held: boolean; results: KeyResult[]; revision: number }
  /** The agreed time at which it expires if it is not kept alive. */
  | { kind: 'lease'; lease: number; ttlMs: number; expiresAt: number }
  | { kind: 'leaseRevoked'; keys: number; revision: number }

const refusals: readonly StoreRefusal[] = [
  'not-a-number',
  'lease-not-found',
  'lease-full',
  'too-many-leases',
  'result-too-large',
]

const refusal: Codec<StoreRefusal> = {
  bytesMin: 1,
  write: (writer, reason) => writer.u8(refusals.indexOf(reason) + 1),
  read: (reader) => {
    const reason = refusals[u8.read(reader) - 1]
    if (reason === undefined) throw new WireError('ERR_WIRE_TAG', 'unknown refusal')
    return reason
  },
}

const keyValueCodec: Codec<KeyValue> = struct<KeyValue>({
  key: keyCodec,
  value: bytes(valueBytesMax),
  createRevision: u53,
  modRevision: u53,
  version: u53,
  lease: u53,
})

const keyResults = {
  put: { tag: 1, codec: struct({ revision: u53 }) },
  value: { tag: 2, codec: struct({ entry: optional(keyValueCodec) }) },
  deleted: { tag: 3, codec: struct({ existed: bool, revision: u53 }) },
  swapped: { tag: 4, codec: struct({ swapped: bool, revision: u53 }) },
  number: { tag: 5, codec: struct({ value: signedCodec, revision: u53 }) },
}
const keyResultCodec: Codec<KeyResult> = union<KeyResult>(keyResults)

export const storeResultCodec: Codec<StoreResult> = union<StoreResult>({
  ...keyResults,
  refused: { tag: 6, codec: struct({ reason: refusal }) },
  entries: {
    tag: 7,
    codec: struct({
      entries: list(keyValueCodec, scanEntriesMax),
      next: optional(bytes(keyBytesMax)),
      revision: u53,
    }),
  },
  transaction: {
    tag: 8,
    codec: struct({ held: bool, results: list(keyResultCodec, transactionOperationsMax), revision: u53 }),
  },
  lease: { tag: 9, codec: struct({ lease: u53, ttlMs: u53, expiresAt: u53 }) },
  leaseRevoked: { tag: 10, codec: struct({ keys: u53, revision: u53 }) },
})
