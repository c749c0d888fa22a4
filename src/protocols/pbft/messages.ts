// What pbft's replicas say to each other (PBFT, TOCS'02 §4). Names follow the paper. Votes are signed over what they say alone, so that they
// stand in certificates; a view change and a new view are signed whole.

import {
  ascending,
  bool,
  bytes,
  fixedBytes,
  list,
  optional,
  struct,
  u53,
  u8,
  union,
  upTo,
  type Codec,
} from '../../wire/codec.ts'
import { blockHeaderCodec, payloadCodec, type BlockHeader } from '../../kernel/block.ts'
import { checkpointCodec, type Checkpoint } from '../../kernel/checkpoint.ts'
import { digestBytes, type Digest, type Signature } from '../../kernel/crypto-ports.ts'
import { replicaIdCodec, type Height, type ReplicaId, type View } from '../../kernel/ids.ts'
import { membersMax } from '../../kernel/limits.ts'
import { signatureSetCodec, type SignatureSet } from '../../kernel/proof.ts'

/** What primary and backups sign: this block at this height in this view. The domain says which of the three phases it is. */
export interface Statement {
  view: View
  height: Height
  digest: Digest
}

/** PRE-PREPARE: the primary's proposal for one sequence number, and its prepare. */
export interface PrePrepare {
  kind: 'pre-prepare'
  view: View
  header: BlockHeader
  payload: Uint8Array
  signature: Signature
}

/** PREPARE: a backup accepts the proposal. */
export interface Prepare extends Statement {
  kind: 'prepare'
  signature: Signature
}

/** COMMIT: its sender has prepared, and has the certificate on disk. */
export interface Commit extends Statement {
  kind: 'commit'
  signature: Signature
}

export type Vote = Prepare | Commit

/**
 * The pre-prepare and prepares of a quorum together (R4): what a replica has prepared in a view. It has the header, because whoever lacks the
 * block must learn its timestamp and payload digest.
 */
export interface PreparedCertificate {
  view: View
  header: BlockHeader
  /** The primary's, on its pre-prepare. */
  signature: Signature
  /** Of others than the primary. */
  prepares: SignatureSet
}

/** VIEW-CHANGE (PBFT §4.4): what its sender knows to be agreed, or possibly agreed, below the view it asks for. */
export interface ViewChange {
  kind: 'view-change'
  view: View
  /** Whoever signed it; others may hand it on. */
  sender: ReplicaId
  /** Null while there is none. */
  checkpoint: Checkpoint | null
  /** Ascending, each above the checkpoint: of the highest view in which it was prepared. */
  prepared: PreparedCertificate[]
  signature: Signature
}

export interface CitedViewChange {
  sender: ReplicaId
  digest: Digest
}

/** NEW-VIEW: everything else in it follows from the view changes it cites, and each backup works that out for itself. */
export interface NewView {
  kind: 'new-view'
  view: View
  cited: CitedViewChange[]
  /** The primary's pre-prepares for the sequence numbers above the highest checkpoint, in order. */
  prePrepares: Signature[]
  signature: Signature
}

/** Which of the cited view changes the sender lacks. */
export interface AskViewChanges {
  kind: 'ask-view-changes'
  view: View
  senders: ReplicaId[]
}

/** What a replica has of one sequence number. */
export const slotStage = { nothing: 0, prePrepared: 1, prepared: 2, committed: 3 } as const

/**
 * STATUS (Castro's thesis §5.2): how far its sender is. Whoever has more sends what is missing, so that nothing is repeated that has arrived.
 * It is signed by nobody: it can cost an answer, and prove nothing.
 */
export interface Status {
  kind: 'status'
  view: View
  /** It takes part in that view; else it asks for it. */
  active: boolean
  decidedHeight: Height
  /** The first height whose block it can hand out. */
  servesFrom: Height
  /** From decidedHeight + 1 on, a `slotStage` each. */
  stages: number[]
  /** It would like to be told whoever has more, even if nothing is missing as far as it knows. */
  asks: boolean
}

/** A wish that the primary of this view be replaced: it counts when `oneCorrect` have said so, and its sender goes on voting until then. */
export interface Wish {
  kind: 'wish'
  view: View
  signature: Signature
}

export type PbftMessage = PrePrepare | Prepare | Commit | ViewChange | NewView | AskViewChanges | Status | Wish

/** Views rise by one with each change; nobody gets here by honest means, and beyond it arithmetic would end. */
export const viewMax: number = 2 ** 50
/** Sequence numbers in one window: as many as `pbft.windowBlocks` may say. */
export const windowBlocksMax = 1024
const signatureBytesMax = 4096

const view = upTo(u53, viewMax)
const digest = fixedBytes(digestBytes)
const signature = bytes(signatureBytesMax)
const vote = { view, height: u53, digest, signature }

/** What is signed, in this encoding, under the phase's domain. */
export const statementCodec: Codec<Statement> = struct<Statement>({ view, height: u53, digest })

export const preparedCertificateCodec: Codec<PreparedCertificate> = struct<PreparedCertificate>({
  view,
  header: blockHeaderCodec,
  signature,
  prepares: signatureSetCodec,
})

const viewChangeFields = {
  view,
  sender: replicaIdCodec,
  checkpoint: optional(checkpointCodec),
  prepared: ascending(preparedCertificateCodec, ({ header }) => header.height, windowBlocksMax),
}

const newViewFields = {
  view,
  cited: ascending(struct<CitedViewChange>({ sender: replicaIdCodec, digest }), ({ sender }) => sender, membersMax),
  prePrepares: list(signature, windowBlocksMax),
}

/** Signed, and hashed when a new view cites it. */
export const viewChangeBodyCodec: Codec<Omit<ViewChange, 'kind' | 'signature'>> = struct(viewChangeFields)
export const newViewBodyCodec: Codec<Omit<NewView, 'kind' | 'signature'>> = struct(newViewFields)
export const wishBodyCodec: Codec<Pick<Wish, 'view'>> = struct({ view })

export const viewChangeCodec: Codec<Omit<ViewChange, 'kind'>> = struct({ ...viewChangeFields, signature })
export const newViewCodec: Codec<Omit<NewView, 'kind'>> = struct({ ...newViewFields, signature })

export const pbftMessageCodec: Codec<PbftMessage> = union<PbftMessage>({
  'pre-prepare': { tag: 1, codec: struct({ view, header: blockHeaderCodec, payload: payloadCodec, signature }) },
  prepare: { tag: 2, codec: struct(vote) },
  commit: { tag: 3, codec: struct(vote) },
  'view-change': { tag: 4, codec: viewChangeCodec },
  'new-view': { tag: 5, codec: newViewCodec },
  'ask-view-changes': {
    tag: 6,
    codec: struct({ view, senders: ascending(replicaIdCodec, (sender) => sender, membersMax) }),
  },
  status: {
    tag: 7,
    codec: struct<Omit<Status, 'kind'>>({
      view,
      active: bool,
      decidedHeight: u53,
      servesFrom: u53,
      stages: list(upTo(u8, slotStage.committed), windowBlocksMax),
      asks: bool,
    }),
  },
  wish: { tag: 8, codec: struct({ view, signature }) },
})

export function describeMessage(message: PbftMessage): string {
  switch (message.kind) {
    case 'pre-prepare':
      return `pre-prepare ${message.header.height}, view ${message.view}`
    case 'prepare':
    case 'commit':
      return `${message.kind} ${message.height}, view ${message.view}`
    case 'view-change': {
      const { view: asked, sender, checkpoint, prepared } = message
      return `view change of replica ${sender} to ${asked}, checkpoint ${checkpoint?.header.height ?? 'none'}, ${prepared.length} prepared`
    }
    case 'new-view':
      return `new view ${message.view}, ${message.cited.length} view changes, ${message.prePrepares.length} pre-prepares`
    case 'ask-view-changes':
      return `asks for the view changes of ${message.senders.join(', ')} to view ${message.view}`
    case 'status':
      return `status: ${message.active ? 'in' : 'asks for'} view ${message.view}, decided ${message.decidedHeight}, serves from ${message.servesFrom}, stages ${message.stages.join('')}`
    case 'wish':
      return `wishes another primary than that of view ${message.view}`
  }
}

/** Only a status replaces an earlier one: every other message says something of its own. */
export function supersededBy(message: PbftMessage): string | null {
  return message.kind === 'status' ? message.kind : null
}
