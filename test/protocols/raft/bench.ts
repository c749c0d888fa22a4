// Raft cores without a world: every message is delivered, dropped, doubled or kept back by hand; time moves when it is told to; what
// was persisted is durable when it is told so, and a crash loses the rest. The order of effects is the driver's own.
//
// Whatever a test does, the bench itself checks that no two replicas lead one term, that no two decide different blocks, and that a read
// sees whatever anybody had decided when it came.

import { createHash } from 'node:crypto'
import { encode, decode } from '../../../src/wire/codec.ts'
import { emptyPayload, payloadDigest, type Block } from '../../../src/kernel/block.ts'
import type { Checkpoint } from '../../../src/kernel/checkpoint.ts'
import type { Digest, Hasher } from '../../../src/kernel/crypto-ports.ts'
import { replicaId, type ReplicaId } from '../../../src/kernel/ids.ts'
import type { Epoch } from '../../../src/kernel/membership.ts'
import { defaultParameters, type Parameters } from '../../../src/kernel/parameters.ts'
import type { RaftDecisionProof } from '../../../src/kernel/proof.ts'
import type {
  Input,
  Persisted,
  Protocol,
  ProtocolEvent,
  ProtocolOptions,
  ProtocolStatus,
  Wanted,
} from '../../../src/kernel/protocol.ts'
import { createRandom, type Random } from '../../../src/kernel/random.ts'
import { EffectQueue } from '../../../src/replica/driver/effect-queue.ts'
import {
  describeMessage,
  raftMessageCodec,
  type Entry,
  type RaftMessage,
} from '../../../src/protocols/raft/messages.ts'
import { raft } from '../../../src/protocols/raft/raft.ts'
import { raftRecordCodec, type RaftRecord } from '../../../src/protocols/raft/records.ts'
import { timer, type RaftEffects } from '../../../src/protocols/raft/state.ts'
import { payloadOf, TestPool, textsOf } from './test-pool.ts'

export type RaftInput = Input<RaftMessage, RaftRecord>

export interface Sent {
  from: ReplicaId
  to: ReplicaId
  message: RaftMessage
}

export interface Written {
  sequence: Persisted
  record: RaftRecord
}

export interface BenchOptions {
  voters?: number
  learners?: number
  firstHeight?: number
  /** By replica, the first first. */
  priorities?: number[]
  parameters?: ParameterChanges
  /** Differs from the parameters of all: only for flags that each replica may be imagined to have set for itself. */
  parametersOf?: (id: ReplicaId) => ParameterChanges
  /** False: what is persisted becomes durable by `sync` only. */
  autoSync?: boolean
  /** The log forgets whole segments of so many records. */
  segmentRecords?: number
  seed?: number
}

export type ParameterChanges = { [Group in keyof Parameters]?: Partial<Parameters[Group]> }

export const electionTimeoutMs = 1000
export const wallStartMs = 1_700_000_000_000

export const testHasher: Hasher = {
  digest: (bytes): Digest => new Uint8Array(createHash('sha256').update(bytes).digest()),
}

/** An entry as a leader would make it. */
export function entryOf(term: number, height: number, ...envelopes: string[]): Entry {
  const payload = envelopes.length === 0 ? emptyPayload : payloadOf(...envelopes)
  const header = { epoch: 1, height, timestamp: wallStartMs, payloadDigest: payloadDigest(testHasher, payload) }
  return { term, block: { header, payload } }
}

/** A long log of entries without requests. */
export function emptyLogOf(terms: readonly number[]): Entry[] {
  const digest = entryOf(1, 1).block.header.payloadDigest
  return terms.map((term, index) => {
    const header = { epoch: 1, height: index + 1, timestamp: wallStartMs, payloadDigest: digest }
    return { term, block: { header, payload: emptyPayload } }
  })
}

/** A log by the terms of its entries, as the paper draws them. */
export function logOf(...terms: number[]): Entry[] {
  return terms.map((term, index) => entryOf(term, index + 1, `${term}.${index + 1}`))
}

/** One replica: a core while it is up, and a disk that outlives it. */
export class Replica {
  readonly id: ReplicaId
  readonly bench: Bench
  /** On disk; the last `unsynced` of them would be lost in a crash. */
  disk: Written[] = []
  durable: Persisted = 0
  timers = new Map<string, number>()
  /** Of this life. */
  decided: { block: Block; proof: RaftDecisionProof }[] = []
  reads: { id: number; height: number }[] = []
  /** The stable checkpoint whose state is on this replica's disk: the next start begins from it. */
  checkpoint: Checkpoint | null = null
  abstains = false
  fetched: Wanted[] = []
  failedReads: { id: number; reason: string }[] = []
  notes: ProtocolEvent[] = []
  /** How fast this replica's clock goes. */
  clockRate = 1
  /** Records read back from the disk. */
  recalled = 0
  /** Records below this one were released. */
  released: Persisted = 0
  pool: TestPool
  autoSync: boolean
  autoExecute = true
  #core: Protocol<RaftMessage, RaftRecord> | null = null
  #queue = new EffectQueue(0)
  #incarnation = 0
  /** What had been decided when a read came: it must see that. */
  readonly #readFloors = new Map<number, number>()
  #decidedHeight = 0
  #executedHeight = 0
  #restoredHeight = 0
  readonly #epoch: Epoch
  readonly #random: Random
  readonly #segmentRecords: number

  constructor(
    bench: Bench,
    id: ReplicaId,
    epoch: Epoch,
    autoSync: boolean,
    random: Random,
    segmentRecords: number = 1,
  ) {
    this.bench = bench
    this.id = id
    this.#epoch = epoch
    this.autoSync = autoSync
    this.#random = random
    this.#segmentRecords = segmentRecords
    this.pool = new TestPool(() => this.now.monotonicMs)
  }

  /** By this replica's own clock. */
  get now(): { monotonicMs: number; wallMs: number } {
    const { monotonicMs, wallMs } = this.bench.now
    return { monotonicMs: monotonicMs * this.clockRate, wallMs }
  }

  get isUp(): boolean {
    return this.#core !== null
  }

  get status(): ProtocolStatus {
    if (this.#core === null) throw new Error(`replica ${this.id} is down`)
    return this.#core.status(this.now)
  }

  get persisted(): Persisted {
    return this.disk.at(-1)?.sequence ?? 0
  }

  /** Texts of the decided blocks, no-ops left out. */
  get texts(): string[] {
    return this.decided.flatMap(({ block }) => textsOf(block.payload))
  }

  /** The log as its disk has it: the entries above its last base. */
  get log(): Entry[] {
    let firstIndex = this.#epoch.firstHeight
    const log: Entry[] = []
    for (const { record } of this.disk) {
      if (record.kind === 'hard-state') continue
      if (record.kind === 'base') {
        if (record.truncates) log.length = 0
        else if (record.index < firstIndex) continue
        else log.splice(0, record.index + 1 - firstIndex)
        firstIndex = record.index + 1
        continue
      }
      if (log.length === 0) ({ firstIndex } = record)
      log.length = Math.max(0, record.firstIndex - firstIndex)
      log.push(...record.entries)
    }
    return log
  }

  get terms(): number[] {
    return this.log.map((entry) => entry.term)
  }

  noted(kind: string): ProtocolEvent[] {
    return this.notes.filter((note) => note.kind === kind)
  }

  start(): void {
    const { disk, durable } = this
    this.#queue = new EffectQueue(durable)
    this.timers = new Map()
    this.decided = []
    this.fetched = []
    this.#decidedHeight = this.checkpoint?.header.height ?? this.#epoch.firstHeight - 1
    this.#executedHeight = this.#decidedHeight
    this.#restoredHeight = 0
    this.pool = new TestPool(() => this.now.monotonicMs)
    const ports: ProtocolOptions['ports'] = {
      pool: this.pool,
      hasher: testHasher,
      signer: { publicKey: new Uint8Array(32), sign: () => new Uint8Array(64) },
      verifier: { verify: () => false },
      random: this.#random,
      roundTripMs: () => null,
      recall: (sequence) => this.recall(sequence),
    }
    this.#core = raft.create({ epoch: this.#epoch, self: this.id, ports })
    this.#incarnation++
    // As the log gives them back: decoded from their bytes.
    const records = disk.map(({ sequence, record }) => ({ sequence, record: recoded(record) }))
    const { checkpoint, abstains } = this
    this.step({ kind: 'start', recovered: { incarnation: this.#incarnation, records, checkpoint, abstains } })
  }

  /** Reads a record back, as the log would. */
  recall(sequence: Persisted): RaftRecord {
    this.recalled++
    const found = this.disk.find((written) => written.sequence === sequence)
    if (found === undefined) throw new Error(`replica ${this.id} has released record ${sequence}`)
    return recoded(found.record)
  }

  /** A quorum has signed the state of this height, and this replica's snapshot of it is on its disk. */
  stable(height: number): void {
    if (this.#executedHeight < height) throw new Error(`replica ${this.id} has not executed ${height}`)
    this.checkpoint = this.bench.checkpointOf(height)
    this.step({ kind: 'stable', checkpoint: this.checkpoint })
  }

  /** The state of this height was fetched. As the driver does, this drops the decisions that it overtakes. */
  restore(height: number): void {
    if (height <= this.#decidedHeight) throw new Error(`replica ${this.id} has decided ${this.#decidedHeight}`)
    this.checkpoint = this.bench.checkpointOf(height)
    this.#decidedHeight = height
    this.#executedHeight = height
    this.#restoredHeight = height
    this.step({ kind: 'restored', checkpoint: this.checkpoint })
  }

  /** Loses its disk, and is let in again without a vote. */
  renew(): void {
    this.crash()
    this.disk = []
    this.durable = 0
    this.checkpoint = null
    this.abstains = true
    this.start()
  }

  step(input: RaftInput): void {
    if (this.#core === null) return
    if (input.kind === 'read') this.#readFloors.set(input.id, this.bench.decidedHeight)
    this.#core.step(input, this.now, this.#effects)
    if (this.autoSync) this.sync()
    if (this.autoExecute) this.execute()
  }

  /** Makes durable what was persisted up to this, and tells the core; what that makes it persist, by itself only if it always does. */
  sync(upTo: Persisted = this.autoSync ? Number.MAX_SAFE_INTEGER : this.persisted): void {
    while (this.durable < Math.min(upTo, this.persisted)) {
      this.durable = Math.min(upTo, this.persisted)
      this.#queue.release(this.durable)
      this.#core?.step({ kind: 'durable', upTo: this.durable }, this.now, this.#effects)
    }
  }

  execute(): void {
    while (this.#executedHeight < this.#decidedHeight && this.#core !== null) {
      const isNew = ({ block }: { block: Block }): boolean => block.header.height > this.#executedHeight
      for (const { block } of this.decided.slice(this.decided.findLastIndex((one) => !isNew(one)) + 1))
        this.pool.executed(block.payload)
      this.#executedHeight = this.#decidedHeight
      const height = this.#executedHeight
      this.#core.step({ kind: 'executed', height, header: null }, this.now, this.#effects)
      if (this.autoSync) this.sync()
    }
  }

  /** Loses whatever was not durable, and everything in memory. */
  crash(): void {
    this.#core = null
    this.disk = this.disk.filter(({ sequence }) => sequence <= this.durable)
    this.timers.clear()
    this.#queue = new EffectQueue(this.durable)
  }

  propose(...texts: string[]): void {
    this.pool.add(...texts)
    this.step({ kind: 'requests' })
  }

  fire(name: string): void {
    if (!this.timers.delete(name)) throw new Error(`replica ${this.id} has no timer ${name}`)
    this.step({ kind: 'timer', name })
  }

  /** Moves time to the moment when the timer is due, and fires it alone. */
  fireWhenDue(name: string): void {
    const dueMs = this.timers.get(name)
    if (dueMs === undefined) throw new Error(`replica ${this.id} has no timer ${name}`)
    this.bench.nowMs = Math.max(this.bench.nowMs, dueMs)
    this.fire(name)
  }

  receive(from: ReplicaId, message: RaftMessage): void {
    this.step({ kind: 'message', from, message })
  }

  readonly #effects: RaftEffects = {
    persist: (record) => {
      const sequence = this.persisted + 1
      this.disk.push({ sequence, record })
      this.#queue.persisted(sequence)
      return sequence
    },
    persistSoon: () => {
      throw new Error('of all that raft persists, something depends')
    },
    send: (to, message, after) => this.#send([to], message, after),
    broadcast: (message, after) => {
      const others = this.#epoch.members.map((member) => member.id).filter((id) => id !== this.id)
      this.#send(others, message, after)
    },
    decide: (block, proof, after) => {
      this.#queue.add(() => {
        const { height } = block.header
        if (height <= this.#restoredHeight) return
        if (height !== this.#decidedHeight + 1) throw new Error(`decided ${height} behind ${this.#decidedHeight}`)
        this.#decidedHeight = height
        this.decided.push({ block, proof: proof as RaftDecisionProof })
        this.bench.trace(() => `${this.id} decides ${height} [${textsOf(block.payload).join(' ')}]`)
        this.bench.checkDecided(this.id, block, proof as RaftDecisionProof)
      }, after)
    },
    arm: (name, afterMs) => this.timers.set(name, this.bench.nowMs + afterMs / this.clockRate),
    disarm: (name) => this.timers.delete(name),
    fetch: (wanted, from) => {
      if (from.includes(this.id) || from.length !== this.#epoch.members.length - 1)
        throw new Error('asks the wrong ones')
      this.#queue.add(() => {
        this.fetched.push(wanted)
        if (wanted.kind === 'state')
          this.bench.trace(() => `${this.id} fetches a state of height ${wanted.minimumHeight} or more`)
      })
    },
    validate: () => {
      throw new Error('raft asks for no validation yet')
    },
    readReady: (id, height, after) => this.#queue.add(() => this.#ready(id, height), after),
    release: (below) => this.#queue.add(() => this.#release(below)),
    readFailed: (id, reason) => {
      this.failedReads.push({ id, reason })
      this.bench.trace(() => `${this.id} cannot read: ${reason}`)
    },
    accuse: () => {
      throw new Error('raft accuses nobody')
    },
    note: (event) => {
      this.notes.push(event)
      this.bench.trace(
        () =>
          `${this.id} ${event.kind}${Object.entries(event.detail ?? {})
            .map((one) => ` ${one.join(' ')}`)
            .join('')}`,
      )
      if (event.kind === 'leader-elected') this.bench.checkLeader(this.id, event.detail!['term'] as number)
    },
  }

  #ready(id: number, height: number): void {
    const floor = this.#readFloors.get(id) ?? 0
    if (height < floor) throw new Error(`replica ${this.id} reads at ${height}, though ${floor} was decided before`)
    this.reads.push({ id, height })
    this.bench.trace(() => `${this.id} may answer read ${id} at ${height}`)
  }

  /** As far as whole segments allow. */
  #release(below: Persisted): void {
    const cut = below - (below % this.#segmentRecords)
    this.disk = this.disk.filter(({ sequence }) => sequence >= cut)
    this.released = Math.max(this.released, below)
  }

  #send(to: readonly ReplicaId[], message: RaftMessage, after: Persisted | undefined): void {
    const bytes = encode(raftMessageCodec, message)
    this.#queue.add(() => {
      for (const other of to) {
        const decoded = decode(raftMessageCodec, bytes)
        if (!decoded.ok) throw decoded.error
        this.bench.post({ from: this.id, to: other, message: decoded.value })
      }
    }, after)
  }
}

function recoded(record: RaftRecord): RaftRecord {
  const decoded = decode(raftRecordCodec, encode(raftRecordCodec, record))
  if (!decoded.ok) throw decoded.error
  return decoded.value
}

export class Bench {
  readonly replicas: Replica[]
  nowMs = 10_000
  /** On the network, in the order they were sent. */
  network: Sent[] = []
  /** Everything ever sent. */
  readonly sent: Sent[] = []
  readonly #cut = new Set<string>()
  readonly #leaders = new Map<number, ReplicaId>()
  /** Is told of whatever happens, in words. */
  trace: (tell: () => string) => void = () => {}
  /** The highest block that anybody has decided. */
  decidedHeight = 0
  readonly #decided = new Map<number, { name: string; block: Block; proof: RaftDecisionProof }>()

  constructor(options: BenchOptions = {}) {
    const { voters = 3, learners = 0, firstHeight = 1, autoSync = true, segmentRecords = 1, seed = 1 } = options
    const random = createRandom(seed)
    const ids = Array.from({ length: voters + learners }, (_, index) => replicaId(index + 1))
    this.replicas = ids.map((id) => {
      const parameters = parametersOf(options.parameters, options.parametersOf?.(id))
      const epoch: Epoch = {
        network: new Uint8Array(32),
        number: 1,
        firstHeight,
        protocol: 'raft',
        members: ids.map((member, index) => ({
          id: member,
          name: `replica-${member}`,
          role: index < voters ? 'voter' : 'learner',
          consensusKey: new Uint8Array(32),
          linkKey: new Uint8Array(32),
          addresses: [],
          priority: options.priorities?.[index] ?? 0,
        })),
        parameters,
      }
      return new Replica(this, id, epoch, autoSync, random.fork(`replica ${id}`), segmentRecords)
    })
  }

  get now(): { monotonicMs: number; wallMs: number } {
    return { monotonicMs: this.nowMs, wallMs: wallStartMs + this.nowMs }
  }

  replica(id: number): Replica {
    const found = this.replicas[id - 1]
    if (found === undefined) throw new Error(`no replica ${id}`)
    return found
  }

  /** Starts all, with what their disks hold. */
  start(): this {
    for (const replica of this.replicas) replica.start()
    return this
  }

  /** Puts a log onto a replica's disk before it starts. */
  givenLog(id: number, log: Entry[], term: number, votedFor = 0, recordEntries = 64): this {
    const replica = this.replica(id)
    const records: RaftRecord[] = [{ kind: 'hard-state', term, votedFor }]
    for (let at = 0; at < log.length; at += recordEntries) {
      records.push({ kind: 'entries', firstIndex: at + 1, entries: log.slice(at, at + recordEntries) })
    }
    replica.disk = records.map((record, index) => ({ sequence: index + 1, record }))
    replica.durable = replica.disk.length
    return this
  }

  post(sent: Sent): void {
    this.sent.push(sent)
    const isLost = this.#cut.has(`${sent.from}>${sent.to}`)
    this.trace(() => `${sent.from}>${sent.to} ${describeMessage(sent.message)}${isLost ? ' (lost)' : ''}`)
    if (!isLost) this.network.push(sent)
  }

  /** Delivers what is on the network now and matches, and nothing that arises from it. */
  deliver(matches: (sent: Sent) => boolean = () => true): number {
    const due = this.network.filter(matches)
    this.network = this.network.filter((sent) => !due.includes(sent))
    for (const { from, to, message } of due) this.replica(to).receive(from, message)
    return due.length
  }

  /** Delivers until nothing moves, news of commits included: what waits for them alone comes before time moves. */
  settle(matches: (sent: Sent) => boolean = () => true): this {
    do this.#deliverAll(matches)
    while (this.#tellNews())
    return this
  }

  #deliverAll(matches: (sent: Sent) => boolean): void {
    for (let round = 0; this.deliver(matches) > 0; round++) if (round > 10_000) throw new Error('messages never end')
  }

  #tellNews(): boolean {
    const due = this.replicas.filter(({ timers }) => timers.has(timer.news))
    for (const replica of due) replica.fire(timer.news)
    return due.length > 0
  }

  /** Takes messages off the network: lost, or kept for later. */
  take(matches: (sent: Sent) => boolean = () => true): Sent[] {
    const taken = this.network.filter(matches)
    this.network = this.network.filter((sent) => !taken.includes(sent))
    return taken
  }

  /** Moves time, firing each timer when it is due and delivering at once. */
  elapse(durationMs: number, matches: (sent: Sent) => boolean = () => true): this {
    const endMs = this.nowMs + durationMs
    this.#deliverAll(matches)
    for (;;) {
      const next = this.#nextTimer()
      if (next === null || next.dueMs > endMs) break
      this.nowMs = Math.max(this.nowMs, next.dueMs)
      next.replica.fire(next.name)
      this.#deliverAll(matches)
    }
    this.nowMs = endMs
    return this
  }

  #nextTimer(): { replica: Replica; name: string; dueMs: number } | null {
    let next: { replica: Replica; name: string; dueMs: number } | null = null
    for (const replica of this.replicas) {
      for (const [name, dueMs] of replica.timers) {
        if (next === null || dueMs < next.dueMs) next = { replica, name, dueMs }
      }
    }
    return next
  }

  cut(from: number, to: number): void {
    this.#cut.add(`${from}>${to}`)
    this.#cut.add(`${to}>${from}`)
  }

  isolate(id: number): this {
    for (const { id: other } of this.replicas) if (other !== id) this.cut(id, other)
    return this
  }

  heal(): this {
    this.#cut.clear()
    return this
  }

  /** Lets this replica's election timer fire before all others, until it leads: others may teach it a later term first. */
  elect(id: number): this {
    const replica = this.replica(id)
    // Whoever heard a leader lately refuses: let that be over.
    this.nowMs += 2 * electionTimeoutMs
    for (let attempt = 0; attempt < 4; attempt++) {
      replica.fireWhenDue('election')
      this.settle()
      if (replica.status.role === 'leader') return this
    }
    throw new Error(`replica ${id} was not elected: ${replica.status.phase}`)
  }

  get leader(): Replica | null {
    const leading = this.replicas.filter((replica) => replica.isUp && replica.status.role === 'leader')
    return leading.sort((left, right) => right.status.view - left.status.view)[0] ?? null
  }

  checkLeader(id: ReplicaId, term: number): void {
    const other = this.#leaders.get(term)
    if (other !== undefined && other !== id) throw new Error(`replicas ${other} and ${id} both lead term ${term}`)
    this.#leaders.set(term, id)
  }

  checkDecided(id: ReplicaId, block: Block, proof: RaftDecisionProof): void {
    const { header } = block
    const name = header.payloadDigest.join()
    const other = this.#decided.get(header.height)
    if (other !== undefined && (other.name !== name || other.proof.term !== proof.term))
      throw new Error(`replica ${id} decides another block ${header.height}`)
    this.#decided.set(header.height, { name, block, proof })
    this.decidedHeight = Math.max(this.decidedHeight, header.height)
  }

  payloadOf(height: number): Uint8Array {
    return this.#decided.get(height)!.block.payload
  }

  /** Of a block that some replica has decided. */
  checkpointOf(height: number): Checkpoint {
    const decided = this.#decided.get(height)
    if (decided === undefined) throw new Error(`nobody has decided ${height}`)
    const { block, proof } = decided
    const digest = new Uint8Array(32)
    const { epoch, timestamp: time } = block.header
    const header = { epoch, height, parent: digest, blockDigest: digest, resultsRoot: digest, stateRoot: digest, time }
    return { header, signatures: [], block: block.header, proof }
  }
}

function parametersOf(...changes: (ParameterChanges | undefined)[]): Parameters {
  const base = defaultParameters('link')
  const parameters: Parameters = {
    ...base,
    timers: { timeoutMsBase: electionTimeoutMs, timeoutMsMax: 20_000, heartbeatMs: 100, retransmitMs: 250 },
  }
  for (const change of changes) {
    for (const [group, values] of Object.entries(change ?? {})) {
      Object.assign(parameters, {
        [group]: { ...(parameters as unknown as Record<string, object>)[group], ...(values as object) },
      })
    }
  }
  return parameters
}

/** Only messages of these kinds. */
export function kinds(...wanted: RaftMessage['kind'][]): (sent: Sent) => boolean {
  return (sent) => wanted.includes(sent.message.kind)
}

export function isTo(id: number): (sent: Sent) => boolean {
  return (sent) => sent.to === id
}
