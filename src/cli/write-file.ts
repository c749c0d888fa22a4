// Writes a whole file or none. What exists is replaced only where it is what the command itself has read.

import { randomBytes } from 'node:crypto'
import { closeSync, fsyncSync, openSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { Failure, systemCode } from './failure.ts'

/** Never overwrites. */
export function createFile(path: string, content: string | Uint8Array): void {
  try {
    writeNew(path, content)
  } catch (error) {
    throw systemCode(error) === 'EEXIST' ? existing(path) : unwritable(path, error)
  }
}

/** Replaces one of the inputs, or creates a file: then never overwrites. Readers see the old text or the new one, never a part. */
export function createOrReplaceInput(path: string, text: string, inputs: readonly string[]): void {
  const target = realPath(path)
  if (target === null) return createFile(path, text)
  if (!inputs.some((input) => realPath(input) === target)) throw existing(path)
  const temporary = join(dirname(target), `.${basename(target)}-${randomBytes(6).toString('hex')}`)
  try {
    writeNew(temporary, text)
    renameSync(temporary, target)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw unwritable(path, error)
  }
}

function writeNew(path: string, content: string | Uint8Array): void {
  const file = openSync(path, 'wx')
  try {
    writeFileSync(file, content)
    fsyncSync(file)
  } catch (error) {
    // A part of a file would be in the way of the next attempt.
    rmSync(path, { force: true })
    throw error
  } finally {
    closeSync(file)
  }
}

/** Null where nothing is. */
function realPath(path: string): string | null {
  try {
    return realpathSync(path)
  } catch {
    return null
  }
}

function existing(path: string): Failure {
  return new Failure('ERR_FILE_EXISTS', `${path} exists and is not overwritten: choose another name, or move it away`)
}

function unwritable(path: string, error: unknown): Failure {
  return new Failure(
    'ERR_FILE_NOT_WRITTEN',
    `${path} cannot be written (${systemCode(error)}): check that its folder exists, is yours and has space`,
  )
}
