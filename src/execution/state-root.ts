/**
 * The root of the whole state, over the chunks of all its parts in order. Only chunks whose version has changed since the last root are
 * hashed; the nodes above them are few and hashed each time.
 */

import type { Hasher } from '../kernel/crypto-ports.ts'
import { snapshotChunkBytesMax } from '../kernel/manifest.ts'
import { ChunkHasher } from './chunk-hasher.ts'
import { MerkleTree } from './merkle.ts'
import { RootInProgress, type ComputedRoot, type HashedChunk } from './root-in-progress.ts'
import { chunkBytesMax } from './state-chunks.ts'
import { stateParts, type PartChunk } from './state-parts.ts'

const unbounded = { sliceBytesMax: Infinity, sliceChunksMax: Infinity }

export class StateRoot {
  readonly #hasher: ChunkHasher
  readonly #tree: MerkleTree
  /** By part and id. Digests and versions only: no chunk of an older state is kept alive by it. */
  #known: ReadonlyMap<string, HashedChunk> = new Map()
  /** Chunks hashed for the last root: what a test or a metric asks. */
  chunksHashed = 0

  constructor(hasher: Hasher) {
    this.#hasher = new ChunkHasher(hasher)
    this.#tree = new MerkleTree(hasher, 'state-node')
  }

  /**
   * The root of these chunks, which are gone through as it is worked on. One at a time: the next root begins when this one is finished
   * or given up. Its `work` throws a RangeError on chunks that break the rules for them: the state machine is at fault.
   */
  begin(chunks: Iterable<PartChunk>): RootInProgress {
    return new RootInProgress({
      chunks,
      known: this.#known,
      tree: this.#tree.growing(),
      hash: (chunk) => this.#hash(chunk),
      finished: (known, chunksHashed) => {
        this.#known = known
        this.chunksHashed = chunksHashed
      },
    })
  }

  /** The same at once. */
  compute(chunks: Iterable<PartChunk>): ComputedRoot {
    return this.begin(chunks).work(unbounded)!
  }

  #hash(chunk: PartChunk): HashedChunk {
    const bytesMax = chunk.part === 'application' ? chunkBytesMax : snapshotChunkBytesMax
    return { version: chunk.version, ...this.#hasher.digestOf(stateParts.indexOf(chunk.part), chunk, bytesMax) }
  }
}
