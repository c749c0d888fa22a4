// Brings about the disk faults of a plan: those that end after a while, and those that damage a disk for good, as far as the atlas allows.

import type { ReplicaId } from '../kernel/ids.ts'
import type { Random } from '../kernel/random.ts'
import { noteFile, noteOffset } from '../storage/log/format.ts'
import { count } from './coverage.ts'
import { checkedPlaces, soundNotes, type DiskAtlas } from './disk-atlas.ts'
import type { Place, SimulatedDisk } from './disk/simulated-disk.ts'
import type { DriveImage, SimulatedDrive } from './disk/simulated-drive.ts'
import type { DiskFault, DiskPlan } from './fault-plan.ts'
import type { IncarnationMemory } from './incarnation-memory.ts'
import type { Coverage } from './report.ts'
import type { Scheduler } from './scheduler.ts'

/** A replica with its disk. */
export interface DiskVictim {
  readonly id: ReplicaId
  readonly isUp: boolean
  readonly drive: SimulatedDrive
  /** Of the log that it runs on; null while it has none open. */
  readonly incarnation: number | null
  restart(): void
  /** The process ends, and the machine goes on. */
  kill(): void
  /** The machine is off for a moment, whether a process was running or not. */
  losePower(): void
  wipe(): void
  restoreBackup(image: DriveImage): void
  /** Below what recovery is sure to check. */
  rotLog(place: { name: string; offset: number }, mask: number, cached: boolean): void
}

export interface DiskNemesisOptions {
  plan: DiskPlan
  scheduler: Scheduler
  victims: readonly DiskVictim[]
  atlas: DiskAtlas
  memory: IncarnationMemory
  random: Random
  coverage: Coverage
  leader: () => DiskVictim | null
  note: (what: string, detail: string) => void
}

/** What happens while the directories are made for the first time is no replica's history. */
const installationUs = 50_000
const misdirectedBytesMax = 600
const agingUs = 200_000
/** So many starts are enough to make a backup old, unless the others do not hear of them. */
const agingsMax = 8

interface Backup {
  victim: DiskVictim
  image: DriveImage
  incarnation: number
  agings: number
}

export class DiskNemesis {
  readonly #options: DiskNemesisOptions
  #active = true
  #backup: Backup | null = null

  constructor(options: DiskNemesisOptions) {
    this.#options = options
    options.scheduler.after(installationUs, () => this.#scheduleNext())
  }

  /** No more faults. What is damaged stays damaged; the rest is healed by the simulation. */
  stop(): void {
    this.#active = false
  }

  #scheduleNext(): void {
    const { random, plan } = this.#options
    this.#later(1 + random.below(2 * plan.intervalUs), () => {
      this.#strike(random.pick(plan.faults), random.between(plan.durationUsMin, plan.durationUsMax))
      this.#scheduleNext()
    })
  }

  #strike(fault: DiskFault, durationUs: number): void {
    const victim = this.#victim(fault)
    if (victim === null || !this.#hit(fault, victim, durationUs)) return
    count(this.#options.coverage, `fault-${fault}`)
    this.#options.note(fault, `${victim.id}`)
  }

  /** True when it happened: not every disk can be hit by everything at every moment. */
  #hit(fault: DiskFault, victim: DiskVictim, durationUs: number): boolean {
    const { drive } = victim
    const { random } = this.#options
    switch (fault) {
      case 'slow-disk':
        drive.slowness = random.pick([10, 100, 1000])
        return this.#endLater(durationUs, () => (drive.slowness = 1))
      case 'full-disk':
        drive.full = true
        return this.#endLater(durationUs, () => (drive.full = false))
      case 'failing-sync':
        if (random.chance(1, 2)) drive.failNextSync(random.chance(1, 4) ? 'snapshots' : 'log')
        else drive.syncing = 'fails'
        return this.#endLater(durationUs, () => this.#answerAgain(victim))
      case 'hanging-sync':
        drive.syncing = 'hangs'
        return this.#endLater(durationUs, () => this.#answerAgain(victim))
      case 'rot-on-read':
        return this.#rotOnRead(victim, durationUs)
      case 'rot':
        return this.#rot(victim, durationUs)
      case 'misdirected-write':
        return this.#misdirect(victim, durationUs)
      case 'wiped':
        this.#options.atlas.damage(victim.id)
        victim.wipe()
        return this.#endLater(durationUs, () => victim.restart())
      case 'restored-backup':
        return this.#restoreBackup(victim, durationUs)
    }
  }

  /** Someone whom this fault may hit, and often the leader; whoever has been backed up already, for a backup. */
  #victim(fault: DiskFault): DiskVictim | null {
    const { random, victims, leader, atlas } = this.#options
    const damages = fault === 'wiped' || fault === 'misdirected-write' || fault === 'restored-backup'
    const leading = random.chance(1, 2) ? leader() : null
    const candidates = damages ? victims.filter((victim) => atlas.mayDamage(victim.id)) : victims
    if (candidates.length === 0) return null
    if (fault === 'restored-backup' && this.#backup !== null) {
      if (candidates.includes(this.#backup.victim)) return this.#backup.victim
      this.#backup = null
    }
    return leading !== null && candidates.includes(leading) ? leading : random.pick(candidates)
  }

  /** A process whose sync never answered never goes on: it is killed, or its machine is switched off and on. */
  #answerAgain(victim: DiskVictim): void {
    victim.drive.syncing = 'answers'
    if (victim.isUp && victim.drive.requestsHung > 0) this.#startAnew(victim, 1)
  }

  #rotOnRead(victim: DiskVictim, durationUs: number): boolean {
    const { random } = this.#options
    const places = checkedPlaces(victim.drive.log.platter)
    if (places.length === 0) return false
    victim.drive.log.rotOneRead(this.#byteOf(random.pick(places)), this.#mask(), random.below(3))
    this.#startAnew(victim, durationUs)
    return true
  }

  /** Where no more disk may be damaged for good, one of two sound notes is: the other one is enough. */
  #rot(victim: DiskVictim, durationUs: number): boolean {
    const { random, atlas } = this.#options
    const { log, snapshots } = victim.drive
    const cached = random.chance(1, 2)
    const places = checkedPlaces(log.platter)
    if (places.length === 0) return false
    if (atlas.mayDamage(victim.id)) {
      atlas.damage(victim.id)
      const packed = random.chance(1, 3) ? anywhere(snapshots) : []
      if (packed.length > 0) snapshots.rot(this.#byteOf(random.pick(packed)), this.#mask(), cached)
      else victim.rotLog(this.#byteOf(random.pick(places)), this.#mask(), cached)
    } else {
      const notes = soundNotes(log.platter)
      if (notes.length < 2) return false
      log.rot(
        { name: noteFile, offset: noteOffset(random.pick(notes).counter) + random.below(48) },
        this.#mask(),
        cached,
      )
    }
    if (random.chance(1, 2)) this.#startAnew(victim, durationUs)
    return true
  }

  #misdirect(victim: DiskVictim, durationUs: number): boolean {
    const { random, atlas } = this.#options
    const places = checkedPlaces(victim.drive.log.platter)
    if (places.length === 0) return false
    const from = random.pick(places)
    const to = random.pick(places)
    const length = random.between(1, Math.min(misdirectedBytesMax, from.length, to.length))
    const source = { name: from.name, offset: random.below(from.length - length + 1), length }
    const target = { name: to.name, offset: random.below(to.length - length + 1) }
    atlas.damage(victim.id)
    victim.drive.log.misdirect(source, target, random.chance(1, 2))
    if (random.chance(1, 2)) this.#startAnew(victim, durationUs)
    return true
  }

  /**
   * Only where it is sure that everyone refuses what runs on the copy. Until then the replica is started again and again: each start
   * that the others see makes the backup older.
   */
  #restoreBackup(victim: DiskVictim, durationUs: number): boolean {
    const { atlas, memory } = this.#options
    if (this.#backup === null) {
      if (victim.incarnation === null) return false
      this.#backup = { victim, image: victim.drive.backup(), incarnation: victim.incarnation, agings: 0 }
      return this.#age(this.#backup, durationUs)
    }
    const { image, incarnation } = this.#backup
    if (memory.seenByAll(victim.id) <= incarnation + 1) {
      return this.#age(this.#backup, durationUs)
    }
    atlas.damage(victim.id)
    victim.restoreBackup(image)
    this.#backup = null
    return this.#endLater(durationUs, () => victim.restart())
  }

  /** Starts the replica again, and looks a while later whether the others have seen it. */
  #age(backup: Backup, durationUs: number): false {
    if (backup.agings++ < agingsMax) {
      if (backup.victim.isUp) this.#startAnew(backup.victim, 1)
      this.#later(agingUs, () => {
        if (this.#backup === backup) this.#strike('restored-backup', durationUs)
      })
    } else this.#backup = null
    return false
  }

  /** Ends the process, with its machine or without it, and starts it again after a while. */
  #startAnew(victim: DiskVictim, durationUs: number): void {
    const { random } = this.#options
    if (random.chance(1, 2)) victim.losePower()
    else victim.kill()
    this.#later(1 + random.below(durationUs), () => victim.restart())
  }

  #byteOf(place: Place): { name: string; offset: number } {
    return { name: place.name, offset: place.offset + this.#options.random.below(place.length) }
  }

  #mask(): number {
    return 1 << this.#options.random.below(8)
  }

  #endLater(durationUs: number, end: () => void): true {
    this.#later(durationUs, end)
    return true
  }

  /** Not when the simulation has healed what it wanted healed. */
  #later(delayUs: number, run: () => void): void {
    this.#options.scheduler.after(delayUs, () => {
      if (this.#active) run()
    })
  }
}

/** Snapshots are checked wherever they are read, and whole or damaged, they promise nothing. */
function anywhere({ platter }: SimulatedDisk): Place[] {
  const places = platter.list().map((name) => ({ name, offset: 0, length: platter.size(name) }))
  return places.filter((place) => place.length > 0)
}
