/**
 * Finds single records again that were written earlier. Where the records of a segment begin is worked out when one of them is asked
 * for, and kept for the last few segments: whoever reads old records reads many that stand together.
 */

import { readBytesMax, type Crc32, type Directory } from './file-port.ts'
import {
  readRecordHeader,
  recordHeaderBytes,
  recordIsSound,
  segmentFile,
  segmentHeaderBytes,
  type RecordHeader,
} from './format.ts'

/** Segments whose offsets are kept: eight bytes a record. */
export const segmentsRemembered = 2

interface SegmentStart {
  segment: number
  firstSequence: number
}

interface Known extends SegmentStart {
  offsets: number[]
  /** Where the next record would begin. */
  end: number
}

export class RecordFinder {
  readonly #directory: Directory
  readonly #crc32: Crc32
  #known: Known[] = []

  constructor(directory: Directory, crc32: Crc32) {
    this.#directory = directory
    this.#crc32 = crc32
  }

  /** The body of a record that is on disk, checked; null if the disk does not give it. `start` is its segment's. */
  read(start: SegmentStart, sequence: number): Uint8Array | null {
    const known = this.#segment(start)
    const index = sequence - start.firstSequence
    if (index >= known.offsets.length) this.#extend(known, index)
    const offset = known.offsets[index]
    if (offset === undefined) return null
    const name = segmentFile(start.segment)
    const header = this.#header(name, offset)
    if (header === null || header.sequence !== sequence) return null
    const bytes = this.#bytes(name, offset, recordHeaderBytes + header.bodyBytes)
    if (bytes === null || !recordIsSound(bytes, 0, header, this.#crc32)) return null
    return bytes.subarray(recordHeaderBytes)
  }

  #segment(start: SegmentStart): Known {
    const found = this.#known.find((known) => known.segment === start.segment)
    if (found !== undefined) return found
    const made: Known = { ...start, offsets: [], end: segmentHeaderBytes }
    this.#known = [made, ...this.#known.slice(0, segmentsRemembered - 1)]
    return made
  }

  /** Goes on from where it stopped until it knows the record's offset, or finds no more records. */
  #extend(known: Known, index: number): void {
    const name = segmentFile(known.segment)
    let window: Uint8Array = new Uint8Array(0)
    let windowAt = known.end
    while (known.offsets.length <= index) {
      if (known.end + recordHeaderBytes > windowAt + window.length) {
        const read = this.#directory.read(name, known.end, readBytesMax)
        if (!read.ok || read.bytes.length < recordHeaderBytes) return
        window = read.bytes
        windowAt = known.end
      }
      const header = readRecordHeader(window, known.end - windowAt)
      if (header === null || header.sequence !== known.firstSequence + known.offsets.length) return
      known.offsets.push(known.end)
      known.end += recordHeaderBytes + header.bodyBytes
    }
  }

  #header(name: string, offset: number): RecordHeader | null {
    const read = this.#directory.read(name, offset, recordHeaderBytes)
    return read.ok ? readRecordHeader(read.bytes, 0) : null
  }

  #bytes(name: string, offset: number, length: number): Uint8Array | null {
    const bytes = new Uint8Array(length)
    for (let at = 0; at < length;) {
      const read = this.#directory.read(name, offset + at, Math.min(readBytesMax, length - at))
      if (!read.ok || read.bytes.length === 0) return null
      bytes.set(read.bytes, at)
      at += read.bytes.length
    }
    return bytes
  }
}
