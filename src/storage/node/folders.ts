// Folders made and renamed so that a loss of power finds either what was or what is to be.

import { closeSync, fsyncSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { diskError } from './data-directory-error.ts'

/** Throws what the system throws. Returns the outermost that did not exist; null if all did. */
export function makeFolder(path: string): string | null {
  return mkdirSync(path, { recursive: true, mode: 0o700 }) ?? null
}

/** Makes the names of all that is new durable, from the inside out: what has a name for sure is whole. */
export function syncNames(innermost: string, firstMade: string): void {
  for (let made = innermost; ; made = dirname(made)) {
    syncFolder(dirname(made))
    if (made === firstMade) return
  }
}

export function syncFolder(path: string): void {
  let descriptor: number | null = null
  try {
    descriptor = openSync(path, 'r')
    fsyncSync(descriptor)
  } catch (error) {
    throw diskError(`${path} cannot be synced`, error)
  } finally {
    if (descriptor !== null) closeSync(descriptor)
  }
}
