// The network between replicas and clients: slow, lossy, unfair, as its model and the faults of the moment say.

import type { PublicKey } from '../kernel/crypto-ports.ts'
import type { Random } from '../kernel/random.ts'
import type { HistoryHash } from './history-hash.ts'
import type { Greeting } from './incarnation-memory.ts'
import type { Coverage } from './report.ts'
import type { Scheduler } from './scheduler.ts'

/** Replicas have their own ids, clients start above them. */
export type Address = number
export const clientAddressMin: Address = 0x1_0000

/** The key behind a client's address, as a handshake would have shown it. */
export function clientKeyAt(address: Address): PublicKey {
  return new Uint8Array(32).fill(200 + address - clientAddressMin)
}

/** `greeting`: which start of a replica sent it; null for a client. */
export type Receive = (from: Address, bytes: Uint8Array, greeting: Greeting | null) => void

/** How this run's network behaves when nothing in particular is wrong. */
export interface NetworkModel {
  delayUsMin: number
  delayUsTypical: number
  /** Of 1,000 messages, so many take ten times as long, and a tenth of them a hundred times. */
  slowPerMille: number
  lossPerMille: number
  duplicatePerMille: number
  /** Like TCP: what one sends another arrives in the order sent. */
  ordered: boolean
}

export const calmNetwork: NetworkModel = {
  delayUsMin: 100,
  delayUsTypical: 500,
  slowPerMille: 0,
  lossPerMille: 0,
  duplicatePerMille: 0,
  ordered: true,
}

interface Link {
  blocked: number
  cloggedUntilUs: number
  lastArrivalUs: number
  /** How long frames take in this direction, smoothed as a link's pings are; null before the first has arrived. */
  tookUs: number | null
}

/** How a replica answers pings: as they come, as late as it likes, or before they come, which a liar on the other side of the world may guess. */
export type Pongs = 'honest' | 'late' | 'early'
const latePongMs = 60_000

/** Weight of the newest measurement, as in network/link: 1 in 8. */
const smoothing = 8

const addressSpan = 0x10_0000

export class Network {
  readonly #scheduler: Scheduler
  readonly #random: Random
  readonly #hash: HistoryHash
  readonly #coverage: Coverage
  readonly #receivers = new Map<Address, Receive>()
  readonly #links = new Map<number, Link>()
  readonly #pongs = new Map<Address, Pongs>()
  model: NetworkModel = calmNetwork
  bytesSent = 0
  framesSent = 0

  constructor(scheduler: Scheduler, random: Random, hash: HistoryHash, coverage: Coverage) {
    this.#scheduler = scheduler
    this.#random = random
    this.#hash = hash
    this.#coverage = coverage
  }

  /** A crashed process keeps its address: whoever has it when a message arrives receives it. */
  attach(address: Address, receive: Receive): void {
    this.#receivers.set(address, receive)
  }

  send(from: Address, to: Address, bytes: Uint8Array, sentAtUs: number, greeting: Greeting | null = null): void {
    this.framesSent++
    this.bytesSent += bytes.length
    const model = this.model
    const link = this.#link(from, to)
    if (link.blocked > 0 || this.#perMille(model.lossPerMille)) {
      this.#coverage['messages-lost'] = (this.#coverage['messages-lost'] ?? 0) + 1
      return
    }
    this.#deliver(from, to, bytes, greeting, sentAtUs, this.#arrival(link, sentAtUs))
    if (this.#perMille(model.duplicatePerMille)) {
      this.#coverage['messages-duplicated'] = (this.#coverage['messages-duplicated'] ?? 0) + 1
      this.#deliver(from, to, bytes, greeting, sentAtUs, this.#arrival(link, sentAtUs))
    }
  }

  answersPings(address: Address, how: Pongs): void {
    this.#pongs.set(address, how)
  }

  /** What a link measures, without pings of its own: from what was sent both ways and has arrived. Null: nothing yet, one way or the other. */
  roundTripMs(from: Address, to: Address): number | null {
    const there = this.#link(from, to).tookUs
    const back = this.#link(to, from).tookUs
    if (there === null || back === null) return null
    const pongs = this.#pongs.get(to) ?? 'honest'
    if (pongs === 'honest') return (there + back) / 1000
    return pongs === 'late' ? latePongMs : 0
  }

  /** Blocks one direction. Each block is lifted by itself, so faults may overlap. */
  block(from: Address, to: Address): void {
    this.#link(from, to).blocked++
  }

  unblock(from: Address, to: Address): void {
    const link = this.#link(from, to)
    link.blocked = Math.max(0, link.blocked - 1)
  }

  isBlocked(from: Address, to: Address): boolean {
    return this.#link(from, to).blocked > 0
  }

  /** Holds what is sent in one direction until then, and lets it all go at once. */
  clog(from: Address, to: Address, untilUs: number): void {
    const link = this.#link(from, to)
    link.cloggedUntilUs = Math.max(link.cloggedUntilUs, untilUs)
  }

  healAll(): void {
    for (const link of this.#links.values()) {
      link.blocked = 0
      link.cloggedUntilUs = 0
    }
  }

  #arrival(link: Link, sentAtUs: number): number {
    let arrival = Math.max(sentAtUs, link.cloggedUntilUs) + this.#delayUs()
    if (this.model.ordered) {
      arrival = Math.max(arrival, link.lastArrivalUs)
      link.lastArrivalUs = arrival
    }
    return arrival
  }

  #delayUs(): number {
    const { delayUsMin, delayUsTypical, slowPerMille } = this.model
    const usual = delayUsMin + this.#random.below(Math.max(1, 2 * (delayUsTypical - delayUsMin)))
    if (!this.#perMille(slowPerMille)) return usual
    return this.#random.below(10) === 0 ? usual * 100 : usual * 10
  }

  #perMille(share: number): boolean {
    return share > 0 && this.#random.below(1000) < share
  }

  #deliver(
    from: Address,
    to: Address,
    bytes: Uint8Array,
    greeting: Greeting | null,
    sentAtUs: number,
    atUs: number,
  ): void {
    this.#scheduler.at(atUs, () => {
      this.#measure(this.#link(from, to), atUs - sentAtUs)
      this.#hash.number(this.#scheduler.nowUs)
      this.#hash.number(from * addressSpan + to)
      this.#hash.bytes(bytes)
      this.#receivers.get(to)?.(from, bytes, greeting)
    })
  }

  #measure(link: Link, tookUs: number): void {
    link.tookUs = link.tookUs === null ? tookUs : link.tookUs + (tookUs - link.tookUs) / smoothing
  }

  #link(from: Address, to: Address): Link {
    const key = from * addressSpan + to
    let link = this.#links.get(key)
    if (link === undefined) {
      link = { blocked: 0, cloggedUntilUs: 0, lastArrivalUs: 0, tookUs: null }
      this.#links.set(key, link)
    }
    return link
  }
}
