// Our link on a libp2p stream. Received by the `message` event with pause and resume: iterating a stream has no back-pressure.

import type { Stream } from '@libp2p/interface'
import type { ByteStream, Link } from '../link/link.ts'

/** A ByteStream that ends quietly when libp2p's stream has ended: the link hears of it by `closed`. */
export function byteStream(stream: Stream): ByteStream {
  return {
    send: (bytes) => {
      if (stream.status !== 'open' || stream.writeStatus !== 'writable') return true
      try {
        return stream.send(bytes)
      } catch (error) {
        stream.abort(asError(error))
        return true
      }
    },
    pause: () => {
      if (stream.readStatus === 'readable') stream.pause()
    },
    resume: () => {
      if (stream.readStatus === 'paused') stream.resume()
    },
    abort: (reason) => stream.abort(new Error(reason)),
  }
}

/** Feeds the link what happens on the stream. */
export function attachStream(stream: Stream, link: Link, nowMs: () => number): void {
  stream.addEventListener('message', ({ data }) => {
    if (data instanceof Uint8Array) return link.received(data, nowMs())
    for (const piece of data) link.received(piece, nowMs())
  })
  stream.addEventListener('drain', () => link.drained())
  stream.addEventListener('remoteCloseWrite', () => link.close('ended-by-peer'))
  stream.addEventListener('close', (event) => link.closed(event.error?.message ?? 'closed'))
  if (stream.status !== 'open') link.closed(stream.status)
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}
