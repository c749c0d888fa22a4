// What hotstuff sends, signs and stores.

import { replicaId } from '../../src/kernel/ids.ts'
import { chainedHeaderCodec } from '../../src/kernel/proof.ts'
import {
  hotstuffMessageCodec,
  nodeStatementCodec,
  proposalCodec,
  timeoutCertificateCodec,
  timeoutCodec,
  timeoutStatementCodec,
} from '../../src/protocols/hotstuff/messages.ts'
import { hotstuffRecordCodec } from '../../src/protocols/hotstuff/records.ts'
import { block, fill, header, one, type Registered } from './registered.ts'

const signature = fill(64, 0x61)
const node = fill(32, 0xe2)
const votes = [
  { replica: replicaId(1), signature },
  { replica: replicaId(4), signature: fill(64, 0x64) },
]
const certificate = { view: 8, node, votes }
const statement = { view: 9, node }
const timeouts = {
  view: 8,
  timeouts: [
    { replica: replicaId(1), certificateView: 5, signature },
    { replica: replicaId(4), certificateView: 7, signature: fill(64, 0x64) },
  ],
}
const proposal = { view: 9, ...block, justify: certificate, timeouts: null, extended: null, signature }
const timeout = { view: 9, certificateView: 8, certificate, signature }
const chained = { block: header, view: 8, parent: fill(32, 0xe1), absent: [], lately: [] }
const byReputation = { ...chained, absent: [replicaId(2)], lately: [replicaId(4), replicaId(3), replicaId(1)] }
const proof = { headers: [chained, { ...chained, view: 9 }], certificates: [certificate, certificate] }

export const hotstuffRegistry: readonly Registered[] = [
  one('chainedHeaderCodec', chainedHeaderCodec, chained),
  one('chainedHeaderCodec by reputation', chainedHeaderCodec, byReputation),
  one('nodeStatementCodec', nodeStatementCodec, statement),
  one('timeoutStatementCodec', timeoutStatementCodec, { view: 9, certificateView: 8 }),
  one('timeoutCertificateCodec', timeoutCertificateCodec, timeouts),
  one('proposalCodec', proposalCodec, proposal),
  one('proposalCodec after a view that was given up', proposalCodec, { ...proposal, timeouts }),
  one('proposalCodec by reputation', proposalCodec, { ...proposal, extended: byReputation }),
  one('timeoutCodec', timeoutCodec, timeout),
  one('hotstuffMessageCodec proposal', hotstuffMessageCodec, { kind: 'proposal', ...proposal }),
  one('hotstuffMessageCodec vote', hotstuffMessageCodec, { kind: 'vote', ...statement, signature }),
  one('hotstuffMessageCodec timeout', hotstuffMessageCodec, { kind: 'timeout', ...timeout }),
  one('hotstuffMessageCodec newest', hotstuffMessageCodec, { kind: 'newest', certificate, timeouts }),
  one('hotstuffMessageCodec ask', hotstuffMessageCodec, { kind: 'ask', node }),
  one('hotstuffMessageCodec status', hotstuffMessageCodec, {
    kind: 'status',
    view: 9,
    certificateView: 8,
    proposed: true,
    decidedHeight: 7,
    servesFrom: 4,
    asks: false,
  }),
  one('hotstuffRecordCodec voted', hotstuffRecordCodec, { kind: 'voted', proposal, lock: null }),
  one('hotstuffRecordCodec voted with a lock', hotstuffRecordCodec, { kind: 'voted', proposal, lock: statement }),
  one('hotstuffRecordCodec timeout', hotstuffRecordCodec, { kind: 'timeout', timeout }),
  one('hotstuffRecordCodec timeouts', hotstuffRecordCodec, { kind: 'timeouts', timeouts, certificate }),
  one('hotstuffRecordCodec decided', hotstuffRecordCodec, { kind: 'decided', ...proof, payload: null }),
  one('hotstuffRecordCodec decided with its payload', hotstuffRecordCodec, {
    kind: 'decided',
    ...proof,
    payload: block.payload,
  }),
  one('hotstuffRecordCodec promises', hotstuffRecordCodec, {
    kind: 'promises',
    votedView: 9,
    certificate,
    lock: statement,
    certifiedHeight: 7,
  }),
]
