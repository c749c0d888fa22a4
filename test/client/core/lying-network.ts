/**
 * Four replicas, of which one lies, behind links that lose, repeat and reorder. In place of a protocol there is what one guarantees:
 * a height may be executed where a quorum has voted to commit it, a replica knows for which heights it has voted itself, and may lag
 * behind its own votes for any time. The liar has voted for everything, and answers anything.
 */

import { ClientCore, clientLimitsDefault } from '../../../src/client/core/client-core.ts'
import type { ClientOperation, Settled } from '../../../src/client/core/operation.ts'
import { Executor } from '../../../src/execution/executor.ts'
import type { Block } from '../../../src/kernel/block.ts'
import { clientRequestCodec } from '../../../src/kernel/client-messages.ts'
import { envelopeDomain, envelopeScope, signingBytes } from '../../../src/kernel/domains.ts'
import { signedPart, type Envelope } from '../../../src/kernel/envelope.ts'
import type { ReplicaId } from '../../../src/kernel/ids.ts'
import { createRandom, type Random } from '../../../src/kernel/random.ts'
import { ClientGateway } from '../../../src/replica/core/client-gateway.ts'
import { Pool } from '../../../src/replica/pool/request-pool.ts'
import { createSimulatedSuite, simulatedHasher } from '../../../src/simulator/simulated-suite.ts'
import { decode } from '../../../src/wire/codec.ts'
import { text } from '../../execution/fixtures.ts'
import { LyingGateway } from './lying-gateway.ts'
import { asText, listMachine } from './small-network.ts'

const network = new Uint8Array(32).fill(7)
const repliesKept = 8
const quorum = 3
const oneCorrect = 2
const ids = [1, 2, 3, 4] as ReplicaId[]
export const liar = 4 as ReplicaId

export interface Written {
  command: string
  operation: ClientOperation | null
  settled: Settled | null
}

export interface Asked {
  /** What a correct replica had executed when it was asked. */
  least: number
  settled: Settled | null
}

class Replica {
  readonly id: ReplicaId
  readonly executor = new Executor({
    machine: listMachine,
    hasher: simulatedHasher,
    epoch: 1,
    sessions: { repliesKept, lifetimeHeights: 1000, perClientMax: 3, totalMax: 6 },
    checkpoints: { intervalHeights: 1000 },
  })
  pool!: Pool
  gateway!: ClientGateway
  /** Heights for which it has voted to commit: all up to here. */
  voted = 0

  constructor(id: ReplicaId, world: LyingNetwork) {
    this.id = id
    this.starts(world)
  }

  /** With the state that it has, and nothing else that it knew: as after a restart, or a state that it has fetched. */
  starts(world: LyingNetwork): void {
    const { id } = this
    this.pool = new Pool({ forward: (to, envelopes) => world.forward(id, to, envelopes) })
    this.gateway = new ClientGateway({
      pool: this.pool,
      executor: this.executor,
      send: (_connection, bytes) => world.fromReplica(id, bytes),
      authentic: (envelope, encoded) => world.authentic(envelope, encoded),
      // The liar's honest half answers at once, and states nothing: the oldest truth is the best lie.
      read: (readId) => this.gateway.readReady(readId, id === liar ? 0 : this.voted),
      leader: () => world.leader,
      self: id,
      report: () => new Uint8Array(0),
    })
  }
}

export class LyingNetwork {
  readonly random: Random
  readonly client: ClientCore
  readonly written: Written[] = []
  readonly asked: Asked[] = []
  /** What was executed, in order, and how much of it after each height. */
  readonly executed: string[] = []
  readonly lengthAt: number[] = [0]
  readonly wrongs: string[] = []
  leader: ReplicaId = 1 as ReplicaId
  nowMs = 0
  readsOrdered = 0
  forged = 0
  readonly lying: LyingGateway
  readonly #suite = createSimulatedSuite()
  readonly #signer = this.#suite.signer(new Uint8Array(32).fill(5))
  readonly #blocks: Block[] = []
  readonly #replicas: Replica[]
  readonly #connected = new Set<ReplicaId>()
  #messages: (() => void)[] = []
  #healed = false
  /** Of f correct replicas the liar keeps its votes to commit, so that they execute nothing (B13). */
  #starved: ReplicaId | null = null

  constructor(seed: number) {
    this.random = createRandom(seed)
    this.lying = new LyingGateway(this.random.fork('liar'), liar)
    this.#replicas = ids.map((id) => new Replica(id, this))
    let nonces = 0
    this.client = new ClientCore({
      network,
      client: this.#signer.publicKey,
      signer: this.#signer,
      hasher: simulatedHasher,
      repliesNeeded: oneCorrect,
      reads: { kind: 'quorum', quorum },
      repliesKept,
      replicas: ids,
      nonce: () => new Uint8Array(16).fill(++nonces),
      random: this.random.fork('client'),
      send: (to, request) => this.#toReplica(to, Uint8Array.from(request)),
      limits: { ...clientLimitsDefault, operationsMax: 24 },
      note: (event, detail) => {
        if (event === 'reads-ordered') this.readsOrdered += Number(detail)
      },
    })
  }

  /** What happens next, drawn. */
  step(): void {
    const { random } = this
    switch (random.below(13)) {
      case 0:
        return this.#write()
      case 1:
        return this.#ask()
      case 2:
        return this.#abandon()
      case 3:
        return this.#flap()
      case 4:
        return this.#order()
      case 5:
        return this.#vote(random.pick(this.#replicas))
      case 6:
        for (let left = random.between(1, 20); left > 0 && this.#execute(random.pick(this.#replicas)); left--);
        return
      case 7:
        this.nowMs += random.between(1, 400)
        if (random.chance(3, 4)) this.client.endTurn(this.nowMs)
        return
      case 8:
        return this.#change(random.below(8))
      default:
        for (let left = random.between(1, 4); left > 0; left--) this.#deliver()
        this.client.endTurn(this.nowMs)
    }
  }

  #change(what: number): void {
    if (what < 2) this.leader = this.random.pick(ids)
    else if (what < 4) this.random.pick(this.#replicas).starts(this)
  }

  /** From now on the links are good, and the liar lies on: all that is open must come to an end within so many rounds. */
  heal(roundsMax: number): boolean {
    this.#healed = true
    if (this.random.chance(1, 2)) this.#starved = this.random.pick(ids.slice(0, 3))
    for (const id of ids) this.#connect(id)
    for (let round = 0; round < roundsMax && this.client.underWay > 0; round++) {
      // A leader that orders nothing is replaced, and one that executes nothing does not know what it has ordered.
      if (this.leader === this.#starved || (this.leader === liar && round % 5 === 4)) this.leader = this.#leaderToBe()
      this.client.endTurn(this.nowMs)
      this.#deliverAll()
      for (const { id, pool } of this.#replicas) if (id !== this.leader && round % 3 === 2) pool.forward(this.leader)
      this.#deliverAll()
      this.#order()
      for (const replica of this.#replicas) this.#vote(replica)
      for (const replica of this.#replicas) if (replica.id !== this.#starved) while (this.#execute(replica));
      this.#deliverAll()
      const { dueMs } = this.client
      this.nowMs = this.#messages.length > 0 || dueMs === null ? this.nowMs + 1 : Math.max(this.nowMs + 1, dueMs)
    }
    return this.client.underWay === 0
  }

  /** What still waits anywhere is ordered after all: whoever has seen an envelope may have it executed. */
  orderAll(): void {
    this.#deliverAll()
    this.#starved = null
    for (const { id } of this.#replicas) {
      this.leader = id === liar ? (1 as ReplicaId) : id
      this.#order()
      this.#order()
    }
    for (const replica of this.#replicas) this.#vote(replica)
    for (const replica of this.#replicas) while (this.#execute(replica));
  }

  authentic(envelope: Envelope, encoded: Uint8Array): boolean {
    const message = signingBytes(envelopeDomain(envelope.kind), envelopeScope(network), signedPart(encoded, envelope))
    return this.#suite.verify(envelope.client, message, envelope.signature)
  }

  fromReplica(from: ReplicaId, bytes: Uint8Array): void {
    for (const said of from === liar ? this.lying.instead(bytes) : [bytes]) {
      this.#carry(() => this.client.response(from, said, this.nowMs))
    }
  }

  forward(from: ReplicaId, to: ReplicaId, envelopes: Uint8Array[]): void {
    const { gateway } = this.#replicas[to - 1]!
    this.#carry(() =>
      gateway.forwarded(from, envelopes, (envelope, encoded) => this.authentic(envelope, encoded), this.#now()),
    )
  }

  #leaderToBe(): ReplicaId {
    return ids.find((id) => id !== this.#starved)!
  }

  #toReplica(to: ReplicaId, bytes: Uint8Array): void {
    const { gateway } = this.#replicas[to - 1]!
    const request = decode(clientRequestCodec, bytes)
    if (!request.ok) return void this.wrongs.push('a request that cannot be read')
    if (to === liar) this.lying.asked(request.value)
    this.#carry(() => {
      gateway.request(1, bytes, this.#now())
      gateway.endTurn()
    })
  }

  #carry(arrive: () => void): void {
    if (!this.#healed && this.random.chance(1, 8)) return
    this.#messages.push(arrive)
    if (!this.#healed && this.random.chance(1, 8)) this.#messages.push(arrive)
  }

  #write(): void {
    for (let left = this.random.between(1, 3); left > 0; left--) {
      const kind = this.random.below(20)
      const command = `${kind === 0 ? 'bad' : kind === 1 ? 'boom' : 'do'} ${this.written.length + 1}`
      const written: Written = { command, operation: null, settled: null }
      this.written.push(written)
      written.operation = this.client.submit(text(command), (settled) => {
        if (written.settled !== null) this.wrongs.push(`${command} is settled twice`)
        written.settled = settled
      })
    }
    if (this.random.chance(3, 4)) this.client.endTurn(this.nowMs)
  }

  #ask(): void {
    const asked: Asked = { least: this.executed.length, settled: null }
    this.asked.push(asked)
    this.client.query(new Uint8Array(0), 'linearizable', (settled) => {
      if (asked.settled !== null) this.wrongs.push('a read is settled twice')
      asked.settled = settled
    })
    if (this.random.chance(3, 4)) this.client.endTurn(this.nowMs)
  }

  #abandon(): void {
    const open = this.written.filter((written) => written.settled === null && written.operation !== null)
    if (open.length === 0) return
    this.client.abandon(this.random.pick(open).operation!, 'ERR_DEADLINE', 'no answer in time')
  }

  #flap(): void {
    const id = this.random.pick(ids)
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

  #deliver(): void {
    if (this.#messages.length === 0) return
    const [message] = this.#messages.splice(this.random.below(this.#messages.length), 1)
    message!()
  }

  #deliverAll(): void {
    for (let waves = 0; this.#messages.length > 0 && waves < 10; waves++) {
      for (const message of this.#messages.splice(0)) message()
      this.client.endTurn(this.nowMs)
    }
  }

  /** The leader of the moment orders what it knows; a liar orders nothing, or what others have ordered before. */
  #order(): void {
    const { pool } = this.#replicas[this.leader - 1]!
    if (this.leader === liar) {
      if (this.#blocks.length > 0 && this.random.chance(1, 4)) this.#propose(this.random.pick(this.#blocks).payload)
      return
    }
    const batch = pool.take({ operationsMax: 16, bytesMax: 65_536 })
    if (batch !== null) this.#propose(batch.payload)
  }

  #propose(payload: Uint8Array): void {
    const height = this.#blocks.length + 1
    const header = { epoch: 1, height, timestamp: height * 1000, payloadDigest: new Uint8Array(32) }
    this.#blocks.push({ header, payload })
  }

  #vote(replica: Replica): void {
    replica.voted = this.#healed ? this.#blocks.length : this.random.between(replica.voted, this.#blocks.length)
  }

  #isCommitted(height: number): boolean {
    return this.#replicas.filter(({ id, voted }) => id === liar || voted >= height).length >= quorum
  }

  #execute(replica: Replica): boolean {
    const height = replica.executor.height + 1
    const block = this.#blocks[height - 1]
    if (block === undefined || !this.#isCommitted(height)) return false
    const executed = replica.executor.execute(block)
    if (height === this.lengthAt.length) this.#witness(executed.replies)
    replica.pool.executed(executed.envelopes)
    replica.gateway.executed(executed, this.#now())
    replica.gateway.endTurn()
    return true
  }

  #witness(replies: ReturnType<Executor['execute']>['replies']): void {
    for (const reply of replies) {
      if (reply.kind === 'opening' || !reply.fresh || reply.number === 0) continue
      const done = /"(do \d+) as \d+"/.exec(asText(reply.outcome))
      if (done !== null) this.executed.push(done[1]!)
    }
    this.lengthAt.push(this.executed.length)
  }

  #now(): { monotonicMs: number; wallMs: number } {
    return { monotonicMs: this.nowMs, wallMs: this.nowMs }
  }
}
