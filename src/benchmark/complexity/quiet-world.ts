// The simulator without faults: whole replicas on simulated disks, every message under way for equally long, and a client that hands in what it is
// told to. Nothing is drawn: what is counted here is the same at every run, on every machine.

import { clientRequestCodec } from '../../kernel/client-messages.ts'
import type { Signer } from '../../kernel/crypto-ports.ts'
import { nonceBytes, type SessionId } from '../../kernel/envelope.ts'
import { faultModelOf, type ReplicaId } from '../../kernel/ids.ts'
import type { Epoch } from '../../kernel/membership.ts'
import { defaultParameters, type Parameters } from '../../kernel/parameters.ts'
import { createRandom } from '../../kernel/random.ts'
import type { ExecutedBlock } from '../../execution/executed-block.ts'
import { Executor } from '../../execution/executor.ts'
import type { Work } from '../../replica/core/work-counts.ts'
import { HistoryHash } from '../../simulator/history-hash.ts'
import { calmNetwork, clientAddressMin, clientKeyAt, Network } from '../../simulator/network.ts'
import { simulatedEpoch } from '../../simulator/draw-epoch.ts'
import { simulatedProtocols } from '../../simulator/protocols.ts'
import { Scheduler } from '../../simulator/scheduler.ts'
import { SimulatedReplica } from '../../simulator/simulated-replica.ts'
import { createSimulatedSuite, simulatedHasher } from '../../simulator/simulated-suite.ts'
import { isExecuted, sessionOf } from '../../simulator/store-language.ts'
import { encode } from '../../wire/codec.ts'
import type { Contender } from '../contenders.ts'
import { nothingMachine } from '../nothing-machine.ts'
import { signedEnvelope, unsigned } from '../signed-envelope.ts'

export interface QuietWorldOptions {
  contender: Contender
  replicas: number
  /** How long every message takes. */
  oneWayUs: number
  /** On top of the defaults. */
  parameters?: { [Group in 'batch' | 'flow' | 'timers' | 'checkpoints' | 'pbft']?: Partial<Parameters[Group]> }
}

const client = clientAddressMin + 1
const writesNoSnapshots = { logBytesMin: Infinity, writtenPercentMin: 100, sliceBytesMax: 1024 * 1024 }

const machine = nothingMachine()

export class QuietWorld {
  readonly epoch: Epoch
  readonly replicas: SimulatedReplica[]
  /** When each replica has executed its last operation, which it does as soon as it has decided it. */
  readonly executedUs = new Map<ReplicaId, number>()
  /** The highest that anybody has decided. */
  height = 0
  readonly #suite = createSimulatedSuite()
  readonly #scheduler = new Scheduler()
  readonly #network: Network
  readonly #contender: Contender
  readonly #client: Signer
  readonly #executed = new Map<ReplicaId, number>()
  #session: SessionId | null = null
  #submitted = 0

  constructor({ contender, replicas, oneWayUs, parameters = {} }: QuietWorldOptions) {
    this.#contender = contender
    this.#network = new Network(this.#scheduler, createRandom('quiet'), new HistoryHash(), {})
    this.#network.model = { ...calmNetwork, delayUsMin: oneWayUs, delayUsTypical: oneWayUs }
    const signs = faultModelOf(contender.protocol) === 'byzantine'
    const signer = this.#suite.signer(clientKeyAt(client))
    // Where the link vouches for envelopes, it vouches for its own key.
    this.#client = signs ? signer : { ...signer, publicKey: clientKeyAt(client) }
    this.epoch = this.#epochOf(replicas, signs, parameters)
    this.replicas = this.epoch.members.map(({ id }) => this.#replicaOf(id))
    this.#network.attach(client, () => {})
  }

  get nowUs(): number {
    return this.#scheduler.nowUs
  }

  /** By replicas and the client. */
  get framesSent(): number {
    return this.#network.framesSent
  }

  get up(): SimulatedReplica[] {
    return this.replicas.filter(({ isUp }) => isUp)
  }

  /** Who leads, as all that are up say; null while they do not agree. */
  get leader(): ReplicaId | null {
    const [first, ...others] = this.up.map(({ leader }) => leader)
    return first !== undefined && others.every((leader) => leader === first) ? first : null
  }

  /** Operations that everybody that is up has executed, the opening of the session not among them. */
  get executed(): number {
    return Math.min(...this.up.map(({ id }) => this.#executed.get(id) ?? 0))
  }

  /** Of all that are up, since they started. */
  get work(): { work: Work; syncs: number }[] {
    return this.up.map((replica) => {
      if (replica.work === null) throw new Error(`replica ${replica.id} has not started yet`)
      return { work: replica.work, syncs: replica.drive.log.syncs }
    })
  }

  /** Until it is so. */
  until(what: string, isSo: () => boolean, lastUs: number = this.nowUs + 100_000_000_000): void {
    while (!isSo()) {
      if (!this.#scheduler.step(lastUs))
        throw new Error(`${this.#contender.name}, ${this.replicas.length} replicas: ${what} takes for ever`)
    }
  }

  elapse(us: number): void {
    const untilUs = this.nowUs + us
    while (this.#scheduler.step(untilUs));
  }

  /** Everybody has started, somebody leads, and the client has a session. */
  begin(restUs: number): void {
    this.until('a start', () => this.replicas.every(({ work }) => work !== null))
    this.until('an election', () => this.leader !== null)
    this.elapse(restUs)
    const before = this.height
    const nonce = new Uint8Array(nonceBytes)
    const opening = {
      kind: 'open' as const,
      client: this.#client.publicKey,
      nonce,
      referenceHeight: 0,
      signature: unsigned,
    }
    this.#send([signedEnvelope(opening, this.epoch, this.#client)])
    this.until(
      'a session',
      () => this.#session !== null && this.up.every(({ executedHeight }) => executedHeight > before),
    )
    this.elapse(restUs)
  }

  /** Envelopes of so many operations each, all at once. `to`: whoever leads; everybody, where leaders take turns. */
  submit(envelopes: number, operationsPerEnvelope: number, operationBytes: number, to?: readonly ReplicaId[]): void {
    if (this.#session === null) throw new Error('nobody has begun')
    const session = this.#session
    const operations = Array.from({ length: operationsPerEnvelope }, () => new Uint8Array(operationBytes).fill(3))
    const signed = Array.from({ length: envelopes }, () => {
      const firstNumber = this.#submitted + 1
      this.#submitted += operationsPerEnvelope
      const acknowledgedNumber = this.executed
      const numbers = { firstNumber, acknowledgedNumber }
      const envelope = {
        kind: 'operations' as const,
        client: this.#client.publicKey,
        session,
        ...numbers,
        operations,
        signature: unsigned,
      }
      return signedEnvelope(envelope, this.epoch, this.#client)
    })
    this.#send(signed, to)
  }

  kill(id: ReplicaId): void {
    this.replicas.find((replica) => replica.id === id)!.kill()
  }

  #send(envelopes: Uint8Array[], to?: readonly ReplicaId[]): void {
    const takers = to ?? (this.#contender.protocol === 'hotstuff' ? this.up.map(({ id }) => id) : [this.leader!])
    const frame = encode(clientRequestCodec, { kind: 'submit', envelopes })
    for (const id of takers) this.#network.send(client, id, frame, this.nowUs)
  }

  #epochOf(replicas: number, signs: boolean, given: NonNullable<QuietWorldOptions['parameters']>): Epoch {
    const { protocol, rule } = this.#contender
    const defaults = defaultParameters(signs ? 'required' : 'link')
    const parameters: Parameters = {
      ...defaults,
      batch: { ...defaults.batch, ...given.batch },
      flow: { ...defaults.flow, ...given.flow },
      timers: { ...defaults.timers, ...given.timers },
      checkpoints: { ...defaults.checkpoints, ...given.checkpoints },
      pbft: { ...defaults.pbft, ...given.pbft },
      hotstuff: { ...defaults.hotstuff, rule },
    }
    const priorities = Array.from({ length: replicas }, () => 0)
    return simulatedEpoch(protocol, priorities, parameters, this.#suite)
  }

  #executedBy(id: ReplicaId, { kind, outcome }: ExecutedBlock['replies'][number]): void {
    if (kind === 'opening') this.#session = sessionOf(outcome)
    else if (!isExecuted(outcome)) fail('an operation was refused')
    else {
      this.#executed.set(id, (this.#executed.get(id) ?? 0) + 1)
      this.executedUs.set(id, this.nowUs)
    }
  }

  #replicaOf(id: ReplicaId): SimulatedReplica {
    const { sessions, checkpoints } = this.epoch.parameters
    return new SimulatedReplica({
      id,
      epoch: this.epoch,
      definition: simulatedProtocols[this.epoch.protocol].definition as never,
      attack: null,
      createExecutor: (hasher) => new Executor({ machine, hasher, epoch: 1, sessions, checkpoints }),
      hasher: simulatedHasher,
      suite: this.#suite,
      scheduler: this.#scheduler,
      network: this.#network,
      random: createRandom(`quiet ${id}`),
      diskRandom: createRandom(`quiet disk ${id}`),
      memory: null,
      coverage: {},
      driftPpmMax: 0,
      wallOffsetMsMax: 0,
      jumpsFar: false,
      owedTurnUs: 0,
      snapshots: { ...writesNoSnapshots, transferBytesPerSecond: 1024 * 1024 },
      world: {
        decided: ({ header }) => (this.height = Math.max(this.height, header.height)),
        executed: ({ replies }) => {
          for (const reply of replies) this.#executedBy(id, reply)
        },
        headerMade: () => {},
        restored: () => {},
        event: () => {},
        accused: ({ replica }) => fail(`replica ${id} accuses replica ${replica}`),
        violated: (invariant, explanation) => fail(`${invariant}: ${explanation}`),
        note: () => {},
        isDamaged: () => false,
        ended: (why) => fail(`replica ${id} ended: ${why}`),
        unmasked: () => {},
      },
    })
  }
}

function fail(what: string): never {
  throw new Error(`in a world without faults ${what}`)
}
