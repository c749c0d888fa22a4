// What raft sends and stores.

import { entryCodec, raftMessageCodec } from '../../src/protocols/raft/messages.ts'
import { raftRecordCodec } from '../../src/protocols/raft/records.ts'
import { block, one, type Registered } from './registered.ts'

const raftHead = { term: 4, previousIndex: 6, previousTerm: 3, commit: 5, round: 8 }

export const raftRegistry: readonly Registered[] = [
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
  one('raftMessageCodec read request', raftMessageCodec, { kind: 'read-request', term: 4, incarnation: 2, number: 9 }),
  one('raftMessageCodec read answer', raftMessageCodec, {
    kind: 'read-answer',
    term: 4,
    incarnation: 2,
    number: 9,
    index: 7,
  }),
  one('raftMessageCodec timeout now', raftMessageCodec, { kind: 'timeout-now', term: 4, round: 8, lastIndex: 7 }),
  one('raftMessageCodec transfer vote request', raftMessageCodec, {
    kind: 'transfer-vote-request',
    term: 4,
    lastIndex: 7,
    lastTerm: 3,
  }),
  one('raftMessageCodec offer', raftMessageCodec, { kind: 'offer', ...raftHead }),
  one('raftMessageCodec answer of an abstainer', raftMessageCodec, {
    kind: 'abstainer-answer',
    answer: { kind: 'append-answer', term: 4, round: 8, matchIndex: 7 },
  }),
  one('raftMessageCodec rejection of an abstainer', raftMessageCodec, {
    kind: 'abstainer-answer',
    answer: { kind: 'rejection', term: 4, round: 8, rejectedIndex: 6, hintIndex: 5, hintTerm: 2 },
  }),
  one('raftRecordCodec hard state', raftRecordCodec, { kind: 'hard-state', term: 4, votedFor: 0 }),
  one('raftRecordCodec entries', raftRecordCodec, { kind: 'entries', firstIndex: 7, entries: [{ term: 4, block }] }),
  one('raftRecordCodec base', raftRecordCodec, { kind: 'base', index: 6, term: 3, truncates: true }),
]
