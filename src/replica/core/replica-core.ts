/**
 * One replica without its sockets and files: driver, pool, executor and client gateway, wired together. The simulator and
 * createReplica run this same object; they differ in the ports they hand in.
 */

import { decode, encode, bytes, list, type Codec } from '../../wire/codec.ts'
import type { Block } from '../../kernel/block.ts'
import type { Checkpoint } from '../../kernel/checkpoint.ts'
import { blockEnvelopesMax, envelopeBytesMax } from '../../kernel/limits.ts'
import type { Hasher, PublicKey, Signer, Verifier } from '../../kernel/crypto-ports.ts'
import type { Envelope } from '../../kernel/envelope.ts'
import type { DecisionProof } from '../../kernel/proof.ts'
import type { Evidence } from '../../kernel/evidence.ts'
import type { ExecutedHeader } from '../../kernel/executed-header.ts'
import { leadersTakeTurns, type Height, type ReplicaId } from '../../kernel/ids.ts'
import type { Epoch } from '../../kernel/membership.ts'
import type {
  Command,
  Input,
  Leadership,
  Now,
  Persisted,
  ProtocolDefinition,
  ProtocolEvent,
  ProtocolStatus,
  Recovered,
  Wanted,
} from '../../kernel/protocol.ts'
import type { Random } from '../../kernel/random.ts'
import { Checkpointing, type Snapshots } from './checkpointing.ts'
import type { CheckpointingStatus } from './checkpointing-status.ts'
import { ClientGateway, type ConnectionId } from './client-gateway.ts'
import { CountedLog, type ReplicaLog } from './counted-log.ts'
import { EnvelopeChecks } from './envelope-checks.ts'
import { PayloadChecks, type VerifyAhead } from './payload-checks.ts'
import type { SnapshotPolicy } from './snapshot-taker.ts'
import { Driver, type DropReason, type Timers } from '../driver/driver.ts'
import { channel, type HostChannel } from '../driver/frame.ts'
import type { Links } from '../driver/outbox.ts'
import type { ExecutedBlock } from '../../execution/executed-block.ts'
import type { Executor } from '../../execution/executor.ts'
import { Fetching } from '../fetching/fetching.ts'
import { Pool, type PoolLimits } from '../pool/request-pool.ts'
import { equalBytes } from '../../wire/equal-bytes.ts'
import { WorkCounts, type Work } from './work-counts.ts'

const forwardCodec: Codec<Uint8Array[]> = list(bytes(envelopeBytesMax), blockEnvelopesMax)
/** Envelopes handed on in one message: what fits a frame beside other things. */
const forwardBytesMax = 1024 * 1024
/** Executed in one turn: whoever has a long log to catch up with must still hear and be heard. */
const blocksPerTurnMax = 64
/** Of checkpoints and fetches, beside the protocol's own timers, whose names it cannot meet: those have no colon. */
const hostTimer = 'host:due'

export interface ReplicaObserver {
  decided?(block: Block, proof: DecisionProof): void
  executed?(block: ExecutedBlock): void
  /** A state that came from others was taken over. */
  restored?(checkpoint: Checkpoint): void
  /** In the order of heights. It may come later than the block, and than further blocks: a checkpoint's root takes its time. */
  headerMade?(header: ExecutedHeader): void
  event?(event: ProtocolEvent): void
  /** `reason`: one of the driver's, or in words of the part that dropped it. */
  dropped?(from: ReplicaId, reason: DropReason | (string & {})): void
  accused?(evidence: Evidence): void
  failed(cause: unknown): void
}

export interface ReplicaCoreOptions<Message, LogRecord> {
  definition: ProtocolDefinition<Message, LogRecord>
  epoch: Epoch
  self: ReplicaId
  executor: Executor
  log: ReplicaLog
  /** Opened; the newest of them is in the executor already, if it could be read back. */
  snapshots: Snapshots
  snapshotPolicy?: SnapshotPolicy
  /** Of states handed out to replicas that lag. */
  transferBytesPerSecond?: number
  links: Links
  /** Of the link to that member. Default: nothing is measured. */
  roundTripMs?: (peer: ReplicaId) => number | null
  timers: Timers
  /** Something happened between turns: the host owes one. */
  wake: () => void
  /** Whose connection it is, where the link vouches for envelopes. Null: nobody's. */
  clientKey: (connection: ConnectionId) => PublicKey | null
  /** How this replica is, as JSON, for operators who ask over the network. */
  report: (now: Now) => Uint8Array
  /** To a client's connection. */
  respond: (connection: ConnectionId, bytes: Uint8Array) => void
  hasher: Hasher
  signer: Signer
  verifier: Verifier
  /** Verifies on other threads what the verifier is asked later; the host owes a turn when it is done. Default: all is verified in turns. */
  verifyAhead?: VerifyAhead
  random: Random
  poolLimits?: PoolLimits
  observer: ReplicaObserver
}

export class ReplicaCore<Message, LogRecord> {
  readonly #counts = new WorkCounts()
  readonly #driver: Driver<Message, LogRecord>
  readonly #pool: Pool
  readonly #gateway: ClientGateway
  readonly #executor: Executor
  readonly #observer: ReplicaObserver
  readonly #epoch: Epoch
  readonly #self: ReplicaId
  readonly #envelopes: EnvelopeChecks
  readonly #payloads: PayloadChecks
  readonly #verifyAhead: VerifyAhead | null
  readonly #clientKey: ReplicaCoreOptions<Message, LogRecord>['clientKey']
  readonly #decided: Block[] = []
  readonly #log: CountedLog
  readonly #timers: Timers
  readonly #checkpointing: Checkpointing
  readonly #fetching: Fetching
  /** Told to the protocol in the turn that follows: a fetch may end within the step that asked for it. */
  readonly #fetched: Extract<Input<Message, LogRecord>, { kind: 'fetched' }>[] = []
  /** When the host's own timer is due. */
  #dueMs: number | null = null
  #now: Now = { monotonicMs: 0, wallMs: 0 }

  constructor(options: ReplicaCoreOptions<Message, LogRecord>) {
    this.#epoch = options.epoch
    this.#self = options.self
    const { epoch, hasher, verifier } = options
    this.#envelopes = new EnvelopeChecks({ epoch, hasher, verifier: this.#counts.verifier(verifier, 'envelopes') })
    this.#verifyAhead = options.verifyAhead ?? null
    this.#payloads = new PayloadChecks(this.#envelopes, this.#verifyAhead)
    this.#clientKey = options.clientKey
    this.#executor = options.executor
    this.#observer = options.observer
    this.#pool = new Pool({
      ...(options.poolLimits === undefined ? {} : { limits: options.poolLimits }),
      forward: (to, envelopes) => this.#forward(to, envelopes),
      isOver: (envelope) => this.#gateway.isOver(envelope),
    })
    this.#log = new CountedLog(options.log)
    this.#timers = options.timers
    this.#driver = this.#createDriver(options)
    this.#checkpointing = this.#createCheckpointing(options)
    this.#fetching = this.#createFetching(options)
    this.#gateway = new ClientGateway({
      pool: this.#pool,
      executor: options.executor,
      send: options.respond,
      authentic: (envelope, encoded, connection) =>
        this.#envelopes.authentic(envelope, encoded) && this.#vouchedFor(envelope, connection),
      report: options.report,
      read: (id, now) => this.#driver.input({ kind: 'read', id }, now),
      leader: () => this.#driver.leadership().leader,
      leadersTakeTurns: leadersTakeTurns(options.epoch.protocol),
      self: options.self,
    })
  }

  get failed(): boolean {
    return this.#driver.failed
  }

  get executedHeight(): Height {
    return this.#executor.height
  }

  status(now: Now): ProtocolStatus {
    return this.#driver.status(now)
  }

  leadership(): Leadership {
    return this.#driver.leadership()
  }

  get work(): Work {
    return this.#counts.work
  }

  get checkpoints(): CheckpointingStatus {
    return this.#checkpointing.status()
  }

  start(recovered: Recovered<LogRecord>, durable: Persisted, now: Now): void {
    this.#now = now
    this.#driver.start(recovered, durable, now)
  }

  peerFrame(from: ReplicaId, frame: Uint8Array, now: Now): void {
    this.#now = now
    this.#driver.frame(from, frame, now)
  }

  clientFrame(connection: ConnectionId, frame: Uint8Array, now: Now): void {
    this.#now = now
    if (!this.#driver.failed) this.#gateway.request(connection, frame, now)
  }

  clientClosed(connection: ConnectionId): void {
    this.#gateway.closed(connection)
  }

  timer(name: string, now: Now): void {
    this.#now = now
    // The turn that follows does what is due.
    if (name === hostTimer) this.#dueMs = null
    else this.#driver.timer(name, now)
  }

  durable(upTo: Persisted, now: Now): void {
    this.#now = now
    this.#driver.durable(upTo, now)
  }

  command(command: Command, now: Now): void {
    this.#now = now
    this.#driver.input({ kind: 'command', command }, now)
  }

  /** The disk is full, or has room again. */
  storage(state: 'storage-stalled' | 'storage-resumed', now: Now): void {
    this.#now = now
    this.#driver.input({ kind: state }, now)
  }

  fail(cause: unknown): void {
    this.#driver.fail(cause)
  }

  /**
   * Nothing more for now: checks payloads, executes what was decided, tells the protocol once, and lets the turn's messages go. True: so
   * much is to be checked or was decided, or a checkpoint has so much left to hash or to write, that the rest waits for another turn,
   * which the host owes it.
   */
  endTurn(now: Now): boolean {
    this.#now = now
    if (this.#driver.failed) return false
    if (this.#gateway.poolChanged) {
      this.#gateway.poolChanged = false
      this.#driver.input({ kind: 'requests' }, this.#now)
    }
    for (const { digest, ok } of this.#payloads.work()) this.#driver.input({ kind: 'validated', digest, ok }, this.#now)
    const isServing = this.#fetching.work(now.monotonicMs)
    for (const fetched of this.#fetched.splice(0)) this.#driver.input(fetched, this.#now)
    // What is decided because of an execution waits for the next round of this loop; each round needs a decision.
    for (let left = blocksPerTurnMax; left > 0 && this.#mayExecute();) {
      left -= this.#executeDecided(left)
    }
    const isHashing = this.#work()
    const isBusy = !this.#driver.failed && this.#checkpointing.work(this.#log.bytes, now.monotonicMs)
    this.#arm()
    this.#driver.endTurn()
    this.#gateway.endTurn()
    const isChecking = this.#payloads.isBusy || this.#fetched.length > 0
    return (isServing || isHashing || isBusy || isChecking || this.#mayExecute()) && !this.#driver.failed
  }

  #mayExecute(): boolean {
    return this.#decided.length > 0 && !this.#driver.failed && this.#executor.mayExecute
  }

  /** Returns how many blocks it took. */
  #executeDecided(blocksMax: number): number {
    let blocks = 0
    while (blocks < Math.min(blocksMax, this.#decided.length) && this.#executor.mayExecute) {
      let executed: ExecutedBlock
      try {
        executed = this.#executor.execute(this.#decided[blocks++]!)
      } catch (error) {
        this.#driver.fail(error)
        return blocks
      }
      this.#gateway.executed(executed, this.#now)
      this.#observer.executed?.(executed)
    }
    this.#decided.splice(0, blocks)
    this.#driver.executed(this.#executor.height, null, this.#now)
    return blocks
  }

  /** A slice of a checkpoint's root; and what headers came of this turn. True: there is more to hash. */
  #work(): boolean {
    let isHashing = false
    try {
      isHashing = this.#executor.work()
    } catch (error) {
      this.#driver.fail(error)
    }
    for (const header of this.#executor.takeHeaders()) {
      this.#observer.headerMade?.(header)
      this.#checkpointing.headerMade(header)
      if (header.stateRoot !== null) this.#driver.executed(header.height, header, this.#now)
    }
    return isHashing
  }

  /** One timer for all of it; what is due now is done in a turn that is owed. */
  #arm(): void {
    const [checkpointsMs, fetchingMs] = [this.#checkpointing.nextDueMs(), this.#fetching.nextDueMs()]
    const earliestMs = Math.min(checkpointsMs ?? Infinity, fetchingMs ?? Infinity)
    const dueMs = earliestMs === Infinity ? null : earliestMs
    if (dueMs === this.#dueMs) return
    this.#dueMs = dueMs
    if (dueMs === null) this.#timers.disarm(hostTimer)
    else this.#timers.arm(hostTimer, Math.max(1, Math.ceil(dueMs - this.#now.monotonicMs)))
  }

  #fetch(wanted: Wanted, from: readonly ReplicaId[]): void {
    const { monotonicMs } = this.#now
    if (wanted.kind === 'state') this.#checkpointing.want(wanted.minimumHeight, from, monotonicMs)
    else this.#fetching.want(wanted, from, monotonicMs)
  }

  /** The executor has the state of a checkpoint that is above everything decided here. */
  #restored(checkpoint: Checkpoint): void {
    const { height } = checkpoint.header
    this.#decided.length = 0
    this.#pool.restored((envelope) => this.#executor.hasConsumed(envelope))
    this.#observer.restored?.(checkpoint)
    this.#driver.restored(checkpoint, this.#now)
    this.#driver.executed(height, null, this.#now)
    this.#gateway.restored()
  }

  #createCheckpointing(options: ReplicaCoreOptions<Message, LogRecord>): Checkpointing {
    const { epoch, self, definition, executor, snapshots, hasher, signer, verifier, random, observer } = options
    const { snapshotPolicy, transferBytesPerSecond } = options
    return new Checkpointing({
      epoch,
      self,
      definition,
      executor,
      snapshots,
      hasher,
      signer: this.#counts.signer(signer, 'checkpoints'),
      verifier: this.#counts.verifier(verifier, 'checkpoints'),
      random,
      ...(snapshotPolicy === undefined ? {} : { policy: snapshotPolicy }),
      ...(transferBytesPerSecond === undefined ? {} : { bytesPerSecond: transferBytesPerSecond }),
      host: {
        send: (to, through, body) => this.#driver.sendHostMessage(to, through, body),
        broadcast: (through, body) => this.#driver.broadcastHostMessage(through, body),
        certified: (checkpoint) => this.#driver.input({ kind: 'certified', checkpoint }, this.#now),
        stable: (checkpoint) => {
          observer.event?.({ kind: 'checkpoint-stable', detail: { height: checkpoint.header.height } })
          this.#driver.input({ kind: 'stable', checkpoint }, this.#now)
        },
        wanted: ({ header }) => header.height > this.#driver.decidedHeight,
        restored: (checkpoint) => this.#restored(checkpoint),
        failed: (cause) => this.#driver.fail(cause),
        accuse: (evidence) => observer.accused?.(evidence),
        note: (event) => observer.event?.(event),
        dropped: (from, reason) => observer.dropped?.(from, reason),
        wake: options.wake,
      },
    })
  }

  #createFetching(options: ReplicaCoreOptions<Message, LogRecord>): Fetching {
    const { epoch, self, definition, hasher, verifier, random, observer } = options
    return new Fetching({
      epoch,
      self,
      definition,
      ports: { hasher, verifier: this.#counts.verifier(verifier, 'fetching') },
      random: random.fork('fetching'),
      source: {
        payload: (digest) => this.#driver.payload(digest),
        decided: (fromHeight, bytesMax) => this.#driver.decidedBlocks(fromHeight, bytesMax),
      },
      host: {
        send: (to, body) => this.#driver.sendHostMessage(to, channel.blocks, body),
        fetched: (wanted, from, result) => void this.#fetched.push({ kind: 'fetched', wanted, from, result }),
        note: (event) => observer.event?.(event),
        dropped: (from, reason) => observer.dropped?.(from, reason),
      },
    })
  }

  #createDriver(options: ReplicaCoreOptions<Message, LogRecord>): Driver<Message, LogRecord> {
    const { definition, epoch, self, links, timers, observer } = options
    const log = this.#log
    const { hasher, random, roundTripMs = () => null } = options
    const [signer, verifier] = [
      this.#counts.signer(options.signer, 'protocol'),
      this.#counts.verifier(options.verifier, 'protocol'),
    ]
    return new Driver({
      definition,
      epoch,
      self,
      ports: { pool: this.#pool, hasher, signer, verifier, random, roundTripMs },
      log,
      links: this.#counts.links(links),
      timers,
      host: {
        decided: (block, proof) => {
          this.#decided.push(block)
          this.#pool.decided(block.payload)
          this.#checkpointing.decided(block.header, proof)
          observer.decided?.(block, proof)
        },
        readReady: (id, height) => this.#gateway.readReady(id, height),
        readFailed: (id, reason) => this.#gateway.readFailed(id, reason),
        hostMessage: (from, through, body) => this.#hostMessage(from, through, body),
        fetch: (wanted, from) => this.#fetch(wanted, from),
        release: (below) => this.#log.cut(below),
        validate: (payload, digest) => this.#payloads.add(payload, digest),
        accuse: (evidence) => observer.accused?.(evidence),
        note: (event) => observer.event?.(event),
        dropped: (from, reason) => observer.dropped?.(from, reason),
        failed: (cause) => observer.failed(cause),
        sent: (through, message, bytes) => this.#counts.message(through, message, bytes),
      },
    })
  }

  #forward(to: ReplicaId, envelopes: readonly Uint8Array[]): void {
    let batch: Uint8Array[] = []
    let size = 0
    for (const envelope of envelopes) {
      if (batch.length > 0 && (size + envelope.length > forwardBytesMax || batch.length === blockEnvelopesMax)) {
        this.#driver.sendHostMessage(to, channel.forward, encode(forwardCodec, batch))
        batch = []
        size = 0
      }
      batch.push(envelope)
      size += envelope.length
    }
    if (batch.length > 0) this.#driver.sendHostMessage(to, channel.forward, encode(forwardCodec, batch))
  }

  #hostMessage(from: ReplicaId, through: HostChannel, body: Uint8Array): void {
    if (through === channel.forward) return this.#forwarded(from, body)
    if (through === channel.blocks) return this.#fetching.message(from, body, this.#now.monotonicMs)
    if (through === channel.state) this.#checkpointing.leads(this.#driver.leadership().leader === this.#self)
    this.#checkpointing.message(from, through, body, this.#now.monotonicMs)
  }

  #forwarded(from: ReplicaId, body: Uint8Array): void {
    const envelopes = decode(forwardCodec, body)
    if (!envelopes.ok) return this.#observer.dropped?.(from, 'malformed-message')
    const authentic = (envelope: Envelope, encoded: Uint8Array): boolean => this.#envelopes.authentic(envelope, encoded)
    const takeIn = (): void => this.#gateway.forwarded(from, envelopes.value, authentic, this.#now)
    const signed = this.#verifyAhead === null ? [] : this.#envelopes.allOpen(envelopes.value)
    if (signed.length === 0) takeIn()
    else this.#verifyAhead?.(signed, takeIn, 'later')
  }

  /** The link vouches for its own key's envelopes only. What a member forwards, that member has checked. */
  #vouchedFor(envelope: Envelope, connection: ConnectionId): boolean {
    if (this.#epoch.parameters.envelopeSignatures !== 'link') return true
    const key = this.#clientKey(connection)
    return key !== null && equalBytes(key, envelope.client)
  }
}
