/**
 * Every purpose for which something is signed or hashed, each with a tag of its own (architecture.md §5). What is signed or hashed
 * begins with its tag, and signed things with network, epoch and protocol too, so that nothing of one purpose, network, epoch or
 * protocol is valid in another.
 *
 * A tag is one byte and never given twice, not even after its purpose is gone. Tags below 128 sign, the others hash. The tables are
 * part of the wire format: test/kernel/domains.test.ts holds a copy, so that no tag moves by accident.
 */

import type { Envelope } from './envelope.ts'
import { networkIdBytes, type EpochNumber, type NetworkId, type ProtocolName } from './ids.ts'

/** Raft signs no message of its own: its links vouch for them. Its replicas sign checkpoints, and what an epoch's hand-over asks. */
export const signingDomains = {
  /** A member's or the governance's approval of a network file. */
  'network-file': 0x01,
  /** A client opens a session. */
  'session-opening': 0x02,
  /** A client's operations, cancel or close; the signed part says which. */
  envelope: 0x03,
  /** A replica's answer to a fast linearizable read. */
  'read-answer': 0x04,
  /** An organisation's own file about itself, before there is a network: both of its keys sign it. */
  'member-file': 0x05,

  /** The executed header at a checkpoint height: a quorum of these makes the checkpoint stable. */
  checkpoint: 0x10,
  /** The executed header of any other height, where headers are signed with every block. */
  'header-attestation': 0x11,

  /** A replica of the next epoch is ready to start above a height and header. */
  ready: 0x20,
  /** The header at which an epoch stops, signed by those who answer for it. */
  stop: 0x21,
  /** A new key's statement, before its first vote, of the state it starts from. */
  'epoch-entry': 0x22,
  /** Governance agrees to a change of epoch. */
  approval: 0x23,
  /** A command of the operators that a quorum certifies, such as skipping an operation that halts the state machine. */
  'operator-command': 0x24,

  /** A replica's wish to replace a slow leader, or an operator's to hand over. */
  wish: 0x30,

  'pbft-pre-prepare': 0x40,
  'pbft-prepare': 0x41,
  'pbft-commit': 0x42,
  'pbft-view-change': 0x43,
  'pbft-new-view': 0x44,

  'hotstuff-proposal': 0x50,
  'hotstuff-vote': 0x51,
  'hotstuff-timeout': 0x52,
} as const satisfies Record<string, number>

export const hashingDomains = {
  /** The first network file in canonical form. */
  'network-id': 0x80,
  /** A membership with protocol and parameters: what an epoch is. */
  epoch: 0x81,

  /** The payload of a block, encoded. */
  payload: 0x90,
  /** The part of a block that all protocols share. */
  block: 0x91,
  /** A node of hotstuff's chain: the block's header, its view and its parent. */
  'hotstuff-node': 0x92,
  /** An entry of raft's log, for those who keep digests only. */
  'raft-entry': 0x93,
  /** A whole envelope, to find it again in the pool. */
  'envelope-digest': 0x94,
  /** One operation, as the results leaf binds it. */
  operation: 0x95,
  /** A view change, as a new view cites it. */
  'pbft-view-change-digest': 0x96,
  /** A new view, as a restarted replica finds the one it knows. */
  'pbft-new-view-digest': 0x97,

  'executed-header': 0xa0,
  'results-leaf': 0xa1,
  'results-node': 0xa2,
  /** One chunk of the state, with its stable id. */
  'state-chunk': 0xa3,
  'state-node': 0xa4,
  /** The list of chunks that a snapshot consists of. */
  'snapshot-manifest': 0xa5,
  'checkpoint-digest': 0xa6,
  /** The seed of what a state machine draws at random: block and index of the operation. */
  'operation-seed': 0xa7,

  evidence: 0xb0,
  'stop-digest': 0xb1,
} as const satisfies Record<string, number>

export type SigningDomain = keyof typeof signingDomains
export type HashingDomain = keyof typeof hashingDomains

/** Where a signature counts. */
export interface SigningScope {
  network: NetworkId
  epoch: EpochNumber
  protocol: ProtocolName | 'any'
}

/** "quorate/1": whatever else a key may sign or a hash may name begins in another way. */
const magic = Uint8Array.from([0x71, 0x75, 0x6f, 0x72, 0x61, 0x74, 0x65, 0x2f, 0x31])
const protocolBytes: Readonly<Record<ProtocolName | 'any', number>> = { any: 0, raft: 1, pbft: 2, hotstuff: 3 }
const tagOffset = magic.length
const protocolOffset = tagOffset + 1
const networkOffset = protocolOffset + 1
const epochOffset = networkOffset + networkIdBytes

/** Magic 9, tag 1, protocol 1, network 32, epoch 8. */
export const signingPrefixBytes = epochOffset + 8
/** Magic 9, tag 1. */
export const hashingPrefixBytes = tagOffset + 1

/** What is handed to the signer and the verifier. The prefix has a fixed layout, so that two of them differ or are the same scope. */
export function signingBytes(domain: SigningDomain, scope: SigningScope, body: Uint8Array): Uint8Array {
  const { network, epoch, protocol } = scope
  if (network.length !== networkIdBytes) {
    throw new RangeError(`a network id has ${networkIdBytes} bytes, not ${network.length}`)
  }
  if (!Number.isSafeInteger(epoch) || epoch < 0) throw new RangeError(`${epoch} is no epoch number`)
  const bytes = new Uint8Array(signingPrefixBytes + body.length)
  bytes.set(magic)
  bytes[tagOffset] = signingDomains[domain]
  bytes[protocolOffset] = protocolBytes[protocol]
  bytes.set(network, networkOffset)
  writeU53(bytes, epochOffset, epoch)
  bytes.set(body, signingPrefixBytes)
  return bytes
}

/** What is handed to the hasher. A digest needs no scope: where it counts is said by the signed statement that contains it. */
export function hashingBytes(domain: HashingDomain, body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(hashingPrefixBytes + body.length)
  bytes.set(magic)
  bytes[tagOffset] = hashingDomains[domain]
  bytes.set(body, hashingPrefixBytes)
  return bytes
}

/** The domain that evidence names by its tag; null if nothing is signed under it. */
export function signingDomainOf(tag: number): SigningDomain | null {
  return signingDomainsByTag.get(tag) ?? null
}

/** The domain of a client's signature. */
export function envelopeDomain(kind: Envelope['kind']): SigningDomain {
  return kind === 'open' ? 'session-opening' : 'envelope'
}

/**
 * The scope of a client's signature: epoch 0 and any protocol. A request that was not executed in one epoch returns to the pool and
 * is ordered in the next, under another protocol perhaps, and its client may be gone by then. Sessions see to it that it is executed
 * once. Epochs count from 1, so no replica's signature has this scope.
 */
export function envelopeScope(network: NetworkId): SigningScope {
  return { network, epoch: 0, protocol: 'any' }
}

const signingDomainsByTag: ReadonlyMap<number, SigningDomain> = new Map(
  Object.entries(signingDomains).map(([name, tag]) => [tag, name as SigningDomain]),
)

/** Little endian; as wire/writer.ts writes it. */
function writeU53(bytes: Uint8Array, offset: number, value: number): void {
  let rest = value
  for (let index = 0; index < 8; index++) {
    bytes[offset + index] = rest % 256
    rest = Math.floor(rest / 256)
  }
}
