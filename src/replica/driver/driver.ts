/**
 * Inputs to steps, effects to I/O: the one loop around a protocol, in production and in the simulator.
 *
 * The host calls one method for each thing that happens and `endTurn` when it has no more to say for now. Ports are called
 * synchronously and never call back into the driver from within the call.
 */

import { decode, encode } from '../../wire/codec.ts'
import type { Block } from '../../kernel/block.ts'
import type { Checkpoint } from '../../kernel/checkpoint.ts'
import type { Digest } from '../../kernel/crypto-ports.ts'
import type { Evidence } from '../../kernel/evidence.ts'
import type { ExecutedHeader } from '../../kernel/executed-header.ts'
import type { Height, ReplicaId } from '../../kernel/ids.ts'
import { membershipOf, type Epoch, type Membership } from '../../kernel/membership.ts'
import type { DecisionProof } from '../../kernel/proof.ts'
import type {
  Effects,
  Input,
  Leadership,
  Now,
  Persisted,
  Protocol,
  ProtocolDefinition,
  ProtocolEvent,
  ProtocolPorts,
  ProtocolStatus,
  Recovered,
  Wanted,
} from '../../kernel/protocol.ts'
import { QuorateError } from '../../kernel/quorate-error.ts'
import { EffectQueue } from './effect-queue.ts'
import { channel, frameCodec, isHostChannel, type Channel, type HostChannel } from './frame.ts'
import { Outbox, type Links } from './outbox.ts'

export interface DriverLog {
  /** Takes over the bytes. Durable when the host says `durable` with this sequence or a later one. */
  append(record: Uint8Array): Persisted
  /** The same for a record that nobody waits for yet. */
  appendSoon(record: Uint8Array): Persisted
  /** Starts a group commit, if somebody waits for one, unless one is running; the one after it starts by itself. */
  flush(): void
  /** Somebody waits for all that was appended. */
  hurry(): void
  /** A durable record that was not cut, as it was appended; null if the disk does not give it back. */
  read(sequence: Persisted): Uint8Array | null
  /** More waits to be written than the log wants to hold: incoming messages are dropped until it has caught up. */
  readonly backedUp: boolean
}

export interface Timers {
  arm(name: string, afterMs: number): void
  disarm(name: string): void
}

/** Why a message was dropped: counted by sender and reason. */
export type DropReason = 'malformed-frame' | 'wrong-epoch' | 'not-a-member' | 'malformed-message' | 'log-backed-up'

export interface DriverHost {
  decided(block: Block, proof: DecisionProof): void
  readReady(id: number, height: Height): void
  readFailed(id: number, reason: string): void
  fetch(wanted: Wanted, from: readonly ReplicaId[]): void
  /** Records before this one may be cut. */
  release(below: Persisted): void
  validate(payload: Uint8Array, digest: Uint8Array): void
  /** What the host of another replica says to this one. */
  hostMessage(from: ReplicaId, channel: HostChannel, body: Uint8Array): void
  accuse(evidence: Evidence): void
  note(event: ProtocolEvent): void
  dropped(from: ReplicaId, reason: DropReason): void
  /** The replica has failed for good: nothing more will be sent. */
  failed(cause: unknown): void
  /** Each message as it leaves, for counting: one of the protocol's, or null where it is the host's own. The size is that of its encoding. */
  sent?(through: Channel, message: unknown, bytes: number): void
}

export interface DriverOptions<Message, LogRecord> {
  definition: ProtocolDefinition<Message, LogRecord>
  epoch: Epoch
  self: ReplicaId
  /** What it can read back of its own records comes from the log. */
  ports: Omit<ProtocolPorts, 'recall'>
  log: DriverLog
  links: Links
  timers: Timers
  host: DriverHost
}

/** Effects that wait for the disk: above it, what others send is dropped. Timers add a few each while a disk hangs. */
export const effectsWaitingMax = 16_384
/** A disk that has hung for so long will not come back: the replica fails for good. */
export const effectsWaitingFatal = 65_536
/** A record that nobody waits for is on its way to the disk after so long, whether or not another record takes it along. */
export const soonMs = 50
/** Beside the protocol's own timers, whose names have no colon. */
const soonTimer = 'driver:soon'

export class Driver<Message, LogRecord> {
  readonly #definition: ProtocolDefinition<Message, LogRecord>
  readonly #epoch: Epoch
  readonly #self: ReplicaId
  readonly #membership: Membership
  readonly #log: DriverLog
  readonly #timers: Timers
  readonly #host: DriverHost
  readonly #outbox: Outbox
  readonly #protocol: Protocol<Message, LogRecord>
  readonly #effects: Effects<Message, LogRecord>
  #queue = new EffectQueue(0)
  #decidedHeight: Height = 0
  #restoredHeight: Height = 0
  #failed = false
  #isSoonArmed = false

  constructor(options: DriverOptions<Message, LogRecord>) {
    this.#definition = options.definition
    this.#epoch = options.epoch
    this.#self = options.self
    this.#membership = membershipOf(options.epoch)
    this.#log = options.log
    this.#timers = options.timers
    this.#host = options.host
    this.#outbox = new Outbox(options.epoch.number, options.links)
    const { definition, epoch, self } = options
    const ports = { ...options.ports, recall: (sequence: Persisted) => this.#recall(sequence) }
    this.#protocol = definition.create({ epoch, self, ports })
    this.#effects = this.#makeEffects()
  }

  get failed(): boolean {
    return this.#failed
  }

  /** The last height that was decided or restored. */
  get decidedHeight(): Height {
    return this.#decidedHeight
  }

  status(now: Now): ProtocolStatus {
    return this.#protocol.status(now)
  }

  leadership(): Leadership {
    return this.#protocol.leadership()
  }

  /** For others to fetch: as Protocol.payload. */
  payload(digest: Digest): Uint8Array | null {
    return this.#read(() => this.#protocol.payload?.(digest)) ?? null
  }

  /** For others to fetch: as Protocol.decided. None, where the protocol hands out no blocks. */
  decidedBlocks(fromHeight: Height, bytesMax: number): readonly { block: Block; proof: DecisionProof }[] {
    return this.#read(() => this.#protocol.decided?.(fromHeight, bytesMax)) ?? []
  }

  /** `durable` is the last record on disk: everything recovered is. */
  start(recovered: Recovered<LogRecord>, durable: Persisted, now: Now): void {
    this.#queue = new EffectQueue(durable)
    this.#decidedHeight = recovered.checkpoint?.header.height ?? this.#epoch.firstHeight - 1
    this.#step({ kind: 'start', recovered }, now)
  }

  frame(from: ReplicaId, bytes: Uint8Array, now: Now): void {
    if (this.#failed) return
    if (!this.#membership.isMember(from) || from === this.#self) return this.#host.dropped(from, 'not-a-member')
    const frame = decode(frameCodec, bytes)
    if (!frame.ok) return this.#host.dropped(from, 'malformed-frame')
    if (frame.value.epoch !== this.#epoch.number) return this.#host.dropped(from, 'wrong-epoch')
    for (const item of frame.value.items) {
      if (item.channel === channel.protocol) this.#message(from, item.body, now)
      else if (isHostChannel(item.channel)) this.#hostMessage(from, item.channel, item.body)
      else this.#host.dropped(from, 'malformed-frame')
    }
  }

  #hostMessage(from: ReplicaId, through: HostChannel, body: Uint8Array): void {
    // Its answer would wait for the disk too.
    if (promises(through) && this.#isBackedUp()) return this.#host.dropped(from, 'log-backed-up')
    this.#host.hostMessage(from, through, body)
  }

  /** Any message may be lost, and whoever sent it sends again: losing it is how a slow disk pushes back. */
  #isBackedUp(): boolean {
    return this.#log.backedUp || this.#queue.waiting >= effectsWaitingMax
  }

  #message(from: ReplicaId, body: Uint8Array, now: Now): void {
    if (this.#isBackedUp()) return this.#host.dropped(from, 'log-backed-up')
    const message = decode(this.#definition.message, body)
    if (!message.ok) return this.#host.dropped(from, 'malformed-message')
    this.#step({ kind: 'message', from, message: message.value }, now)
  }

  durable(upTo: Persisted, now: Now): void {
    if (this.#failed) return
    this.#queue.release(upTo)
    this.#step({ kind: 'durable', upTo }, now)
  }

  timer(name: string, now: Now): void {
    if (name !== soonTimer) return this.#step({ kind: 'timer', name }, now)
    this.#isSoonArmed = false
    this.#log.hurry()
  }

  /** Everything that needs no work of the driver's own on its way to the protocol. */
  input(
    input: Exclude<Input<Message, LogRecord>, { kind: 'start' | 'message' | 'timer' | 'durable' | 'restored' }>,
    now: Now,
  ): void {
    this.#step(input, now)
  }

  restored(checkpoint: Checkpoint, now: Now): void {
    const { height } = checkpoint.header
    if (height <= this.#decidedHeight) return this.fail(new Error(`restored ${height}, decided ${this.#decidedHeight}`))
    this.#decidedHeight = height
    this.#restoredHeight = height
    this.#step({ kind: 'restored', checkpoint }, now)
  }

  executed(height: Height, header: ExecutedHeader | null, now: Now): void {
    this.#step({ kind: 'executed', height, header }, now)
  }

  /** What promises something waits for the disk, as the protocol's own messages do; all else leaves with this turn. */
  sendHostMessage(to: ReplicaId, through: HostChannel, body: Uint8Array): void {
    const send = (): void => {
      if (this.#failed) return
      this.#host.sent?.(through, null, body.length)
      this.#outbox.add(to, { channel: through, body })
    }
    if (!promises(through)) return send()
    if (this.#queue.addAfterAll(send)) this.#log.hurry()
  }

  broadcastHostMessage(through: HostChannel, body: Uint8Array): void {
    for (const to of this.#membership.all) if (to !== this.#self) this.sendHostMessage(to, through, body)
  }

  /** Starts the disk first, so that it works while the frames are handed to the sockets. */
  endTurn(): void {
    if (this.#failed) return
    this.#log.flush()
    this.#outbox.flush()
  }

  /** Fails for good and alone (architecture.md §2 rule 9). */
  fail(cause: unknown): void {
    if (this.#failed) return
    this.#failed = true
    this.#host.failed(cause)
  }

  #step(input: Input<Message, LogRecord>, now: Now): void {
    if (this.#failed) return
    try {
      this.#protocol.step(input, now, this.#effects)
      if (this.#queue.waiting > effectsWaitingFatal) {
        this.fail(new Error(`${this.#queue.waiting} effects wait for a disk that does not answer`))
      }
    } catch (error) {
      this.fail(error)
    }
  }

  #read<Value>(read: () => Value): Value | null {
    if (this.#failed) return null
    try {
      return read()
    } catch (error) {
      this.fail(error)
      return null
    }
  }

  #recall(sequence: Persisted): LogRecord {
    const bytes = this.#log.read(sequence)
    const record = bytes === null ? null : decode(this.#definition.logRecord, bytes)
    if (record?.ok === true) return record.value
    const message = `record ${sequence} of the log can no longer be read: check the disk, then start the replica again`
    throw new QuorateError('ERR_LOG_UNREADABLE', message)
  }

  #makeEffects(): Effects<Message, LogRecord> {
    const host = this.#host
    return {
      persist: (record) => {
        const sequence = this.#log.append(encode(this.#definition.logRecord, record))
        this.#queue.persisted(sequence)
        return sequence
      },
      persistSoon: (record) => {
        const sequence = this.#log.appendSoon(encode(this.#definition.logRecord, record))
        this.#queue.persistedSoon(sequence)
        if (this.#log.backedUp) this.#log.hurry()
        else this.#armSoon()
        return sequence
      },
      send: (to, message, after) => {
        const body = encode(this.#definition.message, message)
        this.#queue.add(() => this.#send(to, message, body), after)
      },
      broadcast: (message, after) => {
        const body = encode(this.#definition.message, message)
        this.#queue.add(() => {
          for (const to of this.#membership.all) if (to !== this.#self) this.#send(to, message, body)
        }, after)
      },
      decide: (block, proof, after) => this.#queue.add(() => this.#decide(block, proof), after),
      arm: (timer, afterMs) => this.#timers.arm(timer, afterMs),
      disarm: (timer) => this.#timers.disarm(timer),
      release: (below) => {
        if (this.#queue.addAfterAll(() => host.release(below))) this.#log.hurry()
      },
      fetch: (wanted, from) => this.#queue.add(() => host.fetch(wanted, from)),
      validate: (payload, digest) => host.validate(payload, digest),
      readReady: (id, height, after) => this.#queue.add(() => host.readReady(id, height), after),
      readFailed: (id, reason) => host.readFailed(id, reason),
      accuse: (evidence) => this.#queue.add(() => host.accuse(evidence)),
      note: (event) => host.note(event),
    }
  }

  #armSoon(): void {
    if (this.#isSoonArmed) return
    this.#isSoonArmed = true
    this.#timers.arm(soonTimer, soonMs)
  }

  #send(to: ReplicaId, message: Message, body: Uint8Array): void {
    if (this.#failed) return
    this.#host.sent?.(channel.protocol, message, body.length)
    this.#outbox.add(to, { channel: channel.protocol, body })
  }

  #decide(block: Block, proof: DecisionProof): void {
    if (this.#failed) return
    // Waited for the disk while state transfer overtook it.
    if (block.header.height <= this.#restoredHeight) return
    if (block.header.height !== this.#decidedHeight + 1) {
      return this.fail(new Error(`decided height ${block.header.height} behind ${this.#decidedHeight}`))
    }
    this.#decidedHeight = block.header.height
    this.#host.decided(block, proof)
  }
}

/** A signature on a checkpoint says that all that was decided up to it is on disk here: a protocol forgets its votes by that. */
function promises(through: HostChannel): boolean {
  return through === channel.checkpoint
}
