// Cores of a protocol for liars without a world: every message is delivered, dropped, doubled or kept back by hand; time moves when it is told to;
// what was persisted is durable when it is told so, and a crash loses the rest. Signatures are the simulator's, if nothing else is said: nobody has
// a secret that is not its own.
//
// Whatever a test does, the bench itself checks that no two correct replicas decide different blocks, that each decision has its proof, and that
// nobody accuses a correct replica.

import { encode } from '../../../src/wire/codec.ts'
import { blockDigest, payloadDigest, type Block, type BlockHeader } from '../../../src/kernel/block.ts'
import type { Checkpoint } from '../../../src/kernel/checkpoint.ts'
import type { Hasher, SignatureSuite, Verifier } from '../../../src/kernel/crypto-ports.ts'
import { signingBytes } from '../../../src/kernel/domains.ts'
import type { Evidence } from '../../../src/kernel/evidence.ts'
import { executedHeaderCodec } from '../../../src/kernel/executed-header.ts'
import { replicaId, type ReplicaId } from '../../../src/kernel/ids.ts'
import { membershipOf, type Epoch, type Membership } from '../../../src/kernel/membership.ts'
import { defaultParameters, type Parameters } from '../../../src/kernel/parameters.ts'
import type { DecisionProof } from '../../../src/kernel/proof.ts'
import type { ProtocolDefinition, Wanted } from '../../../src/kernel/protocol.ts'
import type { RequestPool } from '../../../src/kernel/request-pool.ts'
import { createSimulatedSuite, simulatedHasher } from '../../../src/simulator/simulated-suite.ts'
import { CoreReplica } from './core-replica.ts'

export interface BenchMessage {
  readonly kind: string
}

/** Requests are words. */
export interface BenchPool extends RequestPool {
  add(...texts: string[]): void
  executed(payload: Uint8Array): void
}

/** What is on the bench. */
export interface Subject<Message extends BenchMessage, LogRecord, Pool extends BenchPool> {
  readonly definition: ProtocolDefinition<Message, LogRecord>
  isDecided(
    epoch: Epoch,
    header: BlockHeader,
    proof: DecisionProof,
    ports: { hasher: Hasher; verifier: Verifier },
  ): boolean
  makePool(bench: CoreBench<Message, LogRecord, Pool>, id: ReplicaId): Pool
}

export interface SentMessage<Message> {
  from: ReplicaId
  to: ReplicaId
  message: Message
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

export class CoreBench<Message extends BenchMessage, LogRecord, Pool extends BenchPool> {
  readonly subject: Subject<Message, LogRecord, Pool>
  readonly suite: SignatureSuite
  readonly epoch: Epoch
  readonly membership: Membership
  readonly replicas: CoreReplica<Message, LogRecord, Pool>[]
  nowMs = 10_000
  network: SentMessage<Message>[] = []
  /** What the first one's link to the second one measures. */
  roundTripMs: (from: ReplicaId, to: ReplicaId) => number | null = () => null
  readonly sent: SentMessage<Message>[] = []
  /** Those who may do anything: nothing that they decide is looked at. */
  readonly liars = new Set<ReplicaId>()
  readonly #cut = new Set<string>()
  #later: (() => void)[] = []
  readonly #decided = new Map<number, { name: string; block: Block; proof: DecisionProof }>()

  constructor(subject: Subject<Message, LogRecord, Pool>, options: BenchOptions) {
    const { voters = 4, learners = 0, autoSync = true, suite = createSimulatedSuite() } = options
    this.subject = subject
    this.suite = suite
    const ids = Array.from({ length: voters + learners }, (_, index) => replicaId(index + 1))
    this.epoch = {
      network: new Uint8Array(32).fill(7),
      number: 1,
      firstHeight: 1,
      protocol: subject.definition.name,
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
    this.replicas = ids.map((id) => new CoreReplica(this, id, autoSync))
  }

  signerOf(id: ReplicaId): { publicKey: Uint8Array; sign: (message: Uint8Array) => Uint8Array } {
    return this.suite.signer(new Uint8Array(32).fill(id))
  }

  get now(): { monotonicMs: number; wallMs: number } {
    return { monotonicMs: this.nowMs, wallMs: wallStartMs + this.nowMs }
  }

  replica(id: number): CoreReplica<Message, LogRecord, Pool> {
    return this.replicas[id - 1]!
  }

  start(): this {
    for (const replica of this.replicas) replica.start()
    return this.settle()
  }

  post(sent: SentMessage<Message>): void {
    this.sent.push(sent)
    if (!this.isCut(sent.from, sent.to)) this.network.push(sent)
  }

  isCut(from: ReplicaId, to: ReplicaId): boolean {
    return this.#cut.has(`${from}>${to}`)
  }

  later(act: () => void): void {
    this.#later.push(act)
  }

  /** The host's part: what others hold is handed over, after it was checked. */
  answer(to: CoreReplica<Message, LogRecord, Pool>, wanted: Wanted, from: readonly ReplicaId[]): void {
    const servers = from.filter((id) => !this.isCut(id, to.id)).map((id) => this.replica(id))
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
  deliver(matches: (sent: SentMessage<Message>) => boolean = () => true): number {
    const due = this.network.filter(matches)
    this.network = this.network.filter((sent) => !due.includes(sent))
    for (const { from, to, message } of due) this.replica(to).receive(from, message)
    const later = this.#later
    this.#later = []
    for (const act of later) act()
    return due.length + later.length
  }

  settle(matches: (sent: SentMessage<Message>) => boolean = () => true): this {
    for (let round = 0; this.deliver(matches) > 0; round++) {
      if (round > 10_000) throw new Error('messages never end')
    }
    return this
  }

  /** Takes messages off the network: lost, or kept for later. */
  take(matches: (sent: SentMessage<Message>) => boolean = () => true): SentMessage<Message>[] {
    const taken = this.network.filter(matches)
    this.network = this.network.filter((sent) => !taken.includes(sent))
    return taken
  }

  /** Moves time, firing each timer when it is due and delivering at once. */
  elapse(durationMs: number, matches: (sent: SentMessage<Message>) => boolean = () => true): this {
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

  #nextTimer(): { replica: CoreReplica<Message, LogRecord, Pool>; name: string; dueMs: number } | null {
    let next: { replica: CoreReplica<Message, LogRecord, Pool>; name: string; dueMs: number } | null = null
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
    if (!this.subject.isDecided(this.epoch, header, proof, { hasher: simulatedHasher, verifier: this.suite }))
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
    const { network, protocol } = this.epoch
    const scope = { network, epoch: 1, protocol }
    const message = signingBytes('checkpoint', scope, encode(executedHeaderCodec, header))
    const signatures = this.membership.voters
      .slice(0, this.membership.quorum)
      .map((replica) => ({ replica, signature: this.signerOf(replica).sign(message) }))
    return { header, signatures, block: block.header, proof }
  }

  describe(): string {
    return this.sent
      .map(({ from, to, message }) => `${from}>${to} ${this.subject.definition.describe(message)}`)
      .join('\n')
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
