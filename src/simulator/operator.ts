// An operator who now and then wants another leader, whatever else is going on.

import type { ReplicaId } from '../kernel/ids.ts'
import type { Command } from '../kernel/protocol.ts'
import type { Random } from '../kernel/random.ts'
import type { Wish } from './protocols.ts'
import type { Scheduler } from './scheduler.ts'

export interface OperatorOptions {
  random: Random
  scheduler: Scheduler
  drawWish: (random: Random, replicas: readonly ReplicaId[]) => Wish
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

  #wish(): void {
    const { random, replicas, drawWish, note } = this.#options
    const ids = replicas.map(({ id }) => id)
    const { command, of, words } = drawWish(random, ids)
    note('operator', words)
    for (const replica of replicas) if (of.includes(replica.id)) replica.command(command)
  }
}
