// Every type that crosses a socket or reaches a disk, with a value of it. Golden vectors and the mutation property run over this list; a protocol adds a file
// of its own, and its line below.

import {
  blockCodec,
  blockHeaderCodec,
  emptyPayload,
  payloadCodec,
  payloadEnvelopesCodec,
} from '../../src/kernel/block.ts'
import { checkpointCodec } from '../../src/kernel/checkpoint.ts'
import { manifestEntryCodec } from '../../src/kernel/manifest.ts'
import { helloCodec, refusalCodec } from '../../src/network/link/link-frame.ts'
import { clientRequestCodec, clientResponseCodec } from '../../src/kernel/client-messages.ts'
import { envelopeCodec, sessionIdCodec } from '../../src/kernel/envelope.ts'
import { evidenceCodec, protocolCodec } from '../../src/kernel/evidence.ts'
import { executedHeaderCodec, type ExecutedHeader } from '../../src/kernel/executed-header.ts'
import { replicaId, replicaIdCodec } from '../../src/kernel/ids.ts'
import { outcomeCodec } from '../../src/kernel/outcome.ts'
import { decisionProofCodec, quorumCertificateCodec, signatureSetCodec } from '../../src/kernel/proof.ts'
import { frameCodec } from '../../src/replica/driver/frame.ts'
import { block, fill, header, one, session, type Registered } from './registered.ts'
import { checkpointRegistry } from './registry-checkpoints.ts'
import { executionRegistry } from './registry-execution.ts'
import { fetchingRegistry } from './registry-fetching.ts'
import { hotstuffRegistry } from './registry-hotstuff.ts'
import { pbftRegistry } from './registry-pbft.ts'
import { raftRegistry } from './registry-raft.ts'
import { snapshotRegistry } from './registry-snapshots.ts'

const max = Number.MAX_SAFE_INTEGER

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
const envelope = {
  kind: 'operations',
  client: fill(32, 0xaa),
  session,
  firstNumber: 5,
  acknowledgedNumber: 4,
  operations: [Uint8Array.of(1, 2, 3), new Uint8Array(0)],
  signature: fill(64, 0xee),
}

export const registry: readonly Registered[] = [
  one('blockHeaderCodec', blockHeaderCodec, header),
  one('blockCodec', blockCodec, block),
  one('payloadCodec empty', payloadCodec, emptyPayload),
  one('payloadEnvelopesCodec', payloadEnvelopesCodec, [fill(3, 1), fill(0, 0)]),
  one('replicaIdCodec', replicaIdCodec, replicaId(0xfffe)),
  one('protocolCodec raft', protocolCodec, 'raft'),
  one('protocolCodec pbft', protocolCodec, 'pbft'),
  one('protocolCodec hotstuff', protocolCodec, 'hotstuff'),
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
  one('envelopeCodec read', envelopeCodec, {
    kind: 'read',
    client: fill(32, 1),
    nonce: fill(16, 2),
    queries: [fill(2, 5), fill(0, 0)],
    signature: fill(64, 3),
  }),
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
    headers: [{ block: header, view: 8, parent: fill(32, 5), absent: [], lately: [replicaId(3)] }],
    certificates: [certificate, certificate],
  }),
  one('executedHeaderCodec', executedHeaderCodec, executed),
  one('executedHeaderCodec between checkpoints', executedHeaderCodec, { ...executed, stateRoot: null }),
  one('manifestEntryCodec', manifestEntryCodec, { part: 4, id: fill(3, 0x61), digest: fill(32, 1), size: 70_000 }),
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
  one('outcomeCodec operation-failed', outcomeCodec, { kind: 'operation-failed' }),
  one('outcomeCodec cancelled', outcomeCodec, { kind: 'cancelled' }),
  one('outcomeCodec closed', outcomeCodec, { kind: 'closed' }),
  one('outcomeCodec opened', outcomeCodec, { kind: 'opened', session }),
  one('clientRequestCodec submit', clientRequestCodec, { kind: 'submit', envelopes: [fill(3, 1)] }),
  one('clientRequestCodec query', clientRequestCodec, {
    kind: 'query',
    id: 1,
    consistency: 'linearizable',
    query: fill(1, 1),
  }),
  one('helloCodec', helloCodec, { version: 1, incarnation: 3, process: fill(16, 8) }),
  one('refusalCodec older', refusalCodec, { reason: 'incarnation-older', incarnation: max }),
  one('refusalCodec repeated', refusalCodec, { reason: 'incarnation-repeated', incarnation: 0x1_0000_0002 }),
  one('clientRequestCodec status', clientRequestCodec, { kind: 'status', id: 5 }),
  one('clientRequestCodec reads', clientRequestCodec, {
    kind: 'reads',
    nonce: fill(16, 2),
    statesFirst: true,
    reads: [
      { id: 4, query: fill(2, 5) },
      { id: 5, query: fill(0, 0) },
    ],
  }),
  one('clientResponseCodec answers', clientResponseCodec, {
    kind: 'answers',
    nonce: fill(16, 2),
    stated: 9,
    height: 10,
    answers: [{ id: 4, answer: fill(2, 9) }],
  }),
  one('clientResponseCodec reads-unanswered', clientResponseCodec, {
    kind: 'reads-unanswered',
    nonce: fill(16, 2),
    reason: 'not-authentic',
    leader: replicaId(3),
  }),
  one('clientResponseCodec hint', clientResponseCodec, { kind: 'hint', leader: replicaId(3) }),
  one('clientResponseCodec status', clientResponseCodec, { kind: 'status', id: 5, report: fill(2, 123) }),
  one('clientResponseCodec replies', clientResponseCodec, {
    kind: 'replies',
    replies: [{ session, number: 5, height: 7, index: 1, outcome: fill(2, 1) }],
  }),
  one('clientResponseCodec opened', clientResponseCodec, {
    kind: 'opened',
    client: fill(32, 1),
    nonce: fill(16, 2),
    height: 3,
    index: 2,
    outcome: fill(1, 2),
  }),
  one('clientResponseCodec answer', clientResponseCodec, { kind: 'answer', id: 1, height: 7, answer: fill(2, 9) }),
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
      { channel: 5, body: fill(1, 2) },
    ],
  }),
  ...checkpointRegistry,
  ...fetchingRegistry,
  ...snapshotRegistry,
  ...raftRegistry,
  ...pbftRegistry,
  ...hotstuffRegistry,
  ...executionRegistry,
]
