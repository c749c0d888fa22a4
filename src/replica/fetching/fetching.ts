/**
 * Channel 5 of one replica: what its protocol wants from others, and what others want of it. What was fetched is told once, in a later
 * step, and always; the protocol asks again by its own timer.
 */

import type { ReplicaId } from '../../kernel/ids.ts'
import { membershipOf } from '../../kernel/membership.ts'
import type { WantedHere } from './answer-checks.ts'
import { BlockServer, type BlockSource } from './block-server.ts'
import { Fetcher, type FetcherOptions } from './fetcher.ts'
import { isFetchRequest } from './fetching-messages.ts'

export interface FetchingOptions extends FetcherOptions {
  source: BlockSource
}

export class Fetching {
  readonly #fetcher: Fetcher
  readonly #server: BlockServer
  #nowMs = 0

  constructor(options: FetchingOptions) {
    const { self, epoch, source, host } = options
    this.#fetcher = new Fetcher(options)
    const { send, dropped } = host
    this.#server = new BlockServer({ self, membership: membershipOf(epoch), source, send, dropped })
  }

  want(wanted: WantedHere, from: readonly ReplicaId[], nowMs: number): void {
    this.#nowMs = nowMs
    this.#fetcher.want(wanted, from, nowMs)
  }

  message(from: ReplicaId, body: Uint8Array, nowMs: number): void {
    this.#nowMs = nowMs
    if (isFetchRequest(body)) this.#server.message(from, body)
    else this.#fetcher.message(from, body, nowMs)
  }

  /** Once a turn. True: there is more to hand out at once. */
  work(nowMs: number): boolean {
    this.#nowMs = nowMs
    this.#fetcher.tick(nowMs)
    this.#server.work(nowMs)
    const dueMs = this.#server.nextDueMs(nowMs)
    return dueMs !== null && dueMs <= nowMs
  }

  nextDueMs(): number | null {
    const [fetcherMs, serverMs] = [this.#fetcher.nextDueMs(), this.#server.nextDueMs(this.#nowMs)]
    return fetcherMs === null || serverMs === null ? (fetcherMs ?? serverMs) : Math.min(fetcherMs, serverMs)
  }
}
