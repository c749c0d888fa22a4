// A client over the network: the core, its timers, and the links to the replicas. Node and browsers differ in the links alone.

import type { StateMachineDefinition } from '../execution/state-machine.ts'
import type { Hasher, PublicKey, Signer } from '../kernel/crypto-ports.ts'
import { leadersTakeTurns, type ReplicaId } from '../kernel/ids.ts'
import { membershipOf, type Epoch } from '../kernel/membership.ts'
import { createRandom } from '../kernel/random.ts'
import { ClientCore } from './core/client-core.ts'
import { Submitter, type WaitOptions } from './submitter.ts'
import { queryTyped, submitTyped, type QueryOptions, type QueryResult, type SubmitResult } from './typed-client.ts'

/** Frames to and from replicas. */
export interface ClientLinks {
  send(to: ReplicaId, body: Uint8Array): void
  endTurn(): void
  stop(): Promise<void>
}

export interface ClientLinksListener {
  connected(replica: ReplicaId): void
  disconnected(replica: ReplicaId, reason: string): void
  response(replica: ReplicaId, body: Uint8Array): void
}

export interface NetworkClientOptions<Command, Query, Result> {
  epoch: Epoch
  stateMachine: Pick<StateMachineDefinition<Command, Query, Result>, 'command' | 'query' | 'result'>
  signer: Signer
  hasher: Hasher
  /** Unguessable bytes of the host. */
  randomBytes: (count: number) => Uint8Array
  nowMs: () => number
  connect: (listener: ClientLinksListener) => ClientLinks
}

export interface Client<Command, Query, Result> {
  /** The client's key: whoever restricts their clients permits this one. */
  readonly publicKey: PublicKey
  /** Resolves when executed. Rejects with a QuorateError whose `certainty` says whether it certainly did not happen. */
  submit(command: Command, options?: WaitOptions): Promise<SubmitResult<Result>>
  query(query: Query, options?: QueryOptions): Promise<QueryResult<Result>>
  /** How one replica says it is, as JSON text; null if it does not answer in time. */
  status(replica: ReplicaId, options?: { deadlineMs?: number }): Promise<string | null>
  /** Replicas that answer now. */
  connected(): ReplicaId[]
  /** Resolves when so many replicas answer, true; or when the time is up, false. Default: one. */
  ready(options?: { replicas?: number; deadlineMs?: number }): Promise<boolean>
  close(): Promise<void>
}

const statusDeadlineMs = 2_000
const readyDeadlineMs = 10_000
const nonceBytes = 16

export class NetworkClient<Command, Query, Result> implements Client<Command, Query, Result> {
  readonly publicKey: PublicKey
  readonly #options: NetworkClientOptions<Command, Query, Result>
  readonly #core: ClientCore
  readonly #submitter: Submitter
  readonly #links: ClientLinks
  readonly #connected = new Set<ReplicaId>()
  readonly #watchers = new Set<() => void>()
  #turnAsked = false
  #timer: ReturnType<typeof setTimeout> | null = null
  #timerMs = 0
  #closed = false

  constructor(options: NetworkClientOptions<Command, Query, Result>) {
    const { epoch, signer, hasher, randomBytes, nowMs } = options
    const membership = membershipOf(epoch)
    const seed = Array.from(randomBytes(nonceBytes)).join('.')
    this.#options = options
    this.publicKey = signer.publicKey
    this.#core = new ClientCore({
      network: epoch.network,
      client: signer.publicKey,
      signer: epoch.parameters.envelopeSignatures === 'required' ? signer : null,
      repliesNeeded: membership.oneCorrect,
      repliesKept: epoch.parameters.sessions.repliesKept,
      hasher,
      replicas: membership.all,
      leadersTakeTurns: leadersTakeTurns(epoch.protocol),
      ...(membership.faultModel === 'byzantine'
        ? { voters: membership.voters, reads: { kind: 'quorum', quorum: membership.quorum } }
        : {}),
      nonce: () => randomBytes(nonceBytes),
      random: createRandom(seed),
      send: (to, request) => this.#links.send(to, request),
    })
    this.#submitter = new Submitter(this.#core, () => this.#turn())
    this.#links = options.connect({
      connected: (replica) => {
        this.#connected.add(replica)
        this.#core.connected(replica, nowMs())
        this.#changed()
      },
      disconnected: (replica) => {
        if (!this.#connected.delete(replica)) return
        this.#core.disconnected(replica, nowMs())
        this.#changed()
      },
      response: (replica, body) => {
        this.#core.response(replica, body, nowMs())
        this.#turn()
      },
    })
  }

  submit(command: Command, options?: WaitOptions): Promise<SubmitResult<Result>> {
    return submitTyped(this.#options.stateMachine, this.#submitter, command, options)
  }

  query(query: Query, options?: QueryOptions): Promise<QueryResult<Result>> {
    return queryTyped(this.#options.stateMachine, this.#submitter, query, options)
  }

  status(replica: ReplicaId, { deadlineMs = statusDeadlineMs } = {}): Promise<string | null> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(null), deadlineMs)
      this.#core.status(replica, (report) => {
        clearTimeout(timer)
        resolve(report === null ? null : new TextDecoder().decode(report))
      })
    })
  }

  connected(): ReplicaId[] {
    return [...this.#connected].sort((left, right) => left - right)
  }

  ready({ replicas = 1, deadlineMs = readyDeadlineMs } = {}): Promise<boolean> {
    if (this.#closed) return Promise.resolve(false)
    if (this.#connected.size >= replicas) return Promise.resolve(true)
    return new Promise((resolve) => {
      const settle = (isReady: boolean): void => {
        clearTimeout(timer)
        this.#watchers.delete(look)
        resolve(isReady)
      }
      const timer = setTimeout(() => settle(false), deadlineMs)
      const look = (): void => {
        if (this.#connected.size >= replicas) settle(true)
        else if (this.#closed) settle(false)
      }
      this.#watchers.add(look)
    })
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#core.close()
    if (this.#timer !== null) clearTimeout(this.#timer)
    for (const look of [...this.#watchers]) look()
    await this.#links.stop()
  }

  #changed(): void {
    for (const look of [...this.#watchers]) look()
    this.#turn()
  }

  #turn(): void {
    if (this.#turnAsked || this.#closed) return
    this.#turnAsked = true
    queueMicrotask(() => {
      this.#turnAsked = false
      if (this.#closed) return
      this.#core.endTurn(this.#options.nowMs())
      this.#links.endTurn()
      this.#arm()
    })
  }

  /** A timer that goes off with nothing due costs less than one that is made anew with each turn. */
  #arm(): void {
    const { dueMs } = this.#core
    if (dueMs === null || (this.#timer !== null && this.#timerMs <= dueMs)) return
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timerMs = dueMs
    this.#timer = setTimeout(() => this.#wake(), Math.max(1, dueMs - this.#options.nowMs()))
  }

  #wake(): void {
    this.#timer = null
    this.#turn()
  }
}
