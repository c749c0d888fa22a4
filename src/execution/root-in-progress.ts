/**
 * A state root on its way. It is worked out slice by slice from a frozen view, so that no turn of a replica has to wait for all of it.
 * Where the slices end changes nothing of what comes out.
 */

import type { Digest } from '../kernel/crypto-ports.ts'
import type { GrowingTree } from './merkle.ts'
import type { PartChunk } from './state-parts.ts'

/** Where a slice ends. Each bounds what one turn costs, one chunk more or less. */
export interface SliceLimits {
  /** Bytes hashed. */
  sliceBytesMax: number
  /** Chunks gone through, hashed or not. */
  sliceChunksMax: number
}

/** A few milliseconds of hashing. */
export const slicesDefault: SliceLimits = { sliceBytesMax: 1024 * 1024, sliceChunksMax: 1024 }

export interface HashedChunk {
  readonly version: number
  readonly digest: Digest
  readonly size: number
}

/** A chunk of a frozen view whose digest is known. */
export interface DigestedChunk extends PartChunk {
  readonly digest: Digest
  /** Bytes that it has. */
  readonly size: number
}

export interface ComputedRoot {
  readonly root: Digest
  /** In canonical order. */
  readonly chunks: readonly DigestedChunk[]
}

export interface RootInProgressOptions {
  chunks: Iterable<PartChunk>
  /** What was hashed for the root before. */
  known: ReadonlyMap<string, HashedChunk>
  tree: GrowingTree
  hash: (chunk: PartChunk) => HashedChunk
  finished: (known: ReadonlyMap<string, HashedChunk>, chunksHashed: number) => void
}

export class RootInProgress {
  readonly #options: RootInProgressOptions
  readonly #left: Iterator<PartChunk>
  readonly #known = new Map<string, HashedChunk>()
  readonly #chunks: DigestedChunk[] = []
  #chunksHashed = 0

  constructor(options: RootInProgressOptions) {
    this.#options = options
    this.#left = options.chunks[Symbol.iterator]()
  }

  /** One slice; null as long as there is more. Not to be called again once it was finished, or has thrown. */
  work({ sliceBytesMax, sliceChunksMax }: SliceLimits): ComputedRoot | null {
    let bytes = 0
    for (let chunks = 0; chunks < sliceChunksMax && bytes < sliceBytesMax; chunks++) {
      const next = this.#left.next()
      if (next.done === true) return this.#finish()
      bytes += this.#add(next.value)
    }
    return null
  }

  /** Returns the bytes that were hashed. */
  #add(chunk: PartChunk): number {
    const { part, id, version } = chunk
    const name = `${part}/${id}`
    if (this.#known.has(name)) throw new RangeError(`two chunks of one snapshot are named ${JSON.stringify(name)}`)
    const before = this.#options.known.get(name)
    const isKnown = before?.version === version
    const hashed = isKnown ? before : this.#options.hash(chunk)
    if (!isKnown) this.#chunksHashed++
    this.#known.set(name, hashed)
    this.#options.tree.add(hashed.digest)
    const { digest, size } = hashed
    this.#chunks.push({ part, id, version, bytes: () => chunk.bytes(), digest, size })
    return isKnown ? 0 : size
  }

  #finish(): ComputedRoot {
    this.#options.finished(this.#known, this.#chunksHashed)
    return { root: this.#options.tree.root(), chunks: this.#chunks }
  }
}
