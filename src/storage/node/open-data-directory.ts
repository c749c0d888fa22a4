/**
 * The data directory of one replica: `lock`, and the log's files in `log/`. Made once, by `createDataDirectory`; opening never makes one,
 * because a voter that lost its log must not vote as if it had never promised anything.
 */

import { readdirSync } from 'node:fs'
import type { Directory } from '../log/file-port.ts'
import type { Log, LogLimits, LogListener } from '../log/log.ts'
import { openLog } from '../log/open-log.ts'
import { recoverLog, type LogRefusal, type RecoveredLog } from '../log/recovery.ts'
import { crc32 } from './crc32.ts'
import { logFolder } from './create-data-directory.ts'
import { DataDirectoryError, diskError, errorNumberOf } from './data-directory-error.ts'
import { lockDirectory } from './directory-lock.ts'
import { openNodeDirectory } from './node-directory.ts'

/** Recovery's pieces of work, 1 MiB at most each, between two turns of the event loop. */
const stepsPerTurn = 4

/** A directory whose operations can be waited for. */
export type ClosableDirectory = Directory & { close?(): Promise<void> }

export interface OpenDataDirectoryOptions {
  network: Uint8Array
  replica: number
  listener: LogListener
  limits?: LogLimits
  /** Ends opening with its reason, and has no effect afterwards. */
  signal?: AbortSignal
  /** For tests that lose power: the files of the log, and not the lock. */
  openDirectory?: (path: string) => ClosableDirectory
}

export interface DataDirectory {
  log: Log
  incarnation: number
  /** What a torn write had left behind the end, and is cut. */
  tornBytes: number
  /** Closes the log, waits for what is under way, and then lets others in. What is not durable by now never is reported. */
  close(): Promise<void>
}

export async function openDataDirectory(path: string, options: OpenDataDirectoryOptions): Promise<DataDirectory> {
  options.signal?.throwIfAborted()
  requireLogFolder(path)
  const lock = lockDirectory(path)
  if (!lock.ok) throw new DataDirectoryError(lock.code, lock.message)
  let directory: ClosableDirectory | null = null
  try {
    directory = (options.openDirectory ?? openNodeDirectory)(`${path}/${logFolder}`)
    return await openIn(directory, options, lock.release)
  } catch (error) {
    try {
      await directory?.close?.()
    } finally {
      lock.release()
    }
    throw error
  }
}

async function openIn(
  directory: ClosableDirectory,
  options: OpenDataDirectoryOptions,
  release: () => void,
): Promise<DataDirectory> {
  const recovered = await recover(directory, options)
  if (!recovered.ok) throw new DataDirectoryError(recovered.code, recovered.message)
  const log = await mendAndOpen(directory, options, recovered)
  let closed: Promise<void> | null = null
  const close = async (): Promise<void> => {
    log.close()
    await directory.close?.()
    release()
  }
  if (options.signal?.aborted === true) log.close()
  options.signal?.throwIfAborted()
  const { incarnation } = log
  return { log, incarnation, tornBytes: recovered.tornBytes, close: () => (closed ??= close()) }
}

async function recover(directory: Directory, options: OpenDataDirectoryOptions): Promise<RecoveredLog | LogRefusal> {
  const { network, replica } = options
  const recovery = recoverLog({ directory, crc32, expected: { network, replica } })
  for (let step = 1; ; step++) {
    const next = recovery.next()
    if (next.done === true) return next.value
    if (step % stepsPerTurn !== 0) continue
    await new Promise((resolve) => setImmediate(resolve))
    options.signal?.throwIfAborted()
  }
}

function mendAndOpen(
  directory: Directory,
  { listener, limits }: OpenDataDirectoryOptions,
  recovered: RecoveredLog,
): Promise<Log> {
  const options = { directory, crc32, listener, ...(limits === undefined ? {} : { limits }) }
  return new Promise((resolve, reject) => {
    openLog(options, recovered, resolve, ({ code, message }) => reject(new DataDirectoryError(code, message)))
  })
}

function requireLogFolder(path: string): void {
  try {
    readdirSync(`${path}/${logFolder}`)
  } catch (error) {
    if (errorNumberOf(error) !== 'ENOENT') throw diskError(`${path} cannot be opened`, error)
    const next = 'make it with quorate init, correct the path, or mount its disk'
    const message = `${path} does not exist or holds no log: ${next}`
    throw new DataDirectoryError('ERR_DATA_DIRECTORY_MISSING', message, { cause: error })
  }
}
