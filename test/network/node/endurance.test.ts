// Goal: links outlive a busy loop and a Node without Promise.withResolvers, and leave nothing of themselves when they are stopped.

import { afterAll, describe, expect, it, vi } from 'vitest'
import { isConnected, memberOf, startClient, startMembers, until } from './test-network.ts'

const patient = Promise as unknown as { withResolvers?: unknown }
const native = patient.withResolvers
afterAll(() => {
  patient.withResolvers = native
})

describe('links', () => {
  // First: what other tests leave would be counted as here before.
  it('leave no socket, server or timer behind', async () => {
    const before = handles()
    const all = await startMembers(3)
    const client = startClient(
      'alice',
      all.map(({ member }) => member),
    )
    await until(() => client.connected.size === 3 && isConnected(all[0]!, 3))
    expect(added(before)).toEqual(expect.arrayContaining(['TCPServerWrap', 'TCPSocketWrap', 'Timeout']))
    await Promise.all([client.links.stop(), ...all.map(({ stop }) => stop())])
    // Timers that wait would be counted themselves.
    const latestMs = performance.now() + 5_000
    while (performance.now() < latestMs && added(before).length > 0) {
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(added(before)).toEqual([])
  })

  it('outlive a loop that is blocked for three seconds', async () => {
    const [first, second] = await startMembers(2)
    await until(() => isConnected(first!, 2) && isConnected(second!, 1))
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 3_000)
    first!.network.sendPeer(memberOf(2).id, Uint8Array.of(1))
    await until(() => second!.frames.length === 1)
    // Both have ticked since.
    await until(() => first!.network.contacts()[0]!.roundTripMs !== null)
    expect(first!.network.roundTripMs(memberOf(2).id)).toBe(first!.network.contacts()[0]!.roundTripMs)
    expect([...first!.changes, ...second!.changes]).toEqual(['2 true connected', '1 true connected'])
  })

  it('hand an error of whoever listens to the listener, and go on', async () => {
    const [first, second] = await startMembers(2, {
      listener: {
        peerFrame: () => {
          throw new Error('a bug of the core')
        },
      },
    })
    await until(() => isConnected(first!, 2) && isConnected(second!, 1))
    first!.network.sendPeer(memberOf(2).id, Uint8Array.of(1))
    await until(() => second!.failures.length === 1)
    expect(isConnected(second!, 1)).toBe(true)
  })
})

describe('Promise.withResolvers', () => {
  it('is there for libp2p where Node lacks it', async () => {
    delete patient.withResolvers
    vi.resetModules()
    await import('../../../src/network/libp2p/promise-with-resolvers.ts')
    const { promise, resolve } = (
      patient.withResolvers as () => { promise: Promise<number>; resolve: (value: number) => void }
    )()
    resolve(5)
    expect(await promise).toBe(5)
    delete patient.withResolvers
    vi.resetModules()
    const { startMembers: startAfresh } = await import('./test-network.ts')
    const [first] = await startAfresh(2)
    await until(() => isConnected(first!, 2))
  })
})

/** What keeps a process alive: how many of each kind. */
function handles(): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const kind of process.getActiveResourcesInfo()) {
    if (/TCP|Timeout/.test(kind)) counts[kind] = (counts[kind] ?? 0) + 1
  }
  return counts
}

/** Kinds of which there are more than there were. */
function added(before: Record<string, number>): string[] {
  return Object.entries(handles()).flatMap(([kind, count]) => (count > (before[kind] ?? 0) ? [kind] : []))
}
