// What a replica's directory counts, where its killer finds it: a write into the page cache outlives SIGKILL.

import { closeSync, openSync, readFileSync, writeSync } from 'node:fs'
import type { VolatileCounts } from './volatile-directory.ts'

const names = [
  'unsyncedWrites',
  'unsyncedBytes',
  'unsyncedNames',
  'leaks',
  'cuts',
  'created',
  'removed',
  'syncs',
  'directorySyncs',
] as const satisfies readonly (keyof VolatileCounts)[]

/** Returns the function that writes the newest counts. */
export function openCounts(path: string): (counts: VolatileCounts) => void {
  const descriptor = openSync(path, 'w')
  const numbers = new Float64Array(names.length)
  process.once('exit', () => closeSync(descriptor))
  return (counts) => {
    for (const [index, name] of names.entries()) numbers[index] = counts[name]
    writeSync(descriptor, new Uint8Array(numbers.buffer), 0, numbers.byteLength, 0)
  }
}

/** All zeros for a process that was killed before it counted anything. */
export function readCounts(path: string): VolatileCounts {
  const numbers = new Float64Array(names.length)
  try {
    new Uint8Array(numbers.buffer).set(readFileSync(path).subarray(0, numbers.byteLength))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  return Object.fromEntries(names.map((name, index) => [name, numbers[index]!])) as unknown as VolatileCounts
}
