// Wall clocks of a run. Where members vote for a block's time, correct clocks agree but for those of a few, which count among the faulty;
// elsewhere every clock may be off as far as the plan says.

import type { ReplicaId } from '../kernel/ids.ts'
import { membershipOf, type Epoch } from '../kernel/membership.ts'
import type { Random } from '../kernel/random.ts'
import type { FaultPlan } from './fault-plan.ts'
import { shuffle } from './shuffle.ts'

export interface ClocksOptions {
  epoch: Epoch
  plan: FaultPlan
  /** Whose clocks are no matter. */
  isLiar: (replica: ReplicaId) => boolean
  random: Random
}

/** How far a proposed time may lie from a voter's clock, where members vote for it. */
export function clockToleranceMs({ protocol, parameters }: Epoch): number {
  return (protocol === 'hotstuff' ? parameters.hotstuff : parameters.pbft).clockToleranceMs
}

export class Clocks {
  readonly #options: ClocksOptions
  readonly #isVotedFor: boolean
  readonly #wrong: ReadonlySet<ReplicaId>

  constructor(options: ClocksOptions) {
    this.#options = options
    this.#isVotedFor = membershipOf(options.epoch).faultModel === 'byzantine'
    this.#wrong = new Set(this.#isVotedFor ? this.#drawWrong() : [])
  }

  /** How far from the right time a right clock is, at the most. */
  get #spreadMs(): number {
    return Math.floor(clockToleranceMs(this.#options.epoch) / 8)
  }

  isRight(replica: ReplicaId): boolean {
    return !this.#wrong.has(replica) && !this.#options.isLiar(replica)
  }

  of(replica: ReplicaId): { wallOffsetMsMax: number; jumpsFar: boolean } {
    const { wallOffsetMsMax } = this.#options.plan
    const jumpsFar = !this.#isVotedFor || this.#wrong.has(replica)
    return { wallOffsetMsMax: jumpsFar ? wallOffsetMsMax : Math.min(wallOffsetMsMax, this.#spreadMs), jumpsFar }
  }

  /** Progress needs clocks that agree. */
  setAll(replicas: readonly { setWallClock(offsetMs: number): void }[]): void {
    if (!this.#isVotedFor) return
    for (const replica of replicas) {
      replica.setWallClock(this.#options.random.between(-this.#spreadMs, this.#spreadMs))
    }
  }

  #drawWrong(): readonly ReplicaId[] {
    const { epoch, plan, isLiar, random } = this.#options
    const { all, faultsTolerated } = membershipOf(epoch)
    const correct = all.filter((id) => !isLiar(id))
    const most = faultsTolerated - (all.length - correct.length)
    if (plan.wallOffsetMsMax <= this.#spreadMs || most <= 0) return []
    return shuffle(random, correct).slice(0, random.between(0, most))
  }
}
