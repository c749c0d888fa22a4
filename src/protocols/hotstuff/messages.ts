// What hotstuff's replicas say to each other. Names follow the papers (PODC'19; Jolteon, arXiv 2106.10362, for two-chain). What stands in
// certificates is signed alone; a proposal is signed by its view and its node's digest, which names everything else in it.

import { ascending, bool, bytes, fixedBytes, optional, struct, u53, union, upTo, type Codec } from '../../wire/codec.ts'
import { blockHeaderCodec, payloadCodec, type BlockHeader } from '../../kernel/block.ts'
import { digestBytes, type Digest, type Signature } from '../../kernel/crypto-ports.ts'
import { replicaIdCodec, type Height, type ReplicaId, type View } from '../../kernel/ids.ts'
import { membersMax } from '../../kernel/limits.ts'
import {
  chainedHeaderCodec,
  quorumCertificateCodec,
  type ChainedHeader,
  type QuorumCertificate,
} from '../../kernel/proof.ts'

/** What leaders and voters sign: this node in its view. The domain says which of the two it is. */
export interface Statement {
  view: View
  node: Digest
}

/** What whoever gives up a view signs: the highest certificate that it has. */
export interface TimeoutStatement {
  view: View
  certificateView: View
}

export interface SignedTimeout {
  replica: ReplicaId
  certificateView: View
  signature: Signature
}

/** A quorum has given up this view. Each pair stays, so that whoever reads it sees the highest certificate among them. */
export interface TimeoutCertificate {
  view: View
  timeouts: SignedTimeout[]
}

/** A node of the chain: its block, and the certificate of its parent. */
export interface Proposal {
  kind: 'proposal'
  view: View
  header: BlockHeader
  payload: Uint8Array
  justify: QuorumCertificate
  /** Why the view before has no certificate; null where `justify` is of that view. */
  timeouts: TimeoutCertificate | null
  /** Header of the node that `justify` certifies, where the leader of this view follows from it (node-header.ts); null everywhere else. */
  extended: ChainedHeader | null
  signature: Signature
}

/** To the leader of the next view. */
export interface Vote extends Statement {
  kind: 'vote'
  signature: Signature
}

export interface Timeout extends TimeoutStatement {
  kind: 'timeout'
  certificate: QuorumCertificate
  signature: Signature
}

/** The newest that its sender has: the last certificate of a chain that commits, and what whoever is behind needs to come along. */
export interface Newest {
  kind: 'newest'
  certificate: QuorumCertificate
  /** Why its sender is in a view that does not follow the certificate's. */
  timeouts: TimeoutCertificate | null
}

/** Which node its sender lacks: it comes as the proposal that it was, with those below it. */
export interface Ask {
  kind: 'ask'
  node: Digest
}

/** How far its sender is. Signed by nobody: it can cost an answer, and prove nothing. */
export interface Status {
  kind: 'status'
  view: View
  certificateView: View
  /** It has the proposal of that view, or has given it up. */
  proposed: boolean
  decidedHeight: Height
  /** The first height whose block it can hand out. */
  servesFrom: Height
  asks: boolean
}

export type HotstuffMessage = Proposal | Vote | Timeout | Newest | Ask | Status

/** Views rise by one; nobody gets here by honest means, and beyond it arithmetic would end. */
export const viewMax: number = 2 ** 50
const signatureBytesMax = 4096

const view = upTo(u53, viewMax)
const digest = fixedBytes(digestBytes)
const signature = bytes(signatureBytesMax)

/** What is signed, in this encoding, under its domain. */
export const nodeStatementCodec: Codec<Statement> = struct<Statement>({ view, node: digest })
export const timeoutStatementCodec: Codec<TimeoutStatement> = struct<TimeoutStatement>({ view, certificateView: view })

export const timeoutCertificateCodec: Codec<TimeoutCertificate> = struct<TimeoutCertificate>({
  view,
  timeouts: ascending(
    struct<SignedTimeout>({ replica: replicaIdCodec, certificateView: view, signature }),
    ({ replica }) => replica,
    membersMax,
  ),
})

export const proposalCodec: Codec<Omit<Proposal, 'kind'>> = struct<Omit<Proposal, 'kind'>>({
  view,
  header: blockHeaderCodec,
  payload: payloadCodec,
  justify: quorumCertificateCodec,
  timeouts: optional(timeoutCertificateCodec),
  extended: optional(chainedHeaderCodec),
  signature,
})

export const timeoutCodec: Codec<Omit<Timeout, 'kind'>> = struct<Omit<Timeout, 'kind'>>({
  view,
  certificateView: view,
  certificate: quorumCertificateCodec,
  signature,
})

export const hotstuffMessageCodec: Codec<HotstuffMessage> = union<HotstuffMessage>({
  proposal: { tag: 1, codec: proposalCodec },
  vote: { tag: 2, codec: struct({ view, node: digest, signature }) },
  timeout: { tag: 3, codec: timeoutCodec },
  newest: {
    tag: 4,
    codec: struct({ certificate: quorumCertificateCodec, timeouts: optional(timeoutCertificateCodec) }),
  },
  ask: { tag: 5, codec: struct({ node: digest }) },
  status: {
    tag: 6,
    codec: struct<Omit<Status, 'kind'>>({
      view,
      certificateView: view,
      proposed: bool,
      decidedHeight: u53,
      servesFrom: u53,
      asks: bool,
    }),
  },
})

export function describeMessage(message: HotstuffMessage): string {
  switch (message.kind) {
    case 'proposal': {
      const { header, view: of, justify, timeouts } = message
      return `proposal ${header.height}, view ${of}, extends view ${justify.view}${timeouts === null ? '' : `, timeouts of ${timeouts.view}`}`
    }
    case 'vote':
      return `vote, view ${message.view}`
    case 'timeout':
      return `gives up view ${message.view}, certificate of view ${message.certificateView}`
    case 'newest':
      return `certificate of view ${message.certificate.view}${message.timeouts === null ? '' : `, timeouts of ${message.timeouts.view}`}`
    case 'ask':
      return 'asks for a node'
    case 'status':
      return `status: view ${message.view}, certificate of view ${message.certificateView}, decided ${message.decidedHeight}, serves from ${message.servesFrom}`
  }
}

/** Only a status replaces an earlier one: every other message says something of its own. */
export function supersededBy(message: HotstuffMessage): string | null {
  return message.kind === 'status' ? message.kind : null
}
