// Random commands in blocks of random times, against the naive model; snapshots taken in between while writes go on.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  storeCommandCodec,
  type Compare,
  type KeyCommand,
  type StoreCommand,
} from '../../../src/execution/store/commands.ts'
import { KeyValueStore } from '../../../src/execution/store/key-value-store.ts'
import { storeResultCodec } from '../../../src/execution/store/results.ts'
import { decode, encode } from '../../../src/wire/codec.ts'
import { StoreModel } from './store-model.ts'

const text = (value: string): Uint8Array => new TextEncoder().encode(value)
const key = fc.constantFrom('a', 'b', 'c', 'ca', 'cb', 'd').map(text)
const value = fc.constantFrom('', '0', '7', '-3', '-0', '1e3', '9007199254740991', 'x', 'y').map(text)
const lease = fc.nat(3)

const keyCommand: fc.Arbitrary<KeyCommand> = fc.oneof(
  fc.record({ kind: fc.constant('put' as const), key, value, lease: fc.oneof(fc.constant(0), lease) }),
  fc.record({ kind: fc.constant('get' as const), key }),
  fc.record({ kind: fc.constant('delete' as const), key }),
  fc.record({
    kind: fc.constant('compareAndSwap' as const),
    key,
    expected: fc.oneof(fc.constant(null), value),
    value,
  }),
  fc.record({ kind: fc.constant('increment' as const), key, by: fc.integer({ min: -5, max: 5 }) }),
)
const comparison = fc.constantFrom('equal' as const, 'notEqual' as const, 'less' as const, 'greater' as const)
const compare: fc.Arbitrary<Compare> = fc.oneof(
  fc.record({ kind: fc.constant('value' as const), key, comparison, value }),
  fc.record({
    kind: fc.constant('number' as const),
    key,
    field: fc.constantFrom('createRevision' as const, 'modRevision' as const, 'version' as const, 'lease' as const),
    comparison,
    number: fc.nat(6),
  }),
)
const branch = fc.array(keyCommand, { maxLength: 4 })
const command: fc.Arbitrary<StoreCommand> = fc.oneof(
  { weight: 6, arbitrary: keyCommand },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('transaction' as const),
      compares: fc.array(compare, { maxLength: 2 }),
      success: branch,
      failure: branch,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('scan' as const),
      from: fc.oneof(fc.constant(text('')), key),
      to: fc.oneof(fc.constant(null), key),
      limit: fc.integer({ min: 1, max: 7 }),
      keysOnly: fc.boolean(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('leaseGrant' as const), ttlMs: fc.integer({ min: 1, max: 50 }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('leaseKeepAlive' as const), lease }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('leaseRevoke' as const), lease }) },
)
const block = fc.record({ passMs: fc.nat(40), commands: fc.array(command, { maxLength: 12 }), fails: fc.boolean() })

const written = (store: KeyValueStore) => [...store.snapshot()].map(({ id, bytes }) => ({ id, bytes: bytes() }))

describe('the key-value store', () => {
  it('does what the model does, and its snapshots are frozen and restore to the same bytes', () => {
    fc.assert(
      fc.property(fc.array(block, { maxLength: 12 }), (blocks) => {
        const store = new KeyValueStore()
        const model = new StoreModel()
        let now = 1000
        const views: [ReturnType<KeyValueStore['snapshot']>, ReturnType<typeof written>][] = []
        for (const [height, { passMs, commands, fails }] of blocks.entries()) {
          now += passMs
          store.beginBlock({ height, timestamp: now })
          model.beginBlock(now)
          for (const each of commands) {
            store.begin()
            const result = store.apply(each)
            expect(decode(storeResultCodec, encode(storeResultCodec, result))).toEqual({ ok: true, value: result })
            expect(decode(storeCommandCodec, encode(storeCommandCodec, each))).toEqual({ ok: true, value: each })
            if (fails) {
              // As if something had thrown at the end: nothing is left of it, and then it is done after all.
              store.rollback()
              store.begin()
              expect(store.apply(each)).toEqual(result)
            }
            store.commit()
            expect(result).toEqual(model.apply(each))
          }
          views.push([store.snapshot(), written(store)])
        }
        for (const [view, was] of views) {
          expect([...view].map(({ id, bytes }) => ({ id, bytes: bytes() }))).toEqual(was)
          const restored = new KeyValueStore()
          restored.restore(was)
          expect(written(restored)).toEqual(was)
        }
        expect(store.revision).toBe(model.revision)
        const everything = { kind: 'scan', from: text(''), to: null, limit: 1000, keysOnly: false } as const
        expect(store.query(everything)).toEqual(model.apply(everything))
      }),
      { numRuns: 300 },
    )
  })

  it('goes on alike after a restore, leases and all', () => {
    fc.assert(
      fc.property(fc.array(block, { maxLength: 8 }), fc.array(block, { maxLength: 8 }), (before, after) => {
        const store = new KeyValueStore()
        let now = 0
        const run = (target: KeyValueStore, { commands }: { commands: StoreCommand[] }) => {
          target.beginBlock({ height: 1, timestamp: now })
          return commands.map((each) => target.apply(each))
        }
        for (const each of before) {
          now += each.passMs
          run(store, each)
        }
        const restored = new KeyValueStore()
        restored.restore(written(store))
        for (const each of after) {
          now += each.passMs
          expect(run(restored, each)).toEqual(run(store, each))
        }
        expect(written(restored)).toEqual(written(store))
      }),
      { numRuns: 200 },
    )
  })
})
