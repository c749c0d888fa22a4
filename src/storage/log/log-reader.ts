// Reads the records of a log that recovery has found sound, one segment at a time.

import { readBytesMax, type Directory } from './file-port.ts'
import { decodeSegmentHeader, recordHeaderBytes, recordKind, segmentFile, segmentHeaderBytes } from './format.ts'
import type { Crc32 } from './file-port.ts'
import { soundRecord } from './recovery.ts'

export interface LogEntry {
  sequence: number
  bytes: Uint8Array
}

/**
 * Host records up to the end's sequence. Recovery has found them sound; a disk that gives back others now is noticed, by an error that
 * ends the replica.
 */
export function* readRecords(
  directory: Directory,
  crc32: Crc32,
  firstSegment: number,
  end: { segment: number; sequence: number },
): Generator<LogEntry> {
  for (let segment = firstSegment; segment <= end.segment; segment++) {
    const name = segmentFile(segment)
    const bytes = readWhole(directory, name)
    const header = decodeSegmentHeader(bytes.subarray(0, segmentHeaderBytes), crc32)
    if (header === null) throw new Error(changed(name, 0))
    let sequence = header.firstSequence
    for (let offset = segmentHeaderBytes; offset < bytes.length && sequence <= end.sequence; sequence++) {
      const record = soundRecord(bytes, offset, crc32)
      if (record?.sequence !== sequence) throw new Error(changed(name, offset))
      const body = offset + recordHeaderBytes
      offset = body + record.bodyBytes
      if (record.kind === recordKind.host) yield { sequence, bytes: bytes.subarray(body, offset) }
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
    if (!read.ok || read.bytes.length === 0) throw new Error(changed(name, offset))
    bytes.set(read.bytes, offset)
    offset += read.bytes.length
  }
  return bytes
}

function changed(name: string, offset: number): string {
  return `${name} no longer gives back at byte ${offset} what recovery has read: check the disk`
}
