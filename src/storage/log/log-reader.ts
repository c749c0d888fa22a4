// Reads the records of a log that recovery has found sound, a piece of a segment at a time: all of one would stay in memory until the
// collector sees it, and a start has two of them and a state to read.

import type { Crc32, Directory } from './file-port.ts'
import {
  decodeSegmentHeader,
  readRecordHeader,
  recordHeaderBytes,
  recordKind,
  segmentFile,
  segmentHeaderBytes,
} from './format.ts'
import { readRange } from './read-range.ts'
import { soundRecord } from './recovery.ts'

/** Bytes read at once for records that are smaller than `largeRecordBytes`. */
const pieceBytes: number = 64 * 1024
const largeRecordBytes: number = 16 * 1024

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
    const pieces = new SegmentPieces(directory, name)
    const header = decodeSegmentHeader(pieces.read(0, segmentHeaderBytes), crc32)
    if (header === null) throw new Error(changed(name, 0))
    let sequence = header.firstSequence
    for (let offset = segmentHeaderBytes; offset < pieces.size && sequence <= end.sequence; sequence++) {
      const bytes = pieces.record(offset)
      const record = soundRecord(bytes, 0, crc32)
      if (record?.sequence !== sequence) throw new Error(changed(name, offset))
      const length = recordHeaderBytes + record.bodyBytes
      offset += length
      if (record.kind === recordKind.host) yield { sequence, bytes: bytes.subarray(recordHeaderBytes, length) }
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

/**
 * Small records are views of a piece that holds many. A large one has a buffer of its own: whoever keeps it keeps nothing else, and
 * need not copy it.
 */
class SegmentPieces {
  readonly #directory: Directory
  readonly #name: string
  readonly size: number
  #piece: Uint8Array = new Uint8Array(0)
  #pieceAt = 0
  /** Where large records follow one another, no piece is read for the sake of a header. */
  #wasLarge = false

  constructor(directory: Directory, name: string) {
    this.#directory = directory
    this.#name = name
    this.size = directory.size(name)
  }

  /** Header and body of what stands at the offset, unchecked. */
  record(offset: number): Uint8Array {
    const header = readRecordHeader(this.read(offset, recordHeaderBytes), 0)
    const length = recordHeaderBytes + (header?.bodyBytes ?? 0)
    this.#wasLarge = length > largeRecordBytes
    return this.read(offset, length)
  }

  read(offset: number, length: number): Uint8Array {
    if (offset + length > this.size) throw new Error(changed(this.#name, offset))
    if (length > largeRecordBytes) return this.#fromDisk(offset, length)
    const isThere = offset >= this.#pieceAt && offset + length <= this.#pieceAt + this.#piece.length
    if (!isThere) {
      this.#piece = this.#fromDisk(offset, this.#wasLarge ? length : Math.min(pieceBytes, this.size - offset))
      this.#pieceAt = offset
    }
    return this.#piece.subarray(offset - this.#pieceAt, offset - this.#pieceAt + length)
  }

  #fromDisk(start: number, length: number): Uint8Array {
    const bytes = readRange(this.#directory, this.#name, start, length)
    if (bytes === null) throw new Error(changed(this.#name, start))
    return bytes
  }
}

function changed(name: string, offset: number): string {
  return `${name} no longer gives back at byte ${offset} what recovery has read: check the disk`
}
