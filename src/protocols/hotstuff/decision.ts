/**
 * What makes a block decided, for all that can be shown: the commit rule's run of direct descendants, each in the view after its parent's and each
 * certified, and the headers from there down to the block. A certificate alone shows nothing: its node may have been orphaned (R1).
 */

import { equalBytes } from '../../wire/equal-bytes.ts'
import { blockDigest, type BlockHeader } from '../../kernel/block.ts'
import { membershipOf, type Epoch, type Membership } from '../../kernel/membership.ts'
import type { ChainedHeader, DecisionProof, HotstuffDecisionProof, QuorumCertificate } from '../../kernel/proof.ts'
import type { ProtocolPorts } from '../../kernel/protocol.ts'
import { viewMax } from './messages.ts'
import { certificateFault } from './certificates.ts'
import { runLength } from './rules.ts'
import { nodeDigest, scopeOf } from './statements.ts'

type Ports = Pick<ProtocolPorts, 'hasher' | 'verifier'>

/** Total: whatever was sent or read from a disk may be handed in. */
export function isDecided(epoch: Epoch, header: BlockHeader, proof: DecisionProof, ports: Ports): boolean {
  return decisionFault(epoch, header, proof, ports) === null
}

/** Null, or why the proof shows nothing. The cheap questions come first. */
export function decisionFault(epoch: Epoch, header: BlockHeader, proof: DecisionProof, ports: Ports): string | null {
  if (proof.kind !== 'hotstuff') return 'a proof of another protocol'
  if (header.epoch !== epoch.number || header.height < epoch.firstHeight) return 'a block of another epoch'
  const run = runLength(epoch.parameters)
  const { headers, certificates } = proof
  if (certificates.length !== run || headers.length < run) return 'too few certificates'
  const membership = membershipOf(epoch)
  const chain = chainFault(headers, epoch, membership)
  if (chain !== null) return chain
  const { hasher } = ports
  if (!equalBytes(blockDigest(hasher, header), blockDigest(hasher, headers[0]!.block)))
    return 'the chain of another block'
  const digests = headers.map((one) => nodeDigest(hasher, one))
  if (headers.some((one, index) => index > 0 && !equalBytes(one.parent, digests[index - 1]!))) return 'no chain'
  const first = headers.length - run
  for (let index = first + 1; index < headers.length; index++) {
    if (headers[index]!.view !== headers[index - 1]!.view + 1) return 'views that do not follow each other'
  }
  const verifying = { scope: scopeOf(epoch), membership, ports }
  for (const [index, certificate] of certificates.entries()) {
    if (!certifies(certificate, headers[first + index]!.view, digests[first + index]!))
      return 'a certificate of another node'
    const fault = certificateFault(verifying, certificate)
    if (fault !== null) return fault
  }
  return null
}

function certifies(certificate: QuorumCertificate, view: number, digest: Uint8Array): boolean {
  return certificate.view === view && equalBytes(certificate.node, digest)
}

/** Heights without a gap, views that rise. What would not encode nobody has signed. */
function chainFault(
  headers: HotstuffDecisionProof['headers'],
  { number }: Epoch,
  { isVoter }: Membership,
): string | null {
  let before: ChainedHeader | null = null
  for (const header of headers) {
    const { view, block, absent, lately } = header
    if (!Number.isSafeInteger(view) || view < 1 || view > viewMax) return 'no view'
    if (block.epoch !== number) return 'a block of another epoch'
    if (![...absent, ...lately].every(isVoter) || !isAscending(absent)) return 'no leaders'
    if (before !== null && (block.height !== before.block.height + 1 || view <= before.view)) return 'no chain'
    before = header
  }
  return null
}

function isAscending(ids: readonly number[]): boolean {
  return ids.every((id, index) => index === 0 || id > ids[index - 1]!)
}
