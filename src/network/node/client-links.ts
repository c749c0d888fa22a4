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
}

/** Connections of clients to one replica, and of one key. */
export const clientConnectionsMax = 1024
export const clientConnectionsPerKeyMax = 32

interface Client {
  readonly key: string
  readonly link: Link
}

export class ClientLinks {
  readonly #options: ClientLinksOptions
  readonly #clients = new Map<number, Client>()
  readonly #perKey = new Map<string, number>()
  #nextNumber = 1

  constructor(options: ClientLinksOptions) {
    this.#options = options
  }

  get count(): number {
    return this.#clients.size
  }

  /** Whether one more of this key is taken. */
  hasRoomFor(key: PublicKey): boolean {
    if (this.#clients.size >= clientConnectionsMax) return false
    return (this.#perKey.get(nameOf(key)) ?? 0) < clientConnectionsPerKeyMax
  }

  accept(key: PublicKey, stream: Stream, connection: Connection): void {
    if (!this.hasRoomFor(key)) return connection.abort(new Error('too many connections'))
    const { nowMs, hello, frame, opened, closed } = this.#options
    const number = this.#nextNumber++
    const name = nameOf(key)
    const link = new Link(
      byteStream(stream),
      {
        opened: () => {
          opened(number, key)
          return true
        },
        data: (body) => frame(number, body),
        closed: (reason) => {
          this.#forget(number, name)
          closed(number)
          connection.abort(new Error(reason))
        },
      },
      clientLinkLimits,
      hello,
      nowMs(),
    )
    this.#clients.set(number, { key: name, link })
    this.#perKey.set(name, (this.#perKey.get(name) ?? 0) + 1)
    attachStream(stream, link, nowMs)
  }

  send(connection: number, body: Uint8Array): void {
    this.#clients.get(connection)?.link.send(body)
  }

  endTurn(): void {
    for (const { link } of this.#clients.values()) link.endTurn()
  }

  tick(): void {
    const nowMs = this.#options.nowMs()
    for (const { link } of [...this.#clients.values()]) link.tick(nowMs)
  }

  stop(): void {
    for (const { link } of [...this.#clients.values()]) link.close('stopped')
  }

  #forget(number: number, key: string): void {
    if (!this.#clients.delete(number)) return
    const left = (this.#perKey.get(key) ?? 0) - 1
    if (left > 0) this.#perKey.set(key, left)
    else this.#perKey.delete(key)
  }
}

function nameOf(key: PublicKey): string {
  return Buffer.from(key.buffer, key.byteOffset, key.length).toString('hex')
}
