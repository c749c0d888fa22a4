// Every type that crosses a socket or reaches a disk, with a value of it. Golden vectors and the mutation property run over this list;
// a protocol adds its own here.

import {
  blockCodec,
  blockHeaderCodec,
  emptyPayload,
  payloadCodec,
  payloadEnvelopesCodec,
  type BlockHeader,
} from '../../src/kernel/block.ts'
import { checkpointCodec } from '../../src/kernel/checkpoint.ts'
import { clientRequestCodec, clientResponseCodec } from '../../src/kernel/client-messages.ts'
import { envelopeCodec, sessionIdCodec } from '../../src/kernel/envelope.ts'
import { evidenceCodec } from '../../src/kernel/evidence.ts'
import { executedHeaderCodec, type ExecutedHeader } from '../../src/kernel/executed-header.ts'
import { replicaId } from '../../src/kernel/ids.ts'
import { outcomeCodec } from '../../src/kernel/outcome.ts'
import { decisionProofCodec, quorumCertificateCodec, signatureSetCodec } from '../../src/kernel/proof.ts'
import { entryCodec, raftMessageCodec } from '../../src/protocols/raft/messages.ts'
import { raftRecordCodec } from '../../src/protocols/raft/records.ts'
import { frameCodec } from '../../src/replica/driver/frame.ts'
import { storeCommandCodec, storeQueryCodec } from '../../src/execution/store/commands.ts'
import { storeResultCodec } from '../../src/execution/store/results.ts'
import type { Codec } from '../../src/wire/codec.ts'

export interface Registered {
  /** The codec's name in the sources, and a word for the value. */
  name: string
  codec: Codec<unknown>
  value: unknown
}

const fill = (length: number, byte: number): Uint8Array => new Uint8Array(length).fill(byte)
const max = Number.MAX_SAFE_INTEGER

const header: BlockHeader = { epoch: 1, height: 7, timestamp: 1_760_000_000_000, payloadDigest: fill(32, 0xd1) }
const votes = [
  { replica: replicaId(1), signature: fill(64, 0x51) },
  { replica: replicaId(3), signature: fill(64, 0x53) },
]
const certificate = { view: 9, node: fill(32, 0xc1), votes }
const executed: ExecutedHeader = {
  epoch: 1,
  height: 7,
  parent: fill(32, 1),
  blockDigest: fill(32, 2),
  resultsRoot: fill(32, 3),
  stateRoot: fill(32, 4),
  time: max,
}
const session = { height: 3, index: 2 }
const envelope = {
  kind: 'operations',
  client: fill(32, 0xaa),
  session,
  firstNumber: 5,
  acknowledgedNumber: 4,
  operations: [Uint8Array.of(1, 2, 3), new Uint8Array(0)],
  signature: fill(64, 0xee),
}
const block = { header, payload: Uint8Array.of(0, 0, 0, 0) }
const key = Uint8Array.of(0x6b)
const raftHead = { term: 4, previousIndex: 6, previousTerm: 3, commit: 5, round: 8 }

export const registry: readonly Registered[] = [
  one('blockHeaderCodec', blockHeaderCodec, header),
  one('blockCodec', blockCodec, block),
  one('payloadCodec empty', payloadCodec, emptyPayload),
  one('payloadEnvelopesCodec', payloadEnvelopesCodec, [fill(3, 1), fill(0, 0)]),
  one('sessionIdCodec', sessionIdCodec, session),
  one('envelopeCodec open', envelopeCodec, {
    kind: 'open',
    client: fill(32, 1),
    nonce: fill(16, 2),
    referenceHeight: max,
    signature: fill(0, 0),
  }),
  one('envelopeCodec operations', envelopeCodec, envelope),
  one('envelopeCodec cancel', envelopeCodec, {
    kind: 'cancel',
    client: fill(32, 1),
    session,
    firstNumber: 9,
    count: 1024,
    signature: fill(64, 3),
  }),
  one('envelopeCodec close', envelopeCodec, { kind: 'close', client: fill(32, 1), session, signature: fill(64, 3) }),
  one('signatureSetCodec', signatureSetCodec, votes),
  one('quorumCertificateCodec', quorumCertificateCodec, certificate),
  one('decisionProofCodec raft', decisionProofCodec, { kind: 'raft', term: 4, index: 7 }),
  one('decisionProofCodec pbft', decisionProofCodec, {
    kind: 'pbft',
    view: 2,
    blockDigest: fill(32, 6),
    commits: votes,
  }),
  one('decisionProofCodec hotstuff', decisionProofCodec, {
    kind: 'hotstuff',
    headers: [{ block: header, view: 8, parent: fill(32, 5) }],
    certificates: [certificate, certificate],
  }),
  one('executedHeaderCodec', executedHeaderCodec, executed),
  one('executedHeaderCodec between checkpoints', executedHeaderCodec, { ...executed, stateRoot: null }),
  one('checkpointCodec', checkpointCodec, {
    header: executed,
    signatures: votes,
    block: header,
    proof: { kind: 'raft', term: 4, index: 7 },
  }),
  one('evidenceCodec', evidenceCodec, {
    replica: replicaId(2),
    protocol: 'pbft',
    epoch: 1,
    domainTag: 0x41,
    first: { body: fill(2, 1), signature: fill(64, 1) },
    second: { body: fill(2, 2), signature: fill(64, 2) },
  }),
  one('outcomeCodec executed', outcomeCodec, { kind: 'executed', result: fill(2, 9) }),
  one('outcomeCodec refused', outcomeCodec, { kind: 'refused', code: 'OutOfOrder' }),
  one('outcomeCodec opened', outcomeCodec, { kind: 'opened', session }),
  one('clientRequestCodec submit', clientRequestCodec, { kind: 'submit', envelopes: [fill(3, 1)] }),
  one('clientRequestCodec query', clientRequestCodec, {
    kind: 'query',
    id: 1,
    consistency: 'linearizable',
    query: fill(1, 1),
  }),
  one('clientResponseCodec replies', clientResponseCodec, {
    kind: 'replies',
    replies: [{ session, number: 5, height: 7, index: 1, outcome: fill(2, 1) }],
  }),
  one('clientResponseCodec refused', clientResponseCodec, {
    kind: 'refused',
    reason: 'overloaded',
    retryAfterMs: 100,
    leader: replicaId(2),
  }),
  one('clientResponseCodec unanswered', clientResponseCodec, {
    kind: 'unanswered',
    id: 1,
    reason: 'not-leader',
    leader: null,
  }),
  one('frameCodec', frameCodec, {
    epoch: 1,
    items: [
      { channel: 1, body: fill(2, 1) },
      { channel: 2, body: fill(0, 0) },
    ],
  }),
  one('entryCodec', entryCodec, { term: 4, block }),
  one('raftMessageCodec vote request', raftMessageCodec, {
    kind: 'vote-request',
    term: 4,
    preVote: true,
    lastIndex: 6,
    lastTerm: 3,
  }),
  one('raftMessageCodec vote answer', raftMessageCodec, {
    kind: 'vote-answer',
    term: 4,
    preVote: false,
    granted: true,
  }),
  one('raftMessageCodec append', raftMessageCodec, { kind: 'append', ...raftHead, entries: [{ term: 4, block }] }),
  one('raftMessageCodec heartbeat', raftMessageCodec, { kind: 'heartbeat', ...raftHead }),
  one('raftMessageCodec append answer', raftMessageCodec, { kind: 'append-answer', term: 4, round: 8, matchIndex: 7 }),
  one('raftMessageCodec heartbeat answer', raftMessageCodec, {
    kind: 'heartbeat-answer',
    term: 4,
    round: 8,
    matchIndex: 6,
  }),
  one('raftMessageCodec rejection', raftMessageCodec, {
    kind: 'rejection',
    term: 4,
    round: 8,
    rejectedIndex: 6,
    hintIndex: 5,
    hintTerm: 2,
  }),
  one('raftRecordCodec hard state', raftRecordCodec, { kind: 'hard-state', term: 4, votedFor: 0 }),
  one('raftRecordCodec entries', raftRecordCodec, { kind: 'entries', firstIndex: 7, entries: [{ term: 4, block }] }),
  one('storeCommandCodec put', storeCommandCodec, { kind: 'put', key, value: fill(2, 1), lease: 0 }),
  one('storeCommandCodec increment', storeCommandCodec, { kind: 'increment', key, by: -1 }),
  one('storeCommandCodec transaction', storeCommandCodec, {
    kind: 'transaction',
    compares: [{ kind: 'number', key, field: 'version', comparison: 'greater', number: 1 }],
    success: [{ kind: 'get', key }],
    failure: [],
  }),
  one('storeQueryCodec scan', storeQueryCodec, { kind: 'scan', from: key, to: null, limit: 10, keysOnly: false }),
  one('storeResultCodec value', storeResultCodec, { kind: 'value', entry: null }),
]

function one(name: string, codec: unknown, value: unknown): Registered {
  return { name, codec: codec as Codec<unknown>, value }
}
