// Where decisions and payloads stand in pbft's records.

import { blockDigest } from '../../kernel/block.ts'
import type { DecisionRecords } from '../../kernel/decided-ledger.ts'
import { broken } from '../../kernel/invariant.ts'
import type { PbftDecisionProof } from '../../kernel/proof.ts'
import type { ProtocolPorts } from '../../kernel/protocol.ts'
import type { PbftRecord } from './records.ts'

/** What each commit takes in a proof. */
const voteBytes = 72

export function decisionRecords({
  recall,
  hasher,
}: Pick<ProtocolPorts, 'recall' | 'hasher'>): DecisionRecords<PbftDecisionProof> {
  return {
    decision(at) {
      const record = recall(at) as PbftRecord
      if (record.kind !== 'decided') broken(`record ${at} is no decision`)
      const { header, view, commits, payload } = record
      return { header, proof: { kind: 'pbft', view, blockDigest: blockDigest(hasher, header), commits }, payload }
    },
    payload(at) {
      const record = recall(at) as PbftRecord
      return record.kind === 'proposal' || record.kind === 'decided' ? record.payload : null
    },
    proofBytes: ({ commits }) => commits.length * voteBytes,
  }
}
