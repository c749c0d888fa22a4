// What makes a block decided, for all that can be shown: commits of a quorum, for this block at this height in one view (PBFT §4.2).

import { encode } from '../../wire/codec.ts'
import { equalBytes } from '../../wire/equal-bytes.ts'
import { blockDigest, type BlockHeader } from '../../kernel/block.ts'
import { signingBytes } from '../../kernel/domains.ts'
import { membershipOf, type Epoch, type Membership } from '../../kernel/membership.ts'
import type { DecisionProof, PbftDecisionProof, SignatureSet } from '../../kernel/proof.ts'
import type { ProtocolPorts } from '../../kernel/protocol.ts'
import { statementCodec, viewMax } from './messages.ts'

type Ports = Pick<ProtocolPorts, 'hasher' | 'verifier'>

/** Total: whatever was sent or read from a disk may be handed in. */
export function isDecided(epoch: Epoch, header: BlockHeader, proof: DecisionProof, ports: Ports): boolean {
  return decisionFault(epoch, header, proof, ports) === null
}

/** Null, or why the proof shows nothing. The cheap questions come first. */
export function decisionFault(epoch: Epoch, header: BlockHeader, proof: DecisionProof, ports: Ports): string | null {
  if (proof.kind !== 'pbft') return 'a proof of another protocol'
  if (header.epoch !== epoch.number || header.height < epoch.firstHeight) return 'a block of another epoch'
  // It would not encode: nobody has signed it.
  if (!Number.isSafeInteger(proof.view) || proof.view < 0 || proof.view > viewMax) return 'no view'
  const membership = membershipOf(epoch)
  const fault = signersFault(proof.commits, membership)
  if (fault !== null) return fault
  if (!equalBytes(blockDigest(ports.hasher, header), proof.blockDigest)) return 'commits of another block'
  return commitsHold(epoch, membership, header, proof, ports) ? null : 'a wrong signature'
}

function signersFault(commits: SignatureSet, membership: Membership): string | null {
  if (commits.length < membership.quorum) return 'too few commits'
  if (commits.length > membership.voters.length) return 'more commits than voters'
  if (new Set(commits.map(({ replica }) => replica)).size !== commits.length) return 'one signer twice'
  return commits.every(({ replica }) => membership.isVoter(replica)) ? null : 'a commit of no voter'
}

/** All of them: whoever makes a proof leaves out what does not verify, and what is stored has one form. */
function commitsHold(
  { network, number }: Epoch,
  membership: Membership,
  { height }: BlockHeader,
  { view, blockDigest: digest, commits }: PbftDecisionProof,
  { verifier }: Ports,
): boolean {
  const body = encode(statementCodec, { view, height, digest })
  const signed = signingBytes('pbft-commit', { network, epoch: number, protocol: 'pbft' }, body)
  return commits.every(({ replica, signature }) => {
    const member = membership.member(replica)
    return member !== undefined && verifier.verify(member.consensusKey, signed, signature)
  })
}
