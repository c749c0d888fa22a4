/**
 * The root of the whole state, over the chunks of all its parts in order. Only chunks whose version has changed since the last root are
 * hashed; the nodes above them are few and hashed each time.
 *
 * A chunk's digest binds its part and its id, so that no chunk passes for one of another part or place.
 */

import type { Digest, Hasher } from '../kernel/crypto-ports.ts'
import { hashingBytes } from '../kernel/domains.ts'
import { Writer } from '../wire/writer.ts'
import { MerkleTree } from './merkle.ts'
import { chunkBytesMax, chunkIdBytes, type StateChunk } from './state-chunks.ts'

/** Everything that is transferred lies in one of these. Their order and numbers are part of the format. */
export const stateParts = ['executor', 'permissions', 'clients', 'sessions', 'application'] as const
export type StatePart = (typeof stateParts)[number]

export interface PartChunk extends StateChunk {
  readonly part: StatePart
}

/** Holds most chunks without growing. */
const scratchBytes = 256 * 1024

interface HashedChunk {
  version: number
  digest: Digest
}

export class StateRoot {
  readonly #hasher: Hasher
  readonly #tree: MerkleTree
  readonly #prefix: Uint8Array
  readonly #scratch = new Writer(scratchBytes)
  #known = new Map<string, HashedChunk>()
  /** Chunks hashed for the last root: what a test or a metric asks. */
  chunksHashed = 0

  constructor(hasher: Hasher) {
    this.#hasher = hasher
    this.#tree = new MerkleTree(hasher, 'state-node')
    this.#prefix = hashingBytes('state-chunk', new Uint8Array(0))
  }

  /** Throws a RangeError on chunks that break the rules for them: the state machine is at fault. */
  compute(chunks: Iterable<PartChunk>): Digest {
    const known = new Map<string, HashedChunk>()
    const digests: Digest[] = []
    this.chunksHashed = 0
    for (const chunk of chunks) {
      const name = `${chunk.part}/${chunk.id}`
      if (known.has(name)) throw new RangeError(`two chunks of one snapshot are named ${JSON.stringify(name)}`)
      const before = this.#known.get(name)
      const hashed = before?.version === chunk.version ? before : this.#hash(chunk)
      known.set(name, hashed)
      digests.push(hashed.digest)
    }
    this.#known = known
    return this.#tree.root(digests)
  }

  #hash(chunk: PartChunk): HashedChunk {
    const bytes = chunk.bytes()
    // Sessions are one chunk each and bounded by a limit of their own.
    if (chunk.part === 'application' && bytes.length > chunkBytesMax) {
      throw new RangeError(`chunk ${JSON.stringify(chunk.id)} has ${bytes.length} bytes, at most ${chunkBytesMax}`)
    }
    const id = chunkIdBytes(chunk.id)
    const writer = this.#scratch
    writer.reset()
    writer.raw(this.#prefix)
    writer.u8(stateParts.indexOf(chunk.part))
    writer.bytes(id, id.length)
    writer.raw(bytes)
    this.chunksHashed++
    return { version: chunk.version, digest: this.#hasher.digest(writer.view()) }
  }
}
