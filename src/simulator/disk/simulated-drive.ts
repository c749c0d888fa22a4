// The disk of one replica with the folders of its data directory: what it does, it does to all of them, and power is lost for all at once.

import type { Random } from '../../kernel/random.ts'
import { SimulatedDisk, type DiskImage, type DiskLatency } from './simulated-disk.ts'

export interface DriveImage {
  log: DiskImage
  snapshots: DiskImage
}

export interface DriveOptions {
  log: { random: Random; latency: DiskLatency }
  snapshots: { random: Random; latency: DiskLatency }
  faultRandom: Random
  schedule: (delayUs: number, run: () => void) => void
}

export class SimulatedDrive {
  readonly log: SimulatedDisk
  readonly snapshots: SimulatedDisk
  readonly #folders: readonly SimulatedDisk[]

  constructor({ log, snapshots, faultRandom, schedule }: DriveOptions) {
    this.log = new SimulatedDisk({ ...log, faultRandom, schedule })
    this.snapshots = new SimulatedDisk({ ...snapshots, faultRandom, schedule })
    this.#folders = [this.log, this.snapshots]
  }

  /** Since the process began. */
  get errorsAnswered(): number {
    return this.#sum((folder) => folder.errorsAnswered)
  }

  get readsRotted(): number {
    return this.#sum((folder) => folder.readsRotted)
  }

  get requestsHung(): number {
    return this.#sum((folder) => folder.requestsHung)
  }

  set slowness(factor: number) {
    for (const folder of this.#folders) folder.slowness = factor
  }

  set full(isFull: boolean) {
    for (const folder of this.#folders) folder.full = isFull
  }

  set syncing(how: SimulatedDisk['syncing']) {
    for (const folder of this.#folders) folder.syncing = how
  }

  /** The next sync of the log, or the next of the snapshots. */
  failNextSync(folder: 'log' | 'snapshots'): void {
    this[folder].failNext('sync', { code: 'ERR_DISK_IO', message: 'EIO: one sync failed' })
  }

  heal(): void {
    for (const folder of this.#folders) folder.heal()
  }

  kill(): void {
    for (const folder of this.#folders) folder.kill()
  }

  /** Bytes lost. */
  crash(): { log: number; snapshots: number } {
    return { log: this.log.crash(), snapshots: this.snapshots.crash() }
  }

  wipe(): void {
    for (const folder of this.#folders) folder.wipe()
  }

  backup(): DriveImage {
    return { log: this.log.backup(), snapshots: this.snapshots.backup() }
  }

  restore(image: DriveImage): void {
    this.log.restore(image.log)
    this.snapshots.restore(image.snapshots)
  }

  #sum(count: (folder: SimulatedDisk) => number): number {
    return this.#folders.reduce((sum, folder) => sum + count(folder), 0)
  }
}
