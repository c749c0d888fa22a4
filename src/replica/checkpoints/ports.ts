// The snapshot store as checkpoints and state transfer see it. What the parts call back, they call from a later turn of the loop.

import type { Checkpoint } from '../../kernel/checkpoint.ts'
import type { Digest } from '../../kernel/crypto-ports.ts'
import type { ExecutedHeader } from '../../kernel/executed-header.ts'
import type { ManifestEntries, ManifestEntry } from '../../kernel/manifest.ts'

export interface StoredSnapshot {
  readonly checkpoint: Checkpoint
  readonly entries: ManifestEntries
}

/** What may be handed out. */
export interface SnapshotSource {
  /** Whole and certified, newest first. */
  readonly stable: readonly StoredSnapshot[]
  /**
   * Checked against the digest, which binds part, id and bytes. Null: damaged or gone, and then `has` is false; or the chunk of this digest
   * has another part or id, and then `has` is true.
   */
  read: (entry: ManifestEntry) => Uint8Array | null
}

/** What a transfer fills. */
export interface SnapshotSink {
  /** It can be read, as far as is known. */
  has: (digest: Digest) => boolean
  /** As above. */
  read: (entry: ManifestEntry) => Uint8Array | null
  /**
   * One at a time. What was added before is kept: a transfer that begins again goes on where it was. Of few chunks it is prepared at once.
   */
  begin: (header: ExecutedHeader, entries: ManifestEntries) => SnapshotWriter
  /** Durable when `done` says so: from then on it is the newest stable snapshot. */
  certify: (checkpoint: Checkpoint, done: (error: unknown) => void) => void
}

export interface SnapshotWriter {
  /** One step of the beginning, with bounded work. True: until it answers false, nothing else may be called but `abandon`. */
  prepare: () => boolean
  /** What neither is in the store nor on its way there, in canonical order. */
  readonly missing: Iterable<ManifestEntry>
  /** Bytes that were checked against the entry; they are copied or written before the call returns. False: no more before `onDrain`. */
  add: (entry: ManifestEntry, bytes: Uint8Array) => boolean
  onDrain: (() => void) | null
  /** All of it is there: packs and manifest go to the disk. Null, or why not; what was written stays, and so does the writer. */
  finish: (done: (error: unknown) => void) => void
  /** Harmless after the end. */
  abandon: () => void
}

/** The address of a chunk: as execution/chunk-hasher.ts has it. Total. */
export type ChunkDigest = (chunk: Pick<ManifestEntry, 'part' | 'id'>, bytes: Uint8Array) => Digest
