// One replica of the simulated network: its disk, and one process after the other on it. It can crash and lose what it had not synced,
// be killed, lose its disk or find an old one, start again, and stand still for a while.

import type { ReplicaId } from '../kernel/ids.ts'
import type { Command, Now } from '../kernel/protocol.ts'
import type { Work } from '../replica/core/work-counts.ts'
import { crc32 } from '../storage/log/crc32.ts'
import type { Voice } from '../storage/log/format.ts'
import { initializeLog } from '../storage/log/initialize.ts'
import { recoverLog, type LogRefusal, type RecoveredLog } from '../storage/log/recovery.ts'
import { planStart, refuseOldCopy, unusedIncarnation } from '../storage/log/rejoin.ts'
import { count } from './coverage.ts'
import { SimulatedDrive, type DriveImage } from './disk/simulated-drive.ts'
import type { DiskVictim } from './disk-nemesis.ts'
import type { Greeting } from './incarnation-memory.ts'
import type { Address } from './network.ts'
import type { Victim } from './nemesis.ts'
import type { Ending, Patient } from './caretaker.ts'
import { Life, type SimulatedReplicaOptions } from './replica-life.ts'
import { VirtualClock } from './virtual-clock.ts'

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
  readonly drive: SimulatedDrive
  #life: Life<Message, LogRecord> | null = null
  #up = false
  #lives = 0
  /** In a row. */
  refusals = 0
  /** The newest incarnation of this replica that others have shown it. */
  #told = 0
  /** Runs on a restored backup: an incarnation from here on would be news to somebody. Null: on its own log. */
  #newsFrom: number | null = null
  /** Bytes of the log that the world has falsified for good, as they read now. */
  #scars: { name: string; offset: number; byte: number }[] = []

  constructor(options: SimulatedReplicaOptions<Message, LogRecord>) {
    const { random, driftPpmMax, wallOffsetMsMax, scheduler, network } = options
    this.#options = options
    this.id = options.id
    this.address = options.id
    this.#clock = new VirtualClock(
      random.between(-driftPpmMax, driftPpmMax),
      random.between(-wallOffsetMsMax, wallOffsetMsMax),
      options.jumpsFar ? Infinity : wallOffsetMsMax,
    )
    const syncUsMin = random.pick([50, 200, 1_000])
    this.drive = new SimulatedDrive({
      log: {
        random: random.fork('disk'),
        latency: { writeUs: 20, syncUsMin, syncUsMax: syncUsMin * random.between(1, 8) },
      },
      snapshots: {
        random: random.fork('snapshots'),
        latency: { writeUs: 20, syncUsMin, syncUsMax: 4 * syncUsMin },
      },
      faultRandom: options.diskRandom,
      schedule: (delayUs, run) => void scheduler.after(delayUs, run),
    })
    if (options.attack?.pongs !== undefined) network.answersPings(this.address, options.attack.pongs)
    network.attach(this.address, (from, bytes, greeting) => this.#receive(from, bytes, greeting))
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

  /** What it has sent, signed and verified since it started; null while it is down or starting. */
  get work(): Work | null {
    return this.#life?.core?.work ?? null
  }

  /** Follows without a vote, because it lost its log. */
  get abstains(): boolean {
    return this.#life?.abstains ?? false
  }

  get incarnation(): number | null {
    return this.#life?.greeting?.incarnation ?? null
  }

  /** Of the view that it is in; null while it is down or starting, and when nobody leads. */
  get leader(): ReplicaId | null {
    return this.#life?.core?.leadership().leader ?? null
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
    const lost = this.drive.crash()
    if (lost.snapshots > 0) count(this.#options.coverage, 'restarts-that-lost-snapshot-writes')
    count(this.#options.coverage, 'crashes')
    if (lost.log > 0) count(this.#options.coverage, 'restarts-that-lost-writes')
  }

  losePower(): void {
    if (this.#up) this.crash()
    else if (this.#lives > 0) this.drive.crash()
  }

  kill(): void {
    if (!this.#up) return
    this.#end()
    this.drive.kill()
    count(this.#options.coverage, 'kills')
  }

  wipe(): void {
    this.losePower()
    this.drive.wipe()
    this.#scars = []
    this.#options.memory?.forget(this.id)
  }

  restoreBackup(image: DriveImage): void {
    this.losePower()
    this.drive.restore(image)
    this.#scars = []
    this.#newsFrom = this.#options.memory?.seenByAll(this.id) ?? 0
    this.#options.memory?.forget(this.id)
  }

  rotLog(place: { name: string; offset: number }, mask: number, cached: boolean): void {
    const byte = this.drive.log.rot(place, mask, cached)
    // The same bits twice are none.
    this.#scars = this.#scars.filter((scar) => scar.name !== place.name || scar.offset !== place.offset)
    this.#scars.push({ ...place, byte })
  }

  restart(): void {
    if (!this.#up) this.#start(this.#recover(), false)
  }

  /** The caretaker has given up the log: what is left of it is set aside, and a new one speaks without a vote. */
  rejoin(): void {
    if (!this.#up) this.#start(this.#recover(), true)
  }

  /** Others refuse this process, because they have seen a later one. */
  unmasked(greeting: Greeting, seen: number): void {
    const life = this.#life
    if (life === null || life.greeting !== greeting) return
    this.#told = Math.max(this.#told, seen)
    life.stop()
    this.#endLater(life, 'old-copy')
  }

  pause(durationUs: number): void {
    count(this.#options.coverage, 'pauses')
    this.#life?.processor.pause(durationUs)
  }

  /** An operator's wish; unheard while the replica is down. */
  command(command: Command): void {
    const life = this.#life
    life?.processor.run(() => life.core?.command(command, this.#now()))
  }

  jumpWallClock(byMs: number): void {
    this.#clock.jumpWall(byMs, this.#options.scheduler.nowUs)
  }

  /** Somebody has set its clock right, but for so much. */
  setWallClock(offsetMs: number): void {
    this.#clock.setWall(offsetMs, this.#options.scheduler.nowUs)
  }

  /** The wall times that it has shown so far. */
  get wallTimes(): { lowestMs: number; highestMs: number } {
    return this.#clock.shown(this.#options.scheduler.nowUs)
  }

  /** Up and running, as a member of the healed core must be. */
  heal(): void {
    this.#life?.processor.resume()
    this.drive.heal()
    // What was asked of a disk that hung is never answered.
    if (this.drive.requestsHung > 0) this.kill()
    this.restart()
  }

  #receive(from: Address, bytes: Uint8Array, greeting: Greeting | null): void {
    const { memory, world } = this.#options
    if (this.#life === null) return
    if (memory !== null && greeting !== null && !memory.admits(this.id, from as ReplicaId, greeting)) {
      return world.unmasked(from as ReplicaId, greeting, memory.seenBy(this.id, from as ReplicaId))
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
    if (!world.isDamaged() && this.drive.readsRotted === 0) {
      return world.violated('log-recovery', `replica ${this.id}: ${message}`)
    }
    count(coverage, refusalNames[code])
    world.note('log refused', message)
    this.refusals++
    this.drive.kill()
    world.ended('log-refused')
  }

  #renew(): void {
    const { coverage, world } = this.#options
    const known = { wallMs: this.#now().wallMs, seen: this.#told }
    const incarnation = unusedIncarnation({ directory: this.drive.log, crc32 }, known)
    world.note('rejoins', `without a vote, above incarnation ${incarnation}`)
    count(coverage, 'rejoins')
    this.#up = true
    this.drive.kill()
    this.drive.log.wipe()
    this.#scars = []
    this.#newsFrom = null
    this.#initialize('abstains', incarnation, (error) => {
      this.#up = false
      if (error === null) return this.restart()
      count(coverage, 'storage-failures')
      this.drive.kill()
      world.ended('storage-failed')
    })
  }

  #initialize(voice: Voice, incarnation: number, done: (error: { message: string } | null) => void): void {
    const { network } = this.#options.epoch
    initializeLog({ directory: this.drive.log, crc32, network, replica: this.id, voice, incarnation }, done)
  }

  #open(recovered: RecoveredLog): void {
    const { coverage, world } = this.#options
    if (this.drive.readsRotted > 0 || this.#showsScars() || this.#isNews(recovered)) {
      return world.violated('damage-accepted', `replica ${this.id} takes a log for its own that was damaged, or is old`)
    }
    this.#up = true
    this.refusals = 0
    if (recovered.incarnation > 0) count(coverage, 'restarts')
    if (recovered.tornBytes > 0) count(coverage, 'torn-tails-cut')
    this.#life = new Life(this.#options, this.#clock, this.drive, recovered, ++this.#lives, (life) =>
      this.#endLater(life, 'storage-failed'),
    )
  }

  #isNews({ incarnation }: RecoveredLog): boolean {
    return this.#newsFrom !== null && incarnation + 1 >= this.#newsFrom
  }

  /** Where the page cache hides the damage, nobody is to blame. */
  #showsScars(): boolean {
    return this.#scars.some(({ name, offset, byte }) => {
      const read = this.drive.log.read(name, offset, 1)
      return read.ok && read.bytes[0] === byte
    })
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
      this.drive.kill()
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
    const recovery = recoverLog({ directory: this.drive.log, crc32, expected })
    for (;;) {
      const step = recovery.next()
      if (step.done === true) return this.#knowingOthers(step.value)
    }
  }

  /**
   * A backup that were started so often that its incarnation is news could not be told from the log itself: before that, somebody
   * looks at what the others have seen.
   */
  #knowingOthers(recovered: RecoveredLog | LogRefusal): RecoveredLog | LogRefusal {
    if (recovered.ok && this.#isNews(recovered)) this.#told = this.#newsFrom!
    return this.#told === 0 ? recovered : refuseOldCopy(recovered, this.#told)
  }
}
