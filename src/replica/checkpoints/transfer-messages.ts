/**
 * Channel 4 of a frame between replicas: a state is asked for and handed out. Whoever asks gives each request a number that the answers
 * bear. A chunk names itself: its digest is over part, id and bytes, so that it shows by itself whether a manifest told the truth.
 */

import { bytes, fixedBytes, list, struct, u32, u53, u8, union, upTo, type Codec } from '../../wire/codec.ts'
import { checkpointCodec, type Checkpoint } from '../../kernel/checkpoint.ts'
import { digestBytes, type Digest } from '../../kernel/crypto-ports.ts'
import type { Height } from '../../kernel/ids.ts'
import {
  manifestEntryCodec,
  snapshotChunkBytesMax,
  snapshotChunksMax,
  type ManifestEntry,
} from '../../kernel/manifest.ts'
import { chunkIdLengthMax } from '../../execution/state-chunks.ts'
import { stateParts } from '../../execution/state-parts.ts'
import { chunksAskedMax, pageEntriesMax } from './limits.ts'

export type TransferRequest =
  | { kind: 'newest'; request: number }
  /** Entries from this one on, as many as a page holds. */
  | { kind: 'manifest'; request: number; height: Height; first: number }
  /** Of the snapshot of this height, or of any that the server has. */
  | { kind: 'chunks'; request: number; height: Height; digests: Digest[] }

export type TransferAnswer =
  | { kind: 'checkpoint'; request: number; checkpoint: Checkpoint }
  | { kind: 'manifest-page'; request: number; total: number; entries: ManifestEntry[] }
  | { kind: 'chunk'; request: number; digest: Digest; part: number; id: Uint8Array; bytes: Uint8Array }
  /** These cannot be had here: the rest of the snapshot can. */
  | { kind: 'lacking'; request: number; digests: Digest[] }
  /** There is no snapshot of that height here, or none at all. Ends the request. */
  | { kind: 'gone'; request: number }

const digest: Codec<Digest> = fixedBytes(digestBytes)
const digests: Codec<Digest[]> = list(digest, chunksAskedMax)
const total = upTo(u32, snapshotChunksMax)

export const transferRequestCodec: Codec<TransferRequest> = union<TransferRequest>({
  newest: { tag: 1, codec: struct({ request: u53 }) },
  manifest: { tag: 2, codec: struct({ request: u53, height: u53, first: total }) },
  chunks: { tag: 3, codec: struct({ request: u53, height: u53, digests }) },
})

const firstAnswerTag = 16
const chunkTag = 18

export const transferAnswerCodec: Codec<TransferAnswer> = union<TransferAnswer>({
  checkpoint: { tag: firstAnswerTag, codec: struct({ request: u53, checkpoint: checkpointCodec }) },
  'manifest-page': {
    tag: 17,
    codec: struct({ request: u53, total, entries: list(manifestEntryCodec, pageEntriesMax) }),
  },
  chunk: {
    tag: chunkTag,
    codec: struct({
      request: u53,
      digest,
      part: upTo(u8, stateParts.length - 1),
      id: bytes(chunkIdLengthMax),
      bytes: bytes(snapshotChunkBytesMax),
    }),
  },
  lacking: { tag: 19, codec: struct({ request: u53, digests }) },
  gone: { tag: 20, codec: struct({ request: u53 }) },
})

/** For the server, if true; else for the client. Whether it is well-formed is for them to see. */
export function isTransferRequest(body: Uint8Array): boolean {
  return body.length > 0 && body[0]! < firstAnswerTag
}

/** The one kind of answer of which nothing is kept: all others are copied, so that they do not keep their frame in memory. */
export function isChunk(body: Uint8Array): boolean {
  return body[0] === chunkTag
}

/** Bytes that an entry takes in a page. */
export function entryBytes(entry: ManifestEntry): number {
  return manifestEntryCodec.bytesMin + entry.id.length
}

export const entryBytesMax: number = manifestEntryCodec.bytesMin + chunkIdLengthMax
