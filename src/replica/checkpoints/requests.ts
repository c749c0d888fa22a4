// What was asked and is not answered, by number. Numbers are never used again, and begin anywhere: an answer to a process that is gone
// finds nothing.

import type { ManifestEntry } from '../../kernel/manifest.ts'
import { chunkKey } from './chunk-ledger.ts'
import type { AskedEntries, Supplier } from './supplier.ts'

export interface PendingRequest {
  readonly number: number
  readonly kind: 'newest' | 'manifest' | 'chunks'
  readonly supplier: Supplier
  /** Chunks that have not come. */
  readonly entries: AskedEntries
  readonly sentMs: number
  dueMs: number
  /** Nothing of it has come. */
  silent: boolean
}

export class RequestTable {
  readonly #pending = new Map<number, PendingRequest>()
  #number: number
  bytes = 0
  chunks = 0

  constructor(firstNumber: number) {
    this.#number = firstNumber
  }

  /** Of the request that is added next. */
  get nextNumber(): number {
    return this.#number
  }

  get size(): number {
    return this.#pending.size
  }

  add(
    kind: PendingRequest['kind'],
    supplier: Supplier,
    entries: readonly ManifestEntry[],
    nowMs: number,
  ): PendingRequest {
    const request: PendingRequest = {
      number: this.#number++,
      kind,
      supplier,
      entries: new Map(entries.map((entry) => [chunkKey(entry.digest), entry])),
      sentMs: nowMs,
      dueMs: nowMs + supplier.timeoutMs,
      silent: true,
    }
    this.#pending.set(request.number, request)
    return request
  }

  /** Of this server only: numbers are no secret. */
  of(supplier: Supplier, number: number, kind?: PendingRequest['kind']): PendingRequest | null {
    const request = this.#pending.get(number)
    if (request === undefined || request.supplier !== supplier) return null
    return kind === undefined || request.kind === kind ? request : null
  }

  /** A chunk is on its way: it counts until it has come, or is given up. */
  asked(supplier: Supplier, entry: ManifestEntry): void {
    this.bytes += entry.size
    this.chunks++
    supplier.asked(entry.size)
  }

  settled(request: PendingRequest, key: string): void {
    const entry = request.entries.get(key)
    if (entry === undefined) return
    request.entries.delete(key)
    this.#release(request.supplier, entry)
  }

  /** Something of it came. */
  progress(request: PendingRequest, nowMs: number): void {
    if (request.silent) request.supplier.answered(nowMs - request.sentMs)
    request.silent = false
    request.dueMs = nowMs + request.supplier.timeoutMs
  }

  /** The request is over; its chunks that did not come stay in its list, and count no more. */
  end(request: PendingRequest): void {
    if (!this.#pending.delete(request.number)) return
    for (const entry of request.entries.values()) this.#release(request.supplier, entry)
  }

  endAll(): void {
    for (const request of this.#pending.values()) this.end(request)
  }

  from(supplier: Supplier): PendingRequest[] {
    return [...this.#pending.values()].filter((request) => request.supplier === supplier)
  }

  overdue(nowMs: number): PendingRequest[] {
    return [...this.#pending.values()].filter((request) => request.dueMs <= nowMs)
  }

  nextDueMs(): number {
    let dueMs = Infinity
    for (const request of this.#pending.values()) dueMs = Math.min(dueMs, request.dueMs)
    return dueMs
  }

  #release(supplier: Supplier, entry: ManifestEntry): void {
    this.bytes -= entry.size
    this.chunks--
    supplier.settled(entry.size)
  }
}
