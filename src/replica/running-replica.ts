/**
 * The wiring of one replica in production: the core that the simulator runs, on real sockets, disk, clock and timers.
 *
 * Whatever happens calls the core at once, and asks for a turn: at the end of this round of the event loop the core executes what was
 * decided, starts the disk, and lets one frame for each peer go.
 */

import { performance } from 'node:perf_hooks'
import { randomBytes } from 'node:crypto'
import { nodeEd25519 } from '../crypto/node/ed25519-suite.ts'
import { nodeHasher } from '../crypto/node/sha256-hasher.ts'
import { Executor } from '../execution/executor.ts'
import type { PublicKey } from '../kernel/crypto-ports.ts'
import { membershipOf } from '../kernel/membership.ts'
import { leadersTakeTurns, type ReplicaId, type View } from '../kernel/ids.ts'
import type { Now } from '../kernel/protocol.ts'
import { QuorateError } from '../kernel/quorate-error.ts'
import { createRandom } from '../kernel/random.ts'
import { queryTyped, submitTyped, type QueryOptions } from '../client/typed-client.ts'
import type { Submitter, WaitOptions } from '../client/submitter.ts'
import { linkVersion, processNonceBytes, type LinkRefusal } from '../network/link/link-frame.ts'
import { ReplicaNetwork } from '../network/node/replica-network.ts'
import type { Log, LogListener } from '../storage/log/log.ts'
import { openDataDirectory, type DataDirectory } from '../storage/node/open-data-directory.ts'
import { openSnapshotFolder, type SnapshotFolder } from '../storage/node/open-snapshot-folder.ts'
import type { SnapshotStore } from '../storage/snapshots/snapshot-store.ts'
import { chunkDigestOf } from './core/checkpointing.ts'
import { ReplicaCore } from './core/replica-core.ts'
import { restoreNewest } from './core/restore.ts'
import { ReplicaEvents, type ReplicaEventMap } from './events.ts'
import { EvidenceKeeper } from './evidence-keeper.ts'
import { PeerRefusals } from './peer-refusals.ts'
import { listen } from './listening.ts'
import { NodeTimers } from './node-timers.ts'
import { ownConnection } from './core/client-gateway.ts'
import { OwnClient } from './own-client.ts'
import { OwnSessions } from './own-sessions.ts'
import { recoveredFrom } from './recovered.ts'
import type { Replica, ReplicaStatus } from './replica.ts'
import { Verification } from './verification.ts'
import { honest, type RunningReplicaOptions } from './running-replica-options.ts'
import { transferLeadership, type TransferLeadershipOptions } from './transfer-leadership.ts'
import { transferSentence } from './transfer-sentence.ts'

const followsWithoutVote =
  'follows without a vote, because it has lost promises that it made: a new key, which comes with epochs, will give it one again'

/** How often a full disk is tried again. */
const probeMs = 1_000

export class RunningReplica<Command, Query, Result> implements Replica<Command, Query, Result> {
  readonly events = new ReplicaEvents()
  readonly closed: Promise<void>
  readonly #options: RunningReplicaOptions<Command, Query, Result>
  readonly #startedMs = performance.now()
  readonly #executor: Executor
  readonly #timers: NodeTimers
  readonly #refusals: PeerRefusals
  readonly #evidence: EvidenceKeeper
  readonly #clientKeys = new Map<number, PublicKey>()
  #core: ReplicaCore<unknown, unknown> | null = null
  #directory: DataDirectory | null = null
  readonly #verification: Verification
  #snapshots: SnapshotFolder | null = null
  #network: ReplicaNetwork | null = null
  #own: OwnClient | null = null
  #turnAsked = false
  #stalled = false
  #probe: ReturnType<typeof setTimeout> | null = null
  #failure: { cause: unknown } | null = null
  #starting: Promise<void> | null = null
  #closing: Promise<void> | null = null
  readonly #stopping = new AbortController()
  #leader: ReplicaEventMap['leader'] = { leader: null, view: 0 as View }
  #resolveClosed!: () => void
  #rejectClosed!: (cause: unknown) => void

  constructor(options: RunningReplicaOptions<Command, Query, Result>) {
    const { parameters, number } = options.network.epoch
    this.#options = options
    this.#executor = new Executor({
      machine: options.stateMachine,
      hasher: nodeHasher,
      epoch: number,
      sessions: parameters.sessions,
      checkpoints: parameters.checkpoints,
    })
    this.#refusals = new PeerRefusals(membershipOf(options.network.epoch))
    this.#evidence = new EvidenceKeeper({
      epoch: options.network.epoch,
      definition: options.definition,
      verifier: nodeEd25519,
      events: this.events,
    })
    this.#verification = new Verification({
      epoch: options.network.epoch,
      guarded: (step) => this.#guardedStep(step),
      turn: () => this.#turn(),
      deliver: (connection, frame) => this.#core?.clientFrame(connection, frame, this.#now()),
      respond: (connection, frame) => this.#network?.sendClient(connection, frame),
    })
    this.#timers = new NodeTimers((name) => {
      this.#guardedStep(() => this.#core?.timer(name, this.#now()))
      this.#turn()
    })
    this.closed = new Promise((resolve, reject) => {
      this.#resolveClosed = resolve
      this.#rejectClosed = reject
    })
    // Whoever does not watch it hears of a failure by every call.
    this.closed.catch(() => {})
  }

  get id() {
    return this.#options.member.id
  }

  get name(): string {
    return this.#options.member.name
  }

  /** Opens directory and sockets; what was opened is closed again when anything fails. */
  start(): Promise<void> {
    this.#starting ??= this.#start()
    return this.#starting
  }

  submit(command: Command, options?: WaitOptions) {
    return this.#guarded(() => submitTyped(this.#options.stateMachine, this.#submitter(), command, options))
  }

  query(query: Query, options?: QueryOptions) {
    return this.#guarded(() => queryTyped(this.#options.stateMachine, this.#submitter(), query, options))
  }

  transferLeadership({ to, deadlineMs }: TransferLeadershipOptions = {}): Promise<ReplicaId> {
    return this.#guarded(() => {
      const command = (): void => {
        this.#guardedStep(() => this.#core?.command({ kind: 'transfer-leadership', to: to ?? null }, this.#now()))
        this.#turn()
      }
      return transferLeadership(this.events, this.id, command, deadlineMs)
    })
  }

  addresses(): string[] {
    return this.#network?.addresses() ?? []
  }

  status(): ReplicaStatus {
    const { network, member, stateMachine } = this.#options
    if (this.#core === null) throw this.#unusable()
    const status = this.#core.status(this.#now())
    const log = this.#directory!.log
    return {
      network: { name: network.name, id: Buffer.from(network.epoch.network).toString('hex') },
      protocol: status.protocol,
      stateMachine: { name: stateMachine.name, version: stateMachine.version },
      replica: member.id,
      name: member.name,
      incarnation: log.incarnation,
      voice: this.#directory!.abstains ? 'abstains' : 'votes',
      rejoined: this.#directory!.rejoined,
      warnings: this.#warnings(),
      role: status.role,
      view: status.view,
      leader: status.leader,
      phase: status.phase,
      decidedHeight: status.decidedHeight,
      executedHeight: this.#executor.height,
      headerHeight: this.#executor.headerHeight,
      executedHeader: Buffer.from(this.#executor.headerDigest).toString('hex'),
      awaited: status.awaited,
      timers: status.timers,
      peers: this.#network?.contacts() ?? [],
      clients: this.#network?.clientCount ?? 0,
      submitting: this.#own?.underWay ?? 0,
      stalled: this.#stalled,
      log: { durable: log.durable, groups: log.groups, syncs: log.syncs },
      work: this.#core.work,
      eventLoopDelayP99Ms: this.#timers.delay.takeP99Ms(),
      checkpoints: this.#core.checkpoints,
      evidence: this.#evidence.status,
      uptimeMs: Math.round(performance.now() - this.#startedMs),
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    this.#stopping.abort(this.#unusable())
    try {
      await this.#release()
      // A start under way notices at its next step, and lets go of what it has opened by then.
      await this.#starting?.catch(() => {})
    } finally {
      if (this.#failure === null) this.#resolveClosed()
    }
  }

  async #start(): Promise<void> {
    try {
      await this.#open()
    } catch (error) {
      await this.#release()
      if (this.#failure === null) throw error
      // What the log says is wrong has a code of its own.
      throw this.#failure.cause instanceof QuorateError ? this.#failure.cause : this.#unusable()
    }
  }

  async #open(): Promise<void> {
    const { network, member, dataDir, openDirectory, logLimits, rejoin = false } = this.#options
    const directory = await openDataDirectory(dataDir, {
      network: network.epoch.network,
      replica: member.id,
      listener: this.#logListener(),
      signal: this.#stopping.signal,
      rejoin,
      ...(openDirectory === undefined ? {} : { openDirectory }),
      ...(logLimits === undefined ? {} : { limits: logLimits }),
    })
    this.#directory = directory
    this.#stopping.signal.throwIfAborted()
    this.#snapshots = await this.#openSnapshots()
    this.#stopping.signal.throwIfAborted()
    await this.#evidence.open(dataDir, {
      signal: this.#stopping.signal,
      ...(openDirectory === undefined ? {} : { openDirectory }),
    })
    const checkpoint = restoreNewest(this.#executor, this.#snapshots.store)
    const seed = randomBytes(16).toString('hex')
    this.#core = this.#createCore(directory.log, this.#snapshots.store, seed)
    this.#own = this.#createOwnClient(seed)
    this.#network = this.#createNetwork(directory, seed)
    const { log, abstains } = directory
    const recovered = recoveredFrom(log, this.#options.definition, checkpoint, abstains)
    this.#core.start(recovered, log.durable, this.#now())
    if (this.#failure !== null) throw this.#unusable()
    const sockets = this.#network
    await listen(() => sockets.start(), this.#options.listen, this.#stopping.signal)
    if (this.#failure !== null) throw this.#unusable()
    this.#turn()
  }

  #openSnapshots(): Promise<SnapshotFolder> {
    const { network, dataDir, openDirectory } = this.#options
    return openSnapshotFolder(dataDir, {
      network: network.epoch.network,
      digestOf: chunkDigestOf(nodeHasher),
      listener: {
        full: ({ message }) => {
          this.events.emit('protocol', { kind: 'snapshot-waits', detail: { reason: message } })
          this.#probeLater()
        },
        failed: ({ code, message }) => this.#core?.fail(new QuorateError(code, message)),
      },
      signal: this.#stopping.signal,
      ...(openDirectory === undefined ? {} : { openDirectory }),
    })
  }

  #createCore(log: Log, snapshots: SnapshotStore, seed: string): ReplicaCore<unknown, unknown> {
    const { network, member, identity, definition, snapshotPolicy, transferBytesPerSecond } = this.#options
    const { outgoing = honest } = this.#options
    return new ReplicaCore({
      definition,
      epoch: network.epoch,
      self: member.id,
      executor: this.#executor,
      log,
      snapshots,
      ...(snapshotPolicy === undefined ? {} : { snapshotPolicy }),
      ...(transferBytesPerSecond === undefined ? {} : { transferBytesPerSecond }),
      wake: () => this.#turn(),
      links: {
        send: (to, frame) => {
          if (this.#failure !== null) return
          for (const bytes of outgoing.frame(frame, to)) this.#network?.sendPeer(to, bytes)
        },
      },
      roundTripMs: (peer) => this.#network?.roundTripMs(peer) ?? null,
      timers: this.#timers,
      clientKey: (connection) => this.#clientKeys.get(connection) ?? null,
      report: () => new TextEncoder().encode(JSON.stringify(this.status())),
      respond: (connection, bytes) => {
        // The rest of the step in which it failed still runs.
        if (this.#failure !== null) return
        if (connection === ownConnection) this.#own?.response(bytes)
        else for (const left of outgoing.reply(bytes)) this.#network?.sendClient(connection, left)
      },
      hasher: nodeHasher,
      signer: nodeEd25519.signer(identity.consensus.secretKey),
      verifier: this.#verification.verifier,
      verifyAhead: this.#verification.ahead,
      random: createRandom(`${seed} protocol`),
      observer: {
        executed: ({ height }) => this.events.emit('executed', { height }),
        restored: ({ header }) => this.events.emit('restored', { height: header.height }),
        event: (event) => this.events.emit('protocol', event),
        dropped: (from, reason) => this.events.emit('dropped', { from, reason }),
        accused: (evidence) => this.#evidence.accuse(evidence),
        failed: (cause) => this.#failed(cause),
      },
    })
  }

  #createOwnClient(seed: string): OwnClient {
    const { network, member, identity, dataDir } = this.#options
    this.#clientKeys.set(ownConnection, identity.link.publicKey)
    const sessions = new OwnSessions(dataDir)
    return new OwnClient({
      left: sessions.read(),
      opened: (session) => sessions.add(session),
      epoch: network.epoch,
      self: member.id,
      signer: nodeEd25519.signer(identity.link.secretKey),
      random: createRandom(`${seed} own client`),
      nowMs: () => performance.now(),
      request: (bytes) => this.#core?.clientFrame(ownConnection, bytes, this.#now()),
      turn: () => this.#turn(),
    })
  }

  #createNetwork({ incarnation, seen }: DataDirectory, seed: string): ReplicaNetwork {
    const { network, member, identity, listen, clients } = this.#options
    return new ReplicaNetwork({
      epoch: network.epoch,
      self: member.id,
      linkSecretKey: identity.link.secretKey,
      listen,
      hello: { version: linkVersion, incarnation, process: Uint8Array.from(randomBytes(processNonceBytes)) },
      seen,
      clients,
      random: createRandom(`${seed} links`),
      nowMs: () => performance.now(),
      listener: {
        peerFrame: (from, frame) => {
          this.#core?.peerFrame(from, frame, this.#now())
          this.#turn()
        },
        peerChanged: (replica, connected, reason) => this.events.emit('peer', { replica, connected, reason }),
        peerRefuses: (replica, refusal) => this.#refusedBy(replica, refusal),
        clientFrame: (connection, frame) => {
          this.#guardedStep(() => this.#verification.clients.message(connection, frame))
          this.#turn()
        },
        clientOpened: (connection, key) => void this.#clientKeys.set(connection, key),
        clientClosed: (connection) => {
          this.#clientKeys.delete(connection)
          this.#verification.clients.closed(connection)
          this.#core?.clientClosed(connection)
        },
        failed: (cause) => this.#core?.fail(cause),
      },
    })
  }

  /** docs/decisions/0012-refusals.md: what so many say of us that one of them must be right stops this replica, and keeps it stopped. */
  #refusedBy(replica: ReplicaId, refusal: LinkRefusal): void {
    const directory = this.#directory
    if (directory === null || !this.#refusals.add(replica, refusal, directory.incarnation)) return
    const message = `this replica ${this.#refusals.sentenceOf(replica)}`
    this.events.emit('refused', { by: replica, ...refusal, message })
    const proven = this.#refusals.proven
    if (proven === null) return
    directory.seen.noteOwn(proven, () => this.#core?.fail(new QuorateError('ERR_LOG_OUTDATED', message)))
  }

  #warnings(): string[] {
    const voice = this.#directory!.abstains ? [followsWithoutVote] : []
    const { transfer } = this.#core!.checkpoints
    const fetching = transfer === null ? [] : [transferSentence(transfer)]
    return [...voice, ...fetching, ...this.#refusals.sentences(), ...this.#evidence.sentences()]
  }

  #logListener(): LogListener {
    return {
      durable: (upTo) => {
        this.#guardedStep(() => {
          if (this.#stalled) this.#storage(false, 'the disk has room again')
          this.#core?.durable(upTo, this.#now())
        })
        this.#turn()
      },
      full: ({ message }) => {
        if (this.#core === null) return
        if (!this.#stalled) this.#guardedStep(() => this.#storage(true, message))
        this.#probeLater()
      },
      failed: ({ code, message }) => this.#core?.fail(new QuorateError(code, message)),
    }
  }

  #probeLater(): void {
    if (this.#probe !== null) clearTimeout(this.#probe)
    this.#probe = setTimeout(() => {
      this.#directory?.log.probe()
      this.#snapshots?.store.probe()
    }, probeMs)
  }

  #storage(stalled: boolean, message: string): void {
    this.#stalled = stalled
    this.#core?.storage(stalled ? 'storage-stalled' : 'storage-resumed', this.#now())
    this.events.emit('storage', { stalled, message })
    this.#turn()
  }

  #turn(): void {
    if (this.#turnAsked) return
    this.#turnAsked = true
    setImmediate(() => this.#endTurn())
  }

  #endTurn(): void {
    this.#turnAsked = false
    this.#guardedStep(() => {
      if (this.#core === null) return
      this.#own?.endTurn()
      const owed = this.#core.endTurn(this.#now())
      if (this.#failure === null) this.#network?.endTurn()
      this.#watchLeader()
      if (owed) this.#turn()
    })
  }

  /** What is thrown here is a bug of ours: it would end the process that we are a guest of. */
  #guardedStep(step: () => void): void {
    try {
      step()
    } catch (error) {
      this.#core?.fail(error)
    }
  }

  #watchLeader(): void {
    const { leader, view } = this.#core?.leadership() ?? this.#leader
    if (leader === this.#leader.leader && view === this.#leader.view) return
    if (this.#leader.leader !== null && leadersTakeTurns(this.#options.network.epoch.protocol)) return
    this.#leader = { leader, view }
    this.events.emit('leader', { leader, view })
  }

  /** Fails for good and alone: nothing more is sent, and the process lives on (architecture.md §2 rule 9). */
  #failed(cause: unknown): void {
    if (this.#failure !== null) return
    this.#failure = { cause }
    this.#rejectClosed(cause)
    this.events.emit('failed', { cause })
    // The core is in the middle of a step.
    queueMicrotask(() => this.close().catch(() => {}))
  }

  #now(): Now {
    return { monotonicMs: performance.now(), wallMs: Date.now() }
  }

  async #guarded<Value>(work: () => Promise<Value>): Promise<Value> {
    if (this.#failure !== null || this.#closing !== null) throw this.#unusable()
    try {
      return await work()
    } catch (error) {
      if (this.#failure === null || !(error instanceof QuorateError) || error.code !== 'ERR_CLOSED') throw error
      throw this.#unusable(error.certainty ?? 'indefinite')
    }
  }

  #unusable(certainty: 'definite' | 'indefinite' = 'definite'): QuorateError {
    if (this.#failure === null) return new QuorateError('ERR_CLOSED', 'the replica is closed', { certainty })
    const { cause } = this.#failure
    const reason = cause instanceof Error ? cause.message : String(cause)
    return new QuorateError('ERR_REPLICA_FAILED', `the replica has failed for good: ${reason}`, { certainty, cause })
  }

  #submitter(): Submitter {
    if (this.#own === null) throw this.#unusable()
    return this.#own.submitter
  }

  /** What happens at once happens before anything is waited for. */
  async #release(): Promise<void> {
    this.#timers.stop()
    this.#verification.close()
    if (this.#probe !== null) clearTimeout(this.#probe)
    this.#core = null
    this.#own?.close()
    try {
      await this.#network?.stop()
    } finally {
      await this.#evidence.close()
      await this.#snapshots?.close()
      await this.#directory?.close()
    }
  }
}
