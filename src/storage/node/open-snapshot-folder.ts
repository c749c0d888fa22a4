// The folder of snapshots in a data directory. It is made when it is not there: what was in it can be fetched again from others.

import { syncNames, makeFolder } from './folders.ts'
import type { SnapshotOptions, SnapshotStore } from '../snapshots/snapshot-store.ts'
import { openSnapshots } from '../snapshots/open-snapshots.ts'
import { crc32 } from './crc32.ts'
import { DataDirectoryError } from './data-directory-error.ts'
import { openNodeDirectory } from './node-directory.ts'
import type { ClosableDirectory } from './open-data-directory.ts'

/** In the data directory, beside the log's. */
export const snapshotFolder = 'snapshots'

/** Opening's pieces of work between two turns of the event loop. */
const stepsPerTurn = 4

export interface OpenSnapshotFolderOptions extends Omit<SnapshotOptions, 'directory' | 'crc32'> {
  signal?: AbortSignal
  /** For tests that lose power. */
  openDirectory?: (path: string) => ClosableDirectory
}

export interface SnapshotFolder {
  store: SnapshotStore
  /** Waits for what is under way. What is not durable by now never is reported. */
  close(): Promise<void>
}

/** Of a data directory that is open, and so locked. */
export async function openSnapshotFolder(dataDir: string, options: OpenSnapshotFolderOptions): Promise<SnapshotFolder> {
  const { signal, openDirectory = openNodeDirectory, ...rest } = options
  const path = `${dataDir}/${snapshotFolder}`
  const firstMade = makeFolder(path)
  if (firstMade !== null) syncNames(path, firstMade)
  const directory: ClosableDirectory = openDirectory(path)
  try {
    const opening = openSnapshots({ ...rest, directory, crc32 })
    for (let step = 1; ; step++) {
      const next = opening.next()
      if (next.done === true) {
        if (!next.value.ok) throw new DataDirectoryError(next.value.code, next.value.message)
        const store = next.value
        const close = async (): Promise<void> => {
          store.close()
          await directory.close?.()
        }
        return { store, close }
      }
      if (step % stepsPerTurn !== 0) continue
      await new Promise((resolve) => setImmediate(resolve))
      signal?.throwIfAborted()
    }
  } catch (error) {
    await directory.close?.()
    throw error
  }
}
