// The address of a chunk of state: a digest that binds its part and its id, so that no chunk passes for one of another part or place.

import type { Digest, Hasher } from '../kernel/crypto-ports.ts'
import { hashingBytes } from '../kernel/domains.ts'
import { Writer } from '../wire/writer.ts'
import { appendChunk } from './appending-chunk.ts'
import { chunkIdBytes, type StateChunk } from './state-chunks.ts'

/** Holds most chunks without growing. */
const scratchBytes = 256 * 1024

export class ChunkHasher {
  readonly #hasher: Hasher
  readonly #prefix = hashingBytes('state-chunk', new Uint8Array(0))
  readonly #scratch = new Writer(scratchBytes)

  constructor(hasher: Hasher) {
    this.#hasher = hasher
  }

  /** `part` by its number in `stateParts`. */
  digest(part: number, id: Uint8Array, bytes: Uint8Array): Digest {
    this.#begin(part, id).raw(bytes)
    return this.#hasher.digest(this.#scratch.view())
  }

  /** The same of bytes that are written here and nowhere else, at most so many. */
  digestOf(part: number, chunk: StateChunk, bytesMax: number): { digest: Digest; size: number } {
    const writer = this.#begin(part, chunkIdBytes(chunk.id))
    const before = writer.length
    appendChunk(writer, chunk)
    const size = writer.length - before
    if (size > bytesMax) {
      throw new RangeError(`chunk ${JSON.stringify(chunk.id)} has ${size} bytes, at most ${bytesMax}`)
    }
    return { digest: this.#hasher.digest(writer.view()), size }
  }

  #begin(part: number, id: Uint8Array): Writer {
    const writer = this.#scratch
    writer.reset()
    writer.raw(this.#prefix)
    writer.u8(part)
    writer.bytes(id, id.length)
    return writer
  }
}
