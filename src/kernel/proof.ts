// A decision proof is what makes a block *decided*; it is more than a certificate, and different for each protocol
// (architecture.md §5). Catch-up, stop blocks and audit accept decision proofs only.

import { ascending, bytes, fixedBytes, list, struct, u53, union, type Codec } from '../wire/codec.ts'
import { blockHeaderCodec, type BlockHeader } from './block.ts'
import { digestBytes, type Digest } from './crypto-ports.ts'
import { replicaIdCodec, type ReplicaId, type View } from './ids.ts'
import { membersMax } from './limits.ts'

export interface ReplicaSignature {
  replica: ReplicaId
  signature: Uint8Array
}

/** Signatures of distinct replicas over one statement. The set ascends by replica: no duplicate can decode. */
export type SignatureSet = ReplicaSignature[]

/** Believed because a member said so: raft survives crashes, not lies. */
export interface RaftDecisionProof {
  kind: 'raft'
  term: number
  index: number
}

/** A quorum of commits for (view, height, digest). */
export interface PbftDecisionProof {
  kind: 'pbft'
  view: View
  blockDigest: Digest
  commits: SignatureSet
}

/** A node of the chain: the common header, and what hotstuff adds to the digest. */
export interface ChainedHeader {
  block: BlockHeader
  view: View
  parent: Digest
  /** Leaders by reputation, and nobody else: voters that did not sign the certificate of the parent. */
  absent: ReplicaId[]
  /** Leaders by reputation, and nobody else: who led this view and those before it without a gap, the latest first. */
  lately: ReplicaId[]
}

/** A quorum of votes for one node of the chain. */
export interface QuorumCertificate {
  view: View
  node: Digest
  votes: SignatureSet
}

/**
 * The commit rule's chain of certified direct descendants, and the headers from it down to the block. Headers run from the
 * block upwards, each the parent of the next; the certificates certify the last ones, as the rule asks.
 */
export interface HotstuffDecisionProof {
  kind: 'hotstuff'
  headers: ChainedHeader[]
  certificates: QuorumCertificate[]
}

export type DecisionProof = RaftDecisionProof | PbftDecisionProof | HotstuffDecisionProof

/** Longest way from a certified descendant down to the block it decides. */
export const proofHeadersMax = 1024
const signatureBytesMax = 4096

export const signatureSetCodec: Codec<SignatureSet> = ascending(
  struct<ReplicaSignature>({ replica: replicaIdCodec, signature: bytes(signatureBytesMax) }),
  (member) => member.replica,
  membersMax,
)

export const chainedHeaderCodec: Codec<ChainedHeader> = struct<ChainedHeader>({
  block: blockHeaderCodec,
  view: u53,
  parent: fixedBytes(digestBytes),
  absent: ascending(replicaIdCodec, (replica) => replica, membersMax),
  lately: list(replicaIdCodec, membersMax),
})

export const quorumCertificateCodec: Codec<QuorumCertificate> = struct<QuorumCertificate>({
  view: u53,
  node: fixedBytes(digestBytes),
  votes: signatureSetCodec,
})

/** In this order wherever the proof stands. */
export const hotstuffProofFields = {
  headers: list(chainedHeaderCodec, proofHeadersMax),
  certificates: list(quorumCertificateCodec, 3),
} as const

export const decisionProofCodec: Codec<DecisionProof> = union<DecisionProof>({
  raft: { tag: 1, codec: struct({ term: u53, index: u53 }) },
  pbft: { tag: 2, codec: struct({ view: u53, blockDigest: fixedBytes(digestBytes), commits: signatureSetCodec }) },
  hotstuff: {
    tag: 3,
    codec: struct(hotstuffProofFields),
  },
})
