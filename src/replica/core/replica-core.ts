/**
 * One replica without its sockets and files: driver, pool, executor and client gateway, wired together. The simulator and
 * createReplica run this same object; they differ in the ports they hand in.
 */

import { decode, encode, bytes, list, type Codec } from '../../wire/codec.ts'
import type { Block } from '../../kernel/block.ts'
import { blockEnvelopesMax, envelopeBytesMax } from '../../kernel/limits.ts'
import type { Hasher, PublicKey, Signer, Verifier } from '../../kernel/crypto-ports.ts'
import { envelopeDomain, envelopeScope, signingBytes } from '../../kernel/domains.ts'
import { signedPart, type Envelope } from '../../kernel/envelope.ts'
import type { DecisionProof } from '../../kernel/proof.ts'
import type { Evidence } from '../../kernel/evidence.ts'
import type { ExecutedHeader } from '../../kernel/executed-header.ts'
import type { Height, ReplicaId } from '../../kernel/ids.ts'
import type { Epoch } from '../../kernel/membership.ts'
import type {
  Command,
  Now,
  Persisted,
  ProtocolDefinition,
  ProtocolEvent,
  ProtocolStatus,
  Recovered,
} from '../../kernel/protocol.ts'
import type { Random } from '../../kernel/random.ts'
import { ClientGateway, type ConnectionId } from './client-gateway.ts'
import { Driver, type DriverLog, type DropReason, type Timers } from '../driver/driver.ts'
import { channel, type HostChannel } from '../driver/frame.ts'
import type { Links } from '../driver/outbox.ts'
import type { ExecutedBlock } from '../../execution/executed-block.ts'
import type { Executor } from '../../execution/executor.ts'
import { equalBytes } from '../../execution/merkle.ts'
import { Pool, type PoolLimits } from '../pool/request-pool.ts'

const forwardCodec: Codec<Uint8Array[]> = list(bytes(envelopeBytesMax), blockEnvelopesMax)
/** Envelopes handed on in one message: what fits a frame beside other things. */
const forwardBytesMax = 1024 * 1024
/** Executed in one turn: whoever has a long log to catch up with must still hear and be heard. */
const blocksPerTurnMax = 64

export interface ReplicaObserver {
  decided?(block: Block, proof: DecisionProof): void
  executed?(block: ExecutedBlock): void
  /** In the order of heights. It may come later than the block, and than further blocks: a checkpoint's root takes its time. */
  headerMade?(header: ExecutedHeader): void
  event?(event: ProtocolEvent): void
  dropped?(from: ReplicaId, reason: DropReason): void
  accused?(evidence: Evidence): void
  failed(cause: unknown): void
  sent?(to: ReplicaId, message: unknown, bytes: number): void
}

export interface ReplicaCoreOptions<Message, LogRecord> {
  definition: ProtocolDefinition<Message, LogRecord>
  epoch: Epoch
  self: ReplicaId
  executor: Executor
  log: DriverLog
  links: Links
  timers: Timers
  /** Whose connection it is, where the link vouches for envelopes. Null: nobody's. */
  clientKey: (connection: ConnectionId) => PublicKey | null
  /** How this replica is, as JSON, for operators who ask over the network. */
  report: (now: Now) => Uint8Array
  /** To a client's connection. */
  respond: (connection: ConnectionId, bytes: Uint8Array) => void
  hasher: Hasher
  signer: Signer
  verifier: Verifier
  random: Random
  poolLimits?: PoolLimits
  observer: ReplicaObserver
}

export class ReplicaCore<Message, LogRecord> {
  readonly #driver: Driver<Message, LogRecord>
  readonly #pool: Pool
  readonly #gateway: ClientGateway
  readonly #executor: Executor
  readonly #observer: ReplicaObserver
  readonly #epoch: Epoch
  readonly #verifier: Verifier
  readonly #clientKey: ReplicaCoreOptions<Message, LogRecord>['clientKey']
  readonly #decided: Block[] = []
  #now: Now = { monotonicMs: 0, wallMs: 0 }

  constructor(options: ReplicaCoreOptions<Message, LogRecord>) {
    this.#epoch = options.epoch
    this.#verifier = options.verifier
    this.#clientKey = options.clientKey
    this.#executor = options.executor
    this.#observer = options.observer
    this.#pool = new Pool({
      ...(options.poolLimits === undefined ? {} : { limits: options.poolLimits }),
      forward: (to, envelopes) => this.#forward(to, envelopes),
    })
    this.#driver = this.#createDriver(options)
    this.#gateway = new ClientGateway({
      pool: this.#pool,
      executor: options.executor,
      send: options.respond,
      authentic: (envelope, encoded, connection) =>
        this.#authentic(envelope, encoded) && this.#vouchedFor(envelope, connection),
      report: options.report,
      read: (id, now) => this.#driver.input({ kind: 'read', id }, now),
      leader: (now) => this.#driver.status(now).leader,
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
    this.#driver.input({ kind: 'timer', name }, now)
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
   * Nothing more for now: executes what was decided, tells the protocol once, and lets the turn's messages go. True: so much was
   * decided, or a checkpoint's root has so much left to hash, that the rest waits for another turn, which the host owes it.
   */
  endTurn(): boolean {
    if (this.#driver.failed) return false
    if (this.#gateway.poolChanged) {
      this.#gateway.poolChanged = false
      this.#driver.input({ kind: 'requests' }, this.#now)
    }
    // What is decided because of an execution waits for the next round of this loop; each round needs a decision.
    for (let left = blocksPerTurnMax; left > 0 && this.#mayExecute();) {
      left -= this.#executeDecided(left)
    }
    const isHashing = this.#work()
    this.#driver.endTurn()
    this.#gateway.endTurn(this.#now)
    return (isHashing || this.#decided.length > 0) && !this.#driver.failed
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
      this.#pool.executed(executed.envelopes)
      this.#gateway.executed(executed)
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
      if (header.stateRoot !== null) this.#driver.executed(header.height, header, this.#now)
    }
    return isHashing
  }

  #createDriver(options: ReplicaCoreOptions<Message, LogRecord>): Driver<Message, LogRecord> {
    const { definition, epoch, self, log, links, timers, observer } = options
    const { hasher, signer, verifier, random } = options
    return new Driver({
      definition,
      epoch,
      self,
      ports: { pool: this.#pool, hasher, signer, verifier, random },
      log,
      links,
      timers,
      host: {
        decided: (block, proof) => {
          this.#decided.push(block)
          observer.decided?.(block, proof)
        },
        readReady: (id, height) => this.#gateway.readReady(id, height),
        readFailed: (id, reason) => this.#gateway.readFailed(id, reason, this.#now),
        hostMessage: (from, through, body) => this.#hostMessage(from, through, body),
        // Catch-up and workers come with the protocols that need them; raft asks for neither.
        fetch: () => unsupported('fetch'),
        release: () => unsupported('release'),
        validate: () => unsupported('validate'),
        accuse: (evidence) => observer.accused?.(evidence),
        note: (event) => observer.event?.(event),
        dropped: (from, reason) => observer.dropped?.(from, reason),
        failed: (cause) => observer.failed(cause),
        ...(observer.sent === undefined ? {} : { sent: observer.sent.bind(observer) }),
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
    this.#observer.dropped?.(from, 'malformed-frame')
  }

  #forwarded(from: ReplicaId, body: Uint8Array): void {
    const envelopes = decode(forwardCodec, body)
    if (!envelopes.ok) return this.#observer.dropped?.(from, 'malformed-message')
    this.#gateway.forwarded(envelopes.value, (envelope, encoded) => this.#authentic(envelope, encoded), this.#now)
  }

  /** The link vouches for its own key's envelopes only. What a member forwards, that member has checked. */
  #vouchedFor(envelope: Envelope, connection: ConnectionId): boolean {
    if (this.#epoch.parameters.envelopeSignatures !== 'link') return true
    const key = this.#clientKey(connection)
    return key !== null && equalBytes(key, envelope.client)
  }

  /** Where the link vouches for the envelope, a signature beside it would be one that nobody checks: it is refused. */
  #authentic(envelope: Envelope, encoded: Uint8Array): boolean {
    if (this.#epoch.parameters.envelopeSignatures === 'link') return envelope.signature.length === 0
    const body = signedPart(encoded, envelope)
    const message = signingBytes(envelopeDomain(envelope.kind), envelopeScope(this.#epoch.network), body)
    return this.#verifier.verify(envelope.client, message, envelope.signature)
  }
}

function unsupported(effect: string): never {
  throw new Error(`no protocol of this release asks the replica to ${effect}`)
}
