// The bytes of the evidence file (docs/wire-format-evidence.md). Everything that is read back is checked before it is believed.

import { decode, encode, fixedBytes, struct, u16, type Codec } from '../../wire/codec.ts'
import { evidenceCodec, statementBytesMax, type Evidence } from '../../kernel/evidence.ts'
import { networkIdBytes, type NetworkId } from '../../kernel/ids.ts'
import type { Crc32 } from '../log/file-port.ts'
import { crcBytes, sealed, unsealed } from '../log/sealed.ts'

export const evidenceFile = 'evidence'
export const evidenceFormatVersion = 1

/** The first thing in the file. */
export interface EvidenceHead {
  version: number
  network: NetworkId
}

export const evidenceHeadCodec: Codec<EvidenceHead> = struct<EvidenceHead>({
  version: u16,
  network: fixedBytes(networkIdBytes),
})
export const evidenceHeadBytes: number = evidenceHeadCodec.bytesMin + crcBytes

/** Magic 4, bytes of the body 4, crc 4. */
export const evidenceRecordBytes = 12
/** Two statements with their signatures, and what stands beside them. */
export const evidenceBodyBytesMax: number = 2 * (statementBytesMax + 4096 + 8) + 64
/** "qEVD". */
const magic = [0x71, 0x45, 0x56, 0x44] as const
export const evidenceMagicByte: number = magic[0]
const lengthOffset = magic.length
const crcOffset = lengthOffset + 4

export function encodeEvidenceHead(network: NetworkId, crc32: Crc32): Uint8Array {
  return sealed(evidenceHeadCodec, { version: evidenceFormatVersion, network }, crc32)
}

/** Null if it is torn or damaged. */
export function decodeEvidenceHead(bytes: Uint8Array, crc32: Crc32): EvidenceHead | null {
  return bytes.length < evidenceHeadBytes ? null : unsealed(evidenceHeadCodec, bytes, crc32)
}

/** The crc binds the place: a record that lies inside another one is none. */
export function encodeEvidenceRecord(evidence: Evidence, offset: number, crc32: Crc32): Uint8Array {
  const body = encode(evidenceCodec, evidence)
  const bytes = new Uint8Array(evidenceRecordBytes + body.length)
  bytes.set(magic)
  new DataView(bytes.buffer).setUint32(lengthOffset, body.length, true)
  bytes.set(body, evidenceRecordBytes)
  new DataView(bytes.buffer).setUint32(crcOffset, crcOf(bytes, offset, crc32), true)
  return bytes
}

/** How long the record there says that it is, or null if none begins there. */
export function evidenceRecordLength(bytes: Uint8Array): number | null {
  if (bytes.length < evidenceRecordBytes || magic.some((byte, index) => bytes[index] !== byte)) return null
  const bodyBytes = new DataView(bytes.buffer, bytes.byteOffset).getUint32(lengthOffset, true)
  return bodyBytes > evidenceBodyBytesMax ? null : evidenceRecordBytes + bodyBytes
}

/** `bytes` are the whole record. Null if it is not what was written at this place. */
export function decodeEvidenceRecord(bytes: Uint8Array, offset: number, crc32: Crc32): Evidence | null {
  const expected = new DataView(bytes.buffer, bytes.byteOffset).getUint32(crcOffset, true)
  if (crcOf(bytes, offset, crc32) !== expected) return null
  const evidence = decode(evidenceCodec, bytes.subarray(evidenceRecordBytes))
  return evidence.ok ? evidence.value : null
}

function crcOf(record: Uint8Array, offset: number, crc32: Crc32): number {
  const place = new Uint8Array(4)
  new DataView(place.buffer).setUint32(0, offset, true)
  return crc32(record.subarray(evidenceRecordBytes), crc32(record.subarray(0, crcOffset), crc32(place, 0)))
}
