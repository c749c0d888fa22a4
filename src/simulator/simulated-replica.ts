// One replica of the simulated network: the real core, the real log code, on a virtual clock, CPU, disk and network. It can crash and
// lose what it had not synced, start again, and stand still for a while.

import type { Hasher, SignatureSuite, Verifier } from '../kernel/crypto-ports.ts'
import type { Block } from '../kernel/block.ts'
import type { Checkpoint } from '../kernel/checkpoint.ts'
import type { ExecutedHeader } from '../kernel/executed-header.ts'
import type { ReplicaId } from '../kernel/ids.ts'
import type { Epoch } from '../kernel/membership.ts'
import type { Command, Now, ProtocolDefinition, ProtocolEvent, Recovered } from '../kernel/protocol.ts'
import type { Random } from '../kernel/random.ts'
import { chunkDigestOf } from '../replica/core/checkpointing.ts'
import { ReplicaCore } from '../replica/core/replica-core.ts'
import { restoreNewest } from '../replica/core/restore.ts'
import type { ExecutedBlock } from '../execution/executed-block.ts'
import type { Executor } from '../execution/executor.ts'
import { decode } from '../wire/codec.ts'
import { crc32 } from '../storage/log/crc32.ts'
import { initializeLog } from '../storage/log/initialize.ts'
import { logLimitsDefault, type Log } from '../storage/log/log.ts'
import { openLog } from '../storage/log/open-log.ts'
import { recoverLog } from '../storage/log/recovery.ts'
import type { SnapshotLimits } from '../storage/snapshots/limits.ts'
import { openSnapshots } from '../storage/snapshots/open-snapshots.ts'
import type { SnapshotStore } from '../storage/snapshots/snapshot-store.ts'
import type { SnapshotPace } from './run-parameters.ts'
import { costModel } from './cost-model.ts'
import { count } from './coverage.ts'
import { SimulatedDisk } from './disk/simulated-disk.ts'
import { clientAddressMin, clientKeyAt, type Address, type Network } from './network.ts'
import type { Victim } from './nemesis.ts'
import { Processor } from './processor.ts'
import type { Coverage } from './report.ts'
import type { Scheduler } from './scheduler.ts'
import { VirtualClock } from './virtual-clock.ts'
import { VirtualTimers } from './virtual-timers.ts'

/** What a replica lets the world know; none of it is believed without a second look. */
export interface ReplicaWorld {
  decided(block: Block): void
  executed(block: ExecutedBlock): void
  headerMade(header: ExecutedHeader): void
  /** Its state is that of this checkpoint now, which others executed. */
  restored(checkpoint: Checkpoint): void
  leads(term: number): void
  violated(invariant: string, explanation: string): void
  note(what: string, detail: string): void
}

export interface SimulatedReplicaOptions<Message, LogRecord> {
  id: ReplicaId
  epoch: Epoch
  definition: ProtocolDefinition<Message, LogRecord>
  /** A fresh executor, at height 0. */
  createExecutor: (hasher: Hasher) => Executor
  hasher: Hasher
  suite: SignatureSuite
  scheduler: Scheduler
  network: Network
  random: Random
  coverage: Coverage
  driftPpmMax: number
  wallOffsetMsMax: number
  /** How long a turn that is owed is put off by what else the process does. */
  owedTurnUs: number
  snapshots: SnapshotPace
  world: ReplicaWorld
}

/** Small packs, so that they roll and are compacted in every run. */
const smallSnapshotLimits: SnapshotLimits = {
  packBytesMax: 32 * 1024,
  waitingBytesMax: 16 * 1024,
  groupBytesMax: 4 * 1024,
  syncEveryBytes: 16 * 1024,
  compactionBytesMax: 16 * 1024,
}
/** How often a full disk is tried again. */
const probeUs = 100_000
/** Small segments, so that they roll and are recovered in every run. */
const segmentBytesMax = 16 * 1024

export class SimulatedReplica<Message = unknown, LogRecord = unknown> implements Victim {
  readonly id: ReplicaId
  readonly address: Address
  readonly #options: SimulatedReplicaOptions<Message, LogRecord>
  readonly #clock: VirtualClock
  readonly #disk: SimulatedDisk
  /** A folder of its own, on the same disk. */
  readonly #snapshots: SimulatedDisk
  #life: Life<Message, LogRecord> | null = null
  #up = false

  constructor(options: SimulatedReplicaOptions<Message, LogRecord>) {
    const { random, driftPpmMax, wallOffsetMsMax, scheduler, network } = options
    this.#options = options
    this.id = options.id
    this.address = options.id
    this.#clock = new VirtualClock(
      random.between(-driftPpmMax, driftPpmMax),
      random.between(-wallOffsetMsMax, wallOffsetMsMax),
    )
    const syncUsMin = random.pick([50, 200, 1_000])
    this.#disk = new SimulatedDisk({
      random: random.fork('disk'),
      latency: { writeUs: 20, syncUsMin, syncUsMax: syncUsMin * random.between(1, 8) },
      schedule: (delayUs, run) => void scheduler.after(delayUs, run),
    })
    this.#snapshots = new SimulatedDisk({
      random: random.fork('snapshots'),
      latency: { writeUs: 20, syncUsMin, syncUsMax: 4 * syncUsMin },
      schedule: (delayUs, run) => void scheduler.after(delayUs, run),
    })
    network.attach(this.address, (from, bytes) => this.#receive(from, bytes))
    const { network: networkId } = options.epoch
    initializeLog({ directory: this.#disk, crc32, network: networkId, replica: this.id, voice: 'votes' }, (error) => {
      if (error !== null) throw new Error(error.message)
      this.restart()
    })
  }

  get isUp(): boolean {
    return this.#up
  }

  get isPaused(): boolean {
    return this.#life?.processor.isPaused ?? false
  }

  get executedHeight(): number {
    return this.#life?.core?.executedHeight ?? 0
  }

  /** What it says it is waiting for. */
  describe(): string {
    if (this.#life?.core == null) return this.#up ? 'starting' : 'down'
    const status = this.#life.core.status(this.#now())
    return `${status.role} of view ${status.view}, ${status.phase}, decided ${status.decidedHeight}`
  }

  crash(): void {
    if (!this.#up) return
    this.#up = false
    this.#life?.stop()
    this.#life = null
    const lost = this.#disk.crash()
    if (this.#snapshots.crash() > 0) count(this.#options.coverage, 'restarts-that-lost-snapshot-writes')
    count(this.#options.coverage, 'crashes')
    if (lost > 0) count(this.#options.coverage, 'restarts-that-lost-writes')
  }

  restart(): void {
    if (this.#up) return
    this.#up = true
    const { coverage, world } = this.#options
    const recovered = this.#recover()
    if (!recovered.ok) return world.violated('log-recovery', `replica ${this.id}: ${recovered.message}`)
    if (recovered.incarnation > 0) count(coverage, 'restarts')
    if (recovered.tornBytes > 0) count(coverage, 'torn-tails-cut')
    this.#life = new Life(this.#options, this.#clock, this.#disk, this.#snapshots, recovered)
  }

  pause(durationUs: number): void {
    count(this.#options.coverage, 'pauses')
    this.#life?.processor.pause(durationUs)
  }

  jumpWallClock(byMs: number): void {
    this.#clock.jumpWall(byMs)
  }

  /** An operator's wish; unheard while the replica is down. */
  command(command: Command): void {
    const life = this.#life
    life?.processor.run(() => life.core?.command(command, this.#now()))
  }

  /** Up and running, as a member of the healed core must be. */
  heal(): void {
    this.#life?.processor.resume()
    if (!this.#up) this.restart()
  }

  #receive(from: Address, bytes: Uint8Array): void {
    this.#life?.receive(from, bytes)
  }

  #now(): Now {
    return this.#clock.at(this.#options.scheduler.nowUs)
  }

  #recover() {
    const expected = { network: this.#options.epoch.network, replica: this.id }
    const recovery = recoverLog({ directory: this.#disk, crc32, expected })
    for (;;) {
      const step = recovery.next()
      if (step.done === true) return step.value
    }
  }
}

type Recovery = Extract<
  ReturnType<typeof recoverLog> extends Generator<undefined, infer End> ? End : never,
  { ok: true }
>

/** From one start of the process to its end. */
class Life<Message, LogRecord> {
  readonly processor: Processor
  core: ReplicaCore<Message, LogRecord> | null = null
  readonly #options: SimulatedReplicaOptions<Message, LogRecord>
  readonly #clock: VirtualClock
  readonly #timers: VirtualTimers
  readonly #snapshots: SimulatedDisk
  #isOwed = false

  constructor(
    options: SimulatedReplicaOptions<Message, LogRecord>,
    clock: VirtualClock,
    disk: SimulatedDisk,
    snapshots: SimulatedDisk,
    recovered: Recovery,
  ) {
    this.#options = options
    this.#snapshots = snapshots
    this.#clock = clock
    this.processor = new Processor(options.scheduler, () => {
      if (this.core?.endTurn(this.#now()) === true) this.#owe()
    })
    this.#timers = new VirtualTimers(
      options.scheduler,
      (localMs) => clock.toWorldUs(localMs),
      (run) => this.processor.run(run),
      (name) => this.core?.timer(name, this.#now()),
    )
    const listener = {
      durable: (upTo: number) => this.processor.run(() => this.core?.durable(upTo, this.#now())),
      full: () => this.processor.run(() => this.core?.storage('storage-stalled', this.#now())),
      failed: (error: { message: string }) => this.core?.fail(new Error(error.message)),
    }
    const limits = { ...logLimitsDefault, segmentBytesMax }
    openLog(
      { directory: disk, crc32, listener, limits },
      recovered,
      (log) => this.processor.run(() => this.#start(log)),
      (error) => options.world.violated('log-opening', `replica ${options.id}: ${error.message}`),
    )
  }

  receive(from: Address, bytes: Uint8Array): void {
    this.processor.run(() => {
      if (this.core === null) return
      this.processor.charge(costModel.frameUs + bytes.length * costModel.byteUs)
      if (from >= clientAddressMin) this.core.clientFrame(from, bytes, this.#now())
      else this.core.peerFrame(from as ReplicaId, bytes, this.#now())
    })
  }

  stop(): void {
    this.processor.stop()
    this.#timers.stop()
    this.core = null
  }

  /** Another turn, for what this one has left: what comes meanwhile from outside comes first. */
  #owe(): void {
    if (this.#isOwed) return
    this.#isOwed = true
    const { scheduler, owedTurnUs } = this.#options
    scheduler.after(owedTurnUs, () =>
      this.processor.run(() => {
        this.#isOwed = false
      }),
    )
  }

  #now(): Now {
    return this.#clock.at(this.processor.nowUs)
  }

  #start(log: Log): void {
    const { id, epoch, definition, world, random } = this.#options
    const hasher = this.#chargedHasher()
    const { suite, snapshots: pace } = this.#options
    const snapshots = this.#openSnapshots(hasher)
    if (snapshots === null) return
    const executor = this.#options.createExecutor(hasher)
    const checkpoint = restoreNewest(executor, snapshots)
    if (checkpoint !== null) {
      count(this.#options.coverage, 'restarts-from-snapshots')
      world.restored(checkpoint)
    }
    const core = new ReplicaCore<Message, LogRecord>({
      definition,
      epoch,
      self: id,
      executor,
      log,
      snapshots,
      snapshotPolicy: pace,
      transferBytesPerSecond: pace.transferBytesPerSecond,
      wake: () => this.processor.run(() => {}),
      links: { send: (to, frame) => this.#send(to, frame) },
      timers: this.#timers,
      clientKey: (connection) => clientKeyAt(connection),
      report: () => new Uint8Array(0),
      respond: (connection, bytes) => this.#send(connection, bytes),
      hasher,
      signer: suite.signer(new Uint8Array(32).fill(id)),
      verifier: this.#chargedVerifier(suite),
      random: random.fork(`incarnation ${log.incarnation}`),
      observer: {
        decided: (block) => world.decided(block),
        executed: (block) => {
          this.processor.charge(block.replies.length * costModel.applyUs)
          world.executed(block)
        },
        headerMade: (header) => {
          if (header.height < this.core!.executedHeight) count(this.#options.coverage, 'headers-behind-execution')
          world.headerMade(header)
        },
        restored: (restored) => {
          count(this.#options.coverage, 'snapshots-installed')
          world.restored(restored)
        },
        event: (event) => this.#event(event),
        failed: (cause) => world.violated('replica-failed', `replica ${id} stopped: ${String(cause)}`),
      },
    })
    this.core = core
    core.start(this.#recovered(log, checkpoint), log.durable, this.#now())
  }

  #openSnapshots(hasher: Hasher): SnapshotStore | null {
    const { epoch, id, world, scheduler } = this.#options
    const opening = openSnapshots({
      directory: this.#snapshots,
      crc32,
      network: epoch.network,
      digestOf: chunkDigestOf(hasher),
      listener: {
        full: () => scheduler.after(probeUs, () => this.processor.run(() => store?.probe())),
        failed: (error) => this.core?.fail(new Error(error.message)),
      },
      limits: smallSnapshotLimits,
    })
    let store: SnapshotStore | null = null
    for (;;) {
      const step = opening.next()
      if (step.done !== true) continue
      if (step.value.ok) store = step.value
      else world.violated('snapshots-opening', `replica ${id}: ${step.value.message}`)
      return store
    }
  }

  #recovered(log: Log, checkpoint: Checkpoint | null): Recovered<LogRecord> {
    const { definition, world, id } = this.#options
    function* records(): Generator<{ sequence: number; record: LogRecord }> {
      for (const { sequence, bytes } of log.records()) {
        const record = decode(definition.logRecord, bytes)
        if (record.ok) yield { sequence, record: record.value }
        else
          world.violated('log-record', `replica ${id} cannot read its own record ${sequence}: ${record.error.message}`)
      }
    }
    return { incarnation: log.incarnation, records: records(), checkpoint, abstains: false }
  }

  /** Leaves when the work that made it is done. */
  #send(to: Address, bytes: Uint8Array): void {
    this.processor.charge(costModel.frameUs + bytes.length * costModel.byteUs)
    this.#options.network.send(this.#options.id, to, bytes, this.processor.nowUs)
  }

  #event(event: ProtocolEvent): void {
    const { world, coverage } = this.#options
    if (event.kind === 'leader-elected') world.leads(event.detail?.['term'] as number)
    else count(coverage, event.kind)
    world.note(event.kind, event.detail === undefined ? '' : JSON.stringify(event.detail))
  }

  #chargedHasher(): Hasher {
    const { processor } = this
    const { hasher } = this.#options
    return {
      digest(bytes) {
        processor.charge(costModel.hashUs + bytes.length * costModel.hashByteUs)
        return hasher.digest(bytes)
      },
    }
  }

  #chargedVerifier(verifier: Verifier): Verifier {
    const { processor } = this
    return {
      verify(key, message, signature) {
        processor.charge(costModel.verifyUs)
        return verifier.verify(key, message, signature)
      },
    }
  }
}
