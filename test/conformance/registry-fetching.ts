// How replicas hand out payloads and decided blocks.

import { fetchAnswerCodec, fetchRequestCodec } from '../../src/replica/fetching/fetching-messages.ts'
import { block, fill, one, type Registered } from './registered.ts'

const max = Number.MAX_SAFE_INTEGER
const proof = { kind: 'raft', term: 4, index: 7 }

export const fetchingRegistry: readonly Registered[] = [
  one('fetchRequestCodec payload-request', fetchRequestCodec, {
    kind: 'payload-request',
    number: max,
    digest: fill(32, 0xd1),
  }),
  one('fetchRequestCodec blocks-request', fetchRequestCodec, {
    kind: 'blocks-request',
    number: 8,
    fromHeight: 7,
    toHeight: max,
  }),
  one('fetchAnswerCodec payload', fetchAnswerCodec, { kind: 'payload', number: max, payload: fill(4, 0) }),
  one('fetchAnswerCodec payload that is not there', fetchAnswerCodec, { kind: 'payload', number: 8, payload: null }),
  one('fetchAnswerCodec blocks', fetchAnswerCodec, { kind: 'blocks', number: 9, blocks: [{ block, proof }] }),
]
