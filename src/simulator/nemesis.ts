// Brings about the faults of a plan, one after the other and overlapping, and takes each back when its time is over.

import type { Random } from '../kernel/random.ts'
import type { FaultPlan } from './fault-plan.ts'
import type { Address, Network } from './network.ts'
import type { Coverage } from './report.ts'
import type { Scheduler } from './scheduler.ts'

/** What the nemesis can do to a process. */
export interface Victim {
  readonly address: Address
  readonly isUp: boolean
  readonly isPaused: boolean
  crash(): void
  restart(): void
  pause(durationUs: number): void
  jumpWallClock(byMs: number): void
}

export interface NemesisOptions {
  plan: FaultPlan
  scheduler: Scheduler
  network: Network
  victims: readonly Victim[]
  /** All that send and receive, clients included. */
  addresses: readonly Address[]
  random: Random
  coverage: Coverage
  /** The victim that seems to lead at the moment, to be hit more often than chance would. */
  leader: () => Victim | null
  note: (what: string, detail: string) => void
}

export class Nemesis {
  readonly #options: NemesisOptions
  #active = true

  constructor(options: NemesisOptions) {
    this.#options = options
    if (options.plan.faults.length > 0) this.#scheduleNext()
  }

  /** No more faults. Those that are there go on until they are over, or are healed by the simulation. */
  stop(): void {
    this.#active = false
  }

  #scheduleNext(): void {
    const { scheduler, random, plan } = this.#options
    scheduler.after(1 + random.below(2 * plan.intervalUs), () => {
      if (!this.#active) return
      this.#strike()
      this.#scheduleNext()
    })
  }

  #strike(): void {
    const { random, plan, coverage } = this.#options
    const fault = random.pick(plan.faults)
    const durationUs = random.between(plan.durationUsMin, plan.durationUsMax)
    coverage[`fault-${fault}`] = (coverage[`fault-${fault}`] ?? 0) + 1
    switch (fault) {
      case 'partition':
        return this.#partition(durationUs, 'both')
      case 'one-way-partition':
        return this.#partition(durationUs, 'one')
      case 'isolation':
        return this.#isolate(this.#victim(), durationUs)
      case 'clog':
        return this.#clog(durationUs)
      case 'loss-burst':
        return this.#worsen({ lossPerMille: 400 }, durationUs)
      case 'slow-burst':
        return this.#worsen({ slowPerMille: 500 }, durationUs)
      case 'crash':
        return this.#crash([this.#victim()], durationUs)
      case 'crash-all':
        return this.#crash(this.#options.victims, durationUs)
      case 'pause': {
        const victim = this.#victim()
        if (!victim.isUp || victim.isPaused) return
        this.#options.note('pause', `${victim.address} for ${Math.round(durationUs / 1000)} ms`)
        return victim.pause(durationUs)
      }
      case 'wall-clock-jump': {
        const byMs = random.between(-plan.wallOffsetMsMax, plan.wallOffsetMsMax)
        const victim = this.#victim()
        this.#options.note('wall clock jumps', `${victim.address} by ${byMs} ms`)
        return victim.jumpWallClock(byMs)
      }
    }
  }

  #victim(): Victim {
    const { random, victims, leader } = this.#options
    const leading = random.chance(1, 2) ? leader() : null
    return leading ?? random.pick(victims)
  }

  #partition(durationUs: number, directions: 'both' | 'one'): void {
    const { addresses } = this.#options
    const left = this.#side()
    const right = addresses.filter((address) => !left.includes(address))
    const pairs: [Address, Address][] = []
    for (const from of left) {
      for (const to of right) {
        pairs.push([from, to])
        if (directions === 'both') pairs.push([to, from])
      }
    }
    this.#options.note(
      directions === 'both' ? 'partition' : 'one-way partition',
      `${left.join(' ')} | ${right.join(' ')}`,
    )
    this.#block(pairs, durationUs)
  }

  /** Half of all, or the one that leads with the clients that still believe in it: what a stale leader could do harm with. */
  #side(): Address[] {
    const { addresses, victims, random, leader } = this.#options
    const leading = random.chance(1, 3) ? leader() : null
    if (leading === null) return addresses.filter(() => random.chance(1, 2))
    const replicas = victims.map((victim) => victim.address)
    return addresses.filter(
      (address) => address === leading.address || (!replicas.includes(address) && random.chance(1, 2)),
    )
  }

  #isolate(victim: Victim, durationUs: number): void {
    const pairs: [Address, Address][] = []
    for (const other of this.#options.addresses) {
      if (other !== victim.address) pairs.push([victim.address, other], [other, victim.address])
    }
    this.#options.note('isolation', `${victim.address}`)
    this.#block(pairs, durationUs)
  }

  #block(pairs: readonly [Address, Address][], durationUs: number): void {
    const { network, scheduler } = this.#options
    for (const [from, to] of pairs) network.block(from, to)
    scheduler.after(durationUs, () => {
      // When the nemesis has been stopped, the network has been healed as a whole, and what is blocked since is blocked for ever.
      if (!this.#active) return
      for (const [from, to] of pairs) network.unblock(from, to)
    })
  }

  #clog(durationUs: number): void {
    const { network, scheduler, addresses, random } = this.#options
    const from = random.pick(addresses)
    const to = random.pick(addresses)
    this.#options.note('clog', `${from} to ${to}`)
    network.clog(from, to, scheduler.nowUs + durationUs)
  }

  #worsen(change: { lossPerMille?: number; slowPerMille?: number }, durationUs: number): void {
    const { network, scheduler, plan } = this.#options
    network.model = { ...network.model, ...change }
    this.#options.note('bad weather', JSON.stringify(change))
    scheduler.after(durationUs, () => {
      if (this.#active) network.model = plan.network
    })
  }

  #crash(victims: readonly Victim[], durationUs: number): void {
    const { scheduler, random } = this.#options
    for (const victim of victims) {
      if (!victim.isUp) continue
      this.#options.note('crash', `${victim.address}`)
      victim.crash()
      scheduler.after(1 + random.below(durationUs), () => {
        if (this.#active && !victim.isUp) victim.restart()
      })
    }
  }
}
