/**
 * The data directory of one replica: `lock`, and the log's files in `log/`. Made once, by `createDataDirectory`. Opening never makes a log
 * that votes, because a voter that lost its log must not vote as if it had never promised anything; with `rejoin` it makes one that
 * abstains where the log is lost.
 */

import { existsSync, readdirSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Directory } from '../log/file-port.ts'
import type { Log, LogLimits, LogListener } from '../log/log.ts'
import { openLog } from '../log/open-log.ts'
import { recoverLog, rejoinStep, type LogRefusal, type RecoveredLog } from '../log/recovery.ts'
import { planStart, refuseOldCopy, unusedIncarnation } from '../log/rejoin.ts'
import { SeenIncarnations } from '../log/seen-incarnations.ts'
import { crc32 } from './crc32.ts'
import { logFolder } from './create-data-directory.ts'
import { DataDirectoryError, diskError, errorNumberOf } from './data-directory-error.ts'
import { lockDirectory } from './directory-lock.ts'
import { makeFolder, syncFolder, syncNames } from './folders.ts'
import { openNodeDirectory } from './node-directory.ts'
import { renewLog } from './renew-log.ts'

/** Recovery's pieces of work, 1 MiB at most each, between two turns of the event loop. */
const stepsPerTurn = 4

/** What was seen of the other members, in the data directory. */
export const peersFolder = 'peers'

/** A directory whose operations can be waited for. */
export type ClosableDirectory = Directory & { close?(): Promise<void> }

export interface OpenDataDirectoryOptions {
  network: Uint8Array
  replica: number
  listener: LogListener
  limits?: LogLimits
  /** Where the log is lost: keep what is left of it beside a new one that abstains for good. Default: refuse. */
  rejoin?: boolean
  /** Ends opening with its reason, and has no effect afterwards. */
  signal?: AbortSignal
  /** For tests that lose power: the files of the log, and not the lock. */
  openDirectory?: (path: string) => ClosableDirectory
}

export interface DataDirectory {
  log: Log
  /** This replica has lost promises that it made, and makes none any more in this epoch. */
  abstains: boolean
  /** What `rejoin` has done, in a sentence; null if it was not asked for. */
  rejoined: string | null
  incarnation: number
  /** Which starts of the other members were seen; and which of this replica, as others have said. */
  seen: SeenIncarnations
  /** What a torn write had left behind the end, and is cut. */
  tornBytes: number
  /** Closes the log, waits for what is under way, and then lets others in. What is not durable by now never is reported. */
  close(): Promise<void>
}

export async function openDataDirectory(path: string, options: OpenDataDirectoryOptions): Promise<DataDirectory> {
  options.signal?.throwIfAborted()
  if (options.rejoin === true) makeDataFolder(path)
  else requireLogFolder(path)
  const lock = lockDirectory(path)
  if (!lock.ok) throw new DataDirectoryError(lock.code, lock.message)
  const opening = new Opening(path, options)
  try {
    return await opening.open(lock.release)
  } catch (error) {
    try {
      await opening.abandon()
    } finally {
      lock.release()
    }
    throw error
  }
}

class Opening {
  #directory: ClosableDirectory | null = null
  #peers: ClosableDirectory | null = null
  #seen: SeenIncarnations | null = null
  #log: Log | null = null
  readonly #path: string
  readonly #options: OpenDataDirectoryOptions

  constructor(path: string, options: OpenDataDirectoryOptions) {
    this.#path = path
    this.#options = options
  }

  async open(release: () => void): Promise<DataDirectory> {
    const { signal, rejoin = false } = this.#options
    const peers = `${this.#path}/${peersFolder}`
    if (existsSync(peers)) this.#openPeers(peers)
    const found = refuseOldCopy(await this.#find(), this.#seen?.own ?? 0)
    const plan = planStart(found, rejoin)
    if (plan.kind === 'refuse') throw new DataDirectoryError(plan.refusal.code, plan.refusal.message)
    const rejoined = plan.kind === 'renew' ? await this.#renew(plan.why) : rejoin ? nothingToRejoin : null
    const recovered = plan.kind === 'renew' ? await this.#find() : plan.recovered
    if (!recovered.ok) throw new DataDirectoryError(recovered.code, recovered.message)
    const log = await mendAndOpen(this.#directory!, this.#options, recovered)
    this.#log = log
    const seen = await this.#prepareSeen(peers)
    signal?.throwIfAborted()
    let closed: Promise<void> | null = null
    const close = async (): Promise<void> => {
      await this.abandon()
      release()
    }
    const { incarnation } = log
    const { abstains, tornBytes } = recovered
    return { log, abstains, rejoined, incarnation, seen, tornBytes, close: () => (closed ??= close()) }
  }

  /** Closes what is open by now. */
  async abandon(): Promise<void> {
    this.#log?.close()
    this.#seen?.close()
    await this.#directory?.close?.()
    await this.#peers?.close?.()
  }

  #openPeers(path: string): SeenIncarnations {
    this.#peers = this.#openDirectory(path)
    this.#seen = new SeenIncarnations(this.#peers, crc32)
    return this.#seen
  }

  /** Only in a directory that is this replica's for sure. */
  async #prepareSeen(path: string): Promise<SeenIncarnations> {
    if (this.#seen === null) {
      makeFolderIn(this.#path, path)
      this.#openPeers(path)
    }
    const seen = this.#seen!
    await new Promise<void>((resolve, reject) => {
      seen.prepare((error) => (error === null ? resolve() : reject(new DataDirectoryError(error.code, error.message))))
    })
    return seen
  }

  /** What is there now. */
  async #find(): Promise<RecoveredLog | LogRefusal> {
    if (!existsSync(this.#place)) {
      return { ok: false, code: 'ERR_LOG_EMPTY_DIRECTORY', message: `${this.#path} holds no log` }
    }
    this.#directory = this.#openDirectory(this.#place)
    try {
      return await recover(this.#directory, this.#options)
    } catch (error) {
      const isDisk = error instanceof DataDirectoryError && error.code === 'ERR_DISK_IO'
      if (!isDisk || this.#options.rejoin !== true) throw error
      return { ok: false, code: 'ERR_LOG_UNREADABLE', message: error.message }
    }
  }

  async #renew(why: LogRefusal): Promise<string> {
    const { network, replica, signal } = this.#options
    const incarnation = this.#unusedIncarnation()
    await this.#directory?.close?.()
    this.#directory = null
    signal?.throwIfAborted()
    const openDirectory = this.#openDirectory
    const setAside = await renewLog({ path: this.#path, network, replica, incarnation, openDirectory })
    const kept = setAside === null ? 'there was no log' : `what was there is kept in ${this.#path}/${setAside}`
    return `rejoined without a vote (${why.message.replace(`; ${rejoinStep}`, '')}); ${kept}`
  }

  #unusedIncarnation(): number {
    const known = { wallMs: Date.now(), seen: this.#seen?.own ?? 0 }
    try {
      return unusedIncarnation(this.#directory === null ? null : { directory: this.#directory, crc32 }, known)
    } catch {
      // Of a folder that cannot be listed.
      return unusedIncarnation(null, known)
    }
  }

  get #place(): string {
    return `${this.#path}/${logFolder}`
  }

  get #openDirectory(): (path: string) => ClosableDirectory {
    return this.#options.openDirectory ?? openNodeDirectory
  }
}

const nothingToRejoin = 'there was nothing to rejoin: the log is sound, and nothing was changed'

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
    const message = `${path} does not exist or holds no log: correct the path or mount its disk; for a replica that has never run, quorate init --member makes it; if it is lost, ${rejoinStep}`
    throw new DataDirectoryError('ERR_DATA_DIRECTORY_MISSING', message, { cause: error })
  }
}

function makeDataFolder(path: string): void {
  const root = resolve(path)
  try {
    const firstMade = makeFolder(root)
    if (firstMade !== null) syncNames(root, firstMade)
  } catch (error) {
    throw error instanceof DataDirectoryError ? error : diskError(`${path} cannot be made`, error)
  }
}

function makeFolderIn(path: string, folder: string): void {
  try {
    if (makeFolder(folder) !== null) syncFolder(path)
  } catch (error) {
    throw error instanceof DataDirectoryError ? error : diskError(`${folder} cannot be made`, error)
  }
}
