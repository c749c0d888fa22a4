/**
 * Channel 5 of a frame between replicas: payloads and decided blocks are asked for and handed out. Whoever asks gives each request a number
 * that its one answer bears. None of it is signed: a payload shows by its digest, a block by its proof, that it is what was asked for.
 */

import { fixedBytes, list, optional, struct, u53, union, type Codec } from '../../wire/codec.ts'
import { blockCodec, payloadCodec, type Block } from '../../kernel/block.ts'
import { digestBytes, type Digest } from '../../kernel/crypto-ports.ts'
import type { Height } from '../../kernel/ids.ts'
import { decisionProofCodec, type DecisionProof } from '../../kernel/proof.ts'
import { blocksAnsweredMax } from './limits.ts'

export interface DecidedBlock {
  block: Block
  proof: DecisionProof
}

export type FetchRequest =
  | { kind: 'payload-request'; number: number; digest: Digest }
  | { kind: 'blocks-request'; number: number; fromHeight: Height; toHeight: Height }

export type FetchAnswer =
  /** Null: it is not there. */
  | { kind: 'payload'; number: number; payload: Uint8Array | null }
  /** A run without holes from the height asked for, perhaps short; none: the first is not there. */
  | { kind: 'blocks'; number: number; blocks: DecidedBlock[] }

export const fetchRequestCodec: Codec<FetchRequest> = union<FetchRequest>({
  'payload-request': { tag: 1, codec: struct({ number: u53, digest: fixedBytes(digestBytes) }) },
  'blocks-request': { tag: 2, codec: struct({ number: u53, fromHeight: u53, toHeight: u53 }) },
})

const firstAnswerTag = 16

export const fetchAnswerCodec: Codec<FetchAnswer> = union<FetchAnswer>({
  payload: { tag: firstAnswerTag, codec: struct({ number: u53, payload: optional(payloadCodec) }) },
  blocks: {
    tag: 17,
    codec: struct({
      number: u53,
      blocks: list(struct<DecidedBlock>({ block: blockCodec, proof: decisionProofCodec }), blocksAnsweredMax),
    }),
  },
})

/** For the server, if true; else for whoever asked. Whether it is well-formed is for them to see. */
export function isFetchRequest(body: Uint8Array): boolean {
  return body.length > 0 && body[0]! < firstAnswerTag
}
