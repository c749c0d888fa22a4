/**
 * Who may connect to a replica, and how often. libp2p keeps a connection on which nothing is asked for ever; here it must carry a link
 * soon, or goes. Members have places of their own: no crowd of clients keeps them out.
 */

import type { Connection } from '@libp2p/interface'
import type { PublicKey } from '../../kernel/crypto-ports.ts'
import { nameOfKey } from './key-name.ts'

/** Connections of clients to one replica, and of one key. */
export const clientConnectionsMax = 1024
export const clientConnectionsPerKeyMax = 32
/** Of a member's key: its links to us, old ones that linger, and its clients. */
export const memberConnectionsMax = 40
/** Without a link on it for so long, a connection is closed. */
export const unusedMsMax = 10_000

interface Inbound {
  readonly key: string
  readonly isMember: boolean
  readonly sinceMs: number
  isUsed: boolean
}

export class InboundConnections {
  readonly #isMember: (key: PublicKey) => boolean
  readonly #isPermitted: (key: PublicKey) => boolean
  readonly #connections = new Map<Connection, Inbound>()
  readonly #perKey = new Map<string, number>()
  #strangers = 0

  constructor(isMember: (key: PublicKey) => boolean, isPermitted: (key: PublicKey) => boolean) {
    this.#isMember = isMember
    this.#isPermitted = isPermitted
  }

  get count(): number {
    return this.#connections.size
  }

  /** Whether one more connection of this key is let in. */
  admits(key: PublicKey): boolean {
    const count = this.#perKey.get(nameOfKey(key)) ?? 0
    if (this.#isMember(key)) return count < memberConnectionsMax
    return this.#isPermitted(key) && this.#strangers < clientConnectionsMax && count < clientConnectionsPerKeyMax
  }

  /** Asked again: handshakes that ran at the same time have all been admitted. */
  opened(connection: Connection, key: PublicKey, nowMs: number): void {
    if (connection.status !== 'open') return
    if (!this.admits(key)) return connection.abort(new Error('too many connections'))
    const inbound = { key: nameOfKey(key), isMember: this.#isMember(key), sinceMs: nowMs, isUsed: false }
    this.#connections.set(connection, inbound)
    this.#perKey.set(inbound.key, (this.#perKey.get(inbound.key) ?? 0) + 1)
    if (!inbound.isMember) this.#strangers++
  }

  /** It carries a link from now on. */
  used(connection: Connection): void {
    const inbound = this.#connections.get(connection)
    if (inbound !== undefined) inbound.isUsed = true
  }

  closed(connection: Connection): void {
    const inbound = this.#connections.get(connection)
    if (inbound === undefined) return
    this.#connections.delete(connection)
    const left = (this.#perKey.get(inbound.key) ?? 0) - 1
    if (left > 0) this.#perKey.set(inbound.key, left)
    else this.#perKey.delete(inbound.key)
    if (!inbound.isMember) this.#strangers--
  }

  tick(nowMs: number): void {
    for (const [connection, { isUsed, sinceMs }] of this.#connections) {
      if (connection.status !== 'open') this.closed(connection)
      else if (!isUsed && nowMs - sinceMs > unusedMsMax) connection.abort(new Error('no link on it'))
    }
  }
}
