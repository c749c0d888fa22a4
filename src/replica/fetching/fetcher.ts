/**
 * Gets payloads and decided blocks from others. Each thing that is wanted is asked of one server at a time, beginning with any of them,
 * until one gives a good answer or all have been asked: it always ends, and then the protocol hears of it once.
 *
 * Pure: it is told the time (monotonic milliseconds), and `nextDueMs` says when `tick` is wanted.
 */

import { decode, encode } from '../../wire/codec.ts'
import { latin1 } from '../../wire/latin1.ts'
import type { Height, ReplicaId } from '../../kernel/ids.ts'
import { membershipOf, type Membership } from '../../kernel/membership.ts'
import type { FetchResult, ProtocolEvent } from '../../kernel/protocol.ts'
import type { Random } from '../../kernel/random.ts'
import { judge, type AnswerRules, type WantedHere } from './answer-checks.ts'
import { fetchAnswerCodec, fetchRequestCodec, type FetchRequest } from './fetching-messages.ts'
import { blocksAnsweredMax, fetchesMax, requestsAskedMax, signaturesAskedMax } from './limits.ts'
import { ServerCredit } from './server-credit.ts'

export interface FetcherHost {
  /** On channel 5. */
  send: (to: ReplicaId, body: Uint8Array) => void
  fetched: (wanted: WantedHere, from: ReplicaId, result: FetchResult) => void
  note: (event: ProtocolEvent) => void
  dropped: (from: ReplicaId, reason: string) => void
}

export interface FetcherOptions extends AnswerRules {
  self: ReplicaId
  random: Random
  host: FetcherHost
}

interface Asked {
  readonly search: Fetch
  readonly server: ReplicaId
}

interface Fetch {
  readonly wanted: WantedHere
  /** Still to be asked. */
  servers: ReplicaId[]
  /** Those too that were asked. */
  readonly named: Set<ReplicaId>
  /** Requests that may still be answered, late ones too. */
  readonly numbers: Set<number>
  current: { number: number; server: ReplicaId; dueMs: number } | null
  last: ReplicaId
}

export class Fetcher {
  readonly #options: FetcherOptions
  readonly #membership: Membership
  readonly #credit = new ServerCredit()
  /** In the order in which they began. */
  readonly #fetches = new Map<string, Fetch>()
  readonly #asked = new Map<number, Asked>()
  /** Requests that are not answered and not given up, of each server. */
  readonly #outstanding = new Map<ReplicaId, number>()
  readonly #heightsAskedMax: number
  #number: number

  constructor(options: FetcherOptions) {
    this.#options = options
    this.#membership = membershipOf(options.epoch)
    const heights = Math.floor(signaturesAskedMax / this.#membership.voters.length)
    this.#heightsAskedMax = Math.min(blocksAnsweredMax, Math.max(1, heights))
    // An answer to a process that is gone finds nothing.
    this.#number = options.random.u32()
  }

  /** What is fetched already is not fetched twice: the servers are added, and one end serves both. */
  want(wanted: WantedHere, from: readonly ReplicaId[], nowMs: number): void {
    const { self, random, host } = this.#options
    const servers = [...new Set(from)].filter((server) => server !== self && this.#membership.isMember(server))
    const key = keyOf(wanted)
    const known = this.#fetches.get(key)
    if (known !== undefined) {
      known.servers.push(...servers.filter((server) => !known.named.has(server)))
      for (const server of servers) known.named.add(server)
      return this.#advance(known, nowMs)
    }
    if (servers.length === 0) {
      return host.fetched(wanted, self, { kind: 'failed', reason: 'there is nobody to ask' })
    }
    if (this.#fetches.size >= fetchesMax) this.#supersede()
    const first = random.below(servers.length)
    const rotated = [...servers.slice(first), ...servers.slice(0, first)]
    const search: Fetch = {
      wanted,
      servers: this.#credit.sorted(rotated),
      named: new Set(servers),
      numbers: new Set(),
      current: null,
      last: self,
    }
    this.#fetches.set(key, search)
    this.#advance(search, nowMs)
  }

  /** An answer: what came on channel 5 and is no request. */
  message(from: ReplicaId, body: Uint8Array, nowMs: number): void {
    const { host } = this.#options
    const answer = decode(fetchAnswerCodec, body)
    if (!answer.ok) return host.dropped(from, answer.error.code)
    const asked = this.#asked.get(answer.value.number)
    if (asked === undefined || asked.server !== from) return host.dropped(from, 'not asked')
    const { search } = asked
    this.#forget(search, answer.value.number)
    this.#credit.answered(from)
    const judged = judge(search.wanted, this.#lastAsked(search.wanted), answer.value, this.#options)
    if (judged.kind === 'good') this.#end(search, from, judged.result)
    else if (judged.kind === 'bad') {
      this.#credit.lied(from)
      host.note({ kind: 'fetch-server-lied', detail: { server: from, why: judged.why } })
    }
    this.#advanceAll(nowMs)
  }

  tick(nowMs: number): void {
    for (const search of this.#fetches.values()) {
      const { current } = search
      if (current === null || current.dueMs > nowMs) continue
      this.#credit.timedOut(current.server)
      this.#giveUp(search)
    }
    this.#advanceAll(nowMs)
  }

  nextDueMs(): number | null {
    let dueMs: number | null = null
    for (const { current } of this.#fetches.values()) {
      if (current !== null && (dueMs === null || current.dueMs < dueMs)) dueMs = current.dueMs
    }
    return dueMs
  }

  #advanceAll(nowMs: number): void {
    for (const search of [...this.#fetches.values()]) this.#advance(search, nowMs)
  }

  /** Asks the next server that has room; those that have none are asked when they have answered others. */
  #advance(search: Fetch, nowMs: number): void {
    if (search.current !== null) return
    const index = search.servers.findIndex((server) => (this.#outstanding.get(server) ?? 0) < requestsAskedMax)
    const server = search.servers[index]
    if (server !== undefined) {
      search.servers.splice(index, 1)
      this.#ask(search, server, nowMs)
    } else if (search.servers.length === 0) {
      this.#end(search, search.last, { kind: 'failed', reason: 'none of those asked has given it' })
    }
  }

  #ask(search: Fetch, server: ReplicaId, nowMs: number): void {
    const number = this.#number++
    const request: FetchRequest =
      search.wanted.kind === 'payload'
        ? { kind: 'payload-request', number, digest: search.wanted.digest }
        : {
            kind: 'blocks-request',
            number,
            fromHeight: search.wanted.fromHeight,
            toHeight: this.#lastAsked(search.wanted),
          }
    search.last = server
    search.numbers.add(number)
    search.current = { number, server, dueMs: nowMs + this.#credit.timeoutMs(server) }
    this.#asked.set(number, { search, server })
    this.#outstanding.set(server, (this.#outstanding.get(server) ?? 0) + 1)
    this.#options.host.send(server, encode(fetchRequestCodec, request))
  }

  /** One answer is judged in one call: what it may cost is bounded by what is asked for. */
  #lastAsked(wanted: WantedHere): Height {
    if (wanted.kind === 'payload') return wanted.height
    return Math.min(wanted.toHeight, wanted.fromHeight + this.#heightsAskedMax - 1)
  }

  /** The next server may be asked; an answer that is late is taken all the same. */
  #giveUp(search: Fetch): void {
    if (search.current === null) return
    const { server } = search.current
    search.current = null
    this.#outstanding.set(server, this.#outstanding.get(server)! - 1)
  }

  #forget(search: Fetch, number: number): void {
    if (search.current?.number === number) this.#giveUp(search)
    this.#asked.delete(number)
    search.numbers.delete(number)
  }

  #supersede(): void {
    for (const search of this.#fetches.values()) {
      return this.#end(search, search.last, { kind: 'failed', reason: 'too much else is being fetched' })
    }
  }

  #end(search: Fetch, from: ReplicaId, result: FetchResult): void {
    for (const number of search.numbers) this.#forget(search, number)
    this.#fetches.delete(keyOf(search.wanted))
    this.#options.host.fetched(search.wanted, from, result)
  }
}

function keyOf(wanted: WantedHere): string {
  return wanted.kind === 'payload'
    ? `payload ${latin1(wanted.digest)}`
    : `blocks ${wanted.fromHeight} ${wanted.toHeight}`
}
