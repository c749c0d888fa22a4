// The store's entries: in chunks as they are told by their content, in memory as their slabs hold them.

import type { StateChunk } from '../state-chunks.ts'
import { ChunkedMap, type EntryCodec } from './chunked-map.ts'
import type { Entry } from './entries.ts'
import type { PackedEntry } from './packed-entry.ts'
import { Slabs } from './slabs.ts'

const entryCodec: EntryCodec<PackedEntry> = {
  bytesOf: (_key, entry) => entry.bytes,
  write: (writer, _key, entry) => writer.raw(entry.written),
}

export class EntryMap {
  readonly #map = new ChunkedMap<PackedEntry>('data', entryCodec)
  readonly #slabs = new Slabs()

  get size(): number {
    return this.#map.size
  }

  /** Of the buffers that its entries are in; what only views or undo steps have is not counted. */
  get heldBytes(): number {
    return this.#slabs.heldBytes
  }

  get(key: string): PackedEntry | undefined {
    return this.#map.get(key)
  }

  range(from: string, to: string | null = null): Generator<[string, PackedEntry]> {
    return this.#map.range(from, to)
  }

  chunks(): Iterable<StateChunk> {
    return this.#map.chunks()
  }

  /** The entry with bytes of its own, for `set`. */
  pack(key: string, entry: Entry): PackedEntry {
    return this.#slabs.pack(key, entry)
  }

  /** What was packed for this key; undefined takes the key out. */
  set(key: string, entry: PackedEntry | undefined): void {
    const before = entry === undefined ? this.#map.delete(key) : this.#map.set(key, entry)
    // What is undone may put back the entry that is there.
    if (before === entry) return
    if (entry !== undefined) this.#slabs.entered(entry)
    if (before !== undefined) this.#slabs.left(before)
  }

  /** Reads one chunk into the map. Throws a WireError or RangeError on what no chunk is. */
  restore(chunk: Uint8Array, restored: (key: string, entry: Entry) => void): void {
    this.#slabs.adopt(chunk, (key, entry) => {
      this.#map.insert(key, entry)
      this.#slabs.entered(entry)
      restored(key, entry)
    })
  }

  /** Gives memory back, a bounded piece of work. Not within an operation, and not while somebody goes through a range. */
  tidy(): void {
    this.#slabs.tidy()
  }
}
