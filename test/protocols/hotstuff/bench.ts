// Hotstuff cores without a world: every message is delivered, dropped, doubled or kept back by hand; time moves when it is told to; what was
// persisted is durable when it is told so, and a crash loses the rest. The order of effects is the driver's own. Signatures are the
// simulator's, if nothing else is said: nobody has a secret that is not its own.
//
// Whatever a test does, the bench itself checks that no two correct replicas decide different blocks, that each decision has its proof, and that
// nobody accuses a correct replica.

import { decode, encode } from '../../../src/wire/codec.ts'
import { emptyPayload, payloadDigest, type Block } from '../../../src/kernel/block.ts'
import { blockDigest } from '../../../src/kernel/block.ts'
import type { Checkpoint } from '../../../src/kernel/checkpoint.ts'
import { signingBytes } from '../../../src/kernel/domains.ts'
import type { Evidence } from '../../../src/kernel/evidence.ts'
import { executedHeaderCodec } from '../../../src/kernel/executed-header.ts'
import { replicaId, type ReplicaId } from '../../../src/kernel/ids.ts'
import { membershipOf, type Epoch, type Membership } from '../../../src/kernel/membership.ts'
import { defaultParameters, type Parameters } from '../../../src/kernel/parameters.ts'
import type { SignatureSuite } from '../../../src/kernel/crypto-ports.ts'
import type { DecisionProof } from '../../../src/kernel/proof.ts'
import type {
  Input,
  Persisted,
  Protocol,
  ProtocolEvent,
  ProtocolOptions,
  ProtocolStatus,
  Wanted,
} from '../../../src/kernel/protocol.ts'
import { createRandom } from '../../../src/kernel/random.ts'
import {
  describeMessage,
  hotstuffMessageCodec,
  type HotstuffMessage,
} from '../../../src/protocols/hotstuff/messages.ts'
import { isDecided } from '../../../src/protocols/hotstuff/decision.ts'
import { hotstuff } from '../../../src/protocols/hotstuff/hotstuff.ts'
import { hotstuffRecordCodec, type HotstuffRecord } from '../../../src/protocols/hotstuff/records.ts'
import type { HotstuffEffects } from '../../../src/protocols/hotstuff/state.ts'
import { EffectQueue } from '../../../src/replica/driver/effect-queue.ts'
import { createSimulatedSuite, simulatedHasher } from '../../../src/simulator/simulated-suite.ts'
import { textsOf } from '../raft/test-pool.ts'
import { HandingPool } from './test-pool.ts'

export type HotstuffInput = Input<HotstuffMessage, HotstuffRecord>

export interface Sent {
  from: ReplicaId
  to: ReplicaId
  message: HotstuffMessage
}

export interface BenchOptions {
  voters?: number
  learners?: number
  parameters?: { [Group in keyof Parameters]?: Partial<Parameters[Group]> }
  /** False: what is persisted becomes durable by `sync` only. */
  autoSync?: boolean
  /** Default: the simulator's. */
  suite?: SignatureSuite
}

export const timeoutMs = 1000
export const wallStartMs = 1_700_000_000_000

/** Counts what is signed and checked. */
export interface Signatures {
  made: number
  checked: number
}

export class Replica {
  readonly id: ReplicaId
  readonly bench: Bench
  disk: { sequence: Persisted; record: HotstuffRecord }[] = []
  durable: Persisted = 0
  timers = new Map<string, number>()
  decided: { block: Block; proof: DecisionProof }[] = []
  reads: { id: number; height: number }[] = []
  failedReads: number[] = []
  wanted: { wanted: Wanted; from: readonly ReplicaId[] }[] = []
  notes: ProtocolEvent[] = []
  accused: Evidence[] = []
  released: Persisted = 0
  checkpoint: Checkpoint | null = null
  abstains = false
  /** What its validation says of payloads that contain this text. */
  refuses: string | null = null
  autoSync: boolean
  autoExecute = true
  /** Fetches are answered by whoever has it, at once. */
  autoFetch = true
  pool: HandingPool
  readonly signatures: Signatures = { made: 0, checked: 0 }
  #core: Protocol<HotstuffMessage, HotstuffRecord> | null = null
  #queue = new EffectQueue(0)
  #incarnation = 0
  #decidedHeight = 0
  #executedHeight = 0
  #restoredHeight = 0
  #validating: { digest: Uint8Array; ok: boolean }[] = []

  constructor(bench: Bench, id: ReplicaId, autoSync: boolean) {
    this.bench = bench
    this.id = id
    this.autoSync = autoSync
    this.pool = this.#makePool()
  }

  /** What it hands on comes as any message does, and is lost as any is. */
  #makePool(): HandingPool {
    const { bench, id } = this
    return new HandingPool(
      () => bench.nowMs,
      (to, texts) => bench.hand(id, to, texts),
    )
  }

  get status(): ProtocolStatus {
    if (this.#core === null) throw new Error(`replica ${this.id} is down`)
    return this.#core.status(this.bench.now)
  }

  get isUp(): boolean {
    return this.#core !== null
  }

  get decidedHeight(): number {
    return this.#decidedHeight
  }

  get persisted(): Persisted {
    return this.disk.at(-1)?.sequence ?? 0
  }

  /** Texts of the decided blocks of this life, null blocks left out. */
  get texts(): string[] {
    return this.decided.flatMap(({ block }) => textsOf(block.payload))
  }

  noted(kind: string): ProtocolEvent[] {
    return this.notes.filter((note) => note.kind === kind)
  }

  start(): void {
    const { bench } = this
    this.#queue = new EffectQueue(this.durable)
    this.timers = new Map()
    this.decided = []
    this.wanted = []
    this.#validating = []
    this.#decidedHeight = this.checkpoint?.header.height ?? 0
    this.#executedHeight = this.#decidedHeight
    this.#restoredHeight = 0
    this.pool = this.#makePool()
    const signer = bench.signerOf(this.id)
    const ports: ProtocolOptions['ports'] = {
      pool: this.pool,
      hasher: simulatedHasher,
      signer: {
        publicKey: signer.publicKey,
        sign: (message) => {
          this.signatures.made++
          return signer.sign(message)
        },
      },
      verifier: {
        verify: (key, message, signature) => {
          this.signatures.checked++
          return bench.suite.verify(key, message, signature)
        },
      },
      random: createRandom(`replica ${this.id}`),
      roundTripMs: (peer) => bench.roundTripMs(this.id, peer),
      recall: (sequence) => this.recall(sequence),
    }
    this.#core = hotstuff.create({ epoch: bench.epoch, self: this.id, ports })
    this.#incarnation++
    const records = this.disk.map(({ sequence, record }) => ({ sequence, record: recoded(record) }))
    const { checkpoint, abstains } = this
    this.step({ kind: 'start', recovered: { incarnation: this.#incarnation, records, checkpoint, abstains } })
  }

  recall(sequence: Persisted): HotstuffRecord {
    const found = this.disk.find((written) => written.sequence === sequence)
    if (found === undefined || sequence > this.durable) throw new Error(`replica ${this.id} has no record ${sequence}`)
    return recoded(found.record)
  }

  step(input: HotstuffInput): void {
    if (this.#core === null) return
    this.#core.step(input, this.bench.now, this.#effects)
    if (this.autoSync) this.sync()
    this.#answer()
    if (this.autoExecute) this.execute()
  }

  /** What was validated is said in a later step. */
  #answer(): void {
    for (let next = this.#validating.shift(); next !== undefined; next = this.#validating.shift()) {
      this.#core?.step({ kind: 'validated', digest: next.digest, ok: next.ok }, this.bench.now, this.#effects)
      if (this.autoSync) this.sync()
    }
  }

  sync(upTo: Persisted = Number.MAX_SAFE_INTEGER): void {
    while (this.durable < Math.min(upTo, this.persisted)) {
      this.durable = Math.min(upTo, this.persisted)
      this.#queue.release(this.durable)
      this.#core?.step({ kind: 'durable', upTo: this.durable }, this.bench.now, this.#effects)
      if (!this.autoSync) return
    }
  }

  execute(): void {
    while (this.#executedHeight < this.#decidedHeight && this.#core !== null) {
      for (const { block } of this.decided) {
        if (block.header.height > this.#executedHeight) this.pool.executed(block.payload)
      }
      this.#executedHeight = this.#decidedHeight
      this.#core.step({ kind: 'executed', height: this.#executedHeight, header: null }, this.bench.now, this.#effects)
      if (this.autoSync) this.sync()
      this.#answer()
    }
  }

  /** Loses whatever was not durable, and everything in memory. */
  crash(): this {
    this.#core = null
    this.disk = this.disk.filter(({ sequence }) => sequence <= this.durable)
    this.timers.clear()
    this.#queue = new EffectQueue(this.durable)
    return this
  }

  propose(...texts: string[]): void {
    this.pool.add(...texts)
    this.step({ kind: 'requests' })
  }

  fire(name: string): void {
    if (!this.timers.delete(name)) throw new Error(`replica ${this.id} has no timer ${name}`)
    this.step({ kind: 'timer', name })
  }

  receive(from: number, message: HotstuffMessage): void {
    this.step({ kind: 'message', from: replicaId(from), message })
  }

  certified(height: number): void {
    this.step({ kind: 'certified', checkpoint: this.bench.checkpointOf(height) })
  }

  stable(height: number): void {
    this.checkpoint = this.bench.checkpointOf(height)
    this.step({ kind: 'stable', checkpoint: this.checkpoint })
  }

  restore(height: number): void {
    this.checkpoint = this.bench.checkpointOf(height)
    this.#decidedHeight = height
    this.#executedHeight = height
    this.#restoredHeight = height
    this.step({ kind: 'restored', checkpoint: this.checkpoint })
  }

  payload(digest: Uint8Array): Uint8Array | null {
    return this.#core?.payload?.(digest) ?? null
  }

  blocksFrom(height: number): { block: Block; proof: DecisionProof }[] {
    return this.#core?.decided?.(height, 1024 * 1024) ?? []
  }

  readonly #effects: HotstuffEffects = {
    persist: (record) => {
      const sequence = this.persisted + 1
      this.disk.push({ sequence, record })
      this.#queue.persisted(sequence)
      return sequence
    },
    send: (to, message, after) => this.#send([to], message, after),
    broadcast: (message, after) => {
      this.#send(
        this.bench.epoch.members.map(({ id }) => id).filter((id) => id !== this.id),
        message,
        after,
      )
    },
    decide: (block, proof, after) => {
      this.#queue.add(() => {
        const { height } = block.header
        if (height <= this.#restoredHeight) return
        if (height !== this.#decidedHeight + 1) throw new Error(`decided ${height} behind ${this.#decidedHeight}`)
        this.#decidedHeight = height
        this.decided.push({ block, proof })
        this.bench.checkDecided(this.id, block, proof)
      }, after)
    },
    arm: (name, afterMs) => this.timers.set(name, this.bench.nowMs + afterMs),
    disarm: (name) => this.timers.delete(name),
    fetch: (wanted, from) =>
      this.#queue.add(() => {
        this.wanted.push({ wanted, from })
        if (this.autoFetch) this.bench.later(() => this.bench.answer(this, wanted, from))
      }),
    validate: (payload, digest) => {
      const ok = this.refuses === null || !textsOf(payload).includes(this.refuses)
      this.#validating.push({ digest, ok })
    },
    readReady: (id, height, after) => this.#queue.add(() => this.reads.push({ id, height }), after),
    release: (below) =>
      this.#queue.add(() => {
        this.disk = this.disk.filter(({ sequence }) => sequence >= below)
        this.released = Math.max(this.released, below)
      }),
    readFailed: (id) => this.failedReads.push(id),
    accuse: (evidence) => {
      this.accused.push(evidence)
      this.bench.checkAccused(evidence)
    },
    note: (event) => this.notes.push(event),
  }

  #send(to: readonly ReplicaId[], message: HotstuffMessage, after: Persisted | undefined): void {
    const bytes = encode(hotstuffMessageCodec, message)
    this.#queue.add(() => {
      for (const other of to) {
        const decoded = decode(hotstuffMessageCodec, bytes)
        if (!decoded.ok) throw decoded.error
        this.bench.post({ from: this.id, to: other, message: decoded.value })
      }
    }, after)
  }
}

function recoded(record: HotstuffRecord): HotstuffRecord {
  const decoded = decode(hotstuffRecordCodec, encode(hotstuffRecordCodec, record))
  if (!decoded.ok) throw decoded.error
  return decoded.value
}

export class Bench {
  readonly suite: SignatureSuite
  readonly epoch: Epoch
  readonly membership: Membership
  readonly replicas: Replica[]
  nowMs = 10_000
  network: Sent[] = []
  /** What the first one's link to the second one measures. */
  roundTripMs: (from: ReplicaId, to: ReplicaId) => number | null = () => null
  readonly sent: Sent[] = []
  /** Those who may do anything: nothing that they decide is looked at. */
  readonly liars = new Set<ReplicaId>()
  readonly #cut = new Set<string>()
  #later: (() => void)[] = []
  readonly #decided = new Map<number, { name: string; block: Block; proof: DecisionProof }>()

  constructor(options: BenchOptions = {}) {
    const { voters = 4, learners = 0, autoSync = true, suite = createSimulatedSuite() } = options
    this.suite = suite
    const ids = Array.from({ length: voters + learners }, (_, index) => replicaId(index + 1))
    this.epoch = {
      network: new Uint8Array(32).fill(7),
      number: 1,
      firstHeight: 1,
      protocol: 'hotstuff',
      members: ids.map((id, index) => ({
        id,
        name: `replica-${id}`,
        role: index < voters ? 'voter' : 'learner',
        consensusKey: this.suite.signer(new Uint8Array(32).fill(id)).publicKey,
        linkKey: new Uint8Array(32).fill(100 + id),
        addresses: [],
        priority: 0,
      })),
      parameters: parametersOf(options.parameters),
    }
    this.membership = membershipOf(this.epoch)
    this.replicas = ids.map((id) => new Replica(this, id, autoSync))
  }

  signerOf(id: ReplicaId): { publicKey: Uint8Array; sign: (message: Uint8Array) => Uint8Array } {
    return this.suite.signer(new Uint8Array(32).fill(id))
  }

  get now(): { monotonicMs: number; wallMs: number } {
    return { monotonicMs: this.nowMs, wallMs: wallStartMs + this.nowMs }
  }

  replica(id: number): Replica {
    return this.replicas[id - 1]!
  }

  start(): this {
    for (const replica of this.replicas) replica.start()
    return this.settle()
  }

  post(sent: Sent): void {
    this.sent.push(sent)
    if (!this.#cut.has(`${sent.from}>${sent.to}`)) this.network.push(sent)
  }

  hand(from: ReplicaId, to: ReplicaId, texts: string[]): void {
    this.later(() => {
      if (!this.#cut.has(`${from}>${to}`) && this.replica(to).isUp) this.replica(to).propose(...texts)
    })
  }

  later(act: () => void): void {
    this.#later.push(act)
  }

  /** The host's part: what others hold is handed over, after it was checked. */
  answer(to: Replica, wanted: Wanted, from: readonly ReplicaId[]): void {
    const servers = from.filter((id) => !this.#cut.has(`${id}>${to.id}`)).map((id) => this.replica(id))
    for (const server of servers) {
      if (wanted.kind === 'payload') {
        const payload = server.payload(wanted.digest)
        if (payload === null) continue
        return to.step({ kind: 'fetched', wanted, from: server.id, result: { kind: 'payload', payload } })
      }
      if (wanted.kind === 'decided') {
        const blocks = server.blocksFrom(wanted.fromHeight)
        if (blocks.length === 0) continue
        return to.step({ kind: 'fetched', wanted, from: server.id, result: { kind: 'decided', blocks } })
      }
      const checkpoint = server.checkpoint
      if (checkpoint !== null && checkpoint.header.height >= wanted.minimumHeight) {
        return to.restore(checkpoint.header.height)
      }
    }
    to.step({ kind: 'fetched', wanted, from: from[0]!, result: { kind: 'failed', reason: 'nobody has it' } })
  }

  /** Delivers what is on the network now and matches, and nothing that arises from it. */
  deliver(matches: (sent: Sent) => boolean = () => true): number {
    const due = this.network.filter(matches)
    this.network = this.network.filter((sent) => !due.includes(sent))
    for (const { from, to, message } of due) this.replica(to).receive(from, message)
    const later = this.#later
    this.#later = []
    for (const act of later) act()
    return due.length + later.length
  }

  settle(matches: (sent: Sent) => boolean = () => true): this {
    for (let round = 0; this.deliver(matches) > 0; round++) {
      if (round > 10_000) throw new Error('messages never end')
    }
    return this
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
    this.settle(matches)
    for (;;) {
      const next = this.#nextTimer()
      if (next === null || next.dueMs > endMs) break
      this.nowMs = Math.max(this.nowMs, next.dueMs)
      next.replica.fire(next.name)
      this.settle(matches)
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

  cut(from: number, to: number): this {
    this.#cut.add(`${from}>${to}`)
    this.#cut.add(`${to}>${from}`)
    return this
  }

  isolate(id: number): this {
    for (const { id: other } of this.replicas) if (other !== id) this.cut(id, other)
    return this
  }

  heal(): this {
    this.#cut.clear()
    return this
  }

  checkDecided(id: ReplicaId, block: Block, proof: DecisionProof): void {
    if (this.liars.has(id)) return
    const { header } = block
    if (!isDecided(this.epoch, header, proof, { hasher: simulatedHasher, verifier: this.suite }))
      throw new Error(`replica ${id} decides ${header.height} without a proof`)
    if (payloadDigest(simulatedHasher, block.payload).join() !== header.payloadDigest.join())
      throw new Error(`replica ${id} decides ${header.height} with another payload`)
    const name = blockDigest(simulatedHasher, header).join()
    const other = this.#decided.get(header.height)
    if (other !== undefined && other.name !== name)
      throw new Error(`replica ${id} decides another block ${header.height}`)
    this.#decided.set(header.height, { name, block, proof })
  }

  checkAccused(evidence: Evidence): void {
    if (!this.liars.has(evidence.replica)) throw new Error(`the correct replica ${evidence.replica} is accused`)
  }

  /** Signed by a quorum, of a block that some replica has decided. */
  checkpointOf(height: number): Checkpoint {
    const decided = this.#decided.get(height)
    if (decided === undefined) throw new Error(`nobody has decided ${height}`)
    const { block, proof } = decided
    const zeros = new Uint8Array(32)
    const { epoch, timestamp: time } = block.header
    const digest = blockDigest(simulatedHasher, block.header)
    const header = { epoch, height, parent: zeros, blockDigest: digest, resultsRoot: zeros, stateRoot: zeros, time }
    const scope = { network: this.epoch.network, epoch: 1, protocol: 'hotstuff' } as const
    const message = signingBytes('checkpoint', scope, encode(executedHeaderCodec, header))
    const signatures = this.membership.voters
      .slice(0, this.membership.quorum)
      .map((replica) => ({ replica, signature: this.signerOf(replica).sign(message) }))
    return { header, signatures, block: block.header, proof }
  }

  describe(): string {
    return this.sent.map(({ from, to, message }) => `${from}>${to} ${describeMessage(message)}`).join('\n')
  }
}

export function parametersOf(changes: BenchOptions['parameters'] = {}): Parameters {
  const base = defaultParameters('required')
  const parameters: Parameters = {
    ...base,
    timers: { timeoutMsBase: timeoutMs, timeoutMsMax: 20_000, heartbeatMs: 100, retransmitMs: 250 },
  }
  for (const [group, values] of Object.entries(changes)) {
    const before = (parameters as unknown as Record<string, object>)[group]
    Object.assign(parameters, { [group]: { ...before, ...(values as object) } })
  }
  return parameters
}

export function kinds(...wanted: HotstuffMessage['kind'][]): (sent: Sent) => boolean {
  return (sent) => wanted.includes(sent.message.kind)
}

export const nothing = emptyPayload
