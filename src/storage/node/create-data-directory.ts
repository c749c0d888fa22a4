// Makes a data directory, durably, with the names of everything above it that is new. What is there is never overwritten.

import { mkdirSync, readdirSync } from 'node:fs'
import { resolve } from 'node:path'
import { initializeLog } from '../log/initialize.ts'
import { crc32 } from './crc32.ts'
import { DataDirectoryError, diskError, errorNumberOf } from './data-directory-error.ts'
import { makeFolder, syncNames } from './folders.ts'
import { openNodeDirectory, type NodeDirectory } from './node-directory.ts'

/** The log's files, in the data directory. */
export const logFolder = 'log'

export async function createDataDirectory(
  path: string,
  identity: { network: Uint8Array; replica: number },
): Promise<void> {
  const root = resolve(path)
  const folder = `${root}/${logFolder}`
  const firstMade = makeFolders(root, folder)
  const directory = openNodeDirectory(folder)
  try {
    await initialize(directory, identity)
  } finally {
    await directory.close()
  }
  syncNames(folder, firstMade)
}

/** Returns the outermost that did not exist. */
function makeFolders(root: string, folder: string): string {
  try {
    const firstMade = makeFolder(root)
    if (readdirSync(root).length > 0) throw notEmpty(root)
    // Of two that get here at once, one is told that it exists.
    mkdirSync(folder, { mode: 0o700 })
    return firstMade ?? folder
  } catch (error) {
    if (error instanceof DataDirectoryError) throw error
    if (errorNumberOf(error) === 'EEXIST') throw notEmpty(root)
    throw diskError(`${root} cannot be made`, error)
  }
}

function notEmpty(root: string): DataDirectoryError {
  const message = `${root} holds something already and is not overwritten: name a directory that does not exist or is empty`
  return new DataDirectoryError('ERR_DATA_DIRECTORY_NOT_EMPTY', message)
}

function initialize(directory: NodeDirectory, identity: { network: Uint8Array; replica: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    initializeLog({ directory, crc32, ...identity, voice: 'votes' }, (error) => {
      if (error === null) resolve()
      // It was made empty a moment ago.
      else if (error.code === 'ERR_LOG_NOT_EMPTY')
        reject(new DataDirectoryError('ERR_DATA_DIRECTORY_NOT_EMPTY', error.message))
      else reject(new DataDirectoryError(error.code, error.message))
    })
  })
}
