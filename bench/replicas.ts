// `npm run bench:replicas [-- PROTOCOL]`: whole replicas in one process. Real cores, encoding, gateway, pool, signatures, payload checks and
// executors; a log in memory that is durable at the end of each turn, and no sockets. Envelopes are signed before the clock starts.
// Prints operations a CPU second of all replicas together beside what hashing and verifying cost in the same run.

import { clientRequestCodec } from '../src/kernel/client-messages.ts'
import { envelopeDomain, envelopeScope, signingBytes } from '../src/kernel/domains.ts'
import { envelopeCodec, nonceBytes, signedPart, type Envelope } from '../src/kernel/envelope.ts'
import { faultModelOf, protocolNames, replicaId, type ProtocolName, type ReplicaId } from '../src/kernel/ids.ts'
import type { Epoch } from '../src/kernel/membership.ts'
import { defaultParameters } from '../src/kernel/parameters.ts'
import { votersMin } from '../src/kernel/quorum.ts'
import { createRandom } from '../src/kernel/random.ts'
import { nodeEd25519 } from '../src/crypto/node/ed25519-suite.ts'
import { nodeHasher } from '../src/crypto/node/sha256-hasher.ts'
import { Executor } from '../src/execution/executor.ts'
import { defineStateMachine } from '../src/execution/state-machine.ts'
import { bytesCodec } from '../src/execution/value-codec.ts'
import { definitionOf } from '../src/replica/protocols.ts'
import { ReplicaCore } from '../src/replica/core/replica-core.ts'
import { encode } from '../src/wire/codec.ts'
import { MemoryStore } from '../test/replica/checkpoints/memory-store.ts'
import { yardstick } from './in-process.ts'

const operationsPerBlock = 1000
const operationsPerEnvelope = 100
const operationBytes = 128
const blocks = 200
const rounds = 5
const connection = 1

const name = process.argv[2] ?? 'pbft'
const protocol = protocolNames.find((one) => one === name)
if (protocol === undefined) throw new RangeError(`${name} is no protocol: say ${protocolNames.join(', ')}`)

const none = new Uint8Array(0)
/** What costs least: all that is left is the house's own. */
const machine = defineStateMachine({
  name: 'nothing',
  version: 1,
  command: bytesCodec,
  query: bytesCodec,
  result: bytesCodec,
  create: () => ({ apply: () => none, query: () => none, snapshot: () => [], restore: () => {} }),
})

const client = nodeEd25519.signer(new Uint8Array(32).fill(77))

function signed(epoch: Epoch, envelope: Envelope): Uint8Array {
  if (epoch.parameters.envelopeSignatures === 'link') return encode(envelopeCodec, envelope)
  const body = signedPart(encode(envelopeCodec, envelope), envelope)
  const message = signingBytes(envelopeDomain(envelope.kind), envelopeScope(epoch.network), body)
  return encode(envelopeCodec, { ...envelope, signature: client.sign(message) })
}

function createEpoch(of: ProtocolName): Epoch {
  const byzantine = faultModelOf(of) === 'byzantine'
  const parameters = defaultParameters(byzantine ? 'required' : 'link')
  return {
    network: new Uint8Array(32).fill(5),
    number: 1,
    firstHeight: 1,
    protocol: of,
    members: Array.from({ length: votersMin(faultModelOf(of)) }, (_, index) => ({
      id: replicaId(index + 1),
      name: `replica-${index + 1}`,
      role: 'voter' as const,
      consensusKey: nodeEd25519.signer(new Uint8Array(32).fill(index + 1)).publicKey,
      linkKey: new Uint8Array(32).fill(100 + index),
      addresses: [],
      priority: 0,
    })),
    parameters: { ...parameters, batch: { ...parameters.batch, operationsMax: operationsPerBlock } },
  }
}

interface Seat {
  core: ReplicaCore<unknown, unknown>
  appended: number
  timers: Map<string, number>
}

class Group {
  readonly epoch: Epoch
  readonly seats: Seat[]
  #frames: (() => void)[] = []
  #nowMs = 0

  constructor(of: ProtocolName) {
    this.epoch = createEpoch(of)
    this.seats = this.epoch.members.map(({ id }) => this.#seat(id))
    for (const { core } of this.seats) {
      core.start({ incarnation: 1, records: [], checkpoint: null, abstains: false }, 0, this.#now())
    }
  }

  #now(): { monotonicMs: number; wallMs: number } {
    return { monotonicMs: this.#nowMs, wallMs: 1_760_000_000_000 + this.#nowMs }
  }

  #seat(id: ReplicaId): Seat {
    const { sessions, checkpoints } = this.epoch.parameters
    const timers = new Map<string, number>()
    const core = new ReplicaCore<unknown, unknown>({
      definition: definitionOf(this.epoch.protocol),
      epoch: this.epoch,
      self: id,
      executor: new Executor({ machine, hasher: nodeHasher, epoch: 1, sessions, checkpoints }),
      log: {
        bytes: 0,
        backedUp: false,
        append: () => ++this.seats[id - 1]!.appended,
        flush: () => {},
        cut: (_, done) => done(),
        read: () => null,
      },
      snapshots: new MemoryStore(),
      links: {
        send: (to, frame) => this.#frames.push(() => this.seats[to - 1]!.core.peerFrame(id, frame, this.#now())),
      },
      timers: {
        arm: (timer, afterMs) => timers.set(timer, this.#nowMs + afterMs),
        disarm: (timer) => timers.delete(timer),
      },
      wake: () => {},
      clientKey: () => client.publicKey,
      report: () => none,
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
    return { core, appended: 0, timers }
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

  get leader(): number | null {
    return this.seats[0]!.core.status(this.#now()).leader
  }

  get executedHeight(): number {
    return Math.min(...this.seats.map(({ core }) => core.executedHeight))
  }
}

function measure(of: ProtocolName): { cpuSeconds: number; operations: number; turns: number } {
  const group = new Group(of)
  while (group.leader === null || group.executedHeight < (of === 'raft' ? 1 : 0)) group.turn(5)
  const leader = group.leader
  const opening = {
    kind: 'open',
    client: client.publicKey,
    nonce: new Uint8Array(nonceBytes),
    referenceHeight: 0,
  } as const
  const before = group.executedHeight
  group.submit(leader, [signed(group.epoch, { ...opening, signature: none })])
  while (group.executedHeight === before) group.turn(1)
  const session = { height: before + 1, index: 0 }
  const operation = new Uint8Array(operationBytes).fill(3)
  const envelopes = Array.from({ length: (blocks * operationsPerBlock) / operationsPerEnvelope }, (_, index) => {
    const firstNumber = 1 + index * operationsPerEnvelope
    return signed(group.epoch, {
      kind: 'operations',
      client: client.publicKey,
      session,
      firstNumber,
      acknowledgedNumber: Math.max(0, firstNumber - 8 * operationsPerBlock),
      operations: Array.from({ length: operationsPerEnvelope }, () => operation),
      signature: none,
    })
  })
  const perBlock = operationsPerBlock / operationsPerEnvelope
  const base = group.executedHeight
  const started = process.cpuUsage()
  let fed = 0
  let turns = 0
  while (group.executedHeight < base + blocks) {
    // Four blocks wait or are under way, so that every block is full.
    const until = Math.min(envelopes.length, (group.executedHeight - base + 4) * perBlock)
    if (fed < until) group.submit(leader, envelopes.slice(fed, until))
    fed = Math.max(fed, until)
    group.turn(turns % 16 === 0 ? 1 : 0)
    if (++turns > 1000 * blocks) throw new Error('the replicas make no progress')
  }
  const { user, system } = process.cpuUsage(started)
  return { cpuSeconds: (user + system) / 1e6, operations: blocks * operationsPerBlock, turns }
}

measure(protocol)
const rates = Array.from({ length: rounds }, () => measure(protocol)).map(
  ({ operations, cpuSeconds }) => operations / cpuSeconds,
)
rates.sort((left, right) => left - right)
const { hashMegabytes, verifies } = yardstick()
const [least, median, most] = [rates[0]!, rates[rounds >> 1]!, rates.at(-1)!].map((rate) =>
  Math.round(rate).toLocaleString('en'),
)
process.stdout.write(
  `${protocol}, ${votersMin(faultModelOf(protocol))} replicas with executors, ${operationsPerEnvelope} operations of ${operationBytes} bytes an envelope, ` +
    `blocks of ${operationsPerBlock}: ${median} operations a CPU second (${least} to ${most}); ` +
    `the same CPU hashes ${Math.round(hashMegabytes)} MB/s and verifies ${Math.round(verifies)} signatures/s\n`,
)
