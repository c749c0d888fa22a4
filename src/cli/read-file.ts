// Reads a text that a person named, and no more of it than is needed to refuse it, whatever the file is.

import { closeSync, openSync, readSync } from 'node:fs'
import { Failure } from './failure.ts'

export function readTextFile(path: string, bytesMax: number): string {
  const bytes = readBytes(path, bytesMax + 1)
  if (bytes === null) throw new Failure('ERR_FILE_NOT_READ', `${path} cannot be read: name a file that exists`)
  if (bytes.length > bytesMax) {
    throw new Failure('ERR_NETWORK_TOO_LARGE', `${path}: the file has more than ${bytesMax} bytes, no more are read`)
  }
  try {
    // A damaged byte in a name must not become another name.
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw new Failure('ERR_NETWORK_SYNTAX', `${path}: the file is not UTF-8 text: save it as such`)
  }
}

function readBytes(path: string, bytesMax: number): Uint8Array | null {
  let file: number
  try {
    file = openSync(path, 'r')
  } catch {
    return null
  }
  try {
    const buffer = Buffer.alloc(bytesMax)
    let length = 0
    for (let count = -1; count !== 0 && length < buffer.length; length += count) {
      count = readSync(file, buffer, length, buffer.length - length, null)
    }
    return buffer.subarray(0, length)
  } catch {
    return null
  } finally {
    closeSync(file)
  }
}
