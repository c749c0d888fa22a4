// A small network for clients: real executors, pools and gateways behind one agreed order, and links that lose, repeat and reorder.
// A seed is a run. Time passes and messages arrive when the dice say so.

import { ClientCore, clientLimitsDefault } from '../../../src/client/core/client-core.ts'
import type { ClientOperation, Settled } from '../../../src/client/core/operation.ts'
import { Executor } from '../../../src/execution/executor.ts'
import { simpleSnapshot } from '../../../src/execution/simple-snapshot.ts'
import { defineStateMachine } from '../../../src/execution/state-machine.ts'
import { bytesCodec, jsonCodec } from '../../../src/execution/value-codec.ts'
import { payloadEnvelopesCodec, type Block } from '../../../src/kernel/block.ts'
import { clientRequestCodec, clientResponseCodec } from '../../../src/kernel/client-messages.ts'
import type { Signer } from '../../../src/kernel/crypto-ports.ts'
import { envelopeDomain, envelopeScope, signingBytes } from '../../../src/kernel/domains.ts'
import { envelopeCodec, signedPart, type Envelope } from '../../../src/kernel/envelope.ts'
import type { ReplicaId } from '../../../src/kernel/ids.ts'
import { outcomeCodec } from '../../../src/kernel/outcome.ts'
import { createRandom, type Random } from '../../../src/kernel/random.ts'
import { ClientGateway } from '../../../src/replica/core/client-gateway.ts'
import { Pool } from '../../../src/replica/pool/request-pool.ts'
import { createSimulatedSuite, simulatedHasher } from '../../../src/simulator/simulated-suite.ts'
import { decode, encode } from '../../../src/wire/codec.ts'
import { clientKey, text } from '../../execution/fixtures.ts'

const network = new Uint8Array(32).fill(7)
const repliesKept = 8
const lifetimeHeights = 40
const replicaCount = 3

/** Keeps what it was given. "bad…" is invalid, "boom…" throws half-way. */
export const listMachine = defineStateMachine({
  name: 'list',
  version: 1,
  command: bytesCodec,
  query: bytesCodec,
  result: jsonCodec<string>(),
  validate: (command) => (asText(command).startsWith('bad') ? 'bad commands are refused' : null),
  create: () => {
    let list: string[] = []
    let before = 0
    return {
      transactional: true,
      begin: () => void (before = list.length),
      commit: () => {},
      rollback: () => void (list.length = before),
      apply: (command) => {
        list.push(asText(command))
        if (asText(command).startsWith('boom')) throw new Error('boom')
        return `${asText(command)} as ${list.length}`
      },
      query: () => String(list.length),
      ...simpleSnapshot(
        () => text(JSON.stringify(list)),
        (bytes) => void (list = JSON.parse(asText(bytes)) as string[]),
      ),
    }
  },
})

export interface Submitted {
  command: string
  operation: ClientOperation | null
  settled: Settled | null
}

export interface Asked {
  /** Operations that the world had executed when it was asked. */
  least: number
  settled: Settled | null
}

class Replica {
  readonly executor = new Executor({
    machine: listMachine,
    hasher: simulatedHasher,
    epoch: 1,
    sessions: { repliesKept, lifetimeHeights, perClientMax: 3, totalMax: 6 },
    checkpoints: { intervalHeights: 1000 },
  })
  readonly pool: Pool
  readonly gateway: ClientGateway
  readonly id: ReplicaId

  constructor(id: ReplicaId, world: SmallNetwork) {
    this.id = id
    this.pool = new Pool({ forward: (to, envelopes) => world.forward(id, to, envelopes) })
    this.gateway = new ClientGateway({
      pool: this.pool,
      executor: this.executor,
      send: (_connection, bytes) => world.carry(() => world.toClient(id, bytes)),
      authentic: (envelope, encoded) => world.authentic(envelope, encoded),
      read: (readId) => world.carry(() => world.read(this, readId)),
      leader: () => world.leader,
      self: id,
      report: () => new Uint8Array(0),
    })
  }
}

export class SmallNetwork {
  readonly random: Random
  readonly submitted: Submitted[] = []
  readonly asked: Asked[] = []
  /** What was executed, in order: the list of a replica that has executed all. */
  readonly executed: string[] = []
  leader: ReplicaId = 1 as ReplicaId
  nowMs = 0
  client: ClientCore
  /** What no client may do. */
  readonly wrongs: string[] = []
  readonly #suite = createSimulatedSuite()
  readonly #signer: Signer | null
  readonly #blocks: Block[] = []
  readonly #replicas: Replica[]
  readonly #connected = new Set<ReplicaId>()
  /** Envelopes that left, by session and first number; and how far the numbers of each session have left. */
  readonly #left = new Map<string, string>()
  readonly #numbers = new Map<string, number>()
  /** Numbers of which the client has been told what became of them. */
  readonly #told = new Set<string>()
  #messages: (() => void)[] = []
  #healed = false
  sessionsLost = 0
  readsFailed = 0

  constructor(seed: number) {
    this.random = createRandom(seed)
    this.#signer = seed % 3 === 0 ? this.#suite.signer(new Uint8Array(32).fill(5)) : null
    this.#replicas = Array.from({ length: replicaCount }, (_, index) => new Replica((index + 1) as ReplicaId, this))
    this.client = this.#createClient()
  }

  /** What happens next, drawn. */
  step(): void {
    const { random } = this
    switch (random.below(12)) {
      case 0:
        return this.#submit()
      case 1:
        return this.#ask()
      case 2:
        return this.#abandon()
      case 3:
        return this.#flap()
      case 4:
        return this.#order()
      case 5:
        for (let left = random.between(1, 60); left > 0 && this.#execute(random.pick(this.#replicas)); left--);
        return
      case 6:
        return this.#pass()
      case 7:
        if (random.chance(1, 4)) this.leader = random.pick(this.#replicas).id
        return
      default:
        return this.#deliver()
    }
  }

  /** From now on all messages arrive, and everybody is up: all that is open must come to an end within so many rounds. */
  heal(roundsMax: number): boolean {
    this.#healed = true
    for (const { id } of this.#replicas) this.#connect(id)
    for (let round = 0; round < roundsMax && this.client.underWay > 0; round++) {
      this.client.endTurn(this.nowMs)
      while (this.#messages.length > 0) {
        for (const message of this.#messages.splice(0)) message()
        this.client.endTurn(this.nowMs)
      }
      for (const replica of this.#replicas) if (replica.id !== this.leader) replica.pool.forward(this.leader)
      for (const message of this.#messages.splice(0)) message()
      this.#order()
      for (const replica of this.#replicas) while (this.#execute(replica));
      const { dueMs } = this.client
      // A tick of the world, unless nothing but the client's own time can change anything.
      this.nowMs = this.#messages.length > 0 || dueMs === null ? this.nowMs + 1 : Math.max(this.nowMs + 1, dueMs)
    }
    return this.client.underWay === 0
  }

  /** What still waits anywhere is ordered after all: whoever has seen an envelope may have it executed. */
  orderAll(): void {
    for (const message of this.#messages.splice(0)) message()
    for (const replica of this.#replicas) {
      this.leader = replica.id
      this.#order()
      this.#order()
    }
    for (const replica of this.#replicas) while (this.#execute(replica));
  }

  authentic(envelope: Envelope, encoded: Uint8Array): boolean {
    if (this.#signer === null) return envelope.signature.length === 0
    const message = signingBytes(envelopeDomain(envelope.kind), envelopeScope(network), signedPart(encoded, envelope))
    const authentic = this.#suite.verify(envelope.client, message, envelope.signature)
    if (!authentic) this.wrongs.push('a signature that is none')
    return authentic
  }

  carry(arrive: () => void): void {
    if (!this.#healed && this.random.chance(1, 6)) return
    this.#messages.push(arrive)
    if (!this.#healed && this.random.chance(1, 8)) this.#messages.push(arrive)
  }

  toClient(from: ReplicaId, bytes: Uint8Array): void {
    this.#noteReplies(bytes)
    this.client.response(from, bytes, this.nowMs)
  }

  forward(from: ReplicaId, to: ReplicaId, envelopes: Uint8Array[]): void {
    const { gateway } = this.#replicas[to - 1]!
    this.carry(() =>
      gateway.forwarded(from, envelopes, (envelope, encoded) => this.authentic(envelope, encoded), this.#now()),
    )
  }

  read(replica: Replica, readId: number): void {
    if (!this.#healed && this.random.chance(1, 4)) {
      this.readsFailed++
      return replica.gateway.readFailed(readId, 'no-quorum')
    }
    replica.gateway.readReady(readId, this.#blocks.length)
  }

  #createClient(): ClientCore {
    let nonces = 0
    return new ClientCore({
      network,
      client: this.#signer?.publicKey ?? clientKey(1),
      signer: this.#signer,
      repliesNeeded: 1,
      repliesKept,
      replicas: this.#replicas.map((replica) => replica.id),
      nonce: () => new Uint8Array(16).fill(++nonces),
      random: this.random.fork('client'),
      send: (to, request) => {
        const { gateway } = this.#replicas[to - 1]!
        // Whoever keeps the bytes must not see them change.
        const bytes = Uint8Array.from(request)
        this.#noteEnvelopes(bytes)
        this.carry(() => {
          gateway.request(1, bytes, this.#now())
          gateway.endTurn()
        })
      },
      limits: { ...clientLimitsDefault, operationsMax: 24 },
      note: (event) => {
        if (event === 'session-lost') this.sessionsLost++
      },
    })
  }

  #noteReplies(bytes: Uint8Array): void {
    const response = decode(clientResponseCodec, bytes)
    if (!response.ok || response.value.kind !== 'replies') return
    for (const { session, number, outcome } of response.value.replies) {
      const { ok, value } = decode(outcomeCodec, outcome) as { ok: boolean; value: { kind: string; code?: string } }
      if (ok && value.code !== 'OutOfOrder') this.#told.add(`${session.height}.${session.index}.${number}`)
    }
  }

  /** A retry has the bytes of before; numbers leave no gap; what is acknowledged was told; replicas keep what may be asked again. */
  #noteEnvelopes(bytes: Uint8Array): void {
    const request = decode(clientRequestCodec, bytes)
    if (!request.ok || request.value.kind !== 'submit') return
    for (const encoded of request.value.envelopes) {
      const decoded = decode(envelopeCodec, encoded)
      if (!decoded.ok) return void this.wrongs.push('an envelope that cannot be read')
      const envelope = decoded.value
      if (envelope.kind !== 'operations') continue
      const { firstNumber, acknowledgedNumber } = envelope
      const session = `${envelope.session.height}.${envelope.session.index}`
      const words = encoded.join()
      const before = this.#left.get(`${session}.${firstNumber}`)
      if (before !== undefined) {
        if (before !== words) this.wrongs.push(`${session}.${firstNumber} leaves with other bytes`)
        continue
      }
      this.#left.set(`${session}.${firstNumber}`, words)
      const last = firstNumber + envelope.operations.length - 1
      if (firstNumber !== (this.#numbers.get(session) ?? 0) + 1) this.wrongs.push(`${session} skips to ${firstNumber}`)
      this.#numbers.set(session, last)
      if (last - acknowledgedNumber > repliesKept) this.wrongs.push(`${session} has too many numbers under way`)
      for (let number = 1; number <= acknowledgedNumber; number++) {
        if (!this.#told.has(`${session}.${number}`)) this.wrongs.push(`${session}.${number} acknowledged, and not told`)
      }
    }
  }

  #submit(): void {
    for (let left = this.random.between(1, 4); left > 0; left--) {
      const kind = this.random.below(20)
      const command = `${kind === 0 ? 'bad' : kind === 1 ? 'boom' : 'do'} ${this.submitted.length + 1}`
      const submitted: Submitted = { command, operation: null, settled: null }
      this.submitted.push(submitted)
      submitted.operation = this.client.submit(text(command), (settled) => {
        if (submitted.settled !== null) this.wrongs.push(`${command} is settled twice`)
        submitted.settled = settled
      })
    }
    if (this.random.chance(3, 4)) this.client.endTurn(this.nowMs)
  }

  #ask(): void {
    const asked: Asked = { least: this.executed.length, settled: null }
    this.asked.push(asked)
    this.client.query(new Uint8Array(0), 'linearizable', (settled) => void (asked.settled = settled))
  }

  #abandon(): void {
    const open = this.submitted.filter((submitted) => submitted.settled === null && submitted.operation !== null)
    if (open.length === 0) return
    this.client.abandon(this.random.pick(open).operation!, 'ERR_DEADLINE', 'no answer in time')
  }

  #flap(): void {
    const { id } = this.random.pick(this.#replicas)
    if (!this.#connected.has(id) || this.random.chance(2, 3)) return this.#connect(id)
    this.#connected.delete(id)
    this.#replicas[id - 1]!.gateway.closed(1)
    this.client.disconnected(id, this.nowMs)
  }

  #connect(id: ReplicaId): void {
    if (this.#connected.has(id)) return
    this.#connected.add(id)
    this.client.connected(id, this.nowMs)
  }

  #pass(): void {
    this.nowMs += this.random.between(1, 400)
    if (this.#healed || this.random.chance(3, 4)) this.client.endTurn(this.nowMs)
  }

  #deliver(): void {
    if (this.#messages.length === 0) return
    const [message] = this.#messages.splice(this.random.below(this.#messages.length), 1)
    message!()
  }

  /** The leader of the moment orders what it knows. Others have ordered the same under their own leadership, which sessions must bear. */
  #order(): void {
    const { pool } = this.#replicas[this.leader - 1]!
    const batch = pool.take({ operationsMax: 16, bytesMax: 65_536 })
    if (batch !== null) return this.#decide(batch.payload)
    // Others are at work too: sessions that stand still grow old.
    if (this.#healed || !this.random.chance(1, 40)) return
    for (let block = 0; block < lifetimeHeights; block++) this.#decide(encode(payloadEnvelopesCodec, []))
  }

  #decide(payload: Uint8Array): void {
    const height = this.#blocks.length + 1
    const header = { epoch: 1, height, timestamp: height * 1000, payloadDigest: new Uint8Array(32) }
    this.#blocks.push({ header, payload })
  }

  #execute(replica: Replica): boolean {
    const block = this.#blocks[replica.executor.height]
    if (block === undefined) return false
    const isFirst = this.#replicas.every((other) => other.executor.height <= replica.executor.height)
    const executed = replica.executor.execute(block)
    if (isFirst) this.#witness(executed.replies)
    replica.pool.executed(executed.envelopes)
    replica.gateway.executed(executed, this.#now())
    replica.gateway.endTurn()
    return true
  }

  #witness(replies: ReturnType<Executor['execute']>['replies']): void {
    for (const reply of replies) {
      if (reply.kind === 'opening' || !reply.fresh || reply.number === 0) continue
      const result = asText(reply.outcome)
      const executed = /"(do \d+) as \d+"/.exec(result)
      if (executed !== null) this.executed.push(executed[1]!)
    }
  }

  #now(): { monotonicMs: number; wallMs: number } {
    return { monotonicMs: this.nowMs, wallMs: this.nowMs }
  }
}

export function asText(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes)
}
