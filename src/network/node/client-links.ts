// The links of clients to one replica: numbered, bounded in all and for each key, each vouched for by the key behind its connection.

import type { Connection, Stream } from '@libp2p/interface'
import type { PublicKey } from '../../kernel/crypto-ports.ts'
import { clientLinkLimits, Link } from '../link/link.ts'
import type { Hello } from '../link/link-frame.ts'
import { attachStream, byteStream } from '../libp2p/attach-stream.ts'

export interface ClientLinksOptions {
  hello: Hello
  nowMs: () => number
  frame: (connection: number, body: Uint8Array) => void
  opened: (connection: number, key: PublicKey) => void
  closed: (connection: number) => void
  bytesMax?: number
}

/** What all clients together may make a replica keep; whoever makes it keep most is let go first. */
export const clientBytesMax: number = 512 * 1024 * 1024

export class ClientLinks {
  readonly #options: ClientLinksOptions
  readonly #clients = new Map<number, Link>()
  #nextNumber = 1
  #stopped = false

  constructor(options: ClientLinksOptions) {
    this.#options = options
  }

  get count(): number {
    return this.#clients.size
  }

  accept(key: PublicKey, stream: Stream, connection: Connection): void {
    if (this.#stopped) return connection.abort(new Error('stopped'))
    const { nowMs, hello, frame, opened, closed } = this.#options
    const number = this.#nextNumber++
    const link = new Link(
      byteStream(stream),
      {
        opened: () => {
          opened(number, key)
          return true
        },
        data: (body) => frame(number, body),
        closed: (reason) => {
          this.#clients.delete(number)
          closed(number)
          connection.abort(new Error(reason))
        },
      },
      clientLinkLimits,
      hello,
      nowMs(),
    )
    this.#clients.set(number, link)
    attachStream(stream, link, nowMs)
  }

  send(connection: number, body: Uint8Array): void {
    this.#clients.get(connection)?.send(body)
  }

  endTurn(): void {
    for (const link of this.#clients.values()) link.endTurn()
  }

  tick(): void {
    const nowMs = this.#options.nowMs()
    for (const link of [...this.#clients.values()]) link.tick(nowMs)
    this.#shed()
  }

  stop(): void {
    this.#stopped = true
    for (const link of [...this.#clients.values()]) link.close('stopped')
  }

  #shed(): void {
    let heldBytes = 0
    for (const link of this.#clients.values()) heldBytes += link.heldBytes
    const { bytesMax = clientBytesMax } = this.#options
    if (heldBytes <= bytesMax) return
    for (const link of [...this.#clients.values()].sort((left, right) => right.heldBytes - left.heldBytes)) {
      heldBytes -= link.heldBytes
      link.close('too much kept for clients')
      if (heldBytes <= bytesMax) return
    }
  }
}
