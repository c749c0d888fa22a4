// What the executor alone makes, the same on every correct replica, chained through every epoch and protocol.

import { fixedBytes, optional, struct, u53, type Codec } from '../wire/codec.ts'
import { digestBytes, type Digest } from './crypto-ports.ts'
import type { EpochNumber, Height, TimestampMs } from './ids.ts'

export interface ExecutedHeader {
  epoch: EpochNumber
  height: Height
  /** Digest of the executed header below; zeros below height 1. */
  parent: Digest
  /** Digest of the decided block's header. */
  blockDigest: Digest
  /** Merkle root over this block's results. */
  resultsRoot: Digest
  /** Root of the whole state, at checkpoint heights only. */
  stateRoot: Digest | null
  /** Agreed time: the maximum of the one before and the block's timestamp. */
  time: TimestampMs
}

export const executedHeaderCodec: Codec<ExecutedHeader> = struct<ExecutedHeader>({
  epoch: u53,
  height: u53,
  parent: fixedBytes(digestBytes),
  blockDigest: fixedBytes(digestBytes),
  resultsRoot: fixedBytes(digestBytes),
  stateRoot: optional(fixedBytes(digestBytes)),
  time: u53,
})
