// One process of a simulated replica, from its start to its end: the real core and the real log code on a virtual clock, CPU, disk and
// network.

import type { Hasher, SignatureSuite, Signer, Verifier } from '../kernel/crypto-ports.ts'
import type { Block } from '../kernel/block.ts'
import type { Checkpoint } from '../kernel/checkpoint.ts'
import type { Evidence } from '../kernel/evidence.ts'
import type { ExecutedHeader } from '../kernel/executed-header.ts'
import { faultModelOf, type ReplicaId } from '../kernel/ids.ts'
import type { Epoch } from '../kernel/membership.ts'
import type { Now, ProtocolDefinition, ProtocolEvent, Recovered } from '../kernel/protocol.ts'
import type { Random } from '../kernel/random.ts'
import { chunkDigestOf } from '../replica/core/checkpointing.ts'
import { ReplicaCore } from '../replica/core/replica-core.ts'
import { restoreNewest } from '../replica/core/restore.ts'
import type { ExecutedBlock } from '../execution/executed-block.ts'
import type { Executor } from '../execution/executor.ts'
import { decode } from '../wire/codec.ts'
import { crc32 } from '../storage/log/crc32.ts'
import type { FileError } from '../storage/log/file-port.ts'
import { logLimitsDefault, type Log } from '../storage/log/log.ts'
import { openLog } from '../storage/log/open-log.ts'
import type { RecoveredLog } from '../storage/log/recovery.ts'
import type { SnapshotLimits } from '../storage/snapshots/limits.ts'
import { openSnapshots } from '../storage/snapshots/open-snapshots.ts'
import type { SnapshotStore } from '../storage/snapshots/snapshot-store.ts'
import type { Attack } from './adversaries/behaviour.ts'
import { framesOf } from './adversaries/link.ts'
import { costModel } from './cost-model.ts'
import { count } from './coverage.ts'
import type { SimulatedDrive } from './disk/simulated-drive.ts'
import type { Greeting, IncarnationMemory } from './incarnation-memory.ts'
import { clientAddressMin, clientKeyAt, type Address, type Network } from './network.ts'
import type { Ending } from './caretaker.ts'
import { Processor } from './processor.ts'
import type { Coverage } from './report.ts'
import type { SnapshotPace } from './run-parameters.ts'
import type { Scheduler } from './scheduler.ts'
import type { VirtualClock } from './virtual-clock.ts'
import { VirtualTimers } from './virtual-timers.ts'

/** What a replica lets the world know; none of it is believed without a second look. */
export interface ReplicaWorld {
  decided(block: Block): void
  executed(block: ExecutedBlock): void
  headerMade(header: ExecutedHeader): void
  /** Its state is that of this checkpoint now, which others executed. */
  restored(checkpoint: Checkpoint): void
  /** Something that a protocol or its host says of itself, already counted. */
  event(event: ProtocolEvent): void
  accused(evidence: Evidence): void
  violated(invariant: string, explanation: string): void
  note(what: string, detail: string): void
  /** Was this replica's disk damaged for good? If not, its log must be whole. */
  isDamaged(): boolean
  /** The process ended by itself, because of its disk. */
  ended(why: Ending): void
  /** A process of `replica` runs on an old copy of its log, as this one knows who has seen incarnation `seen`. */
  unmasked(replica: ReplicaId, greeting: Greeting, seen: number): void
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
  /** For the faults of its disk, apart from all else. */
  diskRandom: Random
  /** Null where no disk is ever restored: then every process runs on the newest log. */
  memory: IncarnationMemory | null
  coverage: Coverage
  driftPpmMax: number
  wallOffsetMsMax: number
  /** Its wall clock may come to be off by more. */
  jumpsFar: boolean
  /** How long a turn that is owed is put off by what else the process does. */
  owedTurnUs: number
  snapshots: SnapshotPace
  /** How it lies; `definition` lies already. Null: it is correct. */
  attack: Attack<Message> | null
  world: ReplicaWorld
}

/** Small segments, so that they roll and are recovered in every run. */
const segmentBytesMax = 16 * 1024
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

/** From one start of the process to its end. */
export class Life<Message, LogRecord> {
  readonly processor: Processor
  core: ReplicaCore<Message, LogRecord> | null = null
  readonly #options: SimulatedReplicaOptions<Message, LogRecord>
  readonly #clock: VirtualClock
  readonly #timers: VirtualTimers
  readonly #drive: SimulatedDrive
  readonly #lifeNumber: number
  readonly #ended: (life: object) => void
  readonly abstains: boolean
  /** As others see it; null until its log is open. */
  greeting: Greeting | null = null
  #log: Log | null = null
  #isStalled = false
  #storageFailed = false
  #stopped = false
  #isOwed = false

  constructor(
    options: SimulatedReplicaOptions<Message, LogRecord>,
    clock: VirtualClock,
    drive: SimulatedDrive,
    recovered: RecoveredLog,
    lifeNumber: number,
    ended: (life: object) => void,
  ) {
    this.#options = options
    this.#clock = clock
    this.#drive = drive
    this.#lifeNumber = lifeNumber
    this.#ended = ended
    this.abstains = recovered.abstains
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
      durable: (upTo: number) => this.processor.run(() => this.#durable(upTo)),
      full: () => this.processor.run(() => this.#full()),
      failed: (error: FileError) => this.#diskFailed(error),
    }
    const limits = { ...logLimitsDefault, segmentBytesMax }
    openLog(
      { directory: drive.log, crc32, listener, limits },
      recovered,
      (log) => this.processor.run(() => this.#start(log)),
      (error) => this.#diskFailed(error),
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
    this.#stopped = true
    this.processor.stop()
    this.#timers.stop()
    this.core = null
  }

  #durable(upTo: number): void {
    if (this.#isStalled) {
      this.#isStalled = false
      this.core?.storage('storage-resumed', this.#now())
    }
    this.core?.durable(upTo, this.#now())
  }

  #full(): void {
    const { scheduler, coverage } = this.#options
    if (!this.#isStalled) {
      this.#isStalled = true
      count(coverage, 'storage-stalled')
      this.core?.storage('storage-stalled', this.#now())
    }
    scheduler.after(probeUs, () => {
      if (!this.#stopped) this.#log?.probe()
    })
  }

  #diskFailed(error: FileError): void {
    if (this.#stopped || this.#storageFailed) return
    this.#storageFailed = true
    if (this.core === null) this.#failed(error.message)
    else this.core.fail(new Error(error.message))
  }

  /** A correct replica may fail because of what the world did to its disk, and for no other reason. */
  #failed(cause: unknown): void {
    const { world, id, attack } = this.#options
    if (attack !== null) return this.#ended(this)
    world.note('failed', String(cause))
    const { errorsAnswered, readsRotted, requestsHung } = this.#drive
    const said = String(cause)
    const isItsDisk =
      (this.#storageFailed && errorsAnswered > 0) ||
      readsRotted > 0 ||
      (requestsHung > 0 && said.includes('a disk that does not answer')) ||
      (world.isDamaged() && said.includes('check the disk'))
    if (isItsDisk) this.#ended(this)
    else world.violated('replica-failed', `replica ${id} stopped: ${said}`)
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
    this.#log = log
    this.greeting = { incarnation: log.incarnation, life: this.#lifeNumber }
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
      roundTripMs: (peer) => this.#options.network.roundTripMs(id, peer),
      timers: this.#timers,
      clientKey: (connection) => clientKeyAt(connection),
      report: () => new Uint8Array(0),
      respond: (connection, bytes) => this.#send(connection, bytes),
      hasher,
      signer: this.#chargedSigner(suite.signer(new Uint8Array(32).fill(id))),
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
        accused: (evidence) => world.accused(evidence),
        failed: (cause) => this.#failed(cause),
      },
    })
    this.core = core
    core.start(this.#recovered(log, checkpoint), log.durable, this.#now())
  }

  #openSnapshots(hasher: Hasher): SnapshotStore | null {
    const { epoch, id, world, scheduler } = this.#options
    const opening = openSnapshots({
      directory: this.#drive.snapshots,
      crc32,
      network: epoch.network,
      digestOf: chunkDigestOf(hasher),
      listener: {
        full: () => scheduler.after(probeUs, () => this.processor.run(() => store?.probe())),
        failed: (error) => this.#diskFailed(error),
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
    return { incarnation: log.incarnation, records: records(), checkpoint, abstains: this.abstains }
  }

  /** Leaves when the work that made it is done. */
  #send(to: Address, bytes: Uint8Array): void {
    const { attack } = this.#options
    if (attack === null) return this.#leave(to, bytes)
    if (to < clientAddressMin) for (const frame of framesOf(attack, to as ReplicaId, bytes)) this.#leave(to, frame)
    else {
      const reply = attack.reply === undefined ? bytes : attack.reply(bytes)
      if (reply !== null) this.#leave(to, reply)
    }
  }

  #leave(to: Address, bytes: Uint8Array): void {
    this.processor.charge(costModel.frameUs + bytes.length * costModel.byteUs)
    this.#options.network.send(this.#options.id, to, bytes, this.processor.nowUs, this.greeting)
  }

  #event(event: ProtocolEvent): void {
    const { world, coverage } = this.#options
    count(coverage, event.kind)
    world.event(event)
    if (event.detail?.['reason'] === 'storage-hangs') count(coverage, 'stepped-down-storage-hangs')
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

  /**
   * Where every message is signed it is most of what a replica does. Where members only crash nothing but checkpoints is, and what a seed
   * has found once, such as each recorded planted bug, it finds again as long as that costs nothing.
   */
  #chargedSigner(signer: Signer): Signer {
    const { processor } = this
    if (faultModelOf(this.#options.epoch.protocol) === 'crash') return signer
    return {
      publicKey: signer.publicKey,
      sign(message) {
        processor.charge(costModel.signUs)
        return signer.sign(message)
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
