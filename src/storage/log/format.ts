// The bytes of the log's files (docs/wire-format.md § Log). Everything that is read back is checked before it is believed.

import type { Writer } from '../../wire/writer.ts'
import { fixedBytes, oneOf, struct, u16, u32, u53, type Codec } from '../../wire/codec.ts'
import { networkIdBytes } from '../../kernel/ids.ts'
import type { Crc32 } from './file-port.ts'
import { crcBytes, isSealed, sealed, unsealed } from './sealed.ts'

/** 1 had no voice in the identity. */
export const formatVersion = 2
export const identityFile = 'identity'
export const noteFile = 'synced'

export function segmentFile(segment: number): string {
  return `log-${String(segment).padStart(10, '0')}`
}

export function segmentOf(name: string): number | null {
  const match = /^log-([0-9]{10})$/.exec(name)
  return match === null ? null : Number(match[1])
}

/** `abstains`: this replica has lost promises that it made, and makes none in this epoch any more. */
export const voices = ['votes', 'abstains'] as const
export type Voice = (typeof voices)[number]

/** Whose log this is, and with which voice it speaks: written once, by `initialize`. */
export interface Identity {
  version: number
  network: Uint8Array
  replica: number
  voice: Voice
}

/** What is known to be on disk, noted after each sync in a place of its own. */
export interface Note {
  /** Rises with each note; the slot is its parity, so that a torn note leaves the one before it. */
  counter: number
  firstSegment: number
  endSegment: number
  endOffset: number
  endSequence: number
  incarnation: number
}

export interface SegmentHeader {
  version: number
  segment: number
  firstSequence: number
  /** Checksum of the record before, in the segment before. */
  chain: number
}

/** What stands before each record's body. */
export interface RecordHeader {
  bodyBytes: number
  kind: number
  sequence: number
  /** First sequence of the group that was written with this record: everything before it had been synced by then. */
  groupFirst: number
  /** Checksum of the record before. */
  chain: number
  /** Over all of the above and the body. */
  crc: number
}

export const recordKind = { host: 1, incarnation: 2 } as const

const identityCodec: Codec<Identity> = struct<Identity>({
  version: u16,
  network: fixedBytes(networkIdBytes),
  replica: u16,
  voice: oneOf(voices),
})
const noteCodec: Codec<Note> = struct<Note>({
  counter: u53,
  firstSegment: u53,
  endSegment: u53,
  endOffset: u53,
  endSequence: u53,
  incarnation: u53,
})
const segmentHeaderCodec: Codec<SegmentHeader> = struct<SegmentHeader>({
  version: u16,
  segment: u53,
  firstSequence: u53,
  chain: u32,
})

export const identityBytes: number = identityCodec.bytesMin + crcBytes
/** Of any format: what is longer is none. */
export const identityBytesMax = 1024
export const noteSlotBytes: number = noteCodec.bytesMin + crcBytes
export const segmentHeaderBytes: number = segmentHeaderCodec.bytesMin + crcBytes
export const recordHeaderBytes = 29

export const encodeIdentity = (value: Identity, crc32: Crc32): Uint8Array => sealed(identityCodec, value, crc32)
export const decodeIdentity = (bytes: Uint8Array, crc32: Crc32): Identity | null =>
  unsealed(identityCodec, bytes, crc32)
/** The version comes first in every format, and the checksum last: so that a log of another release is not taken for a damaged one. */
export function identityVersion(bytes: Uint8Array, crc32: Crc32): number | null {
  if (bytes.length < u16.bytesMin + crcBytes || bytes.length > identityBytesMax || !isSealed(bytes, crc32)) return null
  return new DataView(bytes.buffer, bytes.byteOffset).getUint16(0, true)
}
export const encodeNote = (value: Note, crc32: Crc32): Uint8Array => sealed(noteCodec, value, crc32)
export const decodeNote = (bytes: Uint8Array, crc32: Crc32): Note | null => unsealed(noteCodec, bytes, crc32)
export const encodeSegmentHeader = (value: SegmentHeader, crc32: Crc32): Uint8Array =>
  sealed(segmentHeaderCodec, value, crc32)
export const decodeSegmentHeader = (bytes: Uint8Array, crc32: Crc32): SegmentHeader | null =>
  unsealed(segmentHeaderCodec, bytes, crc32)

export function noteOffset(counter: number): number {
  return (counter % 2) * noteSlotBytes
}

/** Writes one record, and returns its checksum: the chain of the next. */
export function writeRecord(
  writer: Writer,
  header: Omit<RecordHeader, 'bodyBytes' | 'crc'>,
  body: Uint8Array,
  crc32: Crc32,
): number {
  const start = writer.length
  writer.u32(body.length)
  writer.u8(header.kind)
  writer.u53(header.sequence)
  writer.u53(header.groupFirst)
  writer.u32(header.chain)
  const crc = crc32(body, crc32(writer.view().subarray(start), 0))
  writer.u32(crc)
  writer.raw(body)
  return crc
}

/** Reads what claims to be a record's header. Whether it is one, `recordIsSound` says. */
export function readRecordHeader(bytes: Uint8Array, offset: number): RecordHeader | null {
  if (offset + recordHeaderBytes > bytes.length) return null
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, recordHeaderBytes)
  const sequence = readU53(view, 5)
  const groupFirst = readU53(view, 13)
  if (sequence === null || groupFirst === null || groupFirst > sequence) return null
  return {
    bodyBytes: view.getUint32(0, true),
    kind: view.getUint8(4),
    sequence,
    groupFirst,
    chain: view.getUint32(21, true),
    crc: view.getUint32(25, true),
  }
}

/** `bytes` from `offset` on: header and body. */
export function recordIsSound(bytes: Uint8Array, offset: number, header: RecordHeader, crc32: Crc32): boolean {
  const body = offset + recordHeaderBytes
  const checked = crc32(bytes.subarray(offset, body - crcBytes), 0)
  return crc32(bytes.subarray(body, body + header.bodyBytes), checked) === header.crc
}

function readU53(view: DataView, offset: number): number | null {
  const high = view.getUint32(offset + 4, true)
  return high > 0x1f_ffff ? null : high * 0x1_0000_0000 + view.getUint32(offset, true)
}
