// Which chunks are still wanted: not asked for yet, or asked and come back without an answer. What is neither here nor asked is there.

import type { ManifestEntry } from '../../kernel/manifest.ts'
import type { Supplier } from './supplier.ts'
import { latin1 } from '../../wire/latin1.ts'

export function chunkKey(digest: Uint8Array): string {
  return latin1(digest)
}

export class ChunkLedger {
  readonly total: number
  readonly totalBytes: number
  readonly #missing: readonly ManifestEntry[]
  #next = 0
  /** To be asked for again. */
  readonly #returned = new Map<string, ManifestEntry>()
  /** On the way, and from whom it was asked last. */
  readonly #asked = new Map<string, number>()

  constructor(missing: Iterable<ManifestEntry>) {
    this.#missing = [...missing]
    this.total = this.#missing.length
    this.totalBytes = this.#missing.reduce((sum, entry) => sum + entry.size, 0)
  }

  /** Those among them that are not wanted. Before anything is asked. */
  others(entries: readonly ManifestEntry[]): ManifestEntry[] {
    const missing = new Set(this.#missing.map(({ digest }) => chunkKey(digest)))
    return entries.filter(({ digest }) => !missing.has(chunkKey(digest)))
  }

  get waiting(): number {
    return this.#missing.length - this.#next + this.#returned.size
  }

  get left(): number {
    return this.waiting + this.#asked.size
  }

  /** The next that this server may have, if it has room for it; null if there is none. */
  next(supplier: Supplier, hasRoom: (entry: ManifestEntry) => boolean): ManifestEntry | null {
    for (const [key, entry] of this.#returned) {
      if (supplier.lacks.has(key)) continue
      return hasRoom(entry) ? entry : null
    }
    for (; this.#next < this.#missing.length; this.#next++) {
      const entry = this.#missing[this.#next]!
      const key = chunkKey(entry.digest)
      if (!supplier.lacks.has(key)) return hasRoom(entry) ? entry : null
      this.#returned.set(key, entry)
    }
    return null
  }

  /** Takes what `next` gave. */
  asked(entry: ManifestEntry, request: number): void {
    const key = chunkKey(entry.digest)
    if (!this.#returned.delete(key)) this.#next++
    this.#asked.set(key, request)
  }

  /** This request brings it no more. */
  returned(key: string, entry: ManifestEntry, request: number): void {
    if (this.#asked.get(key) !== request) return
    this.#asked.delete(key)
    this.#returned.set(key, entry)
  }

  wants(key: string): boolean {
    return this.#asked.has(key) || this.#returned.has(key)
  }

  /** It is there, whoever brought it. */
  got(key: string): void {
    this.#asked.delete(key)
    this.#returned.delete(key)
  }
}
