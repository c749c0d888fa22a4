// Our link on a libp2p stream. Received by the `message` event with pause and resume: iterating a stream has no back-pressure.

import type { Stream } from '@libp2p/interface'
import type { ByteStream, Link } from '../link/link.ts'
import { updateWindowRarely } from './rare-window-updates.ts'

/** A ByteStream that ends quietly when libp2p's stream has ended: the link hears of it by `closed`. */
export function byteStream(stream: Stream): ByteStream {
  const wish = { isPaused: false, isResuming: false }
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
      wish.isPaused = true
      if (!wish.isResuming && stream.readStatus === 'readable') stream.pause()
    },
    resume: () => {
      wish.isPaused = false
      if (!wish.isResuming && stream.readStatus === 'paused') resume(stream, wish)
    },
    abort: (reason) => stream.abort(new Error(reason)),
  }
}

/**
 * libp2p hands over what waited from within `resume`, and opens the window after that: a pause asked for meanwhile would be half
 * forgotten, and the other side go on sending until the buffer breaks the stream.
 */
function resume(stream: Stream, wish: { isPaused: boolean; isResuming: boolean }): void {
  wish.isResuming = true
  try {
    // Tells the other side that there is room: the connection below may have ended, and nobody have said so yet.
    stream.resume()
  } catch (error) {
    stream.abort(asError(error))
  } finally {
    wish.isResuming = false
  }
  if (wish.isPaused && stream.readStatus === 'readable') stream.pause()
}

/** Feeds the link what happens on the stream. An error of whoever listens to the link ends the link, not the process. */
export function attachStream(stream: Stream, link: Link, nowMs: () => number): void {
  updateWindowRarely(stream)
  let isTurnOwed = false
  const oweTurn = (): void => {
    if (isTurnOwed) return
    isTurnOwed = true
    setTimeout(() => {
      isTurnOwed = false
      guard(link, () => link.endTurn())
    }, 0)
  }
  stream.addEventListener('message', ({ data }) => {
    guard(link, () => {
      let isOver = false
      for (const piece of data instanceof Uint8Array ? [data] : data) isOver = link.received(piece, nowMs()) || isOver
      if (isOver) oweTurn()
    })
  })
  stream.addEventListener('drain', () => guard(link, () => link.drained()))
  stream.addEventListener('remoteCloseWrite', () => guard(link, () => link.close('ended-by-peer')))
  // Later: libp2p ends a stream from within `send` too, and whoever sends must not hear of it in the middle.
  stream.addEventListener('close', (event) => {
    queueMicrotask(() => guard(link, () => link.closed(event.error?.message ?? 'closed')))
  })
  if (stream.status !== 'open') link.closed(stream.status)
  else if (stream.remoteWriteStatus === 'closed') link.close('ended-by-peer')
}

function guard(link: Link, act: () => void): void {
  try {
    act()
  } catch (error) {
    link.close(`failed here: ${asError(error).message}`)
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}
