// A stream to somebody, on a connection of its own. Nothing is left behind when it does not come to be.

import type { Connection, Stream } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { Libp2p } from 'libp2p'
import { negotiationMsMax } from './settings.ts'

export interface OpenedStream {
  connection: Connection
  stream: Stream
}

export async function openStream(
  node: Libp2p,
  addresses: Multiaddr[],
  protocol: string,
  stopping: AbortSignal,
): Promise<OpenedStream> {
  // By force: a connection that the other one has made, as a client of ours, is not ours to use or to close.
  const connection = await node.dial(addresses, { signal: stopping, force: true })
  const attempt = new AbortController()
  const giveUp = (): void => attempt.abort(new Error('stopped'))
  stopping.addEventListener('abort', giveUp)
  // With a signal of ours libp2p sets no time limit, and a process that is stopped just now never answers.
  const timer = setTimeout(() => attempt.abort(new Error('no answer to the protocol')), negotiationMsMax)
  try {
    stopping.throwIfAborted()
    const stream = await connection.newStream(protocol, { signal: attempt.signal })
    stopping.throwIfAborted()
    return { connection, stream }
  } catch (error) {
    connection.abort(error instanceof Error ? error : new Error(String(error)))
    throw error
  } finally {
    clearTimeout(timer)
    stopping.removeEventListener('abort', giveUp)
  }
}
