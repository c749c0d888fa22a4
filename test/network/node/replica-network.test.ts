// Goal: replicas and clients find each other, keep together through restarts, and what they send arrives. Real sockets on 127.0.0.1.

import { describe, expect, it } from 'vitest'
import { linkBodyBytesMax } from '../../../src/network/link/link-frame.ts'
import {
  addressesOf,
  isConnected,
  keyOf,
  memberOf,
  startClient,
  startDeafServer,
  startMember,
  startMembers,
  startNode,
  stopLast,
  until,
} from './test-network.ts'

const id = (number: number) => memberOf(number).id

describe('a network of replicas', () => {
  it('of 16 on one address connects every pair, by one link', async () => {
    const all = await startMembers(16)
    await until(() => all.every(({ network }) => network.contacts().every(({ connected }) => connected)))
    const inbound = all.map(({ network }) => network.inboundCount)
    expect(inbound).toEqual(all.map((_, index) => index))
  })

  it('carries frames whole and in order, both ways at once, the largest included', async () => {
    const [first, second] = await startMembers(2)
    await until(() => isConnected(first!, 2) && isConnected(second!, 1))
    const lengths = [0, 1, 8 * 1024 * 1024, 70_000, linkBodyBytesMax, 3, 65_536]
    lengths.forEach((length, index) => {
      first!.network.sendPeer(id(2), new Uint8Array(length).fill(index + 1))
      second!.network.sendPeer(id(1), new Uint8Array(length).fill(index + 101))
    })
    await until(() => first!.frames.length === lengths.length && second!.frames.length === lengths.length)
    const shapes = (frames: { body: Uint8Array }[]) => frames.map(({ body }) => [body.length, body.at(0), body.at(-1)])
    const expected = (from: number) =>
      lengths.map((length, index) => (length === 0 ? [0, undefined, undefined] : [length, from + index, from + index]))
    expect(shapes(second!.frames)).toEqual(expected(1))
    expect(shapes(first!.frames)).toEqual(expected(101))
    expect(second!.frames[2]!.body.every((byte) => byte === 3)).toBe(true)
  })

  it('registers no protocol but ours', async () => {
    const [only] = await startMembers(1)
    const protocols = only!.network.protocols()
    expect(protocols).toHaveLength(2)
    for (const protocol of protocols) expect(protocol).toMatch(/^\/quorate\/1\/[0-9a-f]{32}\/(replica|client)$/)
  })

  it('comes together again when the one that is dialled restarts, and when the dialler does', async () => {
    const members = [memberOf(1), memberOf(2)]
    const second = await startMember(2, members)
    const first = await startMember(1, members)
    await until(() => isConnected(first, 2) && isConnected(second, 1))
    await second.stop()
    await until(() => !isConnected(first, 2))
    const secondAgain = await startMember(2, members, { incarnation: 2, process: 1 })
    await until(() => isConnected(first, 2) && isConnected(secondAgain, 1))
    first.network.sendPeer(id(2), Uint8Array.of(1))
    await until(() => secondAgain.frames.length === 1)
    await first.stop()
    await until(() => !isConnected(secondAgain, 1))
    const firstAgain = await startMember(1, members, { incarnation: 2, process: 1 })
    await until(() => isConnected(firstAgain, 2) && isConnected(secondAgain, 1))
    secondAgain.network.sendPeer(id(1), Uint8Array.of(2))
    await until(() => firstAgain.frames.length === 1)
  })

  it('gets past an address where nobody speaks, and past a member that falls silent in the handshake', async () => {
    const members = [memberOf(1), memberOf(2), memberOf(3)]
    await startMember(2, members)
    members[1]!.addresses.unshift(await startDeafServer())
    const deaf = await startNode('member 3', { denyInboundUpgradedConnection: () => new Promise(() => {}) })
    members[2]!.addresses = addressesOf(deaf)
    const first = await startMember(1, members)
    await until(() => isConnected(first, 2))
    await until(() => first.changes.includes('3 false no answer to the protocol'))
    await deaf.stop()
    await startMember(3, members)
    await until(() => isConnected(first, 3))
  })

  it('is not fooled by another who answers at the address', async () => {
    const members = [memberOf(1), memberOf(2), memberOf(3)]
    const third = await startMember(3, members)
    members[1]!.addresses = [...members[2]!.addresses]
    const first = await startMember(1, members)
    await until(
      () => isConnected(first, 3) && first.changes.filter((change) => change.startsWith('2 false')).length >= 2,
    )
    expect(isConnected(first, 2)).toBe(false)
    expect(third.network.contacts().find(({ replica }) => replica === 1)?.connected).toBe(true)
  })
})

describe('clients', () => {
  it('reach every replica, and are known by their key', async () => {
    const all = await startMembers(3)
    const client = startClient(
      'alice',
      all.map(({ member }) => member),
    )
    await until(() => client.connected.size === 3)
    client.links.send(id(2), Uint8Array.of(5))
    await until(() => all[1]!.clientFrames.length === 1)
    const { connection, body } = all[1]!.clientFrames[0]!
    expect([...body]).toEqual([5])
    expect(all[1]!.clients.get(connection)).toEqual(keyOf('alice'))
    all[1]!.network.sendClient(connection, Uint8Array.of(6))
    await until(() => client.responses.length === 1)
    expect(client.responses[0]).toEqual({ from: 2, body: Uint8Array.of(6) })
  })

  it('come back when a replica restarts', async () => {
    const members = [memberOf(1)]
    const before = await startMember(1, members)
    const client = startClient('alice', members)
    await until(() => client.connected.size === 1)
    await before.stop()
    await until(() => client.connected.size === 0)
    const after = await startMember(1, members)
    await until(() => client.connected.size === 1 && after.clients.size === 1)
  })

  it('of a member, with its link key, are told apart from the member', async () => {
    const [first, second] = await startMembers(2)
    const client = startClient('member 2', [first!.member])
    await until(() => client.connected.size === 1 && isConnected(first!, 2) && isConnected(second!, 1))
    await client.links.stop()
    await until(() => first!.clients.size === 0)
    expect(isConnected(first!, 2)).toBe(true)
  })
})

describe('stopping', () => {
  it('frees the port, and may come twice', async () => {
    const members = [memberOf(1)]
    const first = await startMember(1, members)
    await Promise.all([first.stop(), first.stop()])
    await first.stop()
    const again = await startMember(1, members)
    expect(again.network.addresses()).toHaveLength(1)
  })

  it('during the start leaves nothing behind', async () => {
    const probe = await startMember(1, [memberOf(1)])
    const { addresses } = probe.member
    await probe.stop()
    const starting = startMember(1, [memberOf(1, [...addresses])])
    const failed = expect(starting).rejects.toThrow('stopped before it had started')
    await stopLast()
    await failed
    const again = await startMember(1, [memberOf(1, [...addresses])])
    expect(again.network.addresses()).toHaveLength(1)
  })

  it('a start that cannot listen at one of two addresses gives the other back', async () => {
    const holder = await startMember(1, [memberOf(1)])
    const free = await startMember(2, [memberOf(2)])
    const [taken] = holder.member.addresses
    const [other] = free.member.addresses
    await free.stop()
    await expect(startMember(3, [memberOf(3)], { listen: [other!, taken!] })).rejects.toThrow()
    const after = await startMember(3, [memberOf(3)], { listen: [other!] })
    expect(after.network.addresses()).toHaveLength(1)
  })
})
