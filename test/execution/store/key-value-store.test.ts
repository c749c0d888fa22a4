// The store's limits, each of which is hit here, and the store under the executor.

import { describe, expect, it } from 'vitest'
import {
  keyCodec,
  prefixRange,
  signedCodec,
  storeCommandCodec,
  storeQueryCodec,
  type StoreCommand,
} from '../../../src/execution/store/commands.ts'
import { KeyValueStore, keyValueStore } from '../../../src/execution/store/key-value-store.ts'
import * as limits from '../../../src/execution/store/limits.ts'
import { storeResultCodec, type StoreResult } from '../../../src/execution/store/results.ts'
import { decode, encode } from '../../../src/wire/codec.ts'
import {
  createExecutor,
  openSession,
  operationReplies,
  operations,
  outcome,
  run,
  text,
  transferred,
} from '../fixtures.ts'

const none = text('')
const put = (key: string, value: Uint8Array | string = 'v', lease = 0): StoreCommand => ({
  kind: 'put',
  key: text(key),
  value: typeof value === 'string' ? text(value) : value,
  lease,
})
const get = (key: string) => ({ kind: 'get', key: text(key) }) as const
const scanAll = (options: object = {}) =>
  ({ kind: 'scan', from: none, to: null, limit: 1000, keysOnly: false, ...options }) as const

function store(timestamp = 1000): KeyValueStore {
  const created = new KeyValueStore()
  created.beginBlock({ height: 1, timestamp })
  return created
}

function encodes(command: StoreCommand): boolean {
  try {
    return encode(storeCommandCodec, command).length > 0
  } catch {
    return false
  }
}

function repeated<Item>(count: number, item: Item): Item[] {
  return Array.from({ length: count }, () => item)
}

function transactionOf(compares: number, success: number, failure: number): StoreCommand {
  return {
    kind: 'transaction',
    compares: repeated(compares, { kind: 'value', key: text('k'), comparison: 'equal', value: none } as const),
    success: repeated(success, get('k')),
    failure: repeated(failure, get('k')),
  }
}

function command(each: StoreCommand): Uint8Array {
  return encode(storeCommandCodec, each)
}

function resultsOf(block: ReturnType<typeof run>): StoreResult[] {
  return operationReplies(block).map((reply) => {
    const value = outcome(reply.outcome)
    if (value.kind !== 'executed') throw new Error(value.kind)
    return resultOf(value.result)
  })
}

function resultOf(bytes: Uint8Array): StoreResult {
  const decoded = decode(storeResultCodec, bytes)
  if (!decoded.ok) throw decoded.error
  return decoded.value
}

describe('what the encoding refuses', () => {
  it('is whatever is above its limit, and nothing at it', () => {
    const { keyBytesMax, valueBytesMax, scanEntriesMax, leaseTtlMsMax } = limits
    const { transactionComparesMax: compares, transactionOperationsMax: commands } = limits
    const allowed: StoreCommand[] = [
      ...[1, keyBytesMax].map((count) => get('k'.repeat(count))),
      put('k', new Uint8Array(valueBytesMax)),
      ...[1, scanEntriesMax].map((limit) => scanAll({ limit })),
      transactionOf(compares, commands, commands),
      ...[1, leaseTtlMsMax].map((ttlMs) => ({ kind: 'leaseGrant' as const, ttlMs })),
    ]
    const refused: StoreCommand[] = [
      ...[0, keyBytesMax + 1].map((count) => get('k'.repeat(count))),
      put('k', new Uint8Array(valueBytesMax + 1)),
      ...[0, scanEntriesMax + 1].map((limit) => scanAll({ limit })),
      transactionOf(compares + 1, 0, 0),
      transactionOf(0, commands + 1, 0),
      transactionOf(0, 0, commands + 1),
      ...[0, leaseTtlMsMax + 1].map((ttlMs) => ({ kind: 'leaseGrant' as const, ttlMs })),
    ]
    expect(allowed.map(encodes)).toEqual(allowed.map(() => true))
    expect(refused.map(encodes)).toEqual(refused.map(() => false))
  })

  it('is also refused when it is read', () => {
    expect(decode(keyCodec, Uint8Array.of(0, 0, 0, 0)).ok).toBe(false)
    expect(decode(signedCodec, Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0, 0)).ok).toBe(false)
    expect(decode(storeCommandCodec, Uint8Array.of(8, 0, 0, 0, 0, 0, 0, 0, 0)).ok).toBe(false)
    expect(keyValueStore.validate(Uint8Array.of(99))).toMatch(/tag 99/)
    expect(keyValueStore.validate(encode(storeCommandCodec, put('k')))).toBeNull()
    for (const value of [0, 1, -1, Number.MAX_SAFE_INTEGER, -Number.MAX_SAFE_INTEGER]) {
      expect(decode(signedCodec, encode(signedCodec, value))).toEqual({ ok: true, value })
    }
  })
})

describe('transactions', () => {
  it('undo what they did when one of their commands is refused', () => {
    const target = store()
    target.apply(put('text', 'no number'))
    const refused = target.apply({
      kind: 'transaction',
      compares: [],
      success: [put('a') as never, { kind: 'delete', key: text('text') }, { kind: 'increment', key: text('a'), by: 1 }],
      failure: [],
    })
    expect(refused).toEqual({ kind: 'refused', reason: 'not-a-number' })
    expect(target.query(get('a'))).toEqual({ kind: 'value', entry: null })
    expect(target.query(get('text'))).toMatchObject({ entry: { value: text('no number'), version: 1 } })
    expect(target.revision).toBe(1)
    expect(target.apply(put('b'))).toEqual({ kind: 'put', revision: 2 })
  })

  it('return values up to a limit, and are refused beyond it', () => {
    const target = store()
    target.apply(put('big', new Uint8Array(limits.valueBytesMax)))
    const gets = (count: number): StoreCommand => ({
      kind: 'transaction',
      compares: [],
      success: [put('mark') as never, ...Array.from({ length: count }, () => get('big'))],
      failure: [],
    })
    expect(target.apply(gets(2))).toEqual({ kind: 'refused', reason: 'result-too-large' })
    expect(target.query(get('mark'))).toEqual({ kind: 'value', entry: null })
    expect(target.apply(gets(1))).toMatchObject({ kind: 'transaction', held: true, revision: 2 })
  })
})

describe('scans', () => {
  it('of a prefix give its keys, a limited number at a time, and say where to go on', () => {
    const target = store()
    for (const key of ['a', 'b/1', 'b/2', 'b/3', 'b0', 'c']) target.apply(put(key))
    const { from, to } = prefixRange(text('b/'))
    const first = target.query(scanAll({ from, to, limit: 2 }))
    expect(first).toMatchObject({ entries: [{ key: text('b/1') }, { key: text('b/2') }], next: text('b/3') })
    const rest = target.query(scanAll({ from: text('b/3'), to, limit: 2 }))
    expect(rest).toMatchObject({ entries: [{ key: text('b/3') }], next: null })
    expect(prefixRange(Uint8Array.of(1, 255, 255)).to).toEqual(Uint8Array.of(2))
    expect(prefixRange(Uint8Array.of(255)).to).toBeNull()
  })

  it('stop at a number of bytes, but give one entry at least; keys alone weigh less', () => {
    const target = store()
    for (const key of ['a', 'b', 'c']) target.apply(put(key, new Uint8Array(limits.valueBytesMax)))
    expect(target.query(scanAll())).toMatchObject({ entries: [{ key: text('a') }], next: text('b') })
    expect(target.query(scanAll({ keysOnly: true }))).toMatchObject({ entries: { length: 3 }, next: null })
    const result = target.query(scanAll())
    expect(encode(storeResultCodec, result).length).toBeLessThan(1024 * 1024)
  })
})

describe('leases', () => {
  it('end by agreed time, with their keys, and not before; being kept alive they go on', () => {
    const target = store(1000)
    expect(target.apply({ kind: 'leaseGrant', ttlMs: 100 })).toEqual({
      kind: 'lease',
      lease: 1,
      ttlMs: 100,
      expiresAt: 1100,
    })
    target.apply(put('a', 'v', 1))
    target.beginBlock({ height: 2, timestamp: 1099 })
    expect(target.apply({ kind: 'leaseKeepAlive', lease: 1 })).toMatchObject({ expiresAt: 1199 })
    target.beginBlock({ height: 3, timestamp: 1198 })
    expect(target.size).toBe(1)
    target.beginBlock({ height: 4, timestamp: 1199 })
    expect(target.size).toBe(0)
    expect(target.revision).toBe(2)
    for (const command of [put('b', 'v', 1), { kind: 'leaseKeepAlive', lease: 1 } as const]) {
      expect(target.apply(command)).toEqual({ kind: 'refused', reason: 'lease-not-found' })
    }
  })

  it('hold a limited number of keys', () => {
    const target = store()
    target.apply({ kind: 'leaseGrant', ttlMs: 100 })
    for (let key = 0; key < limits.leaseKeysMax; key++) target.apply(put(`k${key}`, 'v', 1))
    expect(target.apply(put('one more', 'v', 1))).toEqual({ kind: 'refused', reason: 'lease-full' })
    expect(target.apply(put('k7', 'w', 1))).toMatchObject({ kind: 'put' })
    target.apply(put('k7', 'w'))
    expect(target.apply(put('one more', 'v', 1))).toMatchObject({ kind: 'put' })
    expect(target.apply({ kind: 'leaseRevoke', lease: 1 })).toMatchObject({ keys: limits.leaseKeysMax })
    expect(target.size).toBe(1)
  })

  it('are limited in number', () => {
    const target = store()
    for (let lease = 0; lease < limits.leasesMax; lease++) target.apply({ kind: 'leaseGrant', ttlMs: 100 })
    expect(target.apply({ kind: 'leaseGrant', ttlMs: 100 })).toEqual({ kind: 'refused', reason: 'too-many-leases' })
  })

  it('that end together are removed over several blocks, in order, and are dead all the while', () => {
    const target = store(1000)
    const keysEach = 1023
    for (let lease = 1; lease <= 10; lease++) {
      target.apply({ kind: 'leaseGrant', ttlMs: 100 })
      for (let key = 0; key < keysEach; key++) target.apply(put(`${lease}/${key}`, 'v', lease))
    }
    const left: number[] = []
    for (let height = 2; height < 5; height++) {
      target.beginBlock({ height, timestamp: 5000 })
      left.push(target.size / keysEach)
      expect(target.apply({ kind: 'leaseKeepAlive', lease: 10 })).toMatchObject({ reason: 'lease-not-found' })
    }
    expect(left).toEqual([6, 2, 0])
  })
})

it('values are copies: what they were read from may be written over', () => {
  const target = store()
  const value = text('value')
  target.apply(put('k', value))
  target.apply({ kind: 'compareAndSwap', key: text('l'), expected: null, value })
  value.fill(0)
  expect(target.query(get('k'))).toMatchObject({ entry: { value: text('value') } })
  expect(target.query(get('l'))).toMatchObject({ entry: { value: text('value') } })
})

it('chunks that are none of its own are refused', () => {
  const bytes = text('?')
  for (const id of ['counters', 'data/0/', 'lease/0/', 'other']) {
    expect(() => new KeyValueStore().restore([{ id, bytes }])).toThrow(/bytes|no chunk/)
  }
})

describe('under the executor', () => {
  it('counts duplicated increments once, expires leases by block time, and travels in snapshots', () => {
    const checkpoints = { intervalHeights: 1 }
    const executor = createExecutor({ machine: keyValueStore, checkpoints })
    const session = openSession(executor, 1, 1)
    const increment = command({ kind: 'increment', key: text('n'), by: 2 })
    const envelope = operations(1, session, 1, [
      increment,
      command({ kind: 'leaseGrant', ttlMs: 1500 }),
      command(put('l', 'v', 1)),
    ])
    expect(resultsOf(run(executor, envelope, envelope)).map((result) => result.kind)).toEqual([
      'number',
      'lease',
      'put',
      'number',
      'lease',
      'put',
    ])
    const follower = createExecutor({ machine: keyValueStore, checkpoints })
    expect(follower.restore(executor.header!, transferred(executor.checkpoint!))).toEqual({ ok: true })
    // Granted at 2000, so the block of time 4000 is the first at or behind 3500.
    const answers = [executor, follower].map((each) => {
      const before = each.query(encode(storeQueryCodec, get('l')))
      run(each, operations(1, session, 4, [increment]))
      run(each)
      return [before, each.query(encode(storeQueryCodec, get('l'))), each.query(encode(storeQueryCodec, get('n')))]
    })
    expect(answers[0]).toEqual(answers[1])
    expect(follower.header).toEqual(executor.header)
    const [before, after, number] = answers[0]!.map((bytes) => {
      const value = outcome(bytes)
      return value.kind === 'executed' ? resultOf(value.result) : value
    })
    expect(before).toMatchObject({ entry: { value: text('v'), lease: 1 } })
    expect(after).toMatchObject({ entry: null })
    expect(number).toMatchObject({ entry: { value: text('4'), version: 2 } })
  })
})

describe('memory', () => {
  const filled = (end: 'commit' | 'beginBlock'): KeyValueStore => {
    const created = store()
    const each = (index: number, command: StoreCommand): void => {
      created.begin()
      created.apply(command)
      if (end === 'commit') created.commit()
      else if (index % 100 === 0) created.beginBlock({ height: 1, timestamp: 1000 })
    }
    for (let index = 0; index < 2000; index++) each(index, put(`k${index}`, new Uint8Array(1000)))
    for (let index = 0; index < 2000; index++)
      if (index % 20 !== 0) each(index, { kind: 'delete', key: text(`k${index}`) })
    created.beginBlock({ height: 2, timestamp: 1000 })
    return created
  }

  it.each(['commit', 'beginBlock'] as const)('of what is gone comes back at %s', (end) => {
    const created = filled(end)
    expect(created.size).toBe(100)
    expect(created.heldBytes).toBeLessThan(1.5 * 100 * 1045 + 2 * 64 * 1024)
  })
})
