/**
 * The root of the whole state, over the chunks of all its parts in order. Only chunks whose version has changed since the last root are
 * hashed; the nodes above them are few and hashed each time.
 *
 * A chunk's digest binds its part and its id, so that no chunk passes for one of another part or place.
 */

import type { Hasher } from '../kernel/crypto-ports.ts'
import { hashingBytes } from '../kernel/domains.ts'
import { snapshotChunkBytesMax } from '../kernel/manifest.ts'
import { Writer } from '../wire/writer.ts'
import { MerkleTree } from './merkle.ts'
import { RootInProgress, type ComputedRoot, type HashedChunk } from './root-in-progress.ts'
import { chunkBytesMax, chunkIdBytes } from './state-chunks.ts'
import { stateParts, type PartChunk } from './state-parts.ts'

/** Holds most chunks without growing. */
const scratchBytes = 256 * 1024
const unbounded = { sliceBytesMax: Infinity, sliceChunksMax: Infinity }

export class StateRoot {
  readonly #hasher: Hasher
  readonly #tree: MerkleTree
  readonly #prefix: Uint8Array
  readonly #scratch = new Writer(scratchBytes)
  /** By part and id. Digests and versions only: no chunk of an older state is kept alive by it. */
  #known: ReadonlyMap<string, HashedChunk> = new Map()
  /** Chunks hashed for the last root: what a test or a metric asks. */
  chunksHashed = 0

  constructor(hasher: Hasher) {
    this.#hasher = hasher
    this.#tree = new MerkleTree(hasher, 'state-node')
    this.#prefix = hashingBytes('state-chunk', new Uint8Array(0))
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
    const bytes = chunk.bytes()
    const bytesMax = chunk.part === 'application' ? chunkBytesMax : snapshotChunkBytesMax
    if (bytes.length > bytesMax) {
      throw new RangeError(`chunk ${JSON.stringify(chunk.id)} has ${bytes.length} bytes, at most ${bytesMax}`)
    }
    const id = chunkIdBytes(chunk.id)
    const writer = this.#scratch
    writer.reset()
    writer.raw(this.#prefix)
    writer.u8(stateParts.indexOf(chunk.part))
    writer.bytes(id, id.length)
    writer.raw(bytes)
    return { version: chunk.version, digest: this.#hasher.digest(writer.view()), size: bytes.length }
  }
}
