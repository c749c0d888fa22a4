/**
 * Puts a log that abstains in the place of one that is lost, which is kept beside it.
 *
 * Each step is on disk before the next begins. Interrupted before the old log has moved, the directory is as it was; before the new one
 * has, there is no log; afterwards there is the new one. None of these votes, and rejoining again goes on from each.
 */

import { closeSync, existsSync, openSync, readdirSync, renameSync, rmSync } from 'node:fs'
import type { Directory } from '../log/file-port.ts'
import { initializeLog } from '../log/initialize.ts'
import { crc32 } from './crc32.ts'
import { logFolder } from './create-data-directory.ts'
import { DataDirectoryError, diskError, errorNumberOf } from './data-directory-error.ts'
import { makeFolder, syncFolder } from './folders.ts'

/** Where the new log is made. Nothing has been promised on what is found there: it was never opened. */
export const newLogFolder: string = `${logFolder}.new`
/** An operator who has this many has a broken disk, or a script that should not be. */
export const setAsideMax = 9

/** Reasons that lie with this process or its rights: the log behind them may be sound. */
const ours: ReadonlySet<string> = new Set(['EACCES', 'EPERM', 'EMFILE', 'ENFILE', 'ENOMEM', 'ELOOP'])

export interface RenewLogOptions {
  /** The data directory; locked, and with no file of it open. */
  path: string
  network: Uint8Array
  replica: number
  /** No start of this replica has had it. */
  incarnation: number
  openDirectory: (path: string) => Directory & { close?(): Promise<void> }
}

/** Returns the name that the old log has now; null if there was nothing. */
export async function renewLog(options: RenewLogOptions): Promise<string | null> {
  const { path } = options
  const place = `${path}/${logFolder}`
  const setAside = existsSync(place) ? freeName(path) : null
  if (setAside !== null) requireOurs(place)
  await makeNewLog(options)
  if (setAside !== null) move(place, `${path}/${setAside}`)
  syncFolder(path)
  move(`${path}/${newLogFolder}`, place)
  syncFolder(path)
  return setAside
}

async function makeNewLog(options: RenewLogOptions): Promise<void> {
  const { path, network, replica, incarnation, openDirectory } = options
  const folder = `${path}/${newLogFolder}`
  try {
    rmSync(folder, { recursive: true, force: true })
    makeFolder(folder)
  } catch (error) {
    throw diskError(`${folder} cannot be made`, error)
  }
  const directory = openDirectory(folder)
  try {
    await new Promise<void>((resolve, reject) => {
      initializeLog({ directory, crc32, network, replica, voice: 'abstains', incarnation }, (error) => {
        if (error === null) return resolve()
        const code = error.code === 'ERR_LOG_NOT_EMPTY' ? 'ERR_DATA_DIRECTORY_NOT_EMPTY' : error.code
        reject(new DataDirectoryError(code, error.message))
      })
    })
  } finally {
    await directory.close?.()
  }
}

function freeName(path: string): string {
  for (let number = 1; number <= setAsideMax; number++) {
    const name = `${logFolder}.set-aside-${number}`
    if (!existsSync(`${path}/${name}`)) return name
  }
  const message = `${path} holds ${setAsideMax} logs that were set aside (${logFolder}.set-aside-1 and so on): move them to another disk and try again`
  throw new DataDirectoryError('ERR_DATA_DIRECTORY_NOT_EMPTY', message)
}

/** A sound log that this user may not read is not lost. */
function requireOurs(place: string): void {
  const files = [place]
  for (let file = files.shift(); file !== undefined; file = files.shift()) {
    try {
      if (file === place) files.push(...readdirSync(place).map((name) => `${place}/${name}`))
      else closeSync(openSync(file, 'r'))
    } catch (error) {
      const reason = errorNumberOf(error)
      if (!ours.has(reason)) continue
      const message = `${file} cannot be opened (${reason}), so nothing was set aside: correct who may use the directory, and try again`
      throw new DataDirectoryError('ERR_DISK_IO', message, { cause: error })
    }
  }
}

function move(from: string, to: string): void {
  try {
    renameSync(from, to)
  } catch (error) {
    throw diskError(`${from} cannot be renamed to ${to}`, error)
  }
}
