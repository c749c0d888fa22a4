/**
 * Keeps a second process out of a data directory. Node has no locks of the kernel's that end with their process, so the lock is a file
 * that says who holds it, and whoever finds one asks whether that process still runs.
 *
 * TAKING OVER. A stale lock is moved to a name of its own before it is removed, because two may find it at once and the slower one must
 * not remove what the faster one has put there: what was moved is read again, and put back if it is not what was found. Whoever has just
 * locked looks at all that was moved: if a holder is among it that runs, it was moved by mistake and comes first.
 *
 * Not seen are processes of another machine or another container that share the directory: there the lock of a running process looks
 * stale. Only one of them may have the directory mounted.
 */

import { randomBytes } from 'node:crypto'
import {
  closeSync,
  fsyncSync,
  linkSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { errorNumberOf, fileError } from './data-directory-error.ts'
import type { FileErrorCode } from '../log/file-port.ts'
import { hasEnded, ownIdentity, type ProcessIdentity } from './process-identity.ts'

export const lockFile = 'lock'
const movedPrefix = 'lock-moved-'
const newPrefix = 'lock-new-'
/** Each attempt ends with the lock, a refusal or a stale lock removed; others can bring more of these, but not for ever. */
const attemptsMax = 10

export type DirectoryLock =
  | { ok: true; /** Harmless when called again. */ release(): void }
  | {
      ok: false
      code: 'ERR_DIRECTORY_LOCKED' | FileErrorCode
      /** One sentence with the next step. */
      message: string
    }

/** Who holds it; `stale` when that is over. */
type Holder = { kind: 'running'; pid: number } | { kind: 'stale' } | { kind: 'damaged' } | { kind: 'contested' }

export function lockDirectory(path: string): DirectoryLock {
  // The token tells two locks of one process apart.
  const content = `${JSON.stringify({ ...ownIdentity(), token: randomBytes(8).toString('hex') })}\n`
  const unique = `${process.pid}-${randomBytes(8).toString('hex')}`
  const fresh = `${path}/${newPrefix}${unique}`
  try {
    writeDurably(fresh, content)
    return acquire(path, fresh, content, unique)
  } catch (error) {
    return { ok: false, ...fileError(`${path}/${lockFile} cannot be made`, error) }
  } finally {
    tryTo(() => unlinkSync(fresh))
  }
}

function acquire(path: string, fresh: string, content: string, unique: string): DirectoryLock {
  const lock = `${path}/${lockFile}`
  const moved = `${path}/${movedPrefix}${unique}`
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    if (link(fresh, lock)) {
      const rightful = sweep(path, content)
      if (rightful === null) return { ok: true, release: () => release(path, content) }
      release(path, content)
      return refuse(lock, rightful)
    }
    const found = readLock(lock)
    if (found === null) continue
    const holder = holderOf(found)
    if (holder.kind !== 'stale') return refuse(lock, holder)
    if (!rename(lock, moved)) continue
    const taken = readLock(moved)
    // Stale, and swept away by somebody who has locked meanwhile.
    if (taken === null) continue
    // If somebody has locked meanwhile it stays where it is, and he will find it there.
    if (taken === found || link(moved, lock)) tryTo(() => unlinkSync(moved))
    if (taken !== found && holderOf(taken).kind !== 'stale') return refuse(lock, holderOf(taken))
  }
  return refuse(lock, { kind: 'contested' })
}

/** Removes what others left behind when they were killed. Returns a holder that runs and whose lock was moved by mistake. */
function sweep(path: string, ownContent: string): Holder | null {
  for (const name of readdirSync(path)) {
    const wasMoved = name.startsWith(movedPrefix)
    if (!wasMoved && !name.startsWith(newPrefix)) continue
    const text = readLock(`${path}/${name}`)
    if (text === null || text === ownContent) continue
    const holder = holderOf(text)
    if (wasMoved && holder.kind !== 'stale') return holder
    // A new one that is empty may be about to be written.
    if (text.length > 0 && holder.kind === 'stale') tryTo(() => unlinkSync(`${path}/${name}`))
  }
  return null
}

/** Wherever it is by now, and only what is ours. */
function release(path: string, content: string): void {
  tryTo(() => {
    for (const name of readdirSync(path)) {
      const isLock = name === lockFile || name.startsWith(movedPrefix)
      if (isLock && readLock(`${path}/${name}`) === content) unlinkSync(`${path}/${name}`)
    }
  })
}

/** An empty one is what a loss of power can leave: the name, and nothing in it. */
function holderOf(text: string): Holder {
  if (text.length === 0) return { kind: 'stale' }
  const identity = parseIdentity(text)
  if (identity === null) return { kind: 'damaged' }
  return hasEnded(identity) ? { kind: 'stale' } : { kind: 'running', pid: identity.pid }
}

function parseIdentity(text: string): ProcessIdentity | null {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return null
  }
  if (typeof value !== 'object' || value === null) return null
  const { pid, startTime, bootId } = value as Record<string, unknown>
  // 0 and negative numbers would ask after groups of processes.
  if (typeof pid !== 'number' || !Number.isSafeInteger(pid) || pid <= 0) return null
  if (startTime !== null && !Number.isSafeInteger(startTime)) return null
  if (bootId !== null && typeof bootId !== 'string') return null
  return { pid, startTime: startTime as number | null, bootId }
}

function refuse(lock: string, holder: Holder): DirectoryLock {
  return { ok: false, code: 'ERR_DIRECTORY_LOCKED', message: `${lock} ${explain(holder)}` }
}

function explain(holder: Holder): string {
  if (holder.kind === 'contested') return 'was taken and left again and again while this process tried: try again'
  if (holder.kind === 'running') {
    const who = holder.pid === process.pid ? 'this process itself' : `process ${holder.pid}, which runs`
    return `is held by ${who}: close what uses the directory there, or name another one`
  }
  return 'does not say who holds it: make sure that no other process uses the directory, and remove that file'
}

/** On disk before it has its name: a lock is never found half-written, not even after a loss of power. */
function writeDurably(path: string, content: string): void {
  const descriptor = openSync(path, 'wx', 0o600)
  try {
    writeFileSync(descriptor, content)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

/** False if the name is taken: this, and not looking before, makes it exclusive. */
function link(from: string, to: string): boolean {
  return succeeds('EEXIST', () => linkSync(from, to))
}

/** False if somebody else was faster. */
function rename(from: string, to: string): boolean {
  return succeeds('ENOENT', () => renameSync(from, to))
}

function succeeds(expected: string, act: () => void): boolean {
  try {
    act()
    return true
  } catch (error) {
    if (errorNumberOf(error) === expected) return false
    throw error
  }
}

/** Null if it is gone. What cannot be read is no lock's content, and so counts as damaged. */
function readLock(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    return errorNumberOf(error) === 'ENOENT' ? null : `unreadable: ${errorNumberOf(error)}`
  }
}

/** What fails here leaves a file behind that the next one to lock removes. */
function tryTo(act: () => void): void {
  try {
    act()
  } catch {
    // See above.
  }
}
