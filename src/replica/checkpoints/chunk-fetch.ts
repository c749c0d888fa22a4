// The last and longest part of a transfer: all servers at once are asked for what is missing, and what comes goes to the store.

import type { Checkpoint } from '../../kernel/checkpoint.ts'
import type { ManifestEntries, ManifestEntry } from '../../kernel/manifest.ts'
import { ChunkLedger, chunkKey } from './chunk-ledger.ts'
import type { Correspondence } from './correspondence.ts'
import { allBytesAskedMax, allChunksAskedMax, lackingMax } from './limits.ts'
import type { ChunkDigest, SnapshotWriter } from './ports.ts'
import type { PendingRequest } from './requests.ts'
import type { Supplier } from './supplier.ts'
import type { TransferAnswer } from './transfer-messages.ts'
import { equalBytes } from '../../wire/equal-bytes.ts'

export interface ChunkFetchOptions {
  checkpoint: Checkpoint
  writer: SnapshotWriter
  entries: ManifestEntries
  /** Which of them could not be read when the writer began. */
  absent: readonly number[]
  servers: Correspondence
  chunkDigest: ChunkDigest
  /** The store takes more. */
  drained: () => void
}

/** What a chunk turned out to be. */
export type ChunkTaken = 'taken' | 'not wanted' | 'false manifest'

export class ChunkFetch {
  readonly ledger: ChunkLedger
  /**
   * On their way to the disk since an earlier round: neither to be read yet, nor missing. They were checked against another manifest than
   * this one, so they must be read before they count.
   */
  readonly unseen: readonly ManifestEntry[]
  readonly #options: ChunkFetchOptions
  readonly #servers: Correspondence
  #paused = false

  constructor(options: ChunkFetchOptions) {
    this.#options = options
    this.#servers = options.servers
    this.ledger = new ChunkLedger(options.writer.missing)
    const { entries, absent } = options
    const all = absent.length === this.ledger.total
    this.unseen = all ? [] : this.ledger.others(absent.map((index) => entries.at(index)!))
    options.writer.onDrain = () => {
      this.#paused = false
      options.drained()
    }
  }

  /** The disk cannot keep up: nothing is asked. */
  get paused(): boolean {
    return this.#paused
  }

  /** False: nobody can be asked, and nothing is on its way. */
  ask(nowMs: number): boolean {
    if (this.#paused) return true
    for (const supplier of this.#servers.suppliers) {
      if (supplier.mayAsk) this.#askOne(supplier, nowMs)
    }
    return this.#servers.requests.size > 0
  }

  /** Wrong bytes are a lie of who sent them; a right chunk with another name or size than in the manifest is one of the manifest. */
  chunk(supplier: Supplier, answer: TransferAnswer & { kind: 'chunk' }, nowMs: number): ChunkTaken {
    const { chunkDigest, writer } = this.#options
    const key = chunkKey(answer.digest)
    const request = this.#servers.requests.of(supplier, answer.request, 'chunks')
    const late = supplier.late.get(answer.request)
    const entry = (request ?? late)?.entries.get(key)
    if (entry === undefined) {
      this.#servers.drop(supplier.replica, 'not asked')
      return 'not wanted'
    }
    const wanted = this.ledger.wants(key)
    if (wanted && !equalBytes(chunkDigest(answer, answer.bytes), answer.digest)) {
      this.#servers.lie(supplier, 'a chunk with other bytes')
      return 'not wanted'
    }
    if (wanted && !isNamed(entry, answer)) return 'false manifest'
    if (request !== null) this.#settled(request, key, nowMs)
    late?.entries.delete(key)
    if (late !== undefined) supplier.answered(nowMs - late.sentMs)
    if (!wanted) return 'not wanted'
    supplier.bytes += answer.bytes.length
    supplier.chunks++
    this.ledger.got(key)
    if (!writer.add(entry, answer.bytes)) this.#paused = true
    return 'taken'
  }

  lacking(supplier: Supplier, answer: TransferAnswer & { kind: 'lacking' }, nowMs: number): void {
    const request = this.#servers.requests.of(supplier, answer.request, 'chunks')
    if (request === null) return this.#servers.drop(supplier.replica, 'not asked')
    for (const digest of answer.digests) {
      const key = chunkKey(digest)
      const entry = request.entries.get(key)
      if (entry === undefined) continue
      supplier.lacks.add(key)
      this.#settled(request, key, nowMs)
      this.ledger.returned(key, entry, request.number)
    }
    if (supplier.lacks.size > lackingMax) this.#servers.spend(supplier, 'lacks too much')
  }

  /** What did not come is asked for again. */
  ended(request: PendingRequest): void {
    for (const [key, entry] of request.entries) this.ledger.returned(key, entry, request.number)
  }

  abandon(): void {
    this.#options.writer.onDrain = null
    this.#options.writer.abandon()
  }

  finish(done: (error: unknown) => void): void {
    this.#options.writer.onDrain = null
    this.#options.writer.finish(done)
  }

  #askOne(supplier: Supplier, nowMs: number): void {
    const { requests } = this.#servers
    const entries: ManifestEntry[] = []
    const hasRoom = ({ size }: ManifestEntry): boolean => this.#hasRoom(supplier, size)
    for (let entry = this.ledger.next(supplier, hasRoom); entry !== null; entry = this.ledger.next(supplier, hasRoom)) {
      entries.push(entry)
      this.ledger.asked(entry, requests.nextNumber)
      requests.asked(supplier, entry)
    }
    if (entries.length === 0) return
    const { height } = this.#options.checkpoint.header
    const digests = entries.map(({ digest }) => digest)
    this.#servers.ask('chunks', supplier, (request) => ({ kind: 'chunks', request, height, digests }), nowMs, entries)
  }

  #hasRoom(supplier: Supplier, size: number): boolean {
    if (!supplier.hasRoom(size)) return false
    const { bytes, chunks } = this.#servers.requests
    return chunks === 0 || (chunks < allChunksAskedMax && bytes + size <= allBytesAskedMax)
  }

  #settled(request: PendingRequest, key: string, nowMs: number): void {
    const { requests } = this.#servers
    requests.settled(request, key)
    requests.progress(request, nowMs)
    if (request.entries.size > 0) return
    requests.end(request)
    request.supplier.keepsUp()
  }
}

function isNamed(entry: ManifestEntry, chunk: { part: number; id: Uint8Array; bytes: Uint8Array }): boolean {
  return entry.part === chunk.part && entry.size === chunk.bytes.length && equalBytes(entry.id, chunk.id)
}
