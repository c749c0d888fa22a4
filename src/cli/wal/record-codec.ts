// Records of any protocol of this release. A log does not say whose they are; the kinds of their records have nothing in common.

import { decode, type Codec } from '../../wire/codec.ts'
import { pbftRecordCodec, type PbftRecord } from '../../protocols/pbft/records.ts'
import { raftRecordCodec, type RaftRecord } from '../../protocols/raft/records.ts'

export type AnyRecord = RaftRecord | PbftRecord

export type RecordCodec = Codec<AnyRecord>

const codecs = [raftRecordCodec, pbftRecordCodec] as unknown as readonly RecordCodec[]

/** By the first record that only one of them reads; raft's, if there is none. */
export function recordCodecFor(records: Iterable<{ bytes: Uint8Array }>): RecordCodec {
  for (const { bytes } of records) {
    const readable = codecs.filter((codec) => decode(codec, bytes).ok)
    if (readable.length === 1) return readable[0]!
  }
  return codecs[0]!
}
