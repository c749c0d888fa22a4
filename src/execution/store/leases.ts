/**
 * Leases by agreed time. A lease expires at the beginning of the first block whose time has reached its end, in the order of end and
 * number, and its keys go with it. A lease whose end has come is dead from that moment, also if its turn to be removed comes later.
 *
 * Only leases themselves are in the snapshot; which keys are attached is told by the keys.
 */

import { struct, u53 } from '../../wire/codec.ts'
import { Reader } from '../../wire/reader.ts'
import type { StateChunk } from '../state-chunks.ts'
import { ChunkedMap, type EntryCodec } from './chunked-map.ts'
import { OrderedMap } from './ordered-map.ts'
import type { UndoLog } from './undo-log.ts'

export interface Lease {
  readonly id: number
  readonly ttlMs: number
  readonly expiresAt: number
}

const leaseBytes = 24
const leaseRecord = struct<Lease>({ id: u53, ttlMs: u53, expiresAt: u53 })

const leaseCodec: EntryCodec<Lease> = {
  bytesOf: () => leaseBytes,
  write: (writer, _key, lease) => leaseRecord.write(writer, lease),
}

export class Leases {
  readonly #undo: UndoLog
  readonly #leases = new ChunkedMap<Lease>('lease', leaseCodec)
  /** By end, then number. */
  readonly #byEnd = new OrderedMap<number>()
  /** By lease, then key. */
  readonly #attached = new OrderedMap<string>()
  readonly #counts = new Map<number, number>()

  constructor(undo: UndoLog) {
    this.#undo = undo
  }

  get size(): number {
    return this.#leases.size
  }

  /** The lease, if it is alive at this time. */
  find(id: number, now: number): Lease | null {
    const lease = this.#leases.get(ordered(id))
    return lease === undefined || lease.expiresAt <= now ? null : lease
  }

  /** The lease that ended first, if any has ended. */
  firstExpired(now: number): Lease | null {
    for (const [, id] of this.#byEnd.range('')) {
      const lease = this.#leases.get(ordered(id))!
      return lease.expiresAt <= now ? lease : null
    }
    return null
  }

  keyCount(id: number): number {
    return this.#counts.get(id) ?? 0
  }

  keys(id: number): string[] {
    const keys: string[] = []
    for (const [, key] of this.#attached.range(ordered(id), ordered(id + 1))) keys.push(key)
    return keys
  }

  put(lease: Lease): void {
    const before = this.#leases.set(ordered(lease.id), lease)
    if (before !== undefined) this.#byEnd.delete(endKey(before))
    this.#byEnd.set(endKey(lease), lease.id)
    this.#undo.add(() => (before === undefined ? this.remove(lease) : this.put(before)))
  }

  /** Its keys are detached already. */
  remove(lease: Lease): void {
    this.#leases.delete(ordered(lease.id))
    this.#byEnd.delete(endKey(lease))
    this.#undo.add(() => this.put(lease))
  }

  attach(id: number, key: string): void {
    this.#attached.set(ordered(id) + key, key)
    this.#counts.set(id, this.keyCount(id) + 1)
    this.#undo.add(() => this.detach(id, key))
  }

  detach(id: number, key: string): void {
    this.#attached.delete(ordered(id) + key)
    const left = this.keyCount(id) - 1
    if (left === 0) this.#counts.delete(id)
    else this.#counts.set(id, left)
    this.#undo.add(() => this.attach(id, key))
  }

  chunks(): Iterable<StateChunk> {
    return this.#leases.chunks()
  }

  /** Reads one chunk. Throws a WireError or RangeError on what no chunk is. */
  restore(bytes: Uint8Array): void {
    const reader = new Reader(bytes)
    while (reader.remaining > 0) {
      const lease = leaseRecord.read(reader)
      this.#leases.insert(ordered(lease.id), lease)
    }
  }

  /** After all chunks are read. */
  restored(): void {
    for (const [, lease] of this.#leases.range('')) this.#byEnd.set(endKey(lease), lease.id)
  }
}

function endKey(lease: Lease): string {
  return ordered(lease.expiresAt) + ordered(lease.id)
}

/** A safe integer as eight characters that sort as the numbers do. */
export function ordered(value: number): string {
  const high = Math.floor(value / 0x1_0000_0000)
  const low = value >>> 0
  return String.fromCharCode(
    high >>> 24,
    (high >>> 16) & 0xff,
    (high >>> 8) & 0xff,
    high & 0xff,
    low >>> 24,
    (low >>> 16) & 0xff,
    (low >>> 8) & 0xff,
    low & 0xff,
  )
}
