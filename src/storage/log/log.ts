/**
 * The append-only log of one replica, open for writing.
 *
 * GROUP COMMIT. `append` only gathers. `flush` starts a group: one write of all that waits, then one sync; what is appended meanwhile
 * is the next group, which starts by itself if `flush` was called for it. A record is durable when its group's sync has answered.
 * What came by `appendSoon` starts no group, and goes with the next that something else starts, or after `hurry`.
 * THE NOTE of the synced end is written after each sync, and synced with the next group, which is durable when both syncs have
 * answered. So it is never ahead of the truth, and after a power loss at most one group behind it.
 * FAILING. An error of a sync, or any error of a write but a full disk, is final: nothing is retried, because nobody knows what is on
 * disk then; nothing is reported durable afterwards. A full disk keeps the group; `probe` tries it again at the same place.
 */

import { Writer } from '../../wire/writer.ts'
import type { Crc32, Directory, FileError, WritableFile } from './file-port.ts'
import {
  encodeNote,
  encodeSegmentHeader,
  formatVersion,
  noteFile,
  noteOffset,
  recordKind,
  segmentFile,
  segmentHeaderBytes,
  writeRecord,
} from './format.ts'
import type { LogEnd, RecoveredLog } from './recovery.ts'
import { readRecords, type LogEntry } from './log-reader.ts'
import { RecordFinder } from './record-finder.ts'

export interface LogLimits {
  /** A segment that has reached this size is followed by a new one. */
  segmentBytesMax: number
  /** One record. */
  recordBytesMax: number
  /** Waiting to be written: above it the log says that it is backed up, and the driver takes in less. */
  waitingBytesMax: number
}

export const logLimitsDefault: LogLimits = {
  segmentBytesMax: 64 * 1024 * 1024,
  recordBytesMax: 16 * 1024 * 1024,
  waitingBytesMax: 64 * 1024 * 1024,
}

export interface LogListener {
  /** Everything up to and with this sequence is on disk. Rises with each call. */
  durable(upTo: number): void
  /** The disk is full. Nothing is lost, and nothing more is written until `probe`. */
  full(error: FileError): void
  /** For good. */
  failed(error: FileError): void
}

export interface LogOptions {
  directory: Directory
  crc32: Crc32
  listener: LogListener
  limits?: LogLimits
}

/** Longest time a group may be retried in its place is the operator's business; its size is bounded by waitingBytesMax. */
interface Group {
  bytes: Uint8Array
  lastSequence: number
}

export class Log {
  readonly #directory: Directory
  readonly #crc32: Crc32
  readonly #listener: LogListener
  readonly #limits: LogLimits
  readonly incarnation: number
  readonly #finder: RecordFinder
  /** Two writers, in turn: one gathers while the bytes of the other are on their way. */
  #gathering = new Writer()
  #spare = new Writer()
  #end: LogEnd
  /** First sequence of the group that gathers. */
  #groupFirst: number
  #firstSegment: number
  #segmentStarts: { segment: number; firstSequence: number }[]
  #segment: WritableFile
  #note: WritableFile
  #noteCounter: number
  #durable: number
  #running: Group | null = null
  #flushAsked = false
  /** Somebody waits for what gathers. */
  #isAwaited = false
  /** The write that did not fit, at its own place. */
  #whenRoom: (() => void) | null = null
  #state: 'open' | 'full' | 'failed' | 'closed' = 'open'
  /** Of files and of the directory. */
  syncs = 0
  groups = 0

  /** Use `openLog`: a recovered log must be mended before it is written. */
  constructor(options: LogOptions, recovered: RecoveredLog, starts: { segment: number; firstSequence: number }[]) {
    this.#directory = options.directory
    this.#crc32 = options.crc32
    this.#listener = options.listener
    this.#limits = options.limits ?? logLimitsDefault
    this.#end = { ...recovered.end }
    this.#groupFirst = recovered.end.sequence + 1
    this.#firstSegment = recovered.firstSegment
    this.#segmentStarts = starts
    this.#noteCounter = recovered.noteCounter
    this.#durable = recovered.end.sequence
    this.incarnation = recovered.incarnation + 1
    this.#segment = this.#directory.open(segmentFile(recovered.end.segment))
    this.#note = this.#directory.open(noteFile)
    this.#finder = new RecordFinder(options.directory, options.crc32)
  }

  /** What the next start would read: bytes of all segments that were not cut. */
  get bytes(): number {
    let bytes = this.#end.offset
    for (const { segment } of this.#segmentStarts) {
      if (segment !== this.#end.segment) bytes += this.#directory.size(segmentFile(segment))
    }
    return bytes
  }

  /** Last sequence that is on disk. */
  get durable(): number {
    return this.#durable
  }

  get backedUp(): boolean {
    return this.#gathering.length > this.#limits.waitingBytesMax || this.#state === 'full'
  }

  /** Copies the bytes, and gives their sequence. Throws on a record above the limit: its writer should have known. */
  append(body: Uint8Array): number {
    return this.#appendAwaited(recordKind.host, body)
  }

  appendSoon(body: Uint8Array): number {
    return this.#append(recordKind.host, body)
  }

  hurry(): void {
    if (this.#gathering.length > 0) this.#isAwaited = true
  }

  /** The first record of each start; `openLog` waits until it is durable. */
  appendIncarnation(): number {
    const writer = new Writer(8)
    writer.u53(this.incarnation)
    return this.#appendAwaited(recordKind.incarnation, writer.finish())
  }

  flush(): void {
    if (this.#state !== 'open' || !this.#isAwaited) return
    if (this.#running === null) this.#startGroup()
    else this.#flushAsked = true
  }

  /** After `full`: tries the group again that did not fit. */
  probe(): void {
    const again = this.#whenRoom
    if (this.#state !== 'full' || again === null) return
    this.#state = 'open'
    this.#whenRoom = null
    again()
  }

  /** What is on disk, oldest first, in bounded memory. What was cut is not among it. */
  records(): Iterable<LogEntry> {
    return readRecords(this.#directory, this.#crc32, this.#firstSegment, { ...this.#end, sequence: this.#durable })
  }

  /** One record that is durable and was not cut; null if the disk does not give it back whole. */
  read(sequence: number): Uint8Array | null {
    const start = this.#segmentStarts.findLast((one) => one.firstSequence <= sequence)
    if (start === undefined || sequence > this.#durable) return null
    return this.#finder.read(start, sequence)
  }

  /** Removes whole segments that hold only records below `sequence`. Answers through `done` when that is durable. */
  cut(sequence: number, done: () => void): void {
    const keep = this.#segmentStarts.findLastIndex((start) => start.firstSequence <= sequence)
    const gone = keep <= 0 ? [] : this.#segmentStarts.slice(0, keep)
    if (gone.length === 0 || this.#state !== 'open') return done()
    this.#segmentStarts = this.#segmentStarts.slice(keep)
    this.#firstSegment = this.#segmentStarts[0]!.segment
    // May meet the note of a group whose sync is under way: both slots lie in one sector, which a disk writes whole or not at all.
    // The note comes first: a crash between leaves segments below it, which the next start removes.
    // Both slots name the new first segment before the old ones go: either of them may be all that a disk keeps.
    const removed = gone.map((one) => one.segment)
    this.#writeNote(() =>
      this.#writeNote(() =>
        this.#sync(this.#note, () => {
          this.syncs++
          removeSegments(this.#directory, removed, done, this.#fail)
        }),
      ),
    )
  }

  /**
   * What nobody waits for is written, if nothing else is being written, so that a replica that was stopped in order finds it mostly. It is
   * not synced: as after any crash, it is there or not.
   */
  close(): void {
    this.hurry()
    this.flush()
    this.#state = 'closed'
    this.#segment.close()
    this.#note.close()
  }

  #appendAwaited(kind: number, body: Uint8Array): number {
    const sequence = this.#append(kind, body)
    this.#isAwaited = true
    return sequence
  }

  #append(kind: number, body: Uint8Array): number {
    if (body.length > this.#limits.recordBytesMax) {
      throw new RangeError(`a record of ${body.length} bytes is above ${this.#limits.recordBytesMax}`)
    }
    const sequence = this.#end.sequence + 1
    const header = { kind, sequence, groupFirst: this.#groupFirst, chain: this.#end.chain }
    this.#end.chain = writeRecord(this.#gathering, header, body, this.#crc32)
    this.#end.sequence = sequence
    return sequence
  }

  #startGroup(): void {
    const writer = this.#gathering
    this.#gathering = this.#spare
    this.#spare = writer
    this.#gathering.reset()
    const group: Group = { bytes: writer.view(), lastSequence: this.#end.sequence }
    const first = this.#groupFirst
    this.#groupFirst = this.#end.sequence + 1
    this.#running = group
    this.#flushAsked = false
    this.#isAwaited = false
    this.groups++
    if (this.#end.offset < this.#limits.segmentBytesMax) this.#writeGroup(group)
    else this.#startSegment(first, group)
  }

  /** A new segment is on disk, with its name, before anything in it counts. */
  #startSegment(firstSequence: number, group: Group): void {
    const segment = this.#end.segment + 1
    const chain = new DataView(group.bytes.buffer, group.bytes.byteOffset).getUint32(21, true)
    const header = encodeSegmentHeader({ version: formatVersion, segment, firstSequence, chain }, this.#crc32)
    const file = this.#directory.open(segmentFile(segment))
    const write = (): void =>
      file.write(0, header, (error) => {
        if (error !== null) return this.#writeFailed(error, write)
        this.#sync(file, () => {
          this.syncs++
          this.#directory.sync((failure) => {
            if (failure !== null) return this.#fail(failure)
            this.#segment.close()
            this.#segment = file
            this.#end = { ...this.#end, segment, offset: segmentHeaderBytes }
            this.#segmentStarts.push({ segment, firstSequence })
            this.#writeGroup(group)
          })
        })
      })
    write()
  }

  #writeGroup(group: Group): void {
    this.#segment.write(this.#end.offset, group.bytes, (error) => {
      if (error !== null) return this.#writeFailed(error, () => this.#writeGroup(group))
      // The note of the group before rides along: two syncs at once take hardly longer than one.
      let waiting = 2
      const synced = (): void => {
        waiting--
        if (waiting === 0) this.#groupDurable(group)
      }
      this.#sync(this.#segment, synced)
      this.#sync(this.#note, synced)
    })
  }

  #groupDurable(group: Group): void {
    this.#end.offset += group.bytes.length
    this.#durable = group.lastSequence
    this.#running = null
    this.#writeNote(() => {})
    if (this.#flushAsked && this.#state === 'open') this.#startGroup()
    this.#listener.durable(group.lastSequence)
  }

  #writeNote(done: () => void): void {
    this.#noteCounter++
    const note = {
      counter: this.#noteCounter,
      firstSegment: this.#firstSegment,
      endSegment: this.#end.segment,
      endOffset: this.#end.offset,
      endSequence: this.#durable,
      incarnation: this.incarnation,
    }
    this.#note.write(noteOffset(this.#noteCounter), encodeNote(note, this.#crc32), (error) => {
      // A full disk cannot hit it: both slots exist. Whatever else goes wrong with it is a failing disk.
      if (error !== null) this.#fail(error)
      else done()
    })
  }

  #sync(file: WritableFile, done: () => void): void {
    this.syncs++
    file.sync((error) => {
      if (error !== null) this.#fail(error)
      else if (this.#state === 'open' || this.#state === 'full') done()
    })
  }

  #writeFailed(error: FileError, again: () => void): void {
    if (error.code !== 'ERR_DISK_FULL') return this.#fail(error)
    if (this.#state !== 'open') return
    this.#state = 'full'
    this.#whenRoom = again
    this.#listener.full(error)
  }

  readonly #fail = (error: FileError): void => {
    if (this.#state === 'failed' || this.#state === 'closed') return
    this.#state = 'failed'
    this.#listener.failed(error)
  }
}

/** Removes segments one after the other, oldest first, so that what is left is always a run without holes. */
export function removeSegments(
  directory: Directory,
  segments: readonly number[],
  done: () => void,
  fail: (error: FileError) => void,
): void {
  const [first, ...others] = segments
  if (first === undefined) {
    directory.sync((error) => (error === null ? done() : fail(error)))
    return
  }
  directory.remove(segmentFile(first), (error) => {
    if (error !== null) fail(error)
    else removeSegments(directory, others, done, fail)
  })
}
