// Reads of any length, in the pieces that the port allows.

import { readBytesMax, type Directory } from './file-port.ts'

/** Null if the disk does not give all of it. */
export function readRange(directory: Directory, name: string, offset: number, length: number): Uint8Array | null {
  if (length <= readBytesMax) {
    const read = directory.read(name, offset, length)
    return read.ok && read.bytes.length === length ? read.bytes : null
  }
  const bytes = new Uint8Array(length)
  for (let at = 0; at < length;) {
    const read = directory.read(name, offset + at, Math.min(readBytesMax, length - at))
    if (!read.ok || read.bytes.length === 0) return null
    bytes.set(read.bytes, at)
    at += read.bytes.length
  }
  return bytes
}
