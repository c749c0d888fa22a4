// One correct replica, and three that say whatever the test wants: it hears nobody else, and what it says is read from what it has sent.

import type { HotstuffRule } from '../../../src/kernel/parameters.ts'
import type { View } from '../../../src/kernel/ids.ts'
import type { HotstuffMessage } from '../../../src/protocols/hotstuff/messages.ts'
import { Bench, type BenchOptions, type Replica } from './bench.ts'

export class Lone {
  readonly world: Bench
  /** Leads views 4, 8, and so on. */
  readonly one: Replica

  constructor(rule: HotstuffRule = 'two-chain', options: BenchOptions = {}) {
    const parameters = { batch: { operationsMax: 1, lingerMs: 0 }, ...options.parameters, hotstuff: { rule } }
    this.world = new Bench({ ...options, parameters }).isolate(1)
    for (const id of [2, 3, 4]) this.world.liars.add(this.world.replica(id).id)
    this.one = this.world.replica(1)
    this.one.start()
  }

  hear(from: number, ...messages: HotstuffMessage[]): this {
    for (const message of messages) this.one.receive(from, message)
    return this
  }

  /** `to`: what is told to all counts once for whoever is named. */
  said<Kind extends HotstuffMessage['kind']>(kind: Kind, to?: number): Extract<HotstuffMessage, { kind: Kind }>[] {
    const own = this.world.sent.filter((sent) => sent.from === this.one.id && (to === undefined || sent.to === to))
    return own
      .map(({ message }) => message)
      .filter((message): message is Extract<HotstuffMessage, { kind: Kind }> => message.kind === kind)
  }

  /** The views that it has voted in, and told others so. */
  get voted(): View[] {
    return this.said('vote').map(({ view }) => view)
  }

  restart(): this {
    this.one.crash().start()
    return this
  }

  noted(kind: string): number {
    return this.one.noted(kind).length
  }
}
