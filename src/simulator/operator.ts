// An operator who now and then hands leadership over, to somebody or to anybody, whatever else is going on.

import type { ReplicaId } from '../kernel/ids.ts'
import type { Command } from '../kernel/protocol.ts'
import type { Random } from '../kernel/random.ts'
import type { Scheduler } from './scheduler.ts'

export interface OperatorOptions {
  random: Random
  scheduler: Scheduler
  replicas: readonly { readonly id: ReplicaId; command(command: Command): void }[]
  note: (what: string, detail: string) => void
}

/** Mean time between two wishes. */
const intervalUs = 700_000

export class Operator {
  readonly #options: OperatorOptions
  #active = true

  constructor(options: OperatorOptions) {
    this.#options = options
    this.#later()
  }

  stop(): void {
    this.#active = false
  }

  #later(): void {
    const { random, scheduler } = this.#options
    scheduler.after(1 + random.below(2 * intervalUs), () => {
      if (!this.#active) return
      this.#wish()
      this.#later()
    })
  }

  /** Said to all: only a leader can grant it. */
  #wish(): void {
    const { random, replicas, note } = this.#options
    const to = random.chance(1, 3) ? null : random.pick(replicas).id
    note('operator', `wishes that ${to ?? 'somebody else'} leads`)
    for (const replica of replicas) replica.command({ kind: 'transfer-leadership', to })
  }
}
