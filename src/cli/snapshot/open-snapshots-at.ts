// Snapshots on disk as the commands see them: in a replica's folder, in its data directory, or saved in a folder of their own.

import { existsSync, readdirSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { nodeHasher } from '../../crypto/node/sha256-hasher.ts'
import { ChunkHasher } from '../../execution/chunk-hasher.ts'
import type { NetworkId } from '../../kernel/ids.ts'
import type { ManifestEntry } from '../../kernel/manifest.ts'
import type { FileError } from '../../storage/log/file-port.ts'
import { crc32 } from '../../storage/node/crc32.ts'
import { openNodeDirectory } from '../../storage/node/node-directory.ts'
import { snapshotFolder } from '../../storage/node/open-snapshot-folder.ts'
import { snapshotFileOf } from '../../storage/snapshots/format.ts'
import { networkOfSnapshots, openSnapshots } from '../../storage/snapshots/open-snapshots.ts'
import type { SnapshotStore, StoredSnapshot } from '../../storage/snapshots/snapshot-store.ts'
import { Failure } from '../failure.ts'
import { dataFolderName } from '../setup/local-network.ts'

export interface OpenedSnapshots {
  path: string
  network: NetworkId
  store: SnapshotStore
  /** Resolves when the disk is full or fails. */
  problem: Promise<FileError>
  close(): Promise<void>
}

/** Only reads, so that a replica may use the folder meanwhile. */
export async function readSnapshotsAt(path: string): Promise<OpenedSnapshots> {
  const folder = snapshotFolderOf(path)
  const directory = openNodeDirectory(folder)
  const network = networkOfSnapshots(directory, crc32)
  await directory.close()
  if (network === null) throw none(folder)
  return openSnapshotsAt(folder, network, true)
}

/** Of a folder that is there. Its owner sees to it that nobody else writes to it. */
export async function openSnapshotsAt(path: string, network: NetworkId, isReadOnly = false): Promise<OpenedSnapshots> {
  const directory = openNodeDirectory(path)
  let stop: (error: FileError) => void = () => {}
  const problem = new Promise<FileError>((resolve) => (stop = resolve))
  const listener = { full: stop, failed: stop }
  const opening = openSnapshots({ directory, crc32, network, digestOf, listener, isReadOnly })
  for (;;) {
    const step = opening.next()
    if (step.done === true) {
      if (!step.value.ok) throw new Failure(step.value.code, `${path}: ${step.value.message}`)
      const store = step.value
      const close = (): Promise<void> => {
        store.close()
        return directory.close()
      }
      return { path, network, store, problem, close }
    }
    await setImmediate()
  }
}

/** The newest that is whole. */
export function newestOf({ store, path }: OpenedSnapshots): StoredSnapshot {
  const [newest] = store.stable
  if (newest !== undefined) return newest
  const [damaged] = store.damaged
  if (damaged === undefined) throw none(path)
  const message = `${path}: the snapshot of height ${damaged.checkpoint.header.height} is damaged: take one of another replica`
  throw new Failure('ERR_SNAPSHOT_DAMAGED', message)
}

const chunks = new ChunkHasher(nodeHasher)

function digestOf({ part, id }: ManifestEntry, bytes: Uint8Array): Uint8Array {
  return chunks.digest(part, id, bytes)
}

function snapshotFolderOf(path: string): string {
  const root = resolve(path)
  for (const folder of [root, join(root, snapshotFolder), join(root, dataFolderName, snapshotFolder)]) {
    if (holdsSnapshots(folder)) return folder
  }
  throw none(root)
}

function holdsSnapshots(folder: string): boolean {
  if (!existsSync(folder) || !statSync(folder).isDirectory()) return false
  return readdirSync(folder).some((name) => snapshotFileOf(name) !== null)
}

function none(path: string): Failure {
  const message = `${path} holds no certified snapshot: name a replica's folder that has passed a checkpoint, or a saved one`
  return new Failure('ERR_SNAPSHOT_NONE', message)
}
