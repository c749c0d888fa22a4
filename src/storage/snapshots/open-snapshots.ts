/**
 * Opens a directory of snapshots: what is whole and proven is found again, the rest is passed over. Nothing is written: what is left of
 * an interruption goes when the next checkpoint makes room.
 */

import type { Checkpoint } from '../../kernel/checkpoint.ts'
import type { NetworkId } from '../../kernel/ids.ts'
import type { PackedManifest } from '../../kernel/packed-manifest.ts'
import type { Crc32, Directory } from '../log/file-port.ts'
import { ChunkIndex } from './chunk-index.ts'
import { snapshotFileOf, snapshotFormatVersion, type ManifestHead } from './format.ts'
import { allWritten, emptySnapshot, holdMore, release, sameHeader, type HeldSnapshot } from './held-snapshot.ts'
import { stableSnapshotsMax, uncertifiedSnapshotsMax } from './limits.ts'
import { fileNames } from './file-names.ts'
import { readCheckpoint, readEntries, readManifestHead, type FoundManifest } from './manifest-file.ts'
import { scanPack } from './pack-scanner.ts'
import type { SnapshotRefusal, SnapshotRefusalCode } from './snapshot-error.ts'
import { SnapshotStore, type SnapshotOptions } from './snapshot-store.ts'
import { equalBytes } from '../../wire/equal-bytes.ts'

interface Names {
  packs: number[]
  /** Newest first. */
  manifests: number[]
  checkpoints: Set<number>
}

/** Yields between pieces of bounded work, so that a host can let others run. */
export function* openSnapshots(options: SnapshotOptions): Generator<undefined, SnapshotStore | SnapshotRefusal> {
  const names = namesOf(options.directory)
  if ('code' in names) return names
  const manifests: FoundManifest[] = []
  for (const height of names.manifests) {
    const found = twice(() => readManifestHead(options.directory, options.crc32, height))
    yield
    if (found === null) continue
    if (found.head.version !== snapshotFormatVersion) return wrongVersion()
    if (!equalBytes(found.head.network, options.network)) return foreign()
    manifests.push(found)
  }
  const index = new ChunkIndex()
  const packs = yield* findChunks(options, names.packs, manifests, index)
  if (packs === null) return wrongVersion()
  const held: HeldSnapshot[] = []
  for (const found of manifests) {
    const { header } = found.head
    const checkpoint = names.checkpoints.has(header.height) ? certificateOf(options, found.head) : null
    const entries = isWanted(held, checkpoint) ? yield* entriesOf(options, found) : null
    if (entries === null) continue
    const snapshot = emptySnapshot(header, entries)
    while (holdMore(index, snapshot)) yield
    snapshot.checkpoint = checkpoint
    snapshot.isWhole = allWritten(index, snapshot)
    snapshot.isDurable = checkpoint !== null
    if (keeps(held, snapshot)) held.push(snapshot)
    else release(index, snapshot)
    yield
  }
  return new SnapshotStore(options, { index, packs, held, firstPack: firstPackOf(names.packs, manifests) })
}

/** Whose snapshots these are, by the newest manifest that says so; null if none does. */
export function networkOfSnapshots(directory: Directory, crc32: Crc32): NetworkId | null {
  const names = namesOf(directory)
  if ('code' in names) return null
  for (const height of names.manifests) {
    const found = twice(() => readManifestHead(directory, crc32, height))
    if (found !== null) return found.head.network
  }
  return null
}

/** A number that no manifest names: what it says of a pack that is gone must not be believed of another. */
function firstPackOf(packs: readonly number[], manifests: readonly FoundManifest[]): number {
  const named = manifests.flatMap(({ head }) => head.packs.map(({ pack }) => pack))
  return [...packs, ...named].reduce((most, pack) => Math.max(most, pack), 0) + 1
}

/** Returns up to where each pack was on disk; null if one is of another format version. */
function* findChunks(
  { directory, crc32 }: SnapshotOptions,
  packs: readonly number[],
  manifests: readonly FoundManifest[],
  index: ChunkIndex,
): Generator<undefined, Map<number, number> | null> {
  const ends = new Map(packs.map((pack) => [pack, 0]))
  for (const { pack, end } of manifests.flatMap(({ head }) => head.packs)) {
    const before = ends.get(pack)
    if (before !== undefined && before < end) ends.set(pack, end)
  }
  for (const [pack, end] of ends) {
    const synced = yield* scanPack(directory, crc32, { pack, end }, ({ digest, offset, size }) =>
      index.setWritten(index.findOrInsert(digest), pack, offset, size),
    )
    if (synced === null) return null
    ends.set(pack, synced)
    yield
  }
  return ends
}

function namesOf(directory: Directory): Names | SnapshotRefusal {
  const names: Names = { packs: [], manifests: [], checkpoints: new Set() }
  const list = fileNames(directory)
  if (list === null) {
    return refuse(
      'ERR_SNAPSHOT_UNREADABLE',
      'the folder of the snapshots cannot be read: check the disk and who may use it',
    )
  }
  for (const name of list) {
    const file = snapshotFileOf(name)
    if (file?.kind === 'pack') names.packs.push(file.pack)
    else if (file?.kind === 'manifest') names.manifests.push(file.height)
    else if (file !== null) names.checkpoints.add(file.height)
  }
  names.packs.sort((left, right) => left - right)
  names.manifests.sort((left, right) => right - left)
  return names
}

function certificateOf({ directory, crc32 }: SnapshotOptions, head: ManifestHead): Checkpoint | null {
  const checkpoint = twice(() => readCheckpoint(directory, crc32, head.header.height))
  return checkpoint !== null && sameHeader(checkpoint.header, head.header) ? checkpoint : null
}

function* entriesOf(options: SnapshotOptions, found: FoundManifest): Generator<undefined, PackedManifest | null> {
  const { directory, crc32 } = options
  return (yield* readEntries(directory, crc32, found)) ?? (yield* readEntries(directory, crc32, found))
}

/** Whether it is worth reading, beside those above it. */
function isWanted(held: readonly HeldSnapshot[], checkpoint: Checkpoint | null): boolean {
  const stable = held.filter((one) => one.checkpoint !== null && one.isWhole)
  if (checkpoint !== null) return stable.length < stableSnapshotsMax
  return stable.length === 0 && held.filter((one) => one.checkpoint === null).length < uncertifiedSnapshotsMax
}

function keeps(held: readonly HeldSnapshot[], { checkpoint, isWhole }: HeldSnapshot): boolean {
  if (isWhole) return true
  const isNewer = !held.some((one) => one.checkpoint !== null && one.isWhole)
  return checkpoint !== null && isNewer && held.filter((one) => !one.isWhole).length < stableSnapshotsMax
}

/** What is wrong may be the reading. */
function twice<Value>(read: () => Value | null): Value | null {
  return read() ?? read()
}

function foreign(): SnapshotRefusal {
  const message = "the snapshots in the folder are another network's: name the replica's own folder"
  return refuse('ERR_SNAPSHOT_FOREIGN_DIRECTORY', message)
}

function wrongVersion(): SnapshotRefusal {
  const message = `the snapshots are of another format version than ${snapshotFormatVersion}: start the release that wrote them`
  return refuse('ERR_SNAPSHOT_FORMAT_VERSION', message)
}

function refuse(code: SnapshotRefusalCode, message: string): SnapshotRefusal {
  return { ok: false, code, message }
}
