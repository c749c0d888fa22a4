/**
 * An ordered map whose content falls into chunks, the same for the same content whatever its history (docs/decisions/0007).
 *
 * A key begins a run if the hash of it, read as a fraction, is below its entry's share of a run's target size; so runs have that size
 * on average, and where they begin is told by single entries. The index of runs keeps a version for each. A change marks the run it
 * lies in; a key that begins a run, coming or going, marks the two that it divides. At a checkpoint only marked runs are written
 * and hashed.
 *
 * Chance, or somebody who chooses keys, can make runs long. A run above the limit of a chunk is cut into parts, entry by entry from
 * its beginning: still a function of the content, and bounded, but all its parts are written when one entry changes. The cuts of a run
 * are found part by part, as somebody goes through a view: between two chunks never more is read than one part holds.
 */

import { Writer } from '../../wire/writer.ts'
import { appendTo, type AppendingChunk } from '../appending-chunk.ts'
import type { StateChunk } from '../state-chunks.ts'
import { OrderedMap, type OrderedView } from './ordered-map.ts'

export interface EntryCodec<Value> {
  /** What the entry takes when it is written. */
  bytesOf(key: string, value: Value): number
  write(writer: Writer, key: string, value: Value): void
}

interface Part {
  /** Of its chunk. */
  readonly id: string
  /** The key at which it begins. */
  readonly from: string
  /** The key before which it ends; null: the end of the map. */
  readonly to: string | null
  readonly bytes: number
}

interface Run {
  readonly version: number
  /** Null until somebody has gone through all of it. */
  parts: readonly Part[] | null
}

/** Average bytes of a run. */
export const runBytesTarget: number = 64 * 1024
/** Bytes at which a part of a long run ends. */
export const runBytesMax: number = 1024 * 1024
const fraction = 0x1_0000_0000

export class ChunkedMap<Value> {
  readonly #codec: EntryCodec<Value>
  readonly #name: string
  readonly #entries = new OrderedMap<Value>()
  /** By the key that begins it. The first run begins at the empty string, whatever is in it. */
  readonly #runs = new OrderedMap<Run>()
  #versions = 0
  /** The newest version that a view may have. */
  #viewed = 0

  /** The name comes before the ids of its chunks. */
  constructor(name: string, codec: EntryCodec<Value>) {
    this.#name = name
    this.#codec = codec
    this.#runs.set('', this.#run())
  }

  get size(): number {
    return this.#entries.size
  }

  get(key: string): Value | undefined {
    return this.#entries.get(key)
  }

  range(from: string, to: string | null = null): Generator<[string, Value]> {
    return this.#entries.range(from, to)
  }

  set(key: string, value: Value): Value | undefined {
    const before = this.#entries.set(key, value)
    const share = shareOf(key)
    const begins = this.#begins(share, key, value)
    const began = before !== undefined && this.#begins(share, key, before)
    if (begins !== began) this.#mark(key)
    if (begins) this.#runs.set(key, this.#run())
    else if (began) this.#runs.delete(key)
    if (!begins) this.#mark(key)
    return before
  }

  delete(key: string): Value | undefined {
    const before = this.#entries.delete(key)
    if (before === undefined) return undefined
    if (this.#begins(shareOf(key), key, before)) this.#runs.delete(key)
    this.#mark(key)
    return before
  }

  /** What the map is now, in chunks that are written when they are asked for. Costs nothing while nobody asks. */
  chunks(): Iterable<StateChunk> {
    const entries = this.#entries.view()
    const runs = this.#runs.view()
    this.#viewed = this.#versions
    const pieces = (from: string, to: string | null, run: Run): Iterable<StateChunk> =>
      this.#pieces(entries, from, to, run)
    return {
      *[Symbol.iterator](): Generator<StateChunk> {
        let previous: [string, Run] | null = null
        for (const entry of runs.range('')) {
          if (previous !== null) yield* pieces(previous[0], entry[0], previous[1])
          previous = entry
        }
        if (previous !== null) yield* pieces(previous[0], null, previous[1])
      },
    }
  }

  /** An entry of a chunk that is read: its key must not be there. */
  insert(key: string, value: Value): void {
    if (this.#entries.get(key) !== undefined) throw new RangeError('a key comes twice')
    this.set(key, value)
  }

  *#pieces(entries: OrderedView<Value>, from: string, to: string | null, run: Run): Generator<AppendingChunk> {
    const { version } = run
    const found: Part[] = []
    for (const part of run.parts ?? this.#cut(entries, from, to)) {
      found.push(part)
      yield {
        id: part.id,
        version,
        bytes: () => {
          const writer = new Writer(part.bytes)
          this.#write(writer, entries, part)
          return writer.view()
        },
        [appendTo]: (writer) => this.#write(writer, entries, part),
      }
    }
    run.parts ??= found
  }

  /** The parts of a run: none has more bytes than its limit, single entries excepted. */
  *#cut(entries: OrderedView<Value>, from: string, to: string | null): Generator<Part> {
    const id = (part: number): string => `${this.#name}/${part}/${from}`
    let parts = 0
    let start = from
    let size = 0
    for (const [key, value] of entries.range(from, to)) {
      const bytes = this.#codec.bytesOf(key, value)
      if (size > 0 && size + bytes > runBytesMax) {
        yield { id: id(parts++), from: start, to: key, bytes: size }
        start = key
        size = 0
      }
      size += bytes
    }
    yield { id: id(parts), from: start, to, bytes: size }
  }

  #write(writer: Writer, entries: OrderedView<Value>, { from, to }: Part): void {
    for (const [key, value] of entries.range(from, to)) this.#codec.write(writer, key, value)
  }

  /** The run that the key lies in has changed. */
  #mark(key: string): void {
    const [from, { version }] = this.#runs.floor(key)!
    // A version that nobody has seen yet stands for whatever the run will be.
    if (version <= this.#viewed) this.#runs.set(from, this.#run())
  }

  #run(): Run {
    return { version: ++this.#versions, parts: null }
  }

  #begins(share: number, key: string, value: Value): boolean {
    return share < this.#codec.bytesOf(key, value) / runBytesTarget
  }
}

/** What an entry's share of a run's target size must be above for its key to begin a run. The empty string does as it is. */
function shareOf(key: string): number {
  return key === '' ? Infinity : hash(key) / fraction
}

/** FNV-1a with the finalizer of MurmurHash3. Spreads keys; it does not resist those who choose them. */
function hash(key: string): number {
  let word = 0x811c_9dc5
  for (let index = 0; index < key.length; index++) word = Math.imul(word ^ key.charCodeAt(index), 0x0100_0193)
  word = Math.imul(word ^ (word >>> 16), 0x85eb_ca6b)
  word = Math.imul(word ^ (word >>> 13), 0xc2b2_ae35)
  return (word ^ (word >>> 16)) >>> 0
}
