// Where decisions and payloads stand in hotstuff's records.

import type { DecisionRecords } from '../../kernel/decided-ledger.ts'
import { broken } from '../../kernel/invariant.ts'
import type { HotstuffDecisionProof } from '../../kernel/proof.ts'
import type { ProtocolPorts } from '../../kernel/protocol.ts'
import type { HotstuffRecord } from './records.ts'

/** What each vote and each header takes in a proof, about. */
const voteBytes = 72
const headerBytes = 128

export function decisionRecords({ recall }: Pick<ProtocolPorts, 'recall'>): DecisionRecords<HotstuffDecisionProof> {
  return {
    decision(at) {
      const record = recall(at) as HotstuffRecord
      if (record.kind !== 'decided') broken(`record ${at} is no decision`)
      const { headers, certificates, payload } = record
      return { header: headers[0]!.block, proof: { kind: 'hotstuff', headers, certificates }, payload }
    },
    payload(at) {
      const record = recall(at) as HotstuffRecord
      if (record.kind === 'voted') return record.proposal.payload
      return record.kind === 'decided' ? record.payload : null
    },
    proofBytes: ({ headers, certificates }) =>
      headers.length * headerBytes + certificates.reduce((sum, { votes }) => sum + votes.length * voteBytes, 0),
  }
}
