// What replicas say about checkpoints, and how they hand out a state.

import { checkpointMessageCodec } from '../../src/replica/checkpoints/checkpoint-messages.ts'
import { transferAnswerCodec, transferRequestCodec } from '../../src/replica/checkpoints/transfer-messages.ts'
import { fill, header, one, type Registered } from './registered.ts'
import { replicaId } from '../../src/kernel/ids.ts'

const max = Number.MAX_SAFE_INTEGER
const executed = {
  epoch: 1,
  height: 7,
  parent: fill(32, 1),
  blockDigest: fill(32, 2),
  resultsRoot: fill(32, 3),
  stateRoot: fill(32, 4),
  time: max,
}
const checkpoint = {
  header: executed,
  signatures: [{ replica: replicaId(1), signature: fill(64, 0x51) }],
  block: header,
  proof: { kind: 'raft', term: 4, index: 7 },
}
const entry = { part: 4, id: fill(3, 0x61), digest: fill(32, 0xd4), size: 5_242_880 }

export const checkpointRegistry: readonly Registered[] = [
  one('checkpointMessageCodec vote', checkpointMessageCodec, {
    kind: 'vote',
    header: executed,
    signature: fill(64, 0x51),
    repeated: true,
  }),
  one('checkpointMessageCodec certificate', checkpointMessageCodec, { kind: 'certificate', checkpoint }),
  one('checkpointMessageCodec ask', checkpointMessageCodec, { kind: 'ask', height: max }),
  one('transferRequestCodec newest', transferRequestCodec, { kind: 'newest', request: max }),
  one('transferRequestCodec manifest', transferRequestCodec, {
    kind: 'manifest',
    request: 8,
    height: 7,
    first: 4_194_304,
  }),
  one('transferRequestCodec chunks', transferRequestCodec, {
    kind: 'chunks',
    request: 9,
    height: 7,
    digests: [fill(32, 0xd4), fill(32, 0xd5)],
  }),
  one('transferAnswerCodec checkpoint', transferAnswerCodec, { kind: 'checkpoint', request: max, checkpoint }),
  one('transferAnswerCodec manifest-page', transferAnswerCodec, {
    kind: 'manifest-page',
    request: 8,
    total: 1,
    entries: [entry],
  }),
  one('transferAnswerCodec chunk', transferAnswerCodec, {
    kind: 'chunk',
    request: 9,
    digest: fill(32, 0xd4),
    part: 4,
    id: fill(3, 0x61),
    bytes: fill(2, 0xcc),
  }),
  one('transferAnswerCodec lacking', transferAnswerCodec, { kind: 'lacking', request: 9, digests: [fill(32, 0xd5)] }),
  one('transferAnswerCodec gone', transferAnswerCodec, { kind: 'gone', request: 9 }),
]
