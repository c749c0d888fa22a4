/**
 * The contract between a protocol and the world.
 *
 * A protocol is a state machine: `step` takes one input and says, through `effects`, what is to happen. It has no clock, timer,
 * randomness, promise, socket or file of its own, so the code that runs in production is the code that runs in the simulator.
 *
 * ORDER. Outward effects (send, broadcast, decide, readReady, accuse, fetch) of all steps form one FIFO. Each waits until everything
 * persisted (and not `persistSoon`) before it is durable, unless it names an earlier persist with `after`: then it waits for that one only, and may
 * overtake. Naming an earlier one is a reviewed exception whose proof stands in the protocol's README.md. Local effects (persist,
 * arm, disarm, validate, note) act at once.
 *
 * docs/decisions/0002-contract.md maps every rule of the three protocols to these inputs and effects.
 */

import type { Codec } from '../wire/codec.ts'
import type { Block, BlockHeader } from './block.ts'
import type { Checkpoint } from './checkpoint.ts'
import type { Digest, Hasher, Signer, Verifier } from './crypto-ports.ts'
import type { Evidence } from './evidence.ts'
import type { ExecutedHeader } from './executed-header.ts'
import type { Height, ProtocolName, ReplicaId, View } from './ids.ts'
import type { Epoch } from './membership.ts'
import type { DecisionProof } from './proof.ts'
import type { Random } from './random.ts'
import type { RequestPool } from './request-pool.ts'

/** Monotonic time measures intervals and may stand still; wall time is what people agree on and may jump. */
export interface Now {
  monotonicMs: number
  wallMs: number
}

/** Number of a persisted record, rising by one; 0 stands for "nothing". */
export type Persisted = number

/**
 * What the log says we promised: a prefix of what was persisted, with all that was reported durable. Records come oldest first, and
 * are read once: they may not fit in memory. Some that were released may still be among them.
 */
export interface Recovered<LogRecord> {
  /** Rises with each start of this replica. */
  incarnation: number
  records: Iterable<{ sequence: Persisted; record: LogRecord }>
  /** The stable checkpoint whose state has been restored, or null: executed height 0. */
  checkpoint: Checkpoint | null
  /** This replica has lost promises that it made: it makes none any more in this epoch, and follows like a learner. */
  abstains: boolean
}

/** Something that others have and we lack. The digest is the payload's, not the block's. */
export type Wanted =
  | { kind: 'payload'; digest: Digest; height: Height }
  | { kind: 'decided'; fromHeight: Height; toHeight: Height }
  | { kind: 'state'; minimumHeight: Height }

/**
 * Checked by the host: a payload has the digest asked for; blocks are a run without holes from `fromHeight` on, perhaps short, of this
 * epoch, each accepted by `verifyDecision`. A state ends in 'restored'.
 */
export type FetchResult =
  | { kind: 'payload'; payload: Uint8Array }
  | { kind: 'decided'; blocks: { block: Block; proof: DecisionProof }[] }
  | { kind: 'failed'; reason: string }

/** An operator's wish. */
export type Command = { kind: 'transfer-leadership'; to: ReplicaId | null } | { kind: 'suspect-leader' }

export type Input<Message, LogRecord> =
  /** Always the first. */
  | { kind: 'start'; recovered: Recovered<LogRecord> }
  /** The sender is authenticated by the link, and a member. */
  | { kind: 'message'; from: ReplicaId; message: Message }
  /** Never after it was disarmed or armed anew; late by any time, and never before its time. */
  | { kind: 'timer'; name: string }
  /** Something came into the pool: at most once per turn of the loop. That a request waits too long is for the protocol's timers to see. */
  | { kind: 'requests' }
  /** Everything up to and with this persist is on disk, perhaps more: others persist too. What waited for it has left. */
  | { kind: 'durable'; upTo: Persisted }
  /** The disk is full: what waits to be persisted waits on, and nothing new may be promised until 'storage-resumed'. No message comes meanwhile. */
  | { kind: 'storage-stalled' }
  | { kind: 'storage-resumed' }
  /** The envelopes of a payload were checked: structure, and signatures where the epoch asks for them. Once for each `validate`. */
  | { kind: 'validated'; digest: Digest; ok: boolean }
  | { kind: 'fetched'; wanted: Wanted; from: ReplicaId; result: FetchResult }
  /**
   * Once a turn of the loop for the last height that was executed in it, without a header; and once for each checkpoint height, with its
   * header, as soon as that is known, which may be after later heights were executed: heights may run backwards.
   */
  | { kind: 'executed'; height: Height; header: ExecutedHeader | null }
  /**
   * A quorum signed it: at least `oneCorrect` correct replicas have all that was decided up to it on disk. Whether this one has executed
   * it is not said; its own header, once made, is the same, or it fails. Heights rise.
   */
  | { kind: 'certified'; checkpoint: Checkpoint }
  /** A quorum signed it, and this replica's own snapshot of it is on disk: what lies below may be released. */
  | { kind: 'stable'; checkpoint: Checkpoint }
  /**
   * State transfer finished: the checkpoint is on disk, and above all that was decided; a `decide` that still waits at or below it is
   * dropped. Never lowers a view, term, vote or certificate.
   */
  | { kind: 'restored'; checkpoint: Checkpoint }
  /** A linearizable read is wanted; the id is never used again by this incarnation. */
  | { kind: 'read'; id: number }
  | { kind: 'command'; command: Command }

export interface Effects<Message, LogRecord> {
  /** Appends to the log. `durable` says when it is on disk. */
  persist(record: LogRecord): Persisted
  /**
   * As `persist`, for what nothing that this protocol says depends on: no effect waits for it but `release`, and it goes to disk with the
   * next record that something waits for, or soon. The host's signature on a checkpoint waits for it too.
   */
  persistSoon(record: LogRecord): Persisted
  send(to: ReplicaId, message: Message, after?: Persisted): void
  /**
   * Records before this one are no longer needed. Waits like an outward effect, so that what replaces them is durable first. The log
   * forgets in whole segments.
   */
  release(below: Persisted): void
  /** To all members but oneself. Counted and encoded once, sent to each. */
  broadcast(message: Message, after?: Persisted): void
  /** Starts at the recovered height + 1; no gaps, once each, never at or below a restored checkpoint. */
  decide(block: Block, proof: DecisionProof, after?: Persisted): void
  /** Replaces the timer of that name if it runs. */
  arm(timer: string, afterMs: number): void
  disarm(timer: string): void
  fetch(wanted: Wanted, from: readonly ReplicaId[]): void
  validate(payload: Uint8Array, digest: Digest): void
  /** The read may be answered by a state that has executed this height. */
  readReady(id: number, height: Height, after?: Persisted): void
  /** The read cannot be had here now: not a leader, no quorum. The reader is told to try again. */
  readFailed(id: number, reason: string): void
  accuse(evidence: Evidence): void
  note(event: ProtocolEvent): void
}

/** For traces, coverage and operators; never for decisions. */
export interface ProtocolEvent {
  kind: string
  detail?: Readonly<Record<string, number | string | boolean>>
}

/** A quorum that is awaited: whose votes are there, and whose are missing. */
export interface Awaited {
  what: string
  quorum: number
  have: readonly ReplicaId[]
  missing: readonly ReplicaId[]
}

export interface Leadership {
  view: View
  leader: ReplicaId | null
}

/** A stall can be explained: this says at any moment what is waited for (architecture.md §2 rule 7). */
export interface ProtocolStatus extends Leadership {
  protocol: ProtocolName
  role: string
  /** One sentence for a person. */
  phase: string
  decidedHeight: Height
  executedHeight: Height
  awaited: readonly Awaited[]
  timers: readonly { name: string; dueMs: number; why: string }[]
}

export interface Protocol<Message, LogRecord> {
  /** Total: never throws on anything that came from outside. What it throws is our own bug, and fatal. */
  step(input: Input<Message, LogRecord>, now: Now, effects: Effects<Message, LogRecord>): void
  status(now: Now): ProtocolStatus
  /** Of the status, what is wanted at every turn of the loop. */
  leadership(): Leadership
  /** An undecided payload that this replica holds, for others to fetch; null if it does not. */
  payload?(digest: Digest): Uint8Array | null
  /**
   * Decided blocks with their proofs, a run without holes from this height on, as many as are still held and fit; none, where the first is not
   * held. For others to fetch. The first may be larger than `bytesMax`.
   */
  decided?(fromHeight: Height, bytesMax: number): { block: Block; proof: DecisionProof }[]
}

/** What a protocol is given besides its inputs. All synchronous, all without side effects but the pool's. */
export interface ProtocolPorts {
  pool: RequestPool
  hasher: Hasher
  signer: Signer
  verifier: Verifier
  /** Seeded by the operating system in production, and traced. */
  random: Random
  /**
   * How long it takes to that member and back, as the link to it measures now; null: not measured, or not connected. Unproven: a liar answers as
   * late as it likes.
   */
  roundTripMs: (peer: ReplicaId) => number | null
  /** Reads back a record that was persisted and not released: what need not stay in memory. Throws when the disk does not give it. */
  recall: (sequence: Persisted) => unknown
}

export interface ProtocolOptions {
  epoch: Epoch
  self: ReplicaId
  ports: ProtocolPorts
}

/** A protocol as the wiring sees it. */
export interface ProtocolDefinition<Message, LogRecord> {
  readonly name: ProtocolName
  readonly message: Codec<Message>
  readonly logRecord: Codec<LogRecord>
  create(options: ProtocolOptions): Protocol<Message, LogRecord>
  /** A few words for a trace that people read. */
  describe(message: Message): string
  /** Messages of one class supersede older ones to the same peer, which may be dropped when a peer is slow. */
  supersedes(message: Message): string | null
  /** Is this block decided, for all that the proof can show? Used by catch-up and audit. */
  verifyDecision(
    epoch: Epoch,
    header: BlockHeader,
    proof: DecisionProof,
    ports: Pick<ProtocolPorts, 'hasher' | 'verifier'>,
  ): boolean
  /**
   * What the two statements, which differ, are both about (such as `view 3, height 5`), if no correct replica makes both; else null. Total:
   * whatever bytes come. For domains of the protocol's own, and without a look at the signatures (kernel/judge-evidence.ts).
   */
  contradiction?(evidence: Evidence): string | null
}
