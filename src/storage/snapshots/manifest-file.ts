// Manifests and checkpoints as files: each is valid if it is whole, and says nothing that was not synced before it was written.

import type { Checkpoint } from '../../kernel/checkpoint.ts'
import type { ExecutedHeader } from '../../kernel/executed-header.ts'
import type { PackedManifest } from '../../kernel/packed-manifest.ts'
import { Writer } from '../../wire/writer.ts'
import { readBytesMax, type Crc32, type Directory } from '../log/file-port.ts'
import {
  checkpointBytesMax,
  checkpointFile,
  decodeCheckpointFile,
  decodeManifestHead,
  encodeManifestHead,
  manifestFile,
  manifestHeadBytesMax,
  snapshotFormatVersion,
  type ManifestHead,
  type PackEnd,
} from './format.ts'
import { unpackManifest } from './packed-manifest.ts'
import { readRange } from '../log/read-range.ts'

export interface FoundManifest {
  head: ManifestHead
  /** Where the entries begin. */
  offset: number
}

const lengthBytes = 4

export function manifestFileParts(
  about: { network: Uint8Array; header: ExecutedHeader; packs: PackEnd[] },
  entries: PackedManifest,
  crc32: Crc32,
): Uint8Array[] {
  const { bytes, length } = entries
  const version = snapshotFormatVersion
  const head = encodeManifestHead(
    { version, ...about, count: length, bytes: bytes.length, crc: crc32(bytes, 0) },
    crc32,
  )
  const writer = new Writer()
  writer.u32(head.length)
  writer.raw(head)
  return [writer.finish(), bytes]
}

/** What a sound head says, whatever follows it; null for a file that has none. */
export function readManifestHead(directory: Directory, crc32: Crc32, height: number): FoundManifest | null {
  const name = manifestFile(height)
  const first = readRange(directory, name, 0, lengthBytes)
  const length = first === null ? 0 : new DataView(first.buffer, first.byteOffset, lengthBytes).getUint32(0, true)
  const bytes = length > manifestHeadBytesMax ? null : readRange(directory, name, lengthBytes, length)
  const head = bytes === null ? null : decodeManifestHead(bytes, crc32)
  if (head === null || head.header.height !== height || head.header.stateRoot === null) return null
  return { head, offset: lengthBytes + length }
}

/** The entries behind a head; null if they are not whole. */
export function* readEntries(
  directory: Directory,
  crc32: Crc32,
  { head, offset }: FoundManifest,
): Generator<undefined, PackedManifest | null> {
  const name = manifestFile(head.header.height)
  const pieces: Uint8Array[] = []
  let crc = 0
  // Gathered before anything of that size is allocated: the file may be shorter than it says.
  for (let at = 0; at < head.bytes;) {
    const read = directory.read(name, offset + at, Math.min(readBytesMax, head.bytes - at))
    if (!read.ok || read.bytes.length === 0) return null
    crc = crc32(read.bytes, crc)
    pieces.push(read.bytes)
    at += read.bytes.length
    yield
  }
  return crc === head.crc ? yield* unpackManifest(joined(pieces, head.bytes), head.count) : null
}

export function readCheckpoint(directory: Directory, crc32: Crc32, height: number): Checkpoint | null {
  const pieces: Uint8Array[] = []
  let length = 0
  while (length <= checkpointBytesMax) {
    const read = directory.read(checkpointFile(height), length, readBytesMax)
    if (!read.ok) return null
    if (read.bytes.length === 0) break
    pieces.push(read.bytes)
    length += read.bytes.length
  }
  const checkpoint = decodeCheckpointFile(joined(pieces, length), crc32)
  return checkpoint?.header.height === height ? checkpoint : null
}

function joined(pieces: readonly Uint8Array[], length: number): Uint8Array {
  const [first] = pieces
  if (first !== undefined && pieces.length === 1) return first
  const bytes = new Uint8Array(length)
  let at = 0
  for (const piece of pieces) {
    bytes.set(piece, at)
    at += piece.length
  }
  return bytes
}
