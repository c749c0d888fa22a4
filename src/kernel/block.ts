// A block is the common part that all protocols agree on, and a payload of envelopes named by its digest.

import { bytes, encode, fixedBytes, list, struct, u53, type Codec } from '../wire/codec.ts'
import { digestBytes, type Digest, type Hasher } from './crypto-ports.ts'
import { hashingBytes } from './domains.ts'
import type { EpochNumber, Height, TimestampMs } from './ids.ts'
import { blockEnvelopesMax, envelopeBytesMax, payloadBytesMax } from './limits.ts'

export interface BlockHeader {
  epoch: EpochNumber
  height: Height
  /** Proposed by the leader; executed time is the maximum of this and the one before. */
  timestamp: TimestampMs
  payloadDigest: Digest
}

/** The payload stays encoded: a batch of a thousand operations is one byte string that is sliced, never copied. */
export interface Block {
  header: BlockHeader
  payload: Uint8Array
}

export const blockHeaderCodec: Codec<BlockHeader> = struct<BlockHeader>({
  epoch: u53,
  height: u53,
  timestamp: u53,
  payloadDigest: fixedBytes(digestBytes),
})

export const payloadCodec: Codec<Uint8Array> = bytes(payloadBytesMax)

export const blockCodec: Codec<Block> = struct<Block>({ header: blockHeaderCodec, payload: payloadCodec })

/** What a payload holds: envelopes, each in its own encoding. */
export const payloadEnvelopesCodec: Codec<Uint8Array[]> = list(bytes(envelopeBytesMax), blockEnvelopesMax)

/** The payload without envelopes: no-ops of raft, null blocks of pbft, the empty blocks of hotstuff. */
export const emptyPayload: Uint8Array = new Uint8Array(4)

/** The name of a payload. */
export function payloadDigest(hasher: Hasher, payload: Uint8Array): Digest {
  return hasher.digest(hashingBytes('payload', payload))
}

/** The name of a block: everything that is agreed about it. */
export function blockDigest(hasher: Hasher, header: BlockHeader): Digest {
  return hasher.digest(hashingBytes('block', encode(blockHeaderCodec, header)))
}
