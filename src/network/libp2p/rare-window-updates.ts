/**
 * yamux opens the other side's window again for each frame that it receives, by a frame of its own: to be encrypted, written, read, and for
 * which a sleeping process is woken, as often as for what it answers. Half a window is room enough to wait for the next half (as yamux's
 * specification has it, and other implementations do).
 */

import type { Stream } from '@libp2p/interface'

/** Of a yamux stream, as much as is needed here. */
interface Windowed {
  state: number
  recvWindow: number
  recvWindowCapacity: number
  sendWindowUpdate(): void
}

/** Where the update carries no flag that opens or accepts the stream: yamux's `SYNSent` and `Established`. */
const quietStates: ReadonlySet<number> = new Set([1, 3])

/** A stream of another kind is left as it is. */
export function updateWindowRarely(stream: Stream): void {
  if (!isWindowed(stream)) return
  const windowed: Windowed = stream
  const sendWindowUpdate = windowed.sendWindowUpdate.bind(windowed)
  windowed.sendWindowUpdate = () => {
    const { state, recvWindow, recvWindowCapacity } = windowed
    // While it is paused yamux holds the update back itself; on `resume` it is weighed anew.
    if (quietStates.has(state) && recvWindowCapacity > recvWindow / 2) return
    sendWindowUpdate()
  }
}

function isWindowed(stream: object): stream is Windowed {
  return 'sendWindowUpdate' in stream && typeof stream.sendWindowUpdate === 'function' && 'recvWindowCapacity' in stream
}
