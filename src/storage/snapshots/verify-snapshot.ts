// Checks all of a snapshot against its own header: every chunk against its digest, and all digests against the root.

import type { Digest } from '../../kernel/crypto-ports.ts'
import type { ManifestEntry } from '../../kernel/manifest.ts'
import type { StoredSnapshot } from './snapshot-store.ts'
import { equalBytes } from '../../wire/equal-bytes.ts'

/** The tree that a state's root is made by, as its digests come in. */
export interface RootTree {
  add(digest: Digest): void
  root(): Digest
}

export interface SnapshotVerdict {
  chunks: number
  bytes: number
  /** Chunks that cannot be read, or are not what their digests say. */
  damaged: number
  firstDamaged: ManifestEntry | null
  /** Whether the manifest is the one that the header's root is over. */
  isOfRoot: boolean
}

/** Yields after each chunk. */
export function* verifySnapshot(
  read: (entry: ManifestEntry) => Uint8Array | null,
  { checkpoint, entries }: StoredSnapshot,
  tree: RootTree,
): Generator<undefined, SnapshotVerdict> {
  const verdict: SnapshotVerdict = { chunks: 0, bytes: 0, damaged: 0, firstDamaged: null, isOfRoot: false }
  for (const entry of entries) {
    const bytes = read(entry)
    tree.add(entry.digest)
    verdict.chunks++
    verdict.bytes += bytes?.length ?? 0
    if (bytes === null) {
      verdict.damaged++
      verdict.firstDamaged ??= entry
    }
    yield
  }
  const { stateRoot } = checkpoint.header
  return { ...verdict, isOfRoot: stateRoot !== null && equalBytes(tree.root(), stateRoot) }
}
