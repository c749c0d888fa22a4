// Goal: a message reaches the socket as one write. Each write is a call of the system, and may wake its reader.

import { Socket } from 'node:net'
import { describe, expect, it, vi } from 'vitest'
import { whole } from '../../../src/network/libp2p/whole-writes.ts'
import { isConnected, memberOf, startMembers, until } from '../node/test-network.ts'

describe('a connection that is written to', () => {
  it.each([30, 1_000, 60_000])('takes a frame of %d bytes in one write', async (bytes) => {
    const [first, second] = await startMembers(2)
    await until(() => isConnected(first!, 2) && isConnected(second!, 1))
    const sizes: number[] = []
    const write = vi.spyOn(Socket.prototype, 'write')
    try {
      first!.network.sendPeer(memberOf(2).id, new Uint8Array(bytes))
      // Handed over within the call: whatever else goes over these sockets comes later.
      for (const [chunk] of write.mock.calls) sizes.push((chunk as Uint8Array).length)
    } finally {
      write.mockRestore()
    }
    await until(() => second!.frames.length === 1)
    expect(sizes).toHaveLength(1)
    expect(sizes[0]).toBeGreaterThan(bytes)
  })

  it('is left as it is where it sends in another way', () => {
    const connection = { send: () => true }
    expect(whole(connection)).toBe(connection)
  })
})
