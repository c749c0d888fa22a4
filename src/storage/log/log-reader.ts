// Reads the records of a log that recovery has found sound, one segment at a time.

import { readBytesMax, type Directory } from './file-port.ts'
import {
  decodeSegmentHeader,
  readRecordHeader,
  recordHeaderBytes,
  recordKind,
  segmentFile,
  segmentHeaderBytes,
} from './format.ts'
import type { Crc32 } from './file-port.ts'

export interface LogEntry {
  sequence: number
  bytes: Uint8Array
}

/** Host records up to the end's sequence. Recovery has checked them; a disk that lies now is not caught here. */
export function* readRecords(
  directory: Directory,
  firstSegment: number,
  end: { segment: number; sequence: number },
): Generator<LogEntry> {
  for (let segment = firstSegment; segment <= end.segment; segment++) {
    const bytes = readWhole(directory, segmentFile(segment))
    let offset = segmentHeaderBytes
    for (let header = readRecordHeader(bytes, offset); header !== null; header = readRecordHeader(bytes, offset)) {
      if (header.sequence > end.sequence) return
      const body = offset + recordHeaderBytes
      offset = body + header.bodyBytes
      if (header.kind === recordKind.host) yield { sequence: header.sequence, bytes: bytes.subarray(body, offset) }
    }
  }
}

/** First sequence of each segment: what a cut needs to know. */
export function segmentStarts(
  directory: Directory,
  crc32: Crc32,
  segments: { first: number; last: number },
): { segment: number; firstSequence: number }[] {
  const starts: { segment: number; firstSequence: number }[] = []
  for (let segment = segments.first; segment <= segments.last; segment++) {
    const read = directory.read(segmentFile(segment), 0, segmentHeaderBytes)
    const header = read.ok ? decodeSegmentHeader(read.bytes, crc32) : null
    if (header !== null) starts.push({ segment, firstSequence: header.firstSequence })
  }
  return starts
}

function readWhole(directory: Directory, name: string): Uint8Array {
  const bytes = new Uint8Array(directory.size(name))
  for (let offset = 0; offset < bytes.length;) {
    const read = directory.read(name, offset, Math.min(readBytesMax, bytes.length - offset))
    if (!read.ok || read.bytes.length === 0) throw new Error(`${name} can no longer be read at byte ${offset}`)
    bytes.set(read.bytes, offset)
    offset += read.bytes.length
  }
  return bytes
}
