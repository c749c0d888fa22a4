// A checkpoint lets logs be cut, a late replica catch up, a watermark move; one code for all three protocols.

import { struct, type Codec } from '../wire/codec.ts'
import { blockHeaderCodec, type BlockHeader } from './block.ts'
import { executedHeaderCodec, type ExecutedHeader } from './executed-header.ts'
import { decisionProofCodec, signatureSetCodec, type DecisionProof, type SignatureSet } from './proof.ts'

/** An executed header with a state root, a quorum's signatures on it, and the block and proof of its height. */
export interface Checkpoint {
  header: ExecutedHeader
  signatures: SignatureSet
  block: BlockHeader
  proof: DecisionProof
}

export const checkpointCodec: Codec<Checkpoint> = struct<Checkpoint>({
  header: executedHeaderCodec,
  signatures: signatureSetCodec,
  block: blockHeaderCodec,
  proof: decisionProofCodec,
})
