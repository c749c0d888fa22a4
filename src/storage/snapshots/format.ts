// The bytes of the snapshot store's files (docs/wire-format-snapshots.md). Everything that is read back is checked before it is believed.

import { ascending, fixedBytes, struct, u16, u32, u53, upTo, type Codec } from '../../wire/codec.ts'
import type { Writer } from '../../wire/writer.ts'
import { checkpointCodec, type Checkpoint } from '../../kernel/checkpoint.ts'
import { digestBytes } from '../../kernel/crypto-ports.ts'
import { executedHeaderCodec, type ExecutedHeader } from '../../kernel/executed-header.ts'
import { networkIdBytes } from '../../kernel/ids.ts'
import { manifestBytesMax, snapshotChunkBytesMax, snapshotChunksMax } from '../../kernel/manifest.ts'
import type { Crc32 } from '../log/file-port.ts'
import { crcBytes, sealed, unsealed } from '../log/sealed.ts'

export const snapshotFormatVersion = 1
/** Of 64 MiB each: four terabytes. */
export const packsMax = 65_536
/** A certificate of hotstuff may bear a thousand headers. */
export const checkpointBytesMax: number = 16 * 1024 * 1024

const heightDigits = 16

export function packFile(pack: number): string {
  return `pack-${String(pack).padStart(10, '0')}`
}

export function manifestFile(height: number): string {
  return `manifest-${String(height).padStart(heightDigits, '0')}`
}

export function checkpointFile(height: number): string {
  return `checkpoint-${String(height).padStart(heightDigits, '0')}`
}

export type SnapshotFile = { kind: 'pack'; pack: number } | { kind: 'manifest' | 'checkpoint'; height: number }

/** What a file is by its name; null for what is none of ours. */
export function snapshotFileOf(name: string): SnapshotFile | null {
  const match = /^(pack-([0-9]{10})|(manifest|checkpoint)-([0-9]{16}))$/.exec(name)
  if (match === null) return null
  if (match[2] !== undefined) return { kind: 'pack', pack: Number(match[2]) }
  return { kind: match[3] as 'manifest' | 'checkpoint', height: Number(match[4]) }
}

/** At the begin of a pack. */
export interface PackHead {
  version: number
  pack: number
}

/** So much of a pack was on disk when it was said. */
export interface PackEnd {
  pack: number
  end: number
}

/** At the begin of a manifest's file, behind its length; the entries follow, one behind the other. */
export interface ManifestHead {
  version: number
  network: Uint8Array
  header: ExecutedHeader
  /** Every pack that there was when the manifest was written. */
  packs: PackEnd[]
  count: number
  /** Of the entries. */
  bytes: number
  crc: number
}

export const packHeadCodec: Codec<PackHead> = struct<PackHead>({ version: u16, pack: u53 })

export const manifestHeadCodec: Codec<ManifestHead> = struct<ManifestHead>({
  version: u16,
  network: fixedBytes(networkIdBytes),
  header: executedHeaderCodec,
  packs: ascending(struct<PackEnd>({ pack: u32, end: u32 }), (one) => one.pack, packsMax),
  count: upTo(u32, snapshotChunksMax),
  bytes: upTo(u32, manifestBytesMax),
  crc: u32,
})

export const packHeadBytes: number = packHeadCodec.bytesMin + crcBytes
/** Sealed. */
export const manifestHeadBytesMax: number = 1024 + 8 * packsMax

export const encodePackHead = (value: PackHead, crc32: Crc32): Uint8Array => sealed(packHeadCodec, value, crc32)
export const decodePackHead = (bytes: Uint8Array, crc32: Crc32): PackHead | null =>
  unsealed(packHeadCodec, bytes, crc32)
export const encodeManifestHead = (value: ManifestHead, crc32: Crc32): Uint8Array =>
  sealed(manifestHeadCodec, value, crc32)
export const decodeManifestHead = (bytes: Uint8Array, crc32: Crc32): ManifestHead | null =>
  unsealed(manifestHeadCodec, bytes, crc32)
export const encodeCheckpointFile = (value: Checkpoint, crc32: Crc32): Uint8Array =>
  sealed(checkpointCodec, value, crc32)
export const decodeCheckpointFile = (bytes: Uint8Array, crc32: Crc32): Checkpoint | null =>
  unsealed(checkpointCodec, bytes, crc32)

/**
 * What stands before each chunk in a pack. Its checksum is over its place too, so that what a disk wrote somewhere else, or what a chunk
 * holds that looks like one, does not pass.
 */
export interface PackRecord {
  kind: 'chunk' | 'mark'
  bodyBytes: number
  /** Everything below this offset of the pack was on disk when the record was written. */
  synced: number
  digest: Uint8Array
  bodyCrc: number
}

/** Magic 4, body 4, synced 4, digest 32, checksum of the body 4, checksum of all this and the place 4. */
export const packRecordBytes = 52
/** "qCHK", "qMRK" */
const magics = { chunk: 0x4b484371, mark: 0x4b524d71 } as const
/** What both magics begin with, for whoever looks for a record. */
export const magicFirstByte = 0x71

export interface Place {
  pack: number
  offset: number
}

export function writePackRecord(writer: Writer, place: Place, record: PackRecord, crc32: Crc32): void {
  const start = writer.length
  writer.u32(magics[record.kind])
  writer.u32(record.bodyBytes)
  writer.u32(record.synced)
  writer.fixed(record.digest, digestBytes)
  writer.u32(record.bodyCrc)
  writer.u32(crc32(writer.view().subarray(start), placeCrc(place, crc32)))
}

/** Null if no record of this place stands there. The digest is a view. */
export function readPackRecord(bytes: Uint8Array, at: number, place: Place, crc32: Crc32): PackRecord | null {
  if (at + packRecordBytes > bytes.length) return null
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, packRecordBytes)
  const magic = view.getUint32(0, true)
  if (magic !== magics.chunk && magic !== magics.mark) return null
  const checked = bytes.subarray(at, at + packRecordBytes - crcBytes)
  if (crc32(checked, placeCrc(place, crc32)) !== view.getUint32(packRecordBytes - crcBytes, true)) return null
  const bodyBytes = view.getUint32(4, true)
  const synced = view.getUint32(8, true)
  if (bodyBytes > snapshotChunkBytesMax || synced > place.offset) return null
  return {
    kind: magic === magics.chunk ? 'chunk' : 'mark',
    bodyBytes,
    synced,
    digest: checked.subarray(12, 12 + digestBytes),
    bodyCrc: view.getUint32(12 + digestBytes, true),
  }
}

const placeBytes = new DataView(new ArrayBuffer(8))

function placeCrc({ pack, offset }: Place, crc32: Crc32): number {
  placeBytes.setUint32(0, pack, true)
  placeBytes.setUint32(4, offset, true)
  return crc32(new Uint8Array(placeBytes.buffer), 0)
}
