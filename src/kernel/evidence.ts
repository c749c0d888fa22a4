// Two signed statements that one correct replica never makes both: a proof that anyone can check offline.

import { bytes, oneOf, struct, u53, u8, type Codec } from '../wire/codec.ts'
import { replicaIdCodec, type EpochNumber, type ProtocolName, type ReplicaId } from './ids.ts'

/** Exactly the bytes that were signed, without their scope: domain, network, epoch and protocol stand beside them. */
export interface SignedStatement {
  body: Uint8Array
  signature: Uint8Array
}

export interface Evidence {
  replica: ReplicaId
  protocol: ProtocolName
  epoch: EpochNumber
  /** Tag of the signing domain that both statements belong to (kernel/domains.ts). */
  domainTag: number
  first: SignedStatement
  second: SignedStatement
}

/** The largest signed statement is a view change with a full window of prepared certificates. */
export const statementBytesMax = 4 * 1024 * 1024
const protocolTags: readonly ProtocolName[] = ['raft', 'pbft', 'hotstuff']

const statementCodec: Codec<SignedStatement> = struct<SignedStatement>({
  body: bytes(statementBytesMax),
  signature: bytes(4096),
})

export const protocolCodec: Codec<ProtocolName> = oneOf(protocolTags)

export const evidenceCodec: Codec<Evidence> = struct<Evidence>({
  replica: replicaIdCodec,
  protocol: protocolCodec,
  epoch: u53,
  domainTag: u8,
  first: statementCodec,
  second: statementCodec,
})
