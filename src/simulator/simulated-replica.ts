// One replica of the simulated network: the real core, the real log code, on a virtual clock, CPU, disk and network. It can crash and
// lose what it had not synced, start again, and stand still for a while.

import type { Hasher, SignatureSuite, Verifier } from '../kernel/crypto-ports.ts'
import type { Block } from '../kernel/block.ts'
import type { ReplicaId } from '../kernel/ids.ts'
import type { Epoch } from '../kernel/membership.ts'
import type { Now, ProtocolDefinition, ProtocolEvent, Recovered } from '../kernel/protocol.ts'
import type { Random } from '../kernel/random.ts'
import { ReplicaCore } from '../replica/core/replica-core.ts'
import type { ExecutedBlock } from '../execution/executed-block.ts'
import type { Executor } from '../execution/executor.ts'
import { decode } from '../wire/codec.ts'
import { crc32 } from '../storage/log/crc32.ts'
import type { FileError } from '../storage/log/file-port.ts'
import type { Voice } from '../storage/log/format.ts'
import { initializeLog } from '../storage/log/initialize.ts'
import { logLimitsDefault, type Log } from '../storage/log/log.ts'
import { openLog } from '../storage/log/open-log.ts'
import { recoverLog, type LogRefusal, type RecoveredLog } from '../storage/log/recovery.ts'
import { planStart, refuseOldCopy, unusedIncarnation } from '../storage/log/rejoin.ts'
import { costModel } from './cost-model.ts'
import { count } from './coverage.ts'
import { SimulatedDisk, type DiskImage } from './disk/simulated-disk.ts'
import type { DiskVictim } from './disk-nemesis.ts'
import type { IncarnationMemory, Greeting } from './incarnation-memory.ts'
import { clientAddressMin, clientKeyAt, type Address, type Network } from './network.ts'
import type { Victim } from './nemesis.ts'
import type { Ending, Patient } from './operator.ts'
import { Processor } from './processor.ts'
import type { Coverage } from './report.ts'
import type { Scheduler } from './scheduler.ts'
import { VirtualClock } from './virtual-clock.ts'
import { VirtualTimers } from './virtual-timers.ts'

/** What a replica lets the world know; none of it is believed without a second look. */
export interface ReplicaWorld {
  decided(block: Block): void
  executed(block: ExecutedBlock): void
  leads(term: number): void
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
  world: ReplicaWorld
}

/** Small segments, so that they roll and are recovered in every run. */
const segmentBytesMax = 16 * 1024
/** How often a full disk is tried again. */
const probeMs = 200

const refusalNames: Readonly<Record<LogRefusal['code'], string>> = {
  ERR_LOG_EMPTY_DIRECTORY: 'empty-directories-refused',
  ERR_LOG_FOREIGN_DIRECTORY: 'foreign-directories-refused',
  ERR_LOG_FORMAT_VERSION: 'format-versions-refused',
  ERR_LOG_CORRUPT: 'corrupt-logs-refused',
  ERR_LOG_UNREADABLE: 'unreadable-logs-refused',
  ERR_LOG_OUTDATED: 'old-copies-refused',
}

export class SimulatedReplica<Message = unknown, LogRecord = unknown> implements Victim, DiskVictim, Patient {
  readonly id: ReplicaId
  readonly address: Address
  readonly #options: SimulatedReplicaOptions<Message, LogRecord>
  readonly #clock: VirtualClock
  readonly disk: SimulatedDisk
  #life: Life<Message, LogRecord> | null = null
  #up = false
  #lives = 0
  /** In a row. */
  refusals = 0
  /** The newest incarnation of this replica that others have shown it. */
  #told = 0
  /** Runs on a restored backup: an incarnation from here on would be news to somebody. Null: on its own log. */
  #newsFrom: number | null = null

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
    this.disk = new SimulatedDisk({
      random: random.fork('disk'),
      faultRandom: options.diskRandom,
      latency: { writeUs: 20, syncUsMin, syncUsMax: syncUsMin * random.between(1, 8) },
      schedule: (delayUs, run) => void scheduler.after(delayUs, run),
    })
    network.attach(this.address, (from, bytes, process) => this.#receive(from, bytes, process))
    this.#initialize('votes', 0, (error) => {
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

  /** Follows without a vote, because it lost its log. */
  get abstains(): boolean {
    return this.#life?.abstains ?? false
  }

  get incarnation(): number | null {
    return this.#life?.process?.incarnation ?? null
  }

  /** What it says it is waiting for. */
  describe(): string {
    if (this.#life?.core == null) return this.#up ? 'starting' : 'down'
    const status = this.#life.core.status(this.#now())
    return `${status.role} of view ${status.view}, ${status.phase}, decided ${status.decidedHeight}`
  }

  crash(): void {
    if (!this.#up) return
    this.#end()
    const lost = this.disk.crash()
    count(this.#options.coverage, 'crashes')
    if (lost > 0) count(this.#options.coverage, 'restarts-that-lost-writes')
  }

  losePower(): void {
    if (this.#up) this.crash()
    else if (this.#lives > 0) this.disk.crash()
  }

  kill(): void {
    if (!this.#up) return
    this.#end()
    this.disk.kill()
    count(this.#options.coverage, 'kills')
  }

  wipe(): void {
    this.losePower()
    this.disk.wipe()
    this.#options.memory?.forget(this.id)
  }

  restoreBackup(image: DiskImage): void {
    this.losePower()
    this.disk.restore(image)
    this.#newsFrom = this.#options.memory?.seenByAll(this.id) ?? 0
    this.#options.memory?.forget(this.id)
  }

  restart(): void {
    if (!this.#up) this.#start(this.#recover(), false)
  }

  /** The operator has given up the log: what is left of it is set aside, and a new one speaks without a vote. */
  rejoin(): void {
    if (!this.#up) this.#start(this.#recover(), true)
  }

  /** Others refuse this process, because they have seen a later one. */
  unmasked(greeting: Greeting, seen: number): void {
    const life = this.#life
    if (life === null || life.process !== process) return
    this.#told = Math.max(this.#told, seen)
    life.stop()
    this.#endLater(life, 'old-copy')
  }

  pause(durationUs: number): void {
    count(this.#options.coverage, 'pauses')
    this.#life?.processor.pause(durationUs)
  }

  jumpWallClock(byMs: number): void {
    this.#clock.jumpWall(byMs)
  }

  /** Up and running, as a member of the healed core must be. */
  heal(): void {
    this.#life?.processor.resume()
    this.disk.heal()
    // What was asked of a disk that hung is never answered.
    if (this.disk.requestsHung > 0) this.kill()
    this.restart()
  }

  #receive(from: Address, bytes: Uint8Array, greeting: Greeting | null): void {
    const { memory, world } = this.#options
    if (this.#life === null) return
    if (memory !== null && process !== null && !memory.admits(this.id, from as ReplicaId, process)) {
      return world.unmasked(from as ReplicaId, process, memory.seenBy(this.id, from as ReplicaId))
    }
    this.#life.receive(from, bytes)
  }

  #start(recovered: RecoveredLog | LogRefusal, rejoin: boolean): void {
    const plan = planStart(recovered, rejoin)
    if (plan.kind === 'refuse') this.#refused(plan.refusal)
    else if (plan.kind === 'renew') this.#renew()
    else this.#open(plan.recovered)
  }

  #refused({ code, message }: LogRefusal): void {
    const { coverage, world } = this.#options
    if (!world.isDamaged() && this.disk.readsRotted === 0) {
      return world.violated('log-recovery', `replica ${this.id}: ${message}`)
    }
    count(coverage, refusalNames[code])
    world.note('log refused', message)
    this.refusals++
    this.disk.kill()
    world.ended('log-refused')
  }

  #renew(): void {
    const { coverage, world } = this.#options
    const known = { wallMs: this.#now().wallMs, seen: this.#told }
    const incarnation = unusedIncarnation({ directory: this.disk, crc32 }, known)
    world.note('rejoins', `without a vote, above incarnation ${incarnation}`)
    count(coverage, 'rejoins')
    this.#up = true
    this.disk.wipe()
    this.#newsFrom = null
    this.#initialize('abstains', incarnation, (error) => {
      this.#up = false
      if (error === null) return this.restart()
      count(coverage, 'storage-failures')
      this.disk.kill()
      world.ended('storage-failed')
    })
  }

  #initialize(voice: Voice, incarnation: number, done: (error: { message: string } | null) => void): void {
    const { network } = this.#options.epoch
    initializeLog({ directory: this.disk, crc32, network, replica: this.id, voice, incarnation }, done)
  }

  #open(recovered: RecoveredLog): void {
    const { coverage } = this.#options
    this.#up = true
    this.refusals = 0
    if (recovered.incarnation > 0) count(coverage, 'restarts')
    if (recovered.tornBytes > 0) count(coverage, 'torn-tails-cut')
    this.#life = new Life(this.#options, this.#clock, this.disk, recovered, ++this.#lives, (life) =>
      this.#endLater(life, 'storage-failed'),
    )
  }

  #end(): void {
    this.#up = false
    this.#life?.stop()
    this.#life = null
  }

  /** A process that ends by itself has said so from within; it is gone in a moment. */
  #endLater(life: object, why: Ending): void {
    const { scheduler, coverage, world } = this.#options
    scheduler.after(0, () => {
      if (this.#life !== life) return
      this.#end()
      this.disk.kill()
      if (why === 'storage-failed') count(coverage, 'storage-failures')
      world.note('ended', why)
      world.ended(why)
    })
  }

  #now(): Now {
    return this.#clock.at(this.#options.scheduler.nowUs)
  }

  #recover(): RecoveredLog | LogRefusal {
    const expected = { network: this.#options.epoch.network, replica: this.id }
    const recovery = recoverLog({ directory: this.disk, crc32, expected })
    for (;;) {
      const step = recovery.next()
      if (step.done === true) return this.#knowingOthers(step.value)
    }
  }

  /**
   * A backup that were started so often that its incarnation is news could not be told from the log itself: before that, the operator
   * looks at what the others have seen.
   */
  #knowingOthers(recovered: RecoveredLog | LogRefusal): RecoveredLog | LogRefusal {
    if (this.#newsFrom !== null && recovered.ok && recovered.incarnation + 1 >= this.#newsFrom)
      this.#told = this.#newsFrom
    return this.#told === 0 ? recovered : refuseOldCopy(recovered, this.#told)
  }
}

/** From one start of the process to its end. */
class Life<Message, LogRecord> {
  readonly processor: Processor
  core: ReplicaCore<Message, LogRecord> | null = null
  readonly #options: SimulatedReplicaOptions<Message, LogRecord>
  readonly #clock: VirtualClock
  readonly #timers: VirtualTimers
  readonly #disk: SimulatedDisk
  readonly #lifeNumber: number
  readonly #ended: (life: object) => void
  readonly abstains: boolean
  /** As others see it; null until its log is open. */
  greeting: Greeting | null = null
  #log: Log | null = null
  #isStalled = false
  #storageFailed = false
  #stopped = false

  constructor(
    options: SimulatedReplicaOptions<Message, LogRecord>,
    clock: VirtualClock,
    disk: SimulatedDisk,
    recovered: RecoveredLog,
    lifeNumber: number,
    ended: (life: object) => void,
  ) {
    this.#options = options
    this.#clock = clock
    this.#disk = disk
    this.#lifeNumber = lifeNumber
    this.#ended = ended
    this.abstains = recovered.abstains
    this.processor = new Processor(options.scheduler, () => {
      while (this.core?.endTurn() === true);
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
      { directory: disk, crc32, listener, limits },
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
    scheduler.after(this.#clock.toWorldUs(probeMs), () => {
      if (!this.#stopped) this.#log?.probe()
    })
  }

  /** Only the world makes a disk fail; what the process makes of it is looked at from outside. */
  #diskFailed(error: FileError): void {
    if (this.#stopped || this.#storageFailed) return
    this.#storageFailed = true
    if (this.core === null) this.#ended(this)
    else this.core.fail(new Error(error.message))
  }

  /** A replica may fail because of its disk, and for no other reason. */
  #failed(cause: unknown): void {
    const { world, id } = this.#options
    const waitsForDisk = String(cause).includes('a disk that does not answer') && this.#disk.requestsHung > 0
    if (this.#storageFailed || this.#disk.readsRotted > 0 || waitsForDisk) return this.#ended(this)
    world.violated('replica-failed', `replica ${id} stopped: ${String(cause)}`)
  }

  #now(): Now {
    return this.#clock.at(this.processor.nowUs)
  }

  #start(log: Log): void {
    const { id, epoch, definition, world, random } = this.#options
    const hasher = this.#chargedHasher()
    const { suite } = this.#options
    this.#log = log
    this.process = { incarnation: log.incarnation, life: this.#lifeNumber }
    const core = new ReplicaCore<Message, LogRecord>({
      definition,
      epoch,
      self: id,
      executor: this.#options.createExecutor(hasher),
      log,
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
        event: (event) => this.#event(event),
        failed: (cause) => this.#failed(cause),
      },
    })
    this.core = core
    core.start(this.#recovered(log), log.durable, this.#now())
  }

  #recovered(log: Log): Recovered<LogRecord> {
    const { definition, world, id } = this.#options
    function* records(): Generator<{ sequence: number; record: LogRecord }> {
      for (const { sequence, bytes } of log.records()) {
        const record = decode(definition.logRecord, bytes)
        if (record.ok) yield { sequence, record: record.value }
        else
          world.violated('log-record', `replica ${id} cannot read its own record ${sequence}: ${record.error.message}`)
      }
    }
    return { incarnation: log.incarnation, records: records(), checkpoint: null, abstains: this.abstains }
  }

  /** Leaves when the work that made it is done. */
  #send(to: Address, bytes: Uint8Array): void {
    this.processor.charge(costModel.frameUs + bytes.length * costModel.byteUs)
    this.#options.network.send(this.#options.id, to, bytes, this.processor.nowUs, this.process)
  }

  #event(event: ProtocolEvent): void {
    const { world, coverage } = this.#options
    if (event.kind === 'leader-elected') world.leads(event.detail?.['term'] as number)
    else count(coverage, event.kind)
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
