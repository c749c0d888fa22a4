// Records of any protocol of this release. A log does not say whose they are: what only one of them reads does.

import { decode, type Codec } from '../../wire/codec.ts'
import { hotstuffRecordCodec, type HotstuffRecord } from '../../protocols/hotstuff/records.ts'
import { pbftRecordCodec, type PbftRecord } from '../../protocols/pbft/records.ts'
import { raftRecordCodec, type RaftRecord } from '../../protocols/raft/records.ts'

export type AnyRecord = RaftRecord | PbftRecord | HotstuffRecord

export type RecordCodec = Codec<AnyRecord>

const codecs = [raftRecordCodec, pbftRecordCodec, hotstuffRecordCodec] as unknown as readonly RecordCodec[]

/** By the first record that only one of them reads; raft's, if there is none. */
export function recordCodecFor(records: Iterable<{ bytes: Uint8Array }>): RecordCodec {
  for (const { bytes } of records) {
    const readable = codecs.filter((codec) => decode(codec, bytes).ok)
    if (readable.length === 1) return readable[0]!
  }
  return codecs[0]!
}

/** Of the kinds of two protocols one has the same name. */
export function isOfHotstuff(record: PbftRecord | HotstuffRecord): record is HotstuffRecord {
  switch (record.kind) {
    case 'voted':
    case 'timeout':
    case 'timeouts':
    case 'promises':
      return true
    case 'decided':
      return 'headers' in record
    default:
      return false
  }
}
