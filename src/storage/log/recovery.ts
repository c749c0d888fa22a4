/**
 * Reads a log back and decides what it is: whole, torn at its end, or corrupt.
 *
 * What lies below the noted synced end was on disk: if anything of it is bad or missing, the log is CORRUPT, and is refused. Above it,
 * the first bad byte is where a write was torn, and everything from there on is cut; unless a sound record stands behind it that was
 * written after the bad one had been synced (it says so in `groupFirst`): then too the log is corrupt. Never is a corrupt log cut.
 */

import type { Crc32, Directory } from './file-port.ts'
import { readBytesMax } from './file-port.ts'
import {
  decodeIdentity,
  decodeNote,
  decodeSegmentHeader,
  formatVersion,
  identityBytesMax,
  identityFile,
  identityVersion,
  noteFile,
  noteSlotBytes,
  readRecordHeader,
  recordHeaderBytes,
  recordIsSound,
  recordKind,
  segmentFile,
  segmentHeaderBytes,
  segmentOf,
  type Identity,
  type Note,
  type RecordHeader,
} from './format.ts'

export type LogRefusalCode =
  | 'ERR_LOG_EMPTY_DIRECTORY'
  | 'ERR_LOG_FOREIGN_DIRECTORY'
  | 'ERR_LOG_FORMAT_VERSION'
  | 'ERR_LOG_CORRUPT'
  | 'ERR_LOG_UNREADABLE'
  | 'ERR_LOG_OUTDATED'

export interface LogRefusal {
  ok: false
  code: LogRefusalCode
  /** One sentence for a person, with the next step. */
  message: string
}

/** Where the next record goes, and what stands before it. */
export interface LogEnd {
  segment: number
  offset: number
  /** Of the last record; 0 if there is none. */
  sequence: number
  chain: number
}

export interface RecoveredLog {
  ok: true
  /** It was made where promises had been lost: this replica makes none any more in this epoch. */
  abstains: boolean
  firstSegment: number
  end: LogEnd
  /** Of the newest start that is on record; 0 if there was none. */
  incarnation: number
  noteCounter: number
  /** Bytes behind the end that a torn write left. */
  tornBytes: number
  /** A last segment that was created and never held anything durable. */
  tornSegment: number | null
  /** Segments that a cut had begun to remove. */
  leftover: readonly number[]
}

/** What an operator can do about a log that is lost: what is left of it is kept, and its votes are not trusted. */
export const rejoinStep = 'start with --rejoin: what is left is set aside, and the replica follows without a vote'

export interface RecoveryOptions {
  directory: Directory
  crc32: Crc32
  expected: { network: Uint8Array; replica: number }
}

/** Yields between pieces of bounded work, so that a host can let others run. */
export function* recoverLog(options: RecoveryOptions): Generator<undefined, RecoveredLog | LogRefusal> {
  const { directory, crc32 } = options
  const names = directory.list()
  const identity = readIdentity(options, names)
  if ('ok' in identity) return identity
  const note = readNote(directory, crc32)
  if (note === null) return corrupt(noteFile, 0, 'no note of what was synced is readable')
  const all = names.flatMap((name) => segmentOf(name) ?? []).sort((left, right) => left - right)
  const segments = all.filter((segment) => segment >= note.firstSegment)
  const state: Scan = {
    end: { segment: note.firstSegment, offset: 0, sequence: 0, chain: 0 },
    incarnation: note.incarnation,
    tornBytes: 0,
    tornSegment: null,
    begun: false,
  }
  for (const [index, segment] of segments.entries()) {
    const bytes = yield* readFile(directory, segmentFile(segment))
    if (!(bytes instanceof Uint8Array)) return bytes
    const isLast = index === segments.length - 1
    const problem = yield* scanSegment(state, segment, bytes, isLast, note, crc32)
    if (problem !== null) return problem
  }
  const { end } = state
  if (end.segment < note.endSegment || (end.segment === note.endSegment && end.offset < note.endOffset)) {
    return corrupt(
      segmentFile(note.endSegment),
      note.endOffset,
      `it ends at ${end.segment}:${end.offset}, below what was synced`,
    )
  }
  return {
    ok: true,
    abstains: identity.voice === 'abstains',
    firstSegment: note.firstSegment,
    end,
    incarnation: state.incarnation,
    noteCounter: note.counter,
    tornBytes: state.tornBytes,
    tornSegment: state.tornSegment,
    leftover: all.filter((segment) => segment < note.firstSegment),
  }
}

interface Scan {
  end: LogEnd
  incarnation: number
  tornBytes: number
  tornSegment: number | null
  begun: boolean
}

function* scanSegment(
  state: Scan,
  segment: number,
  bytes: Uint8Array,
  isLast: boolean,
  note: Note,
  crc32: Crc32,
): Generator<undefined, LogRefusal | null> {
  const name = segmentFile(segment)
  if (state.begun ? segment !== state.end.segment + 1 : segment !== note.firstSegment) {
    return corrupt(segmentFile(state.begun ? state.end.segment + 1 : note.firstSegment), 0, 'the segment is missing')
  }
  const header = decodeSegmentHeader(bytes.subarray(0, segmentHeaderBytes), crc32)
  const follows =
    header !== null &&
    header.segment === segment &&
    (!state.begun || (header.chain === state.end.chain && header.firstSequence === state.end.sequence + 1))
  if (!follows) {
    // A segment is created, synced and named in its directory before anything in it counts.
    if (!isLast || segment <= note.endSegment || !state.begun) return corrupt(name, 0, 'its header is bad')
    state.tornSegment = segment
    state.tornBytes += bytes.length
    return null
  }
  if (header.version !== formatVersion) return wrongVersion(header.version)
  if (!state.begun) state.end = { ...state.end, sequence: header.firstSequence - 1, chain: header.chain }
  state.begun = true
  state.end = { ...state.end, segment, offset: segmentHeaderBytes }
  yield
  const bad = scanRecords(state, bytes, crc32)
  if (bad === null) return null
  const below = segment < note.endSegment || (segment === note.endSegment && bad < note.endOffset)
  if (below || !isLast) return corrupt(name, bad, 'the record there is bad, and it had been synced')
  const later = laterSyncedRecord(bytes, bad, state.end.sequence, crc32)
  if (later !== null)
    return corrupt(name, bad, `the record there is bad, and record ${later} behind it was written after its sync`)
  state.tornBytes += bytes.length - bad
  return null
}

/** Offset of the first bad record, or null when the file ends with its last good one. */
function scanRecords(state: Scan, bytes: Uint8Array, crc32: Crc32): number | null {
  let { offset, sequence, chain } = state.end
  while (offset < bytes.length) {
    const header = soundRecord(bytes, offset, crc32)
    if (header === null || header.sequence !== sequence + 1 || header.chain !== chain) break
    if (header.kind === recordKind.incarnation) {
      state.incarnation = Math.max(state.incarnation, readIncarnation(bytes, offset))
    }
    offset += recordHeaderBytes + header.bodyBytes
    sequence = header.sequence
    chain = header.crc
  }
  state.end = { ...state.end, offset, sequence, chain }
  return offset < bytes.length ? offset : null
}

/** A record that stands whole and sound at the offset, whatever stands before it. */
export function soundRecord(bytes: Uint8Array, offset: number, crc32: Crc32): RecordHeader | null {
  const header = readRecordHeader(bytes, offset)
  if (header === null || offset + recordHeaderBytes + header.bodyBytes > bytes.length) return null
  return recordIsSound(bytes, offset, header, crc32) ? header : null
}

/** Sequence of a sound record behind the bad one that was written when the bad one had been synced; null if there is none. */
function laterSyncedRecord(bytes: Uint8Array, bad: number, lastGood: number, crc32: Crc32): number | null {
  const room = bytes.length - bad
  for (let offset = bad + 1; offset + recordHeaderBytes <= bytes.length; offset++) {
    const header = readRecordHeader(bytes, offset)
    // Cheap checks first: the search looks at every byte of what may be a large tail.
    if (header === null || header.sequence <= lastGood + 1 || header.sequence > lastGood + 1 + room) continue
    if (header.groupFirst <= lastGood + 1) continue
    if (soundRecord(bytes, offset, crc32) !== null) return header.sequence
  }
  return null
}

function readIncarnation(bytes: Uint8Array, offset: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset + recordHeaderBytes, 8)
  return view.getUint32(4, true) * 0x1_0000_0000 + view.getUint32(0, true)
}

/** Of this network and replica; or why not. */
function readIdentity(options: RecoveryOptions, names: readonly string[]): Identity | LogRefusal {
  const { directory, crc32, expected } = options
  if (names.length === 0) {
    return refuse(
      'ERR_LOG_EMPTY_DIRECTORY',
      `the log's folder is empty: mount the disk that was here, or ${rejoinStep}`,
    )
  }
  if (!names.includes(identityFile)) {
    const isOurs = names.some((name) => name === noteFile || segmentOf(name) !== null)
    if (isOurs) return corrupt(identityFile, 0, 'it is missing')
    const message = `the folder of the log has no file ${identityFile}, and nothing else of a log: name the replica's own data directory`
    return refuse('ERR_LOG_FOREIGN_DIRECTORY', message)
  }
  const read = directory.read(identityFile, 0, identityBytesMax + 1)
  if (!read.ok) return unreadable(`${identityFile} cannot be read (${read.error.message})`)
  const version = identityVersion(read.bytes, crc32)
  if (version !== null && version !== formatVersion) return wrongVersion(version)
  const identity = decodeIdentity(read.bytes, crc32)
  if (identity === null) return corrupt(identityFile, 0, 'it does not say whose log this is')
  const sameNetwork = identity.network.every((byte, index) => byte === expected.network[index])
  if (sameNetwork && identity.replica === expected.replica) return identity
  const whose = sameNetwork ? `replica ${identity.replica}` : 'another network'
  return refuse(
    'ERR_LOG_FOREIGN_DIRECTORY',
    `the directory belongs to ${whose}: name the directory of replica ${expected.replica}`,
  )
}

/** The newest sound one. */
export function readNote(directory: Directory, crc32: Crc32): Note | null {
  const read = directory.list().includes(noteFile) ? directory.read(noteFile, 0, 2 * noteSlotBytes) : null
  if (read === null || !read.ok) return null
  const notes = [0, 1].map((slot) =>
    decodeNote(read.bytes.subarray(slot * noteSlotBytes, (slot + 1) * noteSlotBytes), crc32),
  )
  const [even, odd] = notes as [Note | null, Note | null]
  if (even === null || odd === null) return even ?? odd
  return even.counter > odd.counter ? even : odd
}

export function* readFile(directory: Directory, name: string): Generator<undefined, Uint8Array | LogRefusal> {
  const bytes = new Uint8Array(directory.size(name))
  for (let offset = 0; offset < bytes.length;) {
    const read = directory.read(name, offset, Math.min(readBytesMax, bytes.length - offset))
    if (!read.ok) return unreadable(`${name} cannot be read (${read.error.message})`)
    if (read.bytes.length === 0) return unreadable(`${name} is shorter than its size says`)
    bytes.set(read.bytes, offset)
    offset += read.bytes.length
    yield
  }
  return bytes
}

function corrupt(file: string, offset: number, why: string): LogRefusal {
  return refuse('ERR_LOG_CORRUPT', `${file} is corrupt at byte ${offset}: ${why}; ${rejoinStep}`)
}

function unreadable(what: string): LogRefusal {
  return refuse('ERR_LOG_UNREADABLE', `${what}: check the disk and start again, or ${rejoinStep}`)
}

function wrongVersion(version: number): LogRefusal {
  const message = `the log has format version ${version}, this release reads ${formatVersion}: start the release that wrote it`
  return refuse('ERR_LOG_FORMAT_VERSION', message)
}

function refuse(code: LogRefusalCode, message: string): LogRefusal {
  return { ok: false, code, message }
}
