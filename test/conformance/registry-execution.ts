// What the executor stores and proves, and what the built-in store is asked and answers.

import { merkleProofCodec } from '../../src/execution/merkle.ts'
import { openingFloorsCodec } from '../../src/execution/opening-floors.ts'
import { resultLeafCodec } from '../../src/execution/results.ts'
import { sessionRecordCodec } from '../../src/execution/session.ts'
import { keyCodec, signedCodec, storeCommandCodec, storeQueryCodec } from '../../src/execution/store/commands.ts'
import { storeResultCodec } from '../../src/execution/store/results.ts'
import { fill, one, session, type Registered } from './registered.ts'

const max = Number.MAX_SAFE_INTEGER
const key = Uint8Array.of(0x6b)
const entry = { key, value: fill(2, 1), createRevision: 1, modRevision: 3, version: 2, lease: 0 }
const storedReply = { firstNumber: 5, count: 1, digest: fill(32, 7), height: 9, index: 2, outcome: fill(1, 1) }

export const executionRegistry: readonly Registered[] = [
  one('storeCommandCodec put', storeCommandCodec, { kind: 'put', key, value: fill(2, 1), lease: 0 }),
  one('storeCommandCodec increment', storeCommandCodec, { kind: 'increment', key, by: -1 }),
  one('storeCommandCodec transaction', storeCommandCodec, {
    kind: 'transaction',
    compares: [{ kind: 'number', key, field: 'version', comparison: 'greater', number: 1 }],
    success: [{ kind: 'get', key }],
    failure: [],
  }),
  one('storeQueryCodec scan', storeQueryCodec, { kind: 'scan', from: key, to: null, limit: 10, keysOnly: false }),
  one('storeResultCodec value', storeResultCodec, { kind: 'value', entry: null }),
  one('storeCommandCodec get', storeCommandCodec, { kind: 'get', key }),
  one('storeCommandCodec delete', storeCommandCodec, { kind: 'delete', key }),
  one('storeCommandCodec compareAndSwap', storeCommandCodec, {
    kind: 'compareAndSwap',
    key,
    expected: null,
    value: fill(2, 1),
  }),
  one('storeCommandCodec scan', storeCommandCodec, { kind: 'scan', from: key, to: key, limit: 1000, keysOnly: true }),
  one('storeCommandCodec transaction on values', storeCommandCodec, {
    kind: 'transaction',
    compares: [{ kind: 'value', key, comparison: 'less', value: fill(1, 2) }],
    success: [],
    failure: [{ kind: 'delete', key }],
  }),
  one('storeCommandCodec leaseGrant', storeCommandCodec, { kind: 'leaseGrant', ttlMs: 1000 }),
  one('storeCommandCodec leaseKeepAlive', storeCommandCodec, { kind: 'leaseKeepAlive', lease: 3 }),
  one('storeCommandCodec leaseRevoke', storeCommandCodec, { kind: 'leaseRevoke', lease: 3 }),
  one('storeQueryCodec get', storeQueryCodec, { kind: 'get', key }),
  one('storeQueryCodec lease', storeQueryCodec, { kind: 'lease', lease: 3 }),
  one('storeResultCodec put', storeResultCodec, { kind: 'put', revision: 4 }),
  one('storeResultCodec value of a key', storeResultCodec, { kind: 'value', entry }),
  one('storeResultCodec deleted', storeResultCodec, { kind: 'deleted', existed: true, revision: 4 }),
  one('storeResultCodec swapped', storeResultCodec, { kind: 'swapped', swapped: false, revision: 4 }),
  one('storeResultCodec number', storeResultCodec, { kind: 'number', value: -max, revision: 4 }),
  one('storeResultCodec refused', storeResultCodec, { kind: 'refused', reason: 'lease-full' }),
  one('storeResultCodec entries', storeResultCodec, { kind: 'entries', entries: [entry], next: key, revision: 4 }),
  one('storeResultCodec transaction', storeResultCodec, {
    kind: 'transaction',
    held: true,
    results: [{ kind: 'put', revision: 4 }],
    revision: 4,
  }),
  one('storeResultCodec lease', storeResultCodec, { kind: 'lease', lease: 3, ttlMs: 1000, expiresAt: max }),
  one('storeResultCodec leaseRevoked', storeResultCodec, { kind: 'leaseRevoked', keys: 2, revision: 4 }),
  one('keyCodec', keyCodec, key),
  one('signedCodec below zero', signedCodec, -1),
  one('signedCodec zero', signedCodec, 0),
  one('merkleProofCodec', merkleProofCodec, { index: 1, count: 2, siblings: [fill(32, 1)] }),
  one('resultLeafCodec', resultLeafCodec, {
    client: fill(32, 0xaa),
    session,
    number: 5,
    count: 1,
    digest: fill(32, 7),
    height: 9,
    index: 2,
    outcome: fill(1, 1),
  }),
  one('sessionRecordCodec', sessionRecordCodec, {
    id: session,
    client: fill(32, 0xaa),
    nonce: fill(16, 2),
    referenceHeight: 1,
    lastNumber: 6,
    acknowledgedNumber: 4,
    usedHeight: 9,
    replies: [storedReply, { ...storedReply, firstNumber: 6, digest: null }],
  }),
  one('openingFloorsCodec', openingFloorsCodec, [{ client: fill(32, 0xaa), floor: 3 }]),
]
