// A member's approval of a network file: its signature on the canonical text, in the scope of the network's own first epoch. The
// members make them apart from each other, so a file may carry any part of them; what it carries is valid.

import type { Signature, SignatureSuite, Signer } from './crypto-ports.ts'
import { signingBytes } from './domains.ts'
import type { ReplicaId } from './ids.ts'
import type { Epoch, Member } from './membership.ts'
import { bytes, fields, integer, Refusal } from './network-file-fields.ts'
import { asciiBytes, canonicalNetworkText } from './network-text.ts'
import { equalBytes } from '../wire/equal-bytes.ts'

export interface NetworkApproval {
  member: ReplicaId
  signature: Signature
}

/** A network file that was read: what its members approve. */
export interface ApprovableNetwork {
  name: string
  suite: string
  epoch: Epoch
  /** Valid, ascending by member. */
  approvals: readonly NetworkApproval[]
}

const signatureBytesMax = 4096

/**
 * What an approval signs: the whole text and not its digest, so that whoever holds file and signature needs no other rule than the
 * suite's to know what was approved. The scope names the digest too.
 */
export function approvalBytes(name: string, suite: string, epoch: Epoch): Uint8Array {
  const { network, number, protocol } = epoch
  const body = asciiBytes(canonicalNetworkText(name, suite, epoch))
  return signingBytes('network-file', { network, epoch: number, protocol }, body)
}

/** The network with the approval of whom the signer signs for; null if that is no member. */
export function approveNetwork<Network extends ApprovableNetwork>(network: Network, signer: Signer): Network | null {
  const { name, suite, epoch } = network
  const member = memberOfKey(epoch.members, signer.publicKey)
  if (member === null) return null
  const signature = signer.sign(approvalBytes(name, suite, epoch))
  return mergeApprovals(network, [{ member: member.id, signature }])
}

/** One approval for each member, the first where there are two; the others must be of the same network, and are not verified again. */
export function mergeApprovals<Network extends ApprovableNetwork>(
  network: Network,
  others: readonly NetworkApproval[],
): Network {
  const byMember = new Map<ReplicaId, NetworkApproval>()
  for (const approval of [...network.approvals, ...others]) {
    if (!byMember.has(approval.member)) byMember.set(approval.member, approval)
  }
  const approvals = [...byMember.values()].sort((left, right) => left.member - right.member)
  return { ...network, approvals, missingApprovals: missingApprovals(network.epoch.members, approvals) }
}

export function missingApprovals(members: readonly Member[], approvals: readonly NetworkApproval[]): ReplicaId[] {
  return members.map((member) => member.id).filter((id) => !approvals.some((approval) => approval.member === id))
}

export function memberOfKey(members: readonly Member[], consensusKey: Uint8Array): Member | null {
  return members.find((member) => equalBytes(member.consensusKey, consensusKey)) ?? null
}

/** Reads the list and verifies each: one that is bad refuses the file, since somebody changed the file or forged the approval. */
export function readApprovals(value: unknown, signed: Uint8Array, members: readonly Member[], suite: SignatureSuite) {
  if (!Array.isArray(value) || value.length > members.length) {
    throw new Refusal(
      'ERR_NETWORK_APPROVAL',
      `approvals must be a list of at most ${members.length}, one for each member`,
    )
  }
  const approvals = value.map((approval: unknown, index): NetworkApproval => {
    const where = `approvals[${index}]`
    const { member, signature } = fields(approval, where, ['member', 'signature'])
    const id = integer(member, `${where}.member`, 1, 0xffff) as ReplicaId
    return { member: id, signature: bytes(signature, `${where}.signature`, signatureBytesMax, 'ERR_NETWORK_APPROVAL') }
  })
  const seen = new Set<ReplicaId>()
  for (const { member: id, signature } of approvals) {
    const member = members.find((one) => one.id === id)
    if (member === undefined) {
      throw new Refusal('ERR_NETWORK_APPROVAL', `approvals name a member ${id}, which there is not: leave that one out`)
    }
    if (seen.has(id)) {
      throw new Refusal('ERR_NETWORK_APPROVAL', `approvals name ${member.name} twice: leave one of them out`)
    }
    seen.add(id)
    if (suite.verify(member.consensusKey, signed, signature)) continue
    throw new Refusal(
      'ERR_NETWORK_APPROVAL',
      `the approval of ${member.name} is not for this network: the file was changed after it was signed, or the signature is another's`,
    )
  }
  return approvals.sort((left, right) => left.member - right.member)
}
