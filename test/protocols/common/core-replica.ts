// One replica of a bench: a core while it is up, and a disk that outlives it. The order of effects is the driver's own.

import { decode, encode } from '../../../src/wire/codec.ts'
import type { Block } from '../../../src/kernel/block.ts'
import type { Checkpoint } from '../../../src/kernel/checkpoint.ts'
import type { Evidence } from '../../../src/kernel/evidence.ts'
import { replicaId, type ReplicaId } from '../../../src/kernel/ids.ts'
import type { DecisionProof } from '../../../src/kernel/proof.ts'
import type {
  Effects,
  Input,
  Persisted,
  Protocol,
  ProtocolEvent,
  ProtocolOptions,
  ProtocolStatus,
  Wanted,
} from '../../../src/kernel/protocol.ts'
import { createRandom } from '../../../src/kernel/random.ts'
import { EffectQueue } from '../../../src/replica/driver/effect-queue.ts'
import { simulatedHasher } from '../../../src/simulator/simulated-suite.ts'
import { textsOf } from '../raft/test-pool.ts'
import type { BenchMessage, BenchPool, CoreBench } from './core-bench.ts'

/** Counts what is signed and checked. */
export interface Signatures {
  made: number
  checked: number
}

export class CoreReplica<Message extends BenchMessage, LogRecord, Pool extends BenchPool> {
  readonly id: ReplicaId
  readonly bench: CoreBench<Message, LogRecord, Pool>
  disk: { sequence: Persisted; record: LogRecord }[] = []
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
  pool: Pool
  readonly signatures: Signatures = { made: 0, checked: 0 }
  #core: Protocol<Message, LogRecord> | null = null
  #queue = new EffectQueue(0)
  #incarnation = 0
  #decidedHeight = 0
  #executedHeight = 0
  #restoredHeight = 0
  #validating: { digest: Uint8Array; ok: boolean }[] = []

  constructor(bench: CoreBench<Message, LogRecord, Pool>, id: ReplicaId, autoSync: boolean) {
    this.bench = bench
    this.id = id
    this.autoSync = autoSync
    this.pool = bench.subject.makePool(bench, id)
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
    this.pool = bench.subject.makePool(bench, this.id)
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
    this.#core = bench.subject.definition.create({ epoch: bench.epoch, self: this.id, ports })
    this.#incarnation++
    const records = this.disk.map(({ sequence, record }) => ({ sequence, record: this.#recoded(record) }))
    const { checkpoint, abstains } = this
    this.step({ kind: 'start', recovered: { incarnation: this.#incarnation, records, checkpoint, abstains } })
  }

  recall(sequence: Persisted): LogRecord {
    const found = this.disk.find((written) => written.sequence === sequence)
    if (found === undefined || sequence > this.durable) throw new Error(`replica ${this.id} has no record ${sequence}`)
    return this.#recoded(found.record)
  }

  step(input: Input<Message, LogRecord>): void {
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

  receive(from: number, message: Message): void {
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

  readonly #effects: Effects<Message, LogRecord> = {
    persist: (record) => {
      const sequence = this.persisted + 1
      this.disk.push({ sequence, record })
      this.#queue.persisted(sequence)
      return sequence
    },
    persistSoon: (record) => {
      const sequence = this.persisted + 1
      this.disk.push({ sequence, record })
      this.#queue.persistedSoon(sequence)
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
      this.#queue.addAfterAll(() => {
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

  #send(to: readonly ReplicaId[], message: Message, after: Persisted | undefined): void {
    const codec = this.bench.subject.definition.message
    const bytes = encode(codec, message)
    this.#queue.add(() => {
      for (const other of to) {
        const decoded = decode(codec, bytes)
        if (!decoded.ok) throw decoded.error
        this.bench.post({ from: this.id, to: other, message: decoded.value })
      }
    }, after)
  }

  /** As the log gives it back: decoded from its bytes. */
  #recoded(record: LogRecord): LogRecord {
    const codec = this.bench.subject.definition.logRecord
    const decoded = decode(codec, encode(codec, record))
    if (!decoded.ok) throw decoded.error
    return decoded.value
  }
}
