// Goal: what is received costs no message back, and the window still opens before it is used up.

import { describe, expect, it, vi } from 'vitest'
import type { Stream } from '@libp2p/interface'
import { Socket } from 'node:net'
import { updateWindowRarely } from '../../../src/network/libp2p/rare-window-updates.ts'
import { windowBytesMax } from '../../../src/network/libp2p/settings.ts'
import { isConnected, memberOf, startMembers, until } from '../node/test-network.ts'

function windowed(state: number) {
  const stream = { state, recvWindow: 100, recvWindowCapacity: 100, updates: 0, sendWindowUpdate: () => {} }
  stream.sendWindowUpdate = () => {
    stream.updates++
    stream.recvWindowCapacity = stream.recvWindow
  }
  updateWindowRarely(stream as unknown as Stream)
  return stream
}

describe('a yamux stream', () => {
  it('opens its window when half of it is used, not before', () => {
    const stream = windowed(3)
    stream.recvWindowCapacity = 51
    stream.sendWindowUpdate()
    expect(stream.updates).toBe(0)
    stream.recvWindowCapacity = 50
    stream.sendWindowUpdate()
    expect(stream.updates).toBe(1)
  })

  it('lets pass what opens or accepts it', () => {
    for (const state of [0, 2]) {
      const stream = windowed(state)
      stream.sendWindowUpdate()
      expect(stream.updates).toBe(1)
    }
  })

  it('answers no frame, and carries several windows one way', async () => {
    const [first, second] = await startMembers(2)
    await until(() => isConnected(first!, 2) && isConnected(second!, 1))
    const small = 200
    const write = vi.spyOn(Socket.prototype, 'write')
    let writes: number
    try {
      for (let count = 0; count < small; count++) {
        first!.network.sendPeer(memberOf(2).id, new Uint8Array(10))
        // One at a time: otherwise many would come in one piece.
        await until(() => second!.frames.length === count + 1)
      }
      writes = write.mock.calls.length
    } finally {
      write.mockRestore()
    }
    // Heartbeats go over the same sockets, four writes a second for the pair.
    expect(writes).toBeLessThan(small * 1.5)
    const pieces = 5
    const bytes = windowBytesMax
    for (let count = 0; count < pieces; count++) first!.network.sendPeer(memberOf(2).id, new Uint8Array(bytes))
    await until(() => second!.frames.length === small + pieces)
  })
})
