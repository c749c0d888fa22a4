// Opens streams, each on a connection of its own. Nothing is left behind when one does not come to be, or when the dialler stops.

import type { Connection, Stream } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { Libp2p } from 'libp2p'
import { negotiationMsMax } from './settings.ts'

export interface OpenedStream {
  connection: Connection
  stream: Stream
}

export class Dialler {
  readonly #node: Libp2p
  readonly #protocol: string
  /** A signal for each: libp2p listens to a signal for as long as it lives. */
  readonly #attempts = new Set<AbortController>()
  #stopped = false

  constructor(node: Libp2p, protocol: string) {
    this.#node = node
    this.#protocol = protocol
  }

  stop(): void {
    this.#stopped = true
    for (const attempt of this.#attempts) attempt.abort(new Error('stopped'))
  }

  async open(addresses: Multiaddr[]): Promise<OpenedStream> {
    const attempt = new AbortController()
    const { signal } = attempt
    if (this.#stopped) throw new Error('stopped')
    this.#attempts.add(attempt)
    try {
      // By force: a connection that the other one has made, as a client of ours, is not ours to use or to close.
      const connection = await this.#node.dial(addresses, { signal, force: true })
      return { connection, stream: await this.#ask(connection, attempt) }
    } finally {
      this.#attempts.delete(attempt)
    }
  }

  async #ask(connection: Connection, attempt: AbortController): Promise<Stream> {
    const { signal } = attempt
    // With a signal of ours libp2p sets no time limit, and a process that has just been stopped never answers.
    const timer = setTimeout(() => attempt.abort(new Error('no answer to the protocol')), negotiationMsMax)
    try {
      signal.throwIfAborted()
      const stream = await connection.newStream(this.#protocol, { signal })
      signal.throwIfAborted()
      return stream
    } catch (error) {
      connection.abort(error instanceof Error ? error : new Error(String(error)))
      throw signal.aborted ? signal.reason : error
    } finally {
      clearTimeout(timer)
    }
  }
}
