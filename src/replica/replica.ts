// A replica as its application sees it.

import type { QueryOptions, QueryResult, SubmitResult } from '../client/typed-client.ts'
import type { WaitOptions } from '../client/submitter.ts'
import type { Height, ProtocolName, ReplicaId, View } from '../kernel/ids.ts'
import type { ProtocolStatus } from '../kernel/protocol.ts'
import type { PeerContact } from '../network/node/peer-links.ts'
import type { CheckpointingStatus } from './core/checkpointing-status.ts'
import type { Work } from './core/work-counts.ts'
import type { ReplicaEvents } from './events.ts'
import type { EvidenceStatus } from './evidence-status.ts'
import type { TransferLeadershipOptions } from './transfer-leadership.ts'

export interface ReplicaStatus {
  network: { name: string; id: string }
  protocol: ProtocolName
  stateMachine: { name: string; version: number }
  replica: ReplicaId
  name: string
  /** Rises with each start. */
  incarnation: number
  /** `abstains`: it has lost promises that it made, and follows without a vote. */
  voice: 'votes' | 'abstains'
  /** What `rejoin` has done at this start, in a sentence; null if it was not asked for. */
  rejoined: string | null
  /** What an operator should know and do, a sentence each. */
  warnings: string[]
  role: string
  /** raft: the term. */
  view: View
  leader: ReplicaId | null
  /** One sentence: what it does, or what it waits for. */
  phase: string
  decidedHeight: Height
  executedHeight: Height
  /**
   * Of the last executed header that is finished. Behind `executedHeight` while the root of a checkpoint is worked out; 0 before the
   * first.
   */
  headerHeight: Height
  /** Its digest, hexadecimal: two replicas with one header height agree on it, or one has diverged. */
  executedHeader: string
  awaited: ProtocolStatus['awaited']
  timers: ProtocolStatus['timers']
  peers: PeerContact[]
  clients: number
  /** Operations of this process's own application that wait or are under way. */
  submitting: number
  /** Whether the disk is full. */
  stalled: boolean
  /** `groups`: what was made durable together; `syncs`: calls of fsync and fdatasync for the log since this start. */
  log: { durable: number; groups: number; syncs: number }
  /** What it has sent, signed and verified since this start: what the protocol costs. */
  work: Work
  /** How much later than asked a timer of this process fired: the ninety-ninth percentile since somebody last asked for this status. */
  eventLoopDelayP99Ms: number
  /** Snapshots of this replica, and a state that is on its way from others. */
  checkpoints: CheckpointingStatus
  /** Lies of other members that this replica can prove. */
  evidence: EvidenceStatus
  uptimeMs: number
}

export interface Replica<Command, Query, Result> {
  readonly id: ReplicaId
  readonly name: string
  /**
   * Orders a command through the network and resolves when it has been executed. Rejects with a QuorateError whose `certainty` says
   * whether the operation certainly did not happen. Rejects with a TypeError, and has no effect, for a command that
   * has no encoding.
   */
  submit(command: Command, options?: WaitOptions): Promise<SubmitResult<Result>>
  query(query: Query, options?: QueryOptions): Promise<QueryResult<Result>>
  /**
   * Hands leadership over, before maintenance for example, without an election's pause; resolves with whoever leads then. Rejects with
   * ERR_TRANSFER_REFUSED when this replica does not lead or nobody can take over: then nothing has changed.
   *
   * Under a Byzantine protocol nobody can hand over, and who is next is fixed. Called at any replica it is that one's wish, and the leader
   * changes when one more replica than may lie has wished so.
   */
  transferLeadership(options?: TransferLeadershipOptions): Promise<ReplicaId>
  status(): ReplicaStatus
  readonly events: ReplicaEvents
  /** Where it listens. */
  addresses(): string[]
  /** Resolves when the replica was closed; rejects with the cause at once when it has failed for good: `close` waits for the rest. */
  readonly closed: Promise<void>
  /** Ends connections, finishes the log's writes and lets go of the directory. Idempotent. */
  close(): Promise<void>
}
