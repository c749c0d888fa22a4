// What pbft promises on disk.

import { bytes, optional, struct, u53, union, upTo, type Codec } from '../../wire/codec.ts'
import { blockHeaderCodec, payloadCodec, type BlockHeader } from '../../kernel/block.ts'
import { checkpointCodec, type Checkpoint } from '../../kernel/checkpoint.ts'
import type { Signature } from '../../kernel/crypto-ports.ts'
import type { View } from '../../kernel/ids.ts'
import { signatureSetCodec, type SignatureSet } from '../../kernel/proof.ts'
import {
  newViewCodec,
  preparedCertificateCodec,
  viewChangeCodec,
  viewMax,
  type NewView,
  type PreparedCertificate,
  type ViewChange,
} from './messages.ts'

/** A pre-prepare that was made, or accepted: on disk before PRE-PREPARE and PREPARE leave. */
export interface ProposalRecord {
  kind: 'proposal'
  view: View
  header: BlockHeader
  signature: Signature
  /** Null: an earlier record has it. */
  payload: Uint8Array | null
}

/** On disk before COMMIT leaves. */
export interface PreparedRecord {
  kind: 'prepared'
  certificate: PreparedCertificate
}

/** On disk before a checkpoint at or above it is signed, so that whoever has signed one can show how it came to it. */
export interface DecidedRecord {
  kind: 'decided'
  header: BlockHeader
  view: View
  commits: SignatureSet
  /** Null: an earlier record has it. */
  payload: Uint8Array | null
}

/** This replica's own, before it leaves; or one of another that a new view cites, before that new view's record. */
export interface ViewChangeRecord {
  kind: 'view-change'
  viewChange: ViewChange
}

/** On disk before the primary sends it, and before a backup takes part in its view. */
export interface NewViewRecord {
  kind: 'new-view'
  newView: NewView
}

/** The watermark: before what lies below it leaves memory. */
export interface CheckpointRecord {
  kind: 'checkpoint'
  checkpoint: Checkpoint
}

export type PbftRecord =
  | ProposalRecord
  | PreparedRecord
  | DecidedRecord
  | ViewChangeRecord
  | NewViewRecord
  | CheckpointRecord

const view = upTo(u53, viewMax)
const viewChange: Codec<ViewChange> = withKind('view-change', viewChangeCodec)
const newView: Codec<NewView> = withKind('new-view', newViewCodec)

export const pbftRecordCodec: Codec<PbftRecord> = union<PbftRecord>({
  proposal: {
    tag: 1,
    codec: struct({ view, header: blockHeaderCodec, signature: bytes(4096), payload: optional(payloadCodec) }),
  },
  prepared: { tag: 2, codec: struct({ certificate: preparedCertificateCodec }) },
  decided: {
    tag: 3,
    codec: struct({ header: blockHeaderCodec, view, commits: signatureSetCodec, payload: optional(payloadCodec) }),
  },
  'view-change': { tag: 4, codec: struct({ viewChange }) },
  'new-view': { tag: 5, codec: struct({ newView }) },
  checkpoint: { tag: 6, codec: struct({ checkpoint: checkpointCodec }) },
})

/** A message as it crosses the network, without the tag that tells it from others there. */
function withKind<Value extends { kind: string }>(
  kind: Value['kind'],
  codec: Codec<Omit<Value, 'kind'>>,
): Codec<Value> {
  return {
    bytesMin: codec.bytesMin,
    write: (writer, value) => codec.write(writer, value),
    read: (reader) => ({ kind, ...codec.read(reader) }) as Value,
  }
}
