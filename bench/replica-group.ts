// Whole replicas in one process: real cores, encoding, gateway, pool, signatures, payload checks and executors; a log in memory that is durable at
// the end of each turn, and no sockets. Envelopes are signed before the clock starts. What costs CPU here is the house's own.

import type { Contender } from '../src/benchmark/contenders.ts'
import { nothingMachine } from '../src/benchmark/nothing-machine.ts'
import { signedEnvelope, unsigned } from '../src/benchmark/signed-envelope.ts'
import { clientRequestCodec } from '../src/kernel/client-messages.ts'
import { nonceBytes } from '../src/kernel/envelope.ts'
import { faultModelOf, replicaId, type ProtocolName, type ReplicaId } from '../src/kernel/ids.ts'
import type { Epoch } from '../src/kernel/membership.ts'
import { defaultParameters } from '../src/kernel/parameters.ts'
import { createRandom } from '../src/kernel/random.ts'
import { nodeEd25519 } from '../src/crypto/node/ed25519-suite.ts'
import { nodeHasher } from '../src/crypto/node/sha256-hasher.ts'
import { Executor } from '../src/execution/executor.ts'
import { ReplicaCore } from '../src/replica/core/replica-core.ts'
import { definitionOf } from '../src/replica/protocols.ts'
import { encode } from '../src/wire/codec.ts'
import { MemoryStore } from '../test/replica/checkpoints/memory-store.ts'

export interface Load {
  replicas: number
  blocks: number
  operationsPerBlock: number
  operationsPerEnvelope: number
  operationBytes: number
}

export interface Measured {
  cpuSeconds: number
  operations: number
  /** Blocks that it took, those that hold nothing included. */
  blocks: number
}

const connection = 1
/** So many blocks' operations are asked for and not executed yet, so that every block is full; hotstuff executes a block when others stand on it. */
const blocksUnderWay: Readonly<Record<ProtocolName, number>> = { raft: 4, pbft: 4, hotstuff: 8 }

const client = nodeEd25519.signer(new Uint8Array(32).fill(77))

function createEpoch({ protocol, rule }: Contender, { replicas, operationsPerBlock }: Load): Epoch {
  const byzantine = faultModelOf(protocol) === 'byzantine'
  const parameters = defaultParameters(byzantine ? 'required' : 'link')
  return {
    network: new Uint8Array(32).fill(5),
    number: 1,
    firstHeight: 1,
    protocol,
    members: Array.from({ length: replicas }, (_, index) => ({
      id: replicaId(index + 1),
      name: `replica-${index + 1}`,
      role: 'voter' as const,
      consensusKey: nodeEd25519.signer(new Uint8Array(32).fill(index + 1)).publicKey,
      linkKey: new Uint8Array(32).fill(100 + index),
      addresses: [],
      priority: 0,
    })),
    parameters: {
      ...parameters,
      batch: { ...parameters.batch, operationsMax: operationsPerBlock },
      hotstuff: { ...parameters.hotstuff, rule },
    },
  }
}

interface Seat {
  core: ReplicaCore<unknown, unknown>
  appended: number
  applied: number
  timers: Map<string, number>
}

class Group {
  readonly epoch: Epoch
  readonly seats: Seat[] = []
  #frames: (() => void)[] = []
  #nowMs = 0

  constructor(epoch: Epoch) {
    this.epoch = epoch
    for (const { id } of epoch.members) this.#addSeat(id)
    for (const { core } of this.seats) {
      core.start({ incarnation: 1, records: [], checkpoint: null, abstains: false }, 0, this.#now())
    }
  }

  #now(): { monotonicMs: number; wallMs: number } {
    return { monotonicMs: this.#nowMs, wallMs: 1_760_000_000_000 + this.#nowMs }
  }

  #addSeat(id: ReplicaId): void {
    const { sessions, checkpoints } = this.epoch.parameters
    const timers = new Map<string, number>()
    const seatOf = (of: ReplicaId): Seat => this.seats[of - 1]!
    const machine = nothingMachine(() => void seatOf(id).applied++)
    const core = new ReplicaCore<unknown, unknown>({
      definition: definitionOf(this.epoch.protocol),
      epoch: this.epoch,
      self: id,
      executor: new Executor({ machine, hasher: nodeHasher, epoch: 1, sessions, checkpoints }),
      log: {
        bytes: 0,
        backedUp: false,
        append: () => ++seatOf(id).appended,
        appendSoon: () => ++seatOf(id).appended,
        hurry: () => {},
        flush: () => {},
        cut: (_, done) => done(),
        read: () => null,
      },
      snapshots: new MemoryStore(),
      links: {
        send: (to, frame) => this.#frames.push(() => seatOf(to).core.peerFrame(id, frame, this.#now())),
      },
      timers: {
        arm: (timer, afterMs) => timers.set(timer, this.#nowMs + afterMs),
        disarm: (timer) => timers.delete(timer),
      },
      wake: () => {},
      clientKey: () => client.publicKey,
      report: () => new Uint8Array(0),
      respond: () => {},
      hasher: nodeHasher,
      signer: nodeEd25519.signer(new Uint8Array(32).fill(id)),
      verifier: nodeEd25519,
      random: createRandom(id),
      observer: {
        failed: (cause) => {
          throw cause
        },
      },
    })
    this.seats.push({ core, appended: 0, applied: 0, timers })
  }

  /** Everybody's disk and links do what there is to do, and a millisecond passes now and then. */
  turn(passMs = 0): void {
    this.#nowMs += passMs
    for (const seat of this.seats) {
      seat.core.durable(seat.appended, this.#now())
      for (const [timer, dueMs] of seat.timers) {
        if (dueMs > this.#nowMs) continue
        seat.timers.delete(timer)
        seat.core.timer(timer, this.#now())
      }
      seat.core.endTurn(this.#now())
    }
    for (const deliver of this.#frames.splice(0)) deliver()
  }

  submit(to: number, envelopes: Uint8Array[]): void {
    const frame = encode(clientRequestCodec, { kind: 'submit', envelopes })
    this.seats[to - 1]!.core.clientFrame(connection, frame, this.#now())
  }

  /** Who takes requests next, as whoever is furthest sees it. */
  get leader(): number | null {
    const views = this.seats.map(({ core }) => core.status(this.#now()))
    return views.reduce((furthest, one) => (one.view > furthest.view ? one : furthest)).leader
  }

  get executedHeight(): number {
    return Math.min(...this.seats.map(({ core }) => core.executedHeight))
  }

  get applied(): number {
    return Math.min(...this.seats.map(({ applied }) => applied))
  }
}

/** CPU of all replicas together, from the first operation until each has executed the last. */
export function measure(contender: Contender, load: Load): Measured {
  const { operationsPerBlock, operationsPerEnvelope, operationBytes, blocks } = load
  const group = new Group(createEpoch(contender, load))
  while (group.leader === null || group.executedHeight < (contender.protocol === 'raft' ? 1 : 0)) group.turn(5)
  const session = openSession(group)
  const operation = new Uint8Array(operationBytes).fill(3)
  const operations = blocks * operationsPerBlock
  const envelopes = Array.from({ length: operations / operationsPerEnvelope }, (_, index) => {
    const firstNumber = 1 + index * operationsPerEnvelope
    const envelope = {
      kind: 'operations' as const,
      client: client.publicKey,
      session,
      firstNumber,
      acknowledgedNumber: Math.max(0, firstNumber - 8 * operationsPerBlock),
      operations: Array.from({ length: operationsPerEnvelope }, () => operation),
      signature: unsigned,
    }
    return signedEnvelope(envelope, group.epoch, client)
  })
  const before = group.executedHeight
  const started = process.cpuUsage()
  drive(group, envelopes, load, blocksUnderWay[contender.protocol])
  const { user, system } = process.cpuUsage(started)
  return { cpuSeconds: (user + system) / 1e6, operations, blocks: group.executedHeight - before }
}

function openSession(group: Group): { height: number; index: number } {
  const before = group.executedHeight
  const nonce = new Uint8Array(nonceBytes)
  const opening = { kind: 'open' as const, client: client.publicKey, nonce, referenceHeight: 0, signature: unsigned }
  group.submit(group.leader!, [signedEnvelope(opening, group.epoch, client)])
  // What stands on its block and holds nothing comes in the same turns.
  for (let still = 0, height = before; still < 8; still++) {
    group.turn(1)
    if (group.executedHeight === before || group.executedHeight > height) still = 0
    height = group.executedHeight
  }
  return { height: before + 1, index: 0 }
}

/** Each leader is given a block's operations when its turn comes; one that stays, as soon as there is room. */
function drive(group: Group, envelopes: Uint8Array[], load: Load, underWay: number): void {
  const { blocks, operationsPerBlock, operationsPerEnvelope } = load
  const perBlock = operationsPerBlock / operationsPerEnvelope
  let fed = 0
  let lastLeader: number | null = null
  for (let turns = 0; group.applied < blocks * operationsPerBlock; turns++) {
    const { leader } = group
    const executed = group.applied / operationsPerEnvelope
    const takesTurns = group.epoch.protocol === 'hotstuff'
    const until = Math.min(envelopes.length, takesTurns ? fed + perBlock : Math.floor(executed) + underWay * perBlock)
    const isDue = takesTurns ? leader !== lastLeader && until - executed <= underWay * perBlock : true
    if (isDue && fed < until && leader !== null) {
      group.submit(leader, envelopes.slice(fed, until))
      fed = until
      lastLeader = leader
    }
    group.turn(turns % 16 === 0 ? 1 : 0)
    if (turns > 1000 * blocks) throw new Error('the replicas make no progress')
  }
}
