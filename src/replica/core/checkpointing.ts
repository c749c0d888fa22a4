/**
 * Everything about checkpoints in one replica: votes for executed headers, snapshots of its own state, states fetched from others and
 * handed out to others. It knows the executor and the store of snapshots; the core tells it what happens, and hears of three things:
 * a checkpoint is stable, a state was restored, this replica has diverged.
 *
 * Disk and timers answer through `wake`; what came of it is said in the turn that follows, so that nothing happens between turns.
 */

import type { BlockHeader } from '../../kernel/block.ts'
import type { Checkpoint } from '../../kernel/checkpoint.ts'
import type { Hasher, Signer, Verifier } from '../../kernel/crypto-ports.ts'
import type { Evidence } from '../../kernel/evidence.ts'
import type { ExecutedHeader } from '../../kernel/executed-header.ts'
import type { Height, ReplicaId } from '../../kernel/ids.ts'
import type { Epoch } from '../../kernel/membership.ts'
import type { DecisionProof } from '../../kernel/proof.ts'
import type { ProtocolDefinition, ProtocolEvent } from '../../kernel/protocol.ts'
import { QuorateError } from '../../kernel/quorate-error.ts'
import type { Random } from '../../kernel/random.ts'
import { ChunkHasher } from '../../execution/chunk-hasher.ts'
import type { Executor } from '../../execution/executor.ts'
import { CertificateRules } from '../../kernel/checkpoint-rules.ts'
import { CheckpointCollector } from '../checkpoints/collector.ts'
import type { ChunkDigest, SnapshotSink, SnapshotSource } from '../checkpoints/ports.ts'
import { StateServer } from '../checkpoints/state-server.ts'
import { isTransferRequest } from '../checkpoints/transfer-messages.ts'
import { StateTransfer } from '../checkpoints/transfer.ts'
import { channel, type HostChannel } from '../driver/frame.ts'
import type { CheckpointingStatus } from './checkpointing-status.ts'
import { restoreFrom, type RestoreProblem } from './restore.ts'
import { SnapshotHold } from './snapshot-hold.ts'
import { SnapshotTaker, type SnapshotPolicy } from './snapshot-taker.ts'

/** The snapshots on this replica's disk. */
export type Snapshots = SnapshotSource & SnapshotSink

export interface CheckpointingHost {
  send: (to: ReplicaId, through: HostChannel, body: Uint8Array) => void
  broadcast: (through: HostChannel, body: Uint8Array) => void
  /** A quorum signed it. Heights rise. */
  certified: (checkpoint: Checkpoint) => void
  /** A quorum signed it, and this replica's own snapshot of it is on disk. */
  stable: (checkpoint: Checkpoint) => void
  /** A state that came from others is on disk; is it above all that was decided here? Then the executor takes it over. */
  wanted: (checkpoint: Checkpoint) => boolean
  /** The executor has taken it over. */
  restored: (checkpoint: Checkpoint) => void
  /** For good. */
  failed: (cause: unknown) => void
  accuse: (evidence: Evidence) => void
  note: (event: ProtocolEvent) => void
  dropped: (from: ReplicaId, reason: string) => void
  /** Something has happened outside of a turn: one is owed. */
  wake: () => void
}

export interface CheckpointingOptions {
  epoch: Epoch
  self: ReplicaId
  definition: Pick<ProtocolDefinition<never, never>, 'verifyDecision'>
  executor: Executor
  snapshots: Snapshots
  hasher: Hasher
  signer: Signer
  verifier: Verifier
  random: Random
  policy?: SnapshotPolicy
  /** Of states handed out to others. */
  bytesPerSecond?: number
  host: CheckpointingHost
}

const damaged: RestoreProblem = { kind: 'damaged' }

interface DecidedBlock {
  header: BlockHeader
  proof: DecisionProof
}

export class Checkpointing {
  readonly #options: CheckpointingOptions
  readonly #host: CheckpointingHost
  readonly #collector: CheckpointCollector
  readonly #taker: SnapshotTaker
  readonly #transfer: StateTransfer
  readonly #server: StateServer
  readonly #hold = new SnapshotHold()
  /** Of checkpoint heights that are decided, and whose executed header is not finished. */
  readonly #decided = new Map<Height, DecidedBlock>()
  #restoredHeight: Height = 0
  readonly #others: readonly ReplicaId[]
  #leading = false
  #nowMs = 0

  constructor(options: CheckpointingOptions) {
    const { epoch, self, definition, hasher, verifier, signer, random, snapshots, policy, bytesPerSecond, host } =
      options
    this.#options = options
    this.#host = host
    this.#others = epoch.members.flatMap(({ id }) => (id === self ? [] : [id]))
    const verifyDecision = (block: BlockHeader, proof: DecisionProof): boolean =>
      definition.verifyDecision(epoch, block, proof, { hasher, verifier })
    const rules = new CertificateRules({ epoch, hasher, verifier, verifyDecision })
    const stable = snapshots.stable.map(({ checkpoint }) => checkpoint)
    this.#collector = new CheckpointCollector({
      self,
      rules,
      signer,
      certified: stable,
      host: {
        send: (to, body) => host.send(to, channel.checkpoint, body),
        broadcast: (body) => host.broadcast(channel.checkpoint, body),
        certified: (checkpoint) => this.#certified(checkpoint),
        diverged: (height) => host.failed(diverged(height)),
        accuse: (evidence) => host.accuse(evidence),
        dropped: (from, reason) => host.dropped(from, reason),
      },
    })
    this.#taker = new SnapshotTaker(
      {
        store: snapshots,
        ...(policy === undefined ? {} : { policy }),
        wake: () => host.wake(),
        stable: (checkpoint) => host.stable(checkpoint),
        failed: (reason) => host.note({ kind: 'snapshot-failed', detail: { reason } }),
      },
      stable[0]?.header.height ?? 0,
    )
    this.#transfer = new StateTransfer({
      self,
      rules,
      hasher,
      chunkDigest: chunkDigestOf(hasher),
      store: snapshots,
      random: random.fork('state transfer'),
      host: {
        send: (to, body) => host.send(to, channel.state, body),
        done: (checkpoint) => this.#transferred(checkpoint),
        wake: () => host.wake(),
        note: (event) => host.note(event),
      },
    })
    this.#server = new StateServer({
      self,
      membership: rules.membership,
      source: snapshots,
      ...(bytesPerSecond === undefined ? {} : { bytesPerSecond }),
      send: (to, body) => host.send(to, channel.state, body),
      dropped: (from, reason) => host.dropped(from, reason),
    })
  }

  status(): CheckpointingStatus {
    return {
      stableHeight: this.#taker.stableHeight,
      certifiedHeight: this.#collector.newest?.header.height ?? 0,
      restoredHeight: this.#restoredHeight,
      awaited: this.#collector.awaited(),
      transfer: this.#transfer.active ? this.#transfer.status() : null,
      bytesServed: this.#server.bytesServed,
      servedBytesPerSecondMax: this.#server.bytesPerSecond,
    }
  }

  /** Before it is executed. */
  decided(header: BlockHeader, proof: DecisionProof): void {
    if (header.height % this.#options.epoch.parameters.checkpoints.intervalHeights === 0) {
      this.#decided.set(header.height, { header, proof })
    }
  }

  headerMade(header: ExecutedHeader): void {
    const decided = this.#decided.get(header.height)
    if (header.stateRoot === null || decided === undefined) return
    this.#decided.delete(header.height)
    this.#collector.headerMade(header, decided.header, decided.proof, this.#nowMs)
  }

  message(from: ReplicaId, through: HostChannel, body: Uint8Array, nowMs: number): void {
    this.#nowMs = nowMs
    if (through === channel.checkpoint) this.#collector.message(from, body, nowMs)
    else if (isTransferRequest(body)) {
      this.#hold.asked(nowMs)
      this.#server.message(from, body, nowMs)
    } else this.#transfer.message(from, body, nowMs)
  }

  /** A state of at least this height is wanted. */
  want(minimumHeight: Height, from: readonly ReplicaId[], nowMs: number): void {
    this.#nowMs = nowMs
    // One snapshot at a time is written: that of others is needed, one's own is not.
    this.#taker.giveUp()
    this.#transfer.want(minimumHeight, from, this.#nowMs)
  }

  /** Whoever leads serves at a lower rate. */
  leads(leading: boolean): void {
    if (leading === this.#leading) return
    this.#leading = leading
    this.#server.leads(leading, this.#nowMs)
  }

  /** What is due, and a slice of what is long. True: there is more to do at once. */
  work(loggedBytes: number, nowMs: number): boolean {
    this.#nowMs = nowMs
    if (isDue(this.#collector.nextDueMs(), nowMs)) this.#collector.tick(nowMs)
    if (isDue(this.#server.nextDueMs(), nowMs)) this.#server.tick(nowMs)
    if (isDue(this.#transfer.nextDueMs(), nowMs)) this.#transfer.tick(nowMs)
    this.#transfer.reached(this.#options.executor.height)
    this.#offer(loggedBytes)
    const isWriting = this.#taker.work()
    return isWriting || isDue(this.nextDueMs(), nowMs)
  }

  #offer(loggedBytes: number): void {
    const { executor } = this.#options
    const { checkpoint } = executor
    if (checkpoint === null || this.#taker.isWriting) return
    if (this.#transfer.active || this.#hold.holds(this.#nowMs)) return
    // The taker keeps it for as long as it writes it.
    executor.releaseCheckpoint()
    this.#taker.offer(checkpoint, loggedBytes)
  }

  nextDueMs(): number | null {
    let dueMs: number | null = null
    for (const one of [this.#collector.nextDueMs(), this.#server.nextDueMs(), this.#transfer.nextDueMs()]) {
      if (one !== null && (dueMs === null || one < dueMs)) dueMs = one
    }
    return dueMs
  }

  #certified(checkpoint: Checkpoint): void {
    this.#host.note({ kind: 'checkpoint-certified', detail: { height: checkpoint.header.height } })
    this.#taker.certified(checkpoint)
    this.#host.certified(checkpoint)
  }

  #transferred(checkpoint: Checkpoint): void {
    const { executor, snapshots } = this.#options
    const { height } = checkpoint.header
    this.#taker.restored(height)
    this.#collector.restored(checkpoint)
    // The log may have brought this replica further meanwhile.
    if (!this.#host.wanted(checkpoint)) return
    const stored = snapshots.stable.find((one) => one.checkpoint.header.height === height)
    const problem = stored === undefined ? damaged : restoreFrom(executor, snapshots, stored)
    // What the disk has lost in the meantime is fetched once more.
    if (problem?.kind === 'damaged') return this.want(height, this.#others, this.#nowMs)
    if (problem !== null) return this.#host.failed(notRestored(height, problem.reason))
    this.#restoredHeight = height
    for (const decided of this.#decided.keys()) if (decided <= height) this.#decided.delete(decided)
    this.#host.restored(checkpoint)
  }
}

/** The address of a chunk, for whoever is given manifests. */
export function chunkDigestOf(hasher: Hasher): ChunkDigest {
  const chunks = new ChunkHasher(hasher)
  return ({ part, id }, bytes) => chunks.digest(part, id, bytes)
}

function isDue(dueMs: number | null, nowMs: number): boolean {
  return dueMs !== null && dueMs <= nowMs
}

function diverged(height: Height): QuorateError {
  const message = `this replica executed height ${height} with another result than a quorum: find out why its state machine is not deterministic, and keep its directory for that`
  return new QuorateError('ERR_DIVERGED', message)
}

function notRestored(height: Height, problem: string): QuorateError {
  const message = `the state of height ${height}, which a quorum signed, cannot be taken over: ${problem}; run the release that the others run`
  return new QuorateError('ERR_STATE_NOT_RESTORED', message)
}
