// The links of one client to the replicas: each is dialled until it answers, with longer pauses, and dialled again when it is lost.

import type { Libp2p } from 'libp2p'
import type { ReplicaId } from '../../kernel/ids.ts'
import type { Member } from '../../kernel/membership.ts'
import type { Random } from '../../kernel/random.ts'
import { Backoff } from '../link/backoff.ts'
import { Link, replicaLinkLimits } from '../link/link.ts'
import type { Hello } from '../link/link-frame.ts'
import { addressesOf, type Transport } from './addresses.ts'
import { attachStream, byteStream } from './attach-stream.ts'
import { Dialler, type OpenedStream } from './dialler.ts'

export interface ReplicaLinksListener {
  connected(replica: ReplicaId): void
  disconnected(replica: ReplicaId, reason: string): void
  response(replica: ReplicaId, body: Uint8Array): void
}

export interface ReplicaLinksOptions {
  node: Libp2p
  members: readonly Member[]
  transport: Transport
  protocol: string
  hello: Hello
  random: Random
  nowMs: () => number
  listener: ReplicaLinksListener
}

export class ReplicaLinks {
  readonly #options: ReplicaLinksOptions
  readonly #links = new Map<ReplicaId, Link>()
  readonly #retries = new Set<ReturnType<typeof setTimeout>>()
  readonly #dialler: Dialler
  #stopped = false
  readonly #heartbeat: ReturnType<typeof setInterval>

  constructor(options: ReplicaLinksOptions) {
    this.#options = options
    this.#dialler = new Dialler(options.node, options.protocol)
    for (const member of options.members) void this.#keep(member, new Backoff(options.random.fork(`${member.id}`)))
    this.#heartbeat = setInterval(() => {
      for (const link of [...this.#links.values()]) link.tick(options.nowMs())
    }, replicaLinkLimits.heartbeatMs)
  }

  send(to: ReplicaId, body: Uint8Array): void {
    this.#links.get(to)?.send(body)
  }

  /** What was over a replica's budget for this turn may come in the next. */
  endTurn(): void {
    for (const link of this.#links.values()) link.endTurn()
  }

  stop(): void {
    this.#stopped = true
    this.#dialler.stop()
    clearInterval(this.#heartbeat)
    for (const retry of this.#retries) clearTimeout(retry)
    for (const link of [...this.#links.values()]) link.close('stopped')
  }

  async #keep(member: Member, backoff: Backoff): Promise<void> {
    const { transport, listener } = this.#options
    try {
      const addresses = addressesOf(member, transport)
      if (addresses.length === 0) return listener.disconnected(member.id, `no ${transport} address`)
      this.#attach(member, backoff, await this.#dialler.open(addresses))
    } catch (error) {
      this.#again(member, backoff, error instanceof Error ? error.message : String(error))
    }
  }

  #attach(member: Member, backoff: Backoff, { stream, connection }: OpenedStream): void {
    const { listener, hello, nowMs } = this.#options
    let openedMs: number | null = null
    const link = new Link(
      byteStream(stream),
      {
        opened: () => {
          openedMs = nowMs()
          listener.connected(member.id)
          return true
        },
        data: (body) => listener.response(member.id, body),
        closed: (reason) => {
          this.#links.delete(member.id)
          connection.abort(new Error(reason))
          if (openedMs !== null) backoff.lasted(nowMs() - openedMs)
          this.#again(member, backoff, reason)
        },
      },
      replicaLinkLimits,
      hello,
      nowMs(),
    )
    this.#links.set(member.id, link)
    attachStream(stream, link, nowMs)
  }

  #again(member: Member, backoff: Backoff, reason: string): void {
    this.#options.listener.disconnected(member.id, reason)
    if (this.#stopped) return
    const retry = setTimeout(() => {
      this.#retries.delete(retry)
      void this.#keep(member, backoff)
    }, backoff.next())
    this.#retries.add(retry)
  }
}
