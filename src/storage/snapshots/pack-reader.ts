// One chunk out of a pack, by where it lies.

import type { Crc32, Directory } from '../log/file-port.ts'
import { packFile, packRecordBytes, readPackRecord, type PackRecord, type Place } from './format.ts'
import { readRange } from '../log/read-range.ts'

export interface PackedChunk {
  record: PackRecord
  body: Uint8Array
}

/** What stands there, its body unchecked; null if the disk does not give it, or no such record is there. */
export function readPacked(directory: Directory, crc32: Crc32, place: Place, size: number): PackedChunk | null {
  const bytes = readRange(directory, packFile(place.pack), place.offset, packRecordBytes + size)
  const record = bytes === null ? null : readPackRecord(bytes, 0, place, crc32)
  if (bytes === null || record?.kind !== 'chunk' || record.bodyBytes !== size) return null
  return { record, body: bytes.subarray(packRecordBytes) }
}

export function bodyIsSound({ record, body }: PackedChunk, crc32: Crc32): boolean {
  return crc32(body, 0) === record.bodyCrc
}
