/**
 * Whoever looks after the replicas: starts again what its disk has ended. A log that was refused is tried once more as it is, because a
 * read may have gone wrong; then, if its disk is one that was damaged, it is given up for lost, and the replica rejoins without a vote. A disk
 * that only reads wrong now and then costs nobody a vote: more of them could meet than may be lost.
 */

import type { Random } from '../kernel/random.ts'
import type { Scheduler } from './scheduler.ts'

/** Why a process has ended by itself. `old-copy`: the others have seen later starts of this replica. */
export type Ending = 'storage-failed' | 'log-refused' | 'old-copy'

export interface Patient {
  readonly isUp: boolean
  /** How often in a row its log was refused. */
  readonly refusals: number
  restart(): void
  rejoin(): void
  losePower(): void
}

export interface CaretakerOptions {
  scheduler: Scheduler
  random: Random
  /** Its disk has lost something for good. */
  isDamaged: (patient: Patient) => boolean
}

const delayUsMax = 1_000_000
const delayUsMaxOfCore = 50_000

export class Caretaker {
  readonly #options: CaretakerOptions
  #mayServe: (patient: Patient) => boolean = () => true
  #delayUsMax = delayUsMax

  constructor(options: CaretakerOptions) {
    this.#options = options
  }

  /** From now on only these, and at once. */
  serveOnly(core: readonly Patient[]): void {
    this.#mayServe = (patient) => core.includes(patient)
    this.#delayUsMax = delayUsMaxOfCore
  }

  ended(patient: Patient, why: Ending): void {
    const { scheduler, random, isDamaged } = this.#options
    // A machine with a broken disk is often restarted as a whole, and what the page cache showed is gone.
    const cyclesPower = why === 'storage-failed' && random.chance(1, 3)
    scheduler.after(1 + random.below(this.#delayUsMax), () => {
      if (patient.isUp || !this.#mayServe(patient)) return
      if (cyclesPower) patient.losePower()
      if (patient.refusals > 1 && isDamaged(patient)) patient.rejoin()
      else patient.restart()
    })
  }
}
