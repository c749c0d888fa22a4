// A snapshot's table of contents: which chunks make up a state, in canonical order. The root in a checkpoint's header is over their digests.

import { bytes, fixedBytes, struct, u32, u8, upTo, type Codec } from '../wire/codec.ts'
import { digestBytes, type Digest } from './crypto-ports.ts'

/** One chunk of a state, of whatever part. */
export const snapshotChunkBytesMax: number = 5 * 1024 * 1024
/** Chunks of one state: with runs of 64 KiB, more than any memory holds. */
export const snapshotChunksMax = 4_194_304
/**
 * Of one manifest's entries, encoded: a million chunks of 64 KiB with ids of 215 bytes each, or 15 GiB of state in which every chunk's id
 * holds the longest key of the store. More than any state needs is room for lies: what a server claims is held until it is disproved.
 */
export const manifestBytesMax: number = 256 * 1024 * 1024
/** One byte a character of the id. */
const idBytesMax = 2048

export interface ManifestEntry {
  /** Number of the part of the state that it belongs to (execution/state-root.ts). */
  part: number
  id: Uint8Array
  /** Of part, id and bytes: the chunk's address. */
  digest: Digest
  size: number
}

/** Entries in canonical order. An array is one; a store keeps them packed, because there may be a million. */
export interface ManifestEntries extends Iterable<ManifestEntry> {
  readonly length: number
  at(index: number): ManifestEntry | undefined
  slice(start: number, end: number): ManifestEntry[]
}

export const manifestEntryCodec: Codec<ManifestEntry> = struct<ManifestEntry>({
  part: u8,
  id: bytes(idBytesMax),
  digest: fixedBytes(digestBytes),
  size: upTo(u32, snapshotChunkBytesMax),
})
