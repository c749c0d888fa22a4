// What is signed, by whom, and under which domain; and the name of a node, which is everything that is agreed about it.

import { encode } from '../../wire/codec.ts'
import type { Digest, Hasher, Signature } from '../../kernel/crypto-ports.ts'
import { hashingBytes, signingBytes, type SigningDomain, type SigningScope } from '../../kernel/domains.ts'
import type { ReplicaId } from '../../kernel/ids.ts'
import type { Epoch, Membership } from '../../kernel/membership.ts'
import { chainedHeaderCodec, type ChainedHeader } from '../../kernel/proof.ts'
import type { ProtocolPorts } from '../../kernel/protocol.ts'
import { nodeStatementCodec, timeoutStatementCodec, type Statement, type TimeoutStatement } from './messages.ts'

/** Whoever checks signatures: a replica, or an auditor that has the network file alone. */
export interface Verifying {
  readonly scope: SigningScope
  readonly membership: Membership
  readonly ports: Pick<ProtocolPorts, 'verifier'>
}

export interface Signing {
  readonly scope: SigningScope
  readonly ports: Pick<ProtocolPorts, 'signer'>
}

export function scopeOf({ network, number }: Epoch): SigningScope {
  return { network, epoch: number, protocol: 'hotstuff' }
}

export function nodeDigest(hasher: Hasher, header: ChainedHeader): Digest {
  return hasher.digest(hashingBytes('hotstuff-node', encode(chainedHeaderCodec, header)))
}

export function signProposal(signing: Signing, statement: Statement): Signature {
  return sign(signing, 'hotstuff-proposal', encode(nodeStatementCodec, statement))
}

export function signVote(signing: Signing, statement: Statement): Signature {
  return sign(signing, 'hotstuff-vote', encode(nodeStatementCodec, statement))
}

export function signTimeout(signing: Signing, statement: TimeoutStatement): Signature {
  return sign(signing, 'hotstuff-timeout', encode(timeoutStatementCodec, statement))
}

export function isSignedProposal(
  by: Verifying,
  signer: ReplicaId,
  statement: Statement,
  signature: Signature,
): boolean {
  return isSigned(by, 'hotstuff-proposal', signer, encode(nodeStatementCodec, statement), signature)
}

export function isSignedVote(by: Verifying, signer: ReplicaId, statement: Statement, signature: Signature): boolean {
  return isSigned(by, 'hotstuff-vote', signer, encode(nodeStatementCodec, statement), signature)
}

export function isSignedTimeout(
  by: Verifying,
  signer: ReplicaId,
  statement: TimeoutStatement,
  signature: Signature,
): boolean {
  return isSigned(by, 'hotstuff-timeout', signer, encode(timeoutStatementCodec, statement), signature)
}

function sign({ scope, ports }: Signing, domain: SigningDomain, body: Uint8Array): Signature {
  return ports.signer.sign(signingBytes(domain, scope, body))
}

/** True only for a voter: learners follow, and vouch for nothing. */
function isSigned(
  { scope, membership, ports }: Verifying,
  domain: SigningDomain,
  signer: ReplicaId,
  body: Uint8Array,
  signature: Signature,
): boolean {
  const member = membership.member(signer)
  if (member === undefined || !membership.isVoter(signer)) return false
  return ports.verifier.verify(member.consensusKey, signingBytes(domain, scope, body), signature)
}
