// What raft's replicas say to each other. Links vouch for the sender, so nothing is signed.

import { bool, list, struct, u53, union, upTo, type Codec } from '../../wire/codec.ts'
import { blockCodec, type Block } from '../../kernel/block.ts'

/** A block and the term in which a leader proposed it. Its height is its index. */
export interface Entry {
  term: number
  block: Block
}

/** RequestVote (Raft §5.2), or the question whether it would be worth while (thesis §9.6: pre-vote). */
export interface VoteRequest {
  kind: 'vote-request'
  /** Of the election: with a pre-vote, the term that the candidate would begin. */
  term: number
  preVote: boolean
  lastIndex: number
  lastTerm: number
}

export interface VoteAnswer {
  kind: 'vote-answer'
  /** Granted: the term asked for. Refused: the voter's own. */
  term: number
  preVote: boolean
  granted: boolean
}

interface Proven {
  term: number
  /** What stands directly before the entries: the follower checks it, and is proven to agree up to there. */
  previousIndex: number
  previousTerm: number
  commit: number
  /** Number of the leader's latest round of leadership confirmation (ReadIndex, thesis §6.4); echoed. */
  round: number
}

/** AppendEntries with entries (Raft §5.3). */
export interface Append extends Proven {
  kind: 'append'
  entries: Entry[]
}

/** AppendEntries without: says that the leader is there, and how far it has committed. */
export interface Heartbeat extends Proven {
  kind: 'heartbeat'
}

interface Matched {
  term: number
  round: number
  /** The follower's log equals the leader's up to here: the end of what the message proved, never the follower's own end (C16). */
  matchIndex: number
}

export interface AppendAnswer extends Matched {
  kind: 'append-answer'
}

export interface HeartbeatAnswer extends Matched {
  kind: 'heartbeat-answer'
}

/** The follower's log does not contain the previous entry, or its term is higher. */
export interface Rejection {
  kind: 'rejection'
  term: number
  round: number
  /** The previousIndex of the message that is rejected. */
  rejectedIndex: number
  /** The follower's last entry, at or below it, whose term is not above the one asked for (§5.3, the optimisation). */
  hintIndex: number
  hintTerm: number
}

/**
 * InstallSnapshot (Raft §7) without the snapshot: the leader no longer has what the follower needs next. Its fields are those of a heartbeat
 * that stands on the entry below the leader's first. Who lacks that entry fetches a state from anybody that has one.
 */
export interface Offer extends Proven {
  kind: 'offer'
}

/** What a follower says to the leader of its term about its own log. */
export type LogAnswer = AppendAnswer | HeartbeatAnswer | Rejection

/** The sender has lost promises that it made and makes none any more: its answer moves replication, and counts for nothing else. */
export interface AbstainerAnswer {
  kind: 'abstainer-answer'
  answer: LogAnswer
}

/** A follower asks which index its reads must see (thesis §6.4). */
export interface ReadRequest {
  kind: 'read-request'
  term: number
  /** Of the asker: a question of an earlier life is none of this one's. */
  incarnation: number
  number: number
}

/** Everything committed before the question came lies at or below the index. */
export interface ReadAnswer {
  kind: 'read-answer'
  term: number
  incarnation: number
  number: number
  index: number
}

/**
 * RequestVote for an election that the leader itself asked for (thesis §4.2.3): whoever hears that leader may vote all the same. A kind of
 * its own, because there is no pre-vote of it.
 */
export interface TransferVoteRequest {
  kind: 'transfer-vote-request'
  term: number
  lastIndex: number
  lastTerm: number
}

/** TimeoutNow (thesis §3.10): the leader of this term asks the receiver to stand for election at once. */
export interface TimeoutNow {
  kind: 'timeout-now'
  term: number
  /** The leader's latest round, and the end of its log: a later round or another end show that the request is stale (C30). */
  round: number
  lastIndex: number
}

export type RaftMessage =
  | VoteRequest
  | VoteAnswer
  | Append
  | Heartbeat
  | AppendAnswer
  | HeartbeatAnswer
  | Rejection
  | Offer
  | AbstainerAnswer
  | ReadRequest
  | ReadAnswer
  | TimeoutNow
  | TransferVoteRequest

/** Terms rise by one with each election; nobody gets here by honest means, and beyond it arithmetic would end. */
export const termMax: number = 2 ** 50
/** Entries in one message. */
export const messageEntriesMax = 64

const term = upTo(u53, termMax)
const proven = { term, previousIndex: u53, previousTerm: term, commit: u53, round: u53 }
const matched = { term, round: u53, matchIndex: u53 }

export const entryCodec: Codec<Entry> = struct<Entry>({ term, block: blockCodec })

const logAnswers = {
  'append-answer': { tag: 5, codec: struct(matched) },
  'heartbeat-answer': { tag: 6, codec: struct(matched) },
  rejection: { tag: 7, codec: struct({ term, round: u53, rejectedIndex: u53, hintIndex: u53, hintTerm: term }) },
}

export const raftMessageCodec: Codec<RaftMessage> = union<RaftMessage>({
  'vote-request': { tag: 1, codec: struct({ term, preVote: bool, lastIndex: u53, lastTerm: term }) },
  'vote-answer': { tag: 2, codec: struct({ term, preVote: bool, granted: bool }) },
  append: { tag: 3, codec: struct({ ...proven, entries: list(entryCodec, messageEntriesMax) }) },
  heartbeat: { tag: 4, codec: struct(proven) },
  ...logAnswers,
  'read-request': { tag: 8, codec: struct({ term, incarnation: u53, number: u53 }) },
  'read-answer': { tag: 9, codec: struct({ term, incarnation: u53, number: u53, index: u53 }) },
  'timeout-now': { tag: 10, codec: struct({ term, round: u53, lastIndex: u53 }) },
  'transfer-vote-request': { tag: 11, codec: struct({ term, lastIndex: u53, lastTerm: term }) },
  offer: { tag: 12, codec: struct(proven) },
  'abstainer-answer': { tag: 13, codec: struct({ answer: union<LogAnswer>(logAnswers) }) },
})

export function describeMessage(message: RaftMessage): string {
  switch (message.kind) {
    case 'vote-request':
      return `${message.preVote ? 'pre-vote' : 'vote'} request, term ${message.term}, log ${message.lastIndex}:${message.lastTerm}`
    case 'vote-answer':
      return `${message.preVote ? 'pre-vote' : 'vote'} ${message.granted ? 'granted' : 'refused'}, term ${message.term}`
    case 'append':
      return `append ${message.entries.length} behind ${message.previousIndex}:${message.previousTerm}, term ${message.term}, commit ${message.commit}`
    case 'heartbeat':
      return `heartbeat at ${message.previousIndex}, term ${message.term}, commit ${message.commit}, round ${message.round}`
    case 'append-answer':
    case 'heartbeat-answer':
      return `${message.kind} ${message.matchIndex}, term ${message.term}, round ${message.round}`
    case 'rejection':
      return `rejects ${message.rejectedIndex}, hints ${message.hintIndex}:${message.hintTerm}, term ${message.term}`
    case 'offer':
      return `offers a state, its log begins behind ${message.previousIndex}:${message.previousTerm}, term ${message.term}, commit ${message.commit}`
    case 'abstainer-answer':
      return `${describeMessage(message.answer)}, without a vote`
    case 'read-request':
      return `asks for a read index, question ${message.number}, term ${message.term}`
    case 'read-answer':
      return `read index ${message.index}, question ${message.number}, term ${message.term}`
    case 'timeout-now':
      return `asks for an election at once, term ${message.term}, round ${message.round}, log ends at ${message.lastIndex}`
    case 'transfer-vote-request':
      return `vote request upon a transfer, term ${message.term}, log ${message.lastIndex}:${message.lastTerm}`
  }
}

/** A newer heartbeat, vote or answer makes the older of its kind worthless; appends and their answers each count. */
export function supersededBy(message: RaftMessage): string | null {
  if (message.kind === 'abstainer-answer') return supersededBy(message.answer)
  return message.kind === 'append' || message.kind === 'append-answer' || message.kind === 'rejection'
    ? null
    : message.kind
}
