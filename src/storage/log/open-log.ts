/**
 * Mends what recovery found and opens the log for writing. Each mend is durable before the next begins, and each may be interrupted:
 * the next recovery finds either the mended log or the one it found before.
 *
 * WHAT IS ABOVE THE NOTED END was perhaps never synced, or its sync failed in an earlier life: then the system may show it, take it for
 * written, and answer the next sync without writing it, until a power loss takes it. So the same bytes are written again in their
 * place, and synced, before anything is believed. The note itself comes first, because what lies below it is removed.
 */

import { readBytesMax, type Crc32, type Directory, type FileError } from './file-port.ts'
import {
  decodeNote,
  decodeSegmentHeader,
  noteFile,
  noteOffset,
  noteSlotBytes,
  recordHeaderBytes,
  segmentFile,
  segmentHeaderBytes,
  type Note,
} from './format.ts'
import { Log, removeSegments, type LogOptions } from './log.ts'
import { segmentStarts } from './log-reader.ts'
import { soundRecord, type RecoveredLog } from './recovery.ts'

/** `opened` is called when the torn tail is gone, everything that was found is surely on disk, and the incarnation is durable. */
export function openLog(
  options: LogOptions,
  recovered: RecoveredLog,
  opened: (log: Log) => void,
  failed: (error: FileError) => void,
): void {
  const { directory, crc32 } = options
  const { end, leftover, tornSegment, tornBytes } = recovered
  const note = readNoteAgain(directory, crc32, recovered.noteCounter)
  if (note === null) return failed(readBackError(noteFile))
  const isAbove = end.segment > note.endSegment || end.offset > note.endOffset
  if (isAbove || leftover.length > 0) settleNote()
  else removeDoomed()

  function settleNote(): void {
    const place = { name: noteFile, offset: noteOffset(recovered.noteCounter), end: 0 }
    place.end = place.offset + noteSlotBytes
    writeAgain(directory, place, removeDoomed, failed)
  }

  function removeDoomed(): void {
    const doomed = [...leftover, ...(tornSegment === null ? [] : [tornSegment])]
    removeSegments(directory, doomed, cutTail, failed)
  }

  function cutTail(): void {
    if (tornBytes === 0) return settle(note!.endSegment)
    const file = directory.open(segmentFile(end.segment))
    file.truncate(end.offset, (error) => {
      file.close()
      if (error !== null) failed(error)
      else settle(note!.endSegment)
    })
  }

  /** The last segment is synced also where nothing is above the note: its new length must be there to stay. */
  function settle(segment: number): void {
    const isLast = segment === end.segment
    const name = segmentFile(segment)
    const place = {
      name,
      offset: segment === note!.endSegment ? note!.endOffset : 0,
      end: isLast ? end.offset : directory.size(name),
    }
    writeAgain(directory, place, () => (isLast ? begin() : settle(segment + 1)), failed, crc32)
  }

  function begin(): void {
    let log: Log | null = null
    let announced = false
    const { listener } = options
    const starts = segmentStarts(directory, crc32, { first: recovered.firstSegment, last: end.segment })
    const watched: LogOptions = {
      ...options,
      listener: {
        durable: (upTo) => {
          if (announced) return listener.durable(upTo)
          announced = true
          opened(log!)
        },
        full: (error) => (announced ? listener.full(error) : failed(error)),
        failed: (error) => (announced ? listener.failed(error) : failed(error)),
      },
    }
    log = new Log(watched, recovered, starts)
    log.appendIncarnation()
    log.flush()
  }
}

interface Place {
  name: string
  offset: number
  end: number
}

/** Reads the bytes and writes them where they stand. With `crc32` they are records, perhaps behind a segment's header, and sound. */
function writeAgain(
  directory: Directory,
  { name, offset, end }: Place,
  done: () => void,
  failed: (error: FileError) => void,
  crc32: Crc32 | null = null,
): void {
  const bytes = readAgain(directory, { name, offset, end })
  // What a disk gives back differently each time must not be written over what may be sound.
  if (bytes === null || (crc32 !== null && !areRecords(bytes, offset, crc32))) return failed(readBackError(name))
  const file = directory.open(name)
  const sync = (error: FileError | null): void => {
    if (error !== null) return failed(error)
    file.sync((failure) => {
      file.close()
      if (failure !== null) failed(failure)
      else done()
    })
  }
  if (bytes.length === 0) sync(null)
  else file.write(offset, bytes, sync)
}

function readAgain(directory: Directory, { name, offset, end }: Place): Uint8Array | null {
  const bytes = new Uint8Array(Math.max(0, end - offset))
  for (let at = 0; at < bytes.length;) {
    const read = directory.read(name, offset + at, Math.min(readBytesMax, bytes.length - at))
    if (!read.ok || read.bytes.length === 0) return null
    bytes.set(read.bytes, at)
    at += read.bytes.length
  }
  return bytes
}

/** From `offset` of a segment on. Recovery has found them sound and in order. */
function areRecords(bytes: Uint8Array, offset: number, crc32: Crc32): boolean {
  let at = Math.max(0, segmentHeaderBytes - offset)
  if (at > 0 && decodeSegmentHeader(bytes.subarray(0, at), crc32) === null) return false
  while (at < bytes.length) {
    const header = soundRecord(bytes, at, crc32)
    if (header === null) return false
    at += recordHeaderBytes + header.bodyBytes
  }
  return true
}

/** The one that recovery believed. */
function readNoteAgain(directory: Directory, crc32: Crc32, counter: number): Note | null {
  const read = directory.read(noteFile, noteOffset(counter), noteSlotBytes)
  const note = read.ok ? decodeNote(read.bytes, crc32) : null
  return note?.counter === counter ? note : null
}

function readBackError(name: string): FileError {
  return { code: 'ERR_DISK_IO', message: `${name} cannot be read back as it was a moment ago: check the disk` }
}
