// A snapshot store that keeps everything in memory: what transfers fill and servers hand out in tests.

import type { Checkpoint } from '../../../src/kernel/checkpoint.ts'
import type { Digest } from '../../../src/kernel/crypto-ports.ts'
import type { ExecutedHeader } from '../../../src/kernel/executed-header.ts'
import type { ManifestEntries, ManifestEntry } from '../../../src/kernel/manifest.ts'
import { ChunkHasher } from '../../../src/execution/chunk-hasher.ts'
import { chunkKey } from '../../../src/replica/checkpoints/chunk-ledger.ts'
import type {
  SnapshotSink,
  SnapshotSource,
  SnapshotWriter,
  StoredSnapshot,
} from '../../../src/replica/checkpoints/ports.ts'
import { simulatedHasher } from '../../../src/simulator/simulated-suite.ts'
import { equalBytes } from '../../../src/wire/equal-bytes.ts'

export interface Chunk {
  part: number
  id: Uint8Array
  bytes: Uint8Array
}

const hasher = new ChunkHasher(simulatedHasher)

export function chunkDigest({ part, id }: Pick<Chunk, 'part' | 'id'>, bytes: Uint8Array): Digest {
  return hasher.digest(part, id, bytes)
}

export function entryOf(chunk: Chunk): ManifestEntry {
  return { part: chunk.part, id: chunk.id, digest: chunkDigest(chunk, chunk.bytes), size: chunk.bytes.length }
}

export class MemoryStore implements SnapshotSink, SnapshotSource {
  stable: StoredSnapshot[] = []
  readonly #chunks = new Map<string, Uint8Array>()
  readonly #damaged = new Set<string>()
  /** Chunks that are on their way to the disk for so long, and cannot be read meanwhile. */
  writeMs = 0
  readonly #pending = new Set<string>()
  #writer: SnapshotWriter | null = null
  readonly later: (() => void)[] = []
  /** Bytes that it takes before it wants a pause; the pause ends with the next `later`. */
  bytesAtOnce = Infinity
  /** What the next writings answer. */
  readonly errors: Error[] = []
  /** How long that pause is. Who runs the store counts the time. */
  drainMs = 0
  after: (delayMs: number, act: () => void) => void = (_, act) => this.later.push(act)
  pauses = 0
  addedWhilePausedMax = 0
  begun = 0
  /** Steps that the next writers take to be prepared. */
  stepsToPrepare = 0
  added = 0

  /** A whole snapshot, as if it had been made here. */
  put(checkpoint: Checkpoint, chunks: readonly Chunk[]): void {
    for (const chunk of chunks) this.#chunks.set(chunkKey(chunkDigest(chunk, chunk.bytes)), chunk.bytes)
    this.stable = [{ checkpoint, entries: chunks.map(entryOf) }, ...this.stable].slice(0, 2)
  }

  has(digest: Digest): boolean {
    return this.#chunks.has(chunkKey(digest))
  }

  read(entry: ManifestEntry): Uint8Array | null {
    const key = chunkKey(entry.digest)
    if (this.#damaged.delete(key)) this.#chunks.delete(key)
    const bytes = this.#chunks.get(key)
    // What is sound stays, though the entry calls it otherwise.
    return bytes !== undefined && equalBytes(chunkDigest(entry, bytes), entry.digest) ? bytes : null
  }

  damage(digest: Digest): void {
    this.#damaged.add(chunkKey(digest))
  }

  begin(_: ExecutedHeader, entries: ManifestEntries): SnapshotWriter {
    if (this.#writer !== null) throw new Error('a snapshot is being written')
    this.begun++
    this.#written = null
    let waiting = 0
    let paused: number | null = null
    let steps = this.stepsToPrepare
    const writer: SnapshotWriter = {
      prepare: () => steps-- > 0,
      missing: [...entries].filter(({ digest }) => !this.has(digest) && !this.#pending.has(chunkKey(digest))),
      onDrain: null,
      add: (entry, bytes) => {
        if (steps > 0) throw new Error('added to before it was prepared')
        this.added++
        this.#write(chunkKey(entry.digest), Uint8Array.from(bytes))
        if (paused !== null) {
          paused += bytes.length
          this.addedWhilePausedMax = Math.max(this.addedWhilePausedMax, paused)
          return false
        }
        waiting += bytes.length
        if (waiting < this.bytesAtOnce) return true
        waiting = 0
        paused = 0
        this.pauses++
        this.after(this.drainMs, () => {
          paused = null
          writer.onDrain?.()
        })
        return false
      },
      finish: (done) => {
        const error = this.errors.shift() ?? null
        this.after(this.writeMs, () => {
          if (error === null) {
            this.#written = entries
            this.#writer = null
          }
          done(error)
        })
      },
      abandon: () => {
        if (this.#writer === writer) this.#writer = null
      },
    }
    this.#writer = writer
    return writer
  }

  certify(checkpoint: Checkpoint, done: (error: unknown) => void): void {
    if (this.#written === null) throw new Error('certified before it was written')
    this.stable = [{ checkpoint, entries: this.#written }, ...this.stable].slice(0, 2)
    this.later.push(() => done(null))
  }

  #write(key: string, bytes: Uint8Array): void {
    if (this.writeMs === 0) return void this.#chunks.set(key, bytes)
    this.#pending.add(key)
    this.after(this.writeMs, () => {
      this.#pending.delete(key)
      this.#chunks.set(key, bytes)
    })
  }

  #written: ManifestEntries | null = null
}
