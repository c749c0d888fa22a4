/**
 * The built-in key-value store: ordered keys, revisions, transactions, leases.
 *
 * The store's revision rises by one with each command that changes an entry, and with each lease that takes keys with it. A
 * transaction is one command. A command that the state refuses changes nothing, and says why in its result.
 */

import type { RestoredChunk, StateChunk } from '../state-chunks.ts'
import { defineStateMachine, type BlockContext, type StateMachineDefinition } from '../state-machine.ts'
import type { TransactionalStateMachine } from '../state-machine.ts'
import { wireValueCodec } from '../value-codec.ts'
import { decode, encode, struct, u53 } from '../../wire/codec.ts'
import { storeQueryCodec, type KeyCommand, type Scan, type StoreCommand, type StoreQuery } from './commands.ts'
import { compareBytes, decimal, holds, keyValue, type Entry } from './entries.ts'
import { EntryMap } from './entry-map.ts'
import { Leases, type Lease } from './leases.ts'
import { expiredPerBlockMax, leaseKeysMax, leasesMax, scanBytesMax, transactionResultBytesMax } from './limits.ts'
import type { PackedEntry } from './packed-entry.ts'
import { storeCommands, storeResults } from './put-values.ts'
import type { KeyResult, KeyValue, StoreRefusal, StoreResult } from './results.ts'
import { UndoLog } from './undo-log.ts'
import { latin1, latin1Bytes } from '../../wire/latin1.ts'

/** What is neither an entry nor a lease. */
interface Counters {
  readonly revision: number
  /** The last number given to a lease. */
  readonly lastLease: number
  readonly time: number
}

const countersCodec = struct<Counters>({ revision: u53, lastLease: u53, time: u53 })
const countersId = 'counters'

type Refused = Extract<StoreResult, { kind: 'refused' }>

export class KeyValueStore implements TransactionalStateMachine<StoreCommand, StoreQuery, StoreResult> {
  readonly transactional = true
  readonly #undo = new UndoLog()
  readonly #entries = new EntryMap()
  readonly #leases = new Leases(this.#undo)
  /** Never changed, but replaced. */
  #counters: Counters = { revision: 0, lastLease: 0, time: 0 }
  #countersVersion = 0
  #countersBefore: Counters = this.#counters
  /** Something was written at the revision that comes next. */
  #written = false

  get revision(): number {
    return this.#counters.revision
  }

  get size(): number {
    return this.#entries.size
  }

  /** What keys and values, as they are now, take in buffers. */
  get heldBytes(): number {
    return this.#entries.heldBytes
  }

  beginBlock({ timestamp }: BlockContext): void {
    this.#undo.clear()
    this.#count({ ...this.#counters, time: timestamp })
    let left = expiredPerBlockMax
    while (left > 0) {
      const lease = this.#leases.firstExpired(timestamp)
      if (lease === null) break
      left -= 1 + this.#end(lease)
    }
    this.#settle()
  }

  begin(): void {
    this.#undo.clear()
    this.#countersBefore = this.#counters
  }

  commit(): void {
    this.#settle()
  }

  rollback(): void {
    this.#undo.rollbackTo(0)
    this.#count(this.#countersBefore)
    this.#written = false
  }

  apply(command: StoreCommand): StoreResult {
    switch (command.kind) {
      case 'scan':
        return this.#scan(command)
      case 'transaction':
        return this.#transaction(command)
      case 'leaseGrant':
        return this.#grant(command.ttlMs)
      case 'leaseKeepAlive':
        return this.#keepAlive(command.lease)
      case 'leaseRevoke':
        return this.#revoke(command.lease)
      default: {
        const result = this.#key(command)
        this.#advance()
        return result
      }
    }
  }

  query(query: StoreQuery): StoreResult {
    switch (query.kind) {
      case 'get':
        return this.#get(query.key)
      case 'scan':
        return this.#scan(query)
      case 'lease': {
        const lease = this.#leases.find(query.lease, this.#counters.time)
        return lease === null ? refused('lease-not-found') : leaseResult(lease)
      }
    }
  }

  snapshot(): Iterable<StateChunk> {
    const counters = encode(countersCodec, this.#counters)
    const version = this.#countersVersion
    const leases = this.#leases.chunks()
    const entries = this.#entries.chunks()
    return {
      *[Symbol.iterator](): Generator<StateChunk> {
        yield { id: countersId, version, bytes: () => counters }
        yield* leases
        yield* entries
      },
    }
  }

  restore(chunks: Iterable<RestoredChunk>): void {
    const attach = (key: string, { lease }: Entry): void => {
      if (lease !== 0) this.#leases.attach(lease, key)
    }
    for (const { id, bytes } of chunks) {
      if (id === countersId) {
        const counters = decode(countersCodec, bytes)
        if (!counters.ok) throw counters.error
        this.#counters = counters.value
      } else if (id.startsWith('lease/')) {
        this.#leases.restore(bytes)
      } else if (id.startsWith('data/')) {
        this.#entries.restore(bytes, attach)
      } else {
        throw new RangeError(`the store has no chunk ${JSON.stringify(id)}`)
      }
    }
    this.#leases.restored()
    this.#undo.clear()
  }

  #key(command: KeyCommand): KeyResult | Refused {
    const { key } = command
    switch (command.kind) {
      case 'put':
        return this.#put(latin1(key), command.value, command.lease)
      case 'get':
        return this.#get(key)
      case 'delete': {
        const existed = this.#remove(latin1(key))
        return { kind: 'deleted', existed, revision: this.#revisionAfter() }
      }
      case 'compareAndSwap': {
        const name = latin1(key)
        const entry = this.#entries.get(name)
        const expected = command.expected
        const swapped =
          expected === null ? entry === undefined : entry !== undefined && compareBytes(entry.value, expected) === 0
        if (swapped) this.#write(name, entry, command.value, entry?.lease ?? 0)
        return { kind: 'swapped', swapped, revision: this.#revisionAfter() }
      }
      case 'increment':
        return this.#increment(latin1(key), command.by)
    }
  }

  #put(key: string, value: Uint8Array, lease: number): KeyResult | Refused {
    const entry = this.#entries.get(key)
    if (lease !== 0) {
      if (this.#leases.find(lease, this.#counters.time) === null) return refused('lease-not-found')
      if (entry?.lease !== lease && this.#leases.keyCount(lease) >= leaseKeysMax) return refused('lease-full')
    }
    this.#write(key, entry, value, lease)
    return { kind: 'put', revision: this.#revisionAfter() }
  }

  #get(key: Uint8Array): KeyResult {
    const entry = this.#entries.get(latin1(key))
    return { kind: 'value', entry: entry === undefined ? null : keyValue(key, entry) }
  }

  #increment(key: string, by: number): KeyResult | Refused {
    const entry = this.#entries.get(key)
    const number = entry === undefined ? 0 : decimal(entry.value)
    if (number === null || !Number.isSafeInteger(number + by)) return refused('not-a-number')
    this.#write(key, entry, latin1Bytes(String(number + by)), entry?.lease ?? 0)
    return { kind: 'number', value: number + by, revision: this.#revisionAfter() }
  }

  #transaction({ compares, success, failure }: Extract<StoreCommand, { kind: 'transaction' }>): StoreResult {
    const mark = this.#undo.mark
    const held = compares.every((compare) => holds(compare, this.#entries.get(latin1(compare.key))))
    const results: KeyResult[] = []
    let bytes = 0
    for (const command of held ? success : failure) {
      const result = this.#key(command)
      if (result.kind === 'value' && result.entry !== null) bytes += result.entry.value.length + result.entry.key.length
      const refusal =
        result.kind === 'refused' ? result : bytes > transactionResultBytesMax ? refused('result-too-large') : null
      if (refusal !== null) {
        this.#undo.rollbackTo(mark)
        this.#written = false
        return refusal
      }
      results.push(result as KeyResult)
    }
    this.#advance()
    return { kind: 'transaction', held, results, revision: this.revision }
  }

  #scan({ from, to, limit, keysOnly }: Scan): StoreResult {
    const entries: KeyValue[] = []
    let bytes = 0
    let next: Uint8Array | null = null
    for (const [name, entry] of this.#entries.range(latin1(from), to === null ? null : latin1(to))) {
      const key = latin1Bytes(name)
      bytes += key.length + (keysOnly ? 0 : entry.value.length)
      if (entries.length === limit || (bytes > scanBytesMax && entries.length > 0)) {
        next = key
        break
      }
      entries.push(keyValue(key, entry, keysOnly))
    }
    return { kind: 'entries', entries, next, revision: this.revision }
  }

  #grant(ttlMs: number): StoreResult {
    if (this.#leases.size >= leasesMax) return refused('too-many-leases')
    const id = this.#counters.lastLease + 1
    this.#count({ ...this.#counters, lastLease: id })
    const lease = { id, ttlMs, expiresAt: this.#counters.time + ttlMs }
    this.#leases.put(lease)
    return leaseResult(lease)
  }

  #keepAlive(id: number): StoreResult {
    const lease = this.#leases.find(id, this.#counters.time)
    if (lease === null) return refused('lease-not-found')
    const kept = { ...lease, expiresAt: this.#counters.time + lease.ttlMs }
    this.#leases.put(kept)
    return leaseResult(kept)
  }

  #revoke(id: number): StoreResult {
    const lease = this.#leases.find(id, this.#counters.time)
    if (lease === null) return refused('lease-not-found')
    return { kind: 'leaseRevoked', keys: this.#end(lease), revision: this.revision }
  }

  /** Removes a lease and its keys, which are at most `leaseKeysMax`. Returns how many there were. */
  #end(lease: Lease): number {
    const keys = this.#leases.keys(lease.id)
    for (const key of keys) this.#remove(key)
    this.#leases.remove(lease)
    this.#advance()
    return keys.length
  }

  #write(key: string, before: PackedEntry | undefined, value: Uint8Array, lease: number): void {
    const modRevision = this.revision + 1
    const createRevision = before?.createRevision ?? modRevision
    const version = (before?.version ?? 0) + 1
    // Packed is copied: the command is a view of its block, which would stay in memory for as long as the value does.
    this.#set(key, before, this.#entries.pack(key, { value, createRevision, modRevision, version, lease }))
    this.#written = true
  }

  #remove(key: string): boolean {
    const before = this.#entries.get(key)
    if (before === undefined) return false
    this.#set(key, before, undefined)
    this.#written = true
    return true
  }

  /** The only place that changes entries: what is attached to leases changes with them, and everything can be taken back. */
  #set(key: string, before: PackedEntry | undefined, after: PackedEntry | undefined): void {
    this.#entries.set(key, after)
    this.#undo.add(() => this.#entries.set(key, before))
    const leaseBefore = before?.lease ?? 0
    const leaseAfter = after?.lease ?? 0
    if (leaseBefore === leaseAfter) return
    if (leaseBefore !== 0) this.#leases.detach(leaseBefore, key)
    if (leaseAfter !== 0) this.#leases.attach(leaseAfter, key)
  }

  /** What was done stays. */
  #settle(): void {
    this.#undo.clear()
    this.#entries.tidy()
  }

  #revisionAfter(): number {
    return this.#written ? this.revision + 1 : this.revision
  }

  /** The end of a command: what it wrote has made a new revision. */
  #advance(): void {
    // Once a put, so without a spread, which copies an object ten times as slowly.
    const { revision, lastLease, time } = this.#counters
    if (this.#written) this.#count({ revision: revision + 1, lastLease, time })
    this.#written = false
  }

  #count(counters: Counters): void {
    this.#counters = counters
    this.#countersVersion++
  }
}

/** The built-in store as a state machine. Its limits are in store/limits.ts. */
export const keyValueStore: StateMachineDefinition<StoreCommand, StoreQuery, StoreResult> = defineStateMachine({
  name: 'key-value-store',
  version: 1,
  command: storeCommands,
  query: wireValueCodec(storeQueryCodec),
  result: storeResults,
  create: () => new KeyValueStore(),
})

function refused(reason: StoreRefusal): Refused {
  return { kind: 'refused', reason }
}

function leaseResult({ id, ttlMs, expiresAt }: Lease): StoreResult {
  return { kind: 'lease', lease: id, ttlMs, expiresAt }
}
