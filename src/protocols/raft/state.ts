// Everything that one replica's raft knows, in one place. The files beside this one hold the rules that change it.

import { lingerTimer } from '../../kernel/batching.ts'
import { membershipOf, type Membership } from '../../kernel/membership.ts'
import type { Effects, Now, Persisted, ProtocolOptions, ProtocolPorts } from '../../kernel/protocol.ts'
import type { Parameters } from '../../kernel/parameters.ts'
import type { EpochNumber, Height, ReplicaId } from '../../kernel/ids.ts'
import { RaftLog, type Base, type Truncated } from './log.ts'
import type { Entry, LogAnswer, RaftMessage } from './messages.ts'
import type { Progress } from './progress.ts'
import type { RaftRecord } from './records.ts'

export type RaftEffects = Effects<RaftMessage, RaftRecord>

export type Role = 'follower' | 'pre-candidate' | 'candidate' | 'leader'

/** Whose read it is: one of this replica's own, or those behind a follower's question. */
export type Reader =
  | { kind: 'own'; id: number }
  | { kind: 'follower'; replica: ReplicaId; incarnation: number; number: number }

export interface WaitingRead {
  reader: Reader
  /** Commit index at its arrival; null until an entry of this term is committed (C31). */
  index: number | null
  /** Round of confirmation that must be answered by a quorum; null until one begins after its arrival. */
  round: number | null
}

/** A round of messages by which the leader asks whether it still leads. */
export interface Round {
  number: number
  begunMs: number
}

export interface RaftState {
  readonly self: ReplicaId
  readonly epoch: EpochNumber
  readonly membership: Membership
  readonly parameters: Parameters
  readonly ports: ProtocolPorts
  /** Below the first entry that the epoch can have: all logs agree there. */
  readonly originIndex: number
  /** This replica has lost promises: it makes none any more, and says so whenever it answers. */
  abstains: boolean

  // Figure 2: persistent on all servers.
  term: number
  votedFor: number
  readonly log: RaftLog
  /** The persist of the current term's hard state: what an append's promise rests on, and nothing later. */
  hardStatePersisted: Persisted
  /** The last persist of all. */
  lastPersisted: Persisted

  // Volatile on all servers.
  role: Role
  leader: ReplicaId | null
  commitIndex: number
  decidedHeight: Height
  executedHeight: Height
  /** The newest checkpoint that is signed by a quorum and on this replica's disk; null while there is none. */
  stable: Base | null
  /** The least height of a state that is being fetched; null: none is. */
  wantedState: Height | null
  durable: Persisted
  /** When the current leader was last heard. */
  heardLeaderMs: number
  /** The latest round that the current leader was heard in. */
  leaderRound: number
  /** When the election timer is due, and the timeout it was drawn with. */
  electionDueMs: number
  electionTimeoutMs: number
  /** One election timer that fired late was forgiven; the next is not. */
  stallForgiven: boolean
  stalled: boolean
  /** The timer runs that hands waiting requests on again. */
  forwarding: boolean

  // Followers: reads for which the leader was asked, and those for which it will be.
  incarnation: number
  questions: number
  asking: { number: number; reads: number[] } | null
  toAsk: number[]

  // Candidates.
  granted: Set<ReplicaId>
  refused: Set<ReplicaId>

  // Leaders.
  readonly progress: Map<ReplicaId, Progress>
  heartbeatDueMs: number
  /** The last persist at the latest check of the quorum: one that is not durable at the next hangs (C40). */
  persistedAtCheck: Persisted
  /** Index of the no-op with which the term began. */
  termStartIndex: number
  round: number
  confirmedRound: number
  /** Those that may still give a lease, oldest first; none where leases are off. */
  rounds: Round[]
  /** When the latest round began that a quorum has answered; null: none has in this term. */
  leaseSinceMs: number | null
  /** Somebody was asked to stand for election: whoever helps it then is bound to this leader no longer. */
  leaseForfeited: boolean
  reads: WaitingRead[]
  /** Of the last entry, so that the next one's is no earlier. */
  lastTimestamp: number
  lingering: boolean
  /** The timer runs after which followers are told what is committed. */
  newsArmed: boolean
  /** Leadership is being handed over: nothing is proposed meanwhile. `asked`: the target has the log, and was told to stand for election. */
  transfer: { to: ReplicaId; dueMs: number; asked: boolean } | null
  /** The commit index at the last heartbeat. */
  committedAtHeartbeat: number
  /** How often this replica has handed leadership to one of higher priority that has not led since. */
  readonly handovers: Map<ReplicaId, number>
}

/** Reads that wait for confirmation; one more is refused. */
export const waitingReadsMax = 16_384

/** One step's surroundings. */
export interface Step {
  readonly state: RaftState
  readonly now: Now
  readonly effects: RaftEffects
}

export const timer = {
  election: 'election',
  heartbeat: 'heartbeat',
  quorum: 'check-quorum',
  linger: lingerTimer,
  news: 'news-of-commit',
  forward: 'forward',
  ask: 'ask-for-read-index',
  transfer: 'transfer-leadership',
} as const

/** Gives votes, stands for election, and is counted by those who lead. */
export function hasVoice({ membership, self, abstains }: RaftState): boolean {
  return membership.isVoter(self) && !abstains
}

/** What a leader may count of a voter: nothing where it has said that it abstains. Of a learner nobody asks. */
export function counted({ progress }: RaftState, voter: ReplicaId): Progress | undefined {
  const known = progress.get(voter)
  return known === undefined || known.abstains ? undefined : known
}

/** What a leader hears about a follower's log. */
export function answerLeader({ state, effects }: Step, to: ReplicaId, answer: LogAnswer, after?: Persisted): void {
  effects.send(to, state.abstains ? { kind: 'abstainer-answer', answer } : answer, after)
}

export function createState({ epoch, self, ports }: ProtocolOptions): RaftState {
  // Index and height are one number, so a later epoch's log begins where the one before it ended.
  const originIndex = epoch.firstHeight - 1
  return {
    self,
    epoch: epoch.number,
    membership: membershipOf(epoch),
    parameters: epoch.parameters,
    ports,
    term: 0,
    votedFor: 0,
    originIndex,
    abstains: false,
    log: new RaftLog(originIndex, ports.recall),
    hardStatePersisted: 0,
    lastPersisted: 0,
    role: 'follower',
    leader: null,
    commitIndex: originIndex,
    decidedHeight: originIndex,
    executedHeight: originIndex,
    stable: null,
    wantedState: null,
    durable: 0,
    heardLeaderMs: 0,
    leaderRound: 0,
    electionDueMs: 0,
    electionTimeoutMs: 0,
    stallForgiven: false,
    stalled: false,
    forwarding: false,
    incarnation: 0,
    questions: 0,
    asking: null,
    toAsk: [],
    granted: new Set(),
    refused: new Set(),
    progress: new Map(),
    heartbeatDueMs: 0,
    persistedAtCheck: 0,
    termStartIndex: 0,
    round: 0,
    confirmedRound: 0,
    rounds: [],
    leaseSinceMs: null,
    leaseForfeited: false,
    reads: [],
    lastTimestamp: 0,
    lingering: false,
    newsArmed: false,
    transfer: null,
    committedAtHeartbeat: originIndex,
    handovers: new Map(),
  }
}

/** Persists term and vote; whatever promises them leaves after that (C1). */
export function setHardState({ state, effects }: Step, term: number, votedFor: number): void {
  state.term = term
  state.votedFor = votedFor
  state.hardStatePersisted = effects.persist({ kind: 'hard-state', term, votedFor })
  state.lastPersisted = state.hardStatePersisted
}

/** Persists entries and puts them into the log in place of what stood there; returns what was truncated. */
export function storeEntries({ state, effects }: Step, previousIndex: number, entries: Entry[]): Truncated {
  const persisted = effects.persist({ kind: 'entries', firstIndex: previousIndex + 1, entries })
  state.lastPersisted = persisted
  state.lastTimestamp = entries.at(-1)!.block.header.timestamp
  return state.log.replaceFrom(previousIndex, entries, persisted)
}
