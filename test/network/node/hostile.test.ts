// Goal: what somebody who speaks libp2p and means ill, or is merely slow, can do to a replica and to the others: next to nothing.

import type { Connection, Stream } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import type { Libp2p } from 'libp2p'
import { describe, expect, it, vi } from 'vitest'
import { encode } from '../../../src/wire/codec.ts'
import { FrameDecoder } from '../../../src/network/link/frame-decoder.ts'
import { clientLinkLimits } from '../../../src/network/link/link.ts'
import { helloCodec, linkFrame, linkFrameKind, linkVersion } from '../../../src/network/link/link-frame.ts'
import { sendLimitsDefault } from '../../../src/network/link/send-queue.ts'
import { streamProtocol, windowBytesMax } from '../../../src/network/libp2p/settings.ts'
import { clientConnectionsPerKeyMax, InboundConnections } from '../../../src/network/node/inbound-connections.ts'
import {
  addressesOf,
  epochOf,
  isConnected,
  keyOf,
  memberOf,
  rememberedStarts,
  startMember,
  startMembers,
  startNode,
  until,
  type Started,
} from './test-network.ts'

const mib = 1024 * 1024
const { network } = epochOf([])
const greeting = linkFrame(
  linkFrameKind.hello,
  encode(helloCodec, { version: linkVersion, incarnation: 1, process: new Uint8Array(16) }),
)
const data = (body: Uint8Array) => linkFrame(linkFrameKind.data, body)

function dial(node: Libp2p, to: Started): Promise<Connection> {
  return node.dial(multiaddr(to.network.addresses()[0]!), { force: true })
}

async function openAs(node: Libp2p, to: Started, purpose: 'replica' | 'client'): Promise<Stream> {
  return (await dial(node, to)).newStream(streamProtocol(network, purpose))
}

describe('the gater', () => {
  it('refuses a key that is neither member nor permitted before any handler runs, and lets the permitted in', async () => {
    const replica = await startMember(1, [memberOf(1)], { clients: [keyOf('permitted')] })
    const stranger = await startNode('stranger')
    // libp2p must not even make a connection of it, on which a handler could be asked for.
    const made = vi.spyOn(InboundConnections.prototype, 'opened')
    const connection = await dial(stranger, replica).catch(() => null)
    await until(() => connection === null || connection.status !== 'open')
    expect(made).not.toHaveBeenCalled()
    expect(replica.network.inboundCount).toBe(0)
    expect(replica.clients.size).toBe(0)
    const stream = await openAs(await startNode('permitted'), replica, 'client')
    stream.send(greeting)
    await until(() => replica.clients.size === 1)
    expect(replica.network.inboundCount).toBe(1)
    expect(made).toHaveBeenCalledOnce()
    made.mockRestore()
  })

  it('lets a key connect so often and no more, and again when a connection has gone', async () => {
    const replica = await startMember(1, [memberOf(1)])
    const node = await startNode('greedy')
    const open: Connection[] = []
    for (let attempt = 0; attempt < clientConnectionsPerKeyMax; attempt++) open.push(await dial(node, replica))
    await until(() => replica.network.inboundCount === clientConnectionsPerKeyMax)
    const oneMore = await dial(node, replica).catch(() => null)
    await until(() => oneMore === null || oneMore.status !== 'open')
    expect(open.filter(({ status }) => status === 'open')).toHaveLength(clientConnectionsPerKeyMax)
    open[0]!.abort(new Error('gone'))
    await until(() => replica.network.inboundCount === clientConnectionsPerKeyMax - 1)
    await openAs(node, replica, 'client')
    expect(replica.network.inboundCount).toBe(clientConnectionsPerKeyMax)
  })

  it('is not all: a client does not get a stream of replicas', async () => {
    const replica = await startMember(1, [memberOf(1), memberOf(2)])
    const stream = await openAs(await startNode('client'), replica, 'replica')
    await until(() => stream.status !== 'open')
    expect(replica.changes.filter((change) => change.includes('true'))).toEqual([])
  })

  it('is not all: a member does not get a second link where it is dialled', async () => {
    const [first, second] = await startMembers(2)
    await until(() => isConnected(first!, 2))
    const stream = await openAs(await startNode('member 2'), first!, 'replica')
    if (stream.status === 'open') stream.send(greeting)
    await until(() => stream.status !== 'open')
    expect(first!.changes).toEqual(['2 true connected'])
    expect(isConnected(second!, 1)).toBe(true)
  })
})

describe('a member that sends what is no frame', () => {
  it.each([
    ['garbage for a greeting', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
    ['data for a greeting', data(Uint8Array.of(1))],
    ['an unknown kind', Buffer.concat([greeting, linkFrame(77, new Uint8Array(3))])],
    ['a frame too large', Buffer.concat([greeting, Buffer.from('ffffffff02', 'hex')])],
  ])('loses its link, and nobody else does: %s', async (_, bytes) => {
    const members = [memberOf(1), memberOf(2), memberOf(3)]
    const third = await startMember(3, members)
    const second = await startMember(2, members)
    await until(() => isConnected(second, 3))
    const stream = await openAs(await startNode('member 1'), second, 'replica')
    stream.send(Uint8Array.from(bytes))
    await until(() => stream.status !== 'open')
    second.network.sendPeer(memberOf(3).id, Uint8Array.of(9))
    await until(() => third.frames.length === 1)
    expect(isConnected(second, 1)).toBe(false)
    expect(second.changes.filter((change) => change.startsWith('3'))).toEqual(['3 true connected'])
    expect(second.network.inboundCount).toBe(0)
  })
})

describe('a client that sends what is no frame', () => {
  it('loses its connection, and its place is free again', async () => {
    const replica = await startMember(1, [memberOf(1)])
    const stream = await openAs(await startNode('client'), replica, 'client')
    expect(replica.network.inboundCount).toBe(1)
    stream.send(Uint8Array.from(Buffer.from('GET / HTTP/1.1\r\n\r\n')))
    await until(() => stream.status !== 'open')
    expect(replica.network.inboundCount).toBe(0)
    expect(replica.network.clientCount).toBe(0)
  })
})

describe('somebody who does not read', () => {
  it('as a client is not read from either: what it sends on stays with it, and all is answered once it reads', async () => {
    const answer = new Uint8Array(64 * 1024)
    let received = 0
    const replica: Started = await startMember(1, [memberOf(1)], {
      listener: {
        clientFrame: (connection, body) => {
          received += body.length
          replica.network.sendClient(connection, answer)
        },
      },
    })
    const stream = await openAs(await startNode('client'), replica, 'client')
    const length = 64 * 1024
    const frames = (60 * mib) / length
    let answered = 0
    const decoder = new FrameDecoder()
    stream.addEventListener('message', ({ data: bytes }) => {
      for (const piece of bytes instanceof Uint8Array ? [bytes] : bytes) {
        decoder.push(piece, ({ kind }) => (answered += kind === linkFrameKind.data ? 1 : 0))
      }
    })
    stream.send(greeting)
    await until(() => replica.clients.size === 1)
    stream.pause()
    let sent = 0
    let unsent = 0
    const push = (): void => {
      while (sent < frames && stream.send(data(new Uint8Array(length)))) sent++
    }
    stream.addEventListener('drain', () => (sent++, push()))
    push()
    // Nothing moves any more.
    await until(() => {
      const before = unsent
      unsent = stream.writeBufferLength
      return received > 0 && unsent > 0 && before === unsent
    })
    const held = (sent + 1) * length - unsent - received
    expect(held).toBeLessThanOrEqual(windowBytesMax + 2 * length)
    expect(received).toBeLessThanOrEqual(clientLinkLimits.unreadBytesMax + 2 * windowBytesMax + mib)
    stream.resume()
    await until(() => answered === frames)
    expect(received).toBe(frames * length)
    expect(stream.status).toBe('open')
  })

  it('as a replica costs what the limits name: the oldest frames are dropped and counted, the rest arrives in order', async () => {
    const members = [memberOf(1), memberOf(2)]
    const node = await startNode('member 2')
    members[1]!.addresses = addressesOf(node)
    const bodies: number[] = []
    let taken: Stream | null = null
    await node.handle(streamProtocol(network, 'replica'), (stream) => {
      const decoder = new FrameDecoder()
      stream.addEventListener('message', ({ data: bytes }) => {
        for (const piece of bytes instanceof Uint8Array ? [bytes] : bytes) {
          decoder.push(piece, ({ kind, body }) => kind === linkFrameKind.data && bodies.push(body[0]!))
        }
      })
      stream.send(greeting)
      taken = stream
    })
    const first = await startMember(1, members)
    await until(() => isConnected(first, 2))
    ;(taken as unknown as Stream).pause()
    const count = 120
    for (let number = 0; number < count; number++) {
      first.network.sendPeer(memberOf(2).id, new Uint8Array(mib).fill(number))
      if (number % 8 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    const dropped = () => first.network.contacts()[0]!.framesDropped
    const waitingMax = sendLimitsDefault.bytesMax / mib
    // What does not wait is in the stream's window, and the frame that filled it.
    expect(dropped()).toBeGreaterThanOrEqual(count - waitingMax - 4)
    expect(isConnected(first, 2)).toBe(true)
    ;(taken as unknown as Stream).resume()
    await until(() => bodies.at(-1) === count - 1)
    // Heartbeats are frames too, and get lost as others do.
    expect(bodies.length).toBeGreaterThanOrEqual(count - dropped())
    expect(bodies.length).toBeLessThanOrEqual(waitingMax + 4)
    expect(bodies).toEqual([...new Set(bodies)].sort((left, right) => left - right))
  })
})

describe('floods below our frames', () => {
  it('of pings, by somebody who does not read the answers, end the connection and fill no memory', async () => {
    const replica = await startMember(1, [memberOf(1)])
    const node = await startNode('client')
    const connection = await dial(node, replica)
    const stream = await connection.newStream(streamProtocol(network, 'client'))
    stream.send(greeting)
    await until(() => replica.clients.size === 1)
    const { muxer, maConn } = connection as unknown as {
      muxer: { send(bytes: Uint8Array): boolean }
      maConn: { pause(): void; writeBufferLength: number }
    }
    maConn.pause()
    // Type 2, flag SYN, stream 0: a ping of yamux.
    const ping = Uint8Array.of(0, 2, 0, 1, 0, 0, 0, 0, 0, 0, 0, 7)
    const pings = Uint8Array.from({ length: 12 * 5_000 }, (_, index) => ping[index % 12]!)
    for (let sent = 0; sent < 400 && replica.clients.size === 1;) {
      if (maConn.writeBufferLength < 1024 * 1024) {
        sent++
        muxer.send(pings)
      }
      await new Promise((resolve) => setImmediate(resolve))
    }
    await until(() => replica.clients.size === 0)
  })

  it('of one frame of 4 GiB end the connection at its header', async () => {
    const replica = await startMember(1, [memberOf(1)])
    const node = await startNode('client')
    const connection = await dial(node, replica)
    const stream = await connection.newStream(streamProtocol(network, 'client'))
    stream.send(greeting)
    await until(() => replica.clients.size === 1)
    const { muxer } = connection as unknown as { muxer: { send(bytes: Uint8Array): boolean } }
    muxer.send(Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 1, 255, 255, 255, 255))
    await until(() => replica.clients.size === 0 && connection.status !== 'open')
  })
})

describe('incarnations', () => {
  it('that are repeated by another process, or older, are refused; a newer one replaces', async () => {
    const members = [memberOf(1), memberOf(2)]
    const second = await startMember(2, members)
    const before = await startMember(1, members, { incarnation: 5, process: 1 })
    await until(() => isConnected(second, 1))
    // Its twin, on a restored backup, while it lives.
    const twin = await startMember(1, members, { incarnation: 5, process: 2, listen: ['/ip4/127.0.0.1/tcp/0'] })
    await until(() => second.changes.length > 1)
    expect(second.changes[1]).toBe('1 true incarnation-repeated')
    expect(isConnected(before, 2)).toBe(true)
    await twin.stop()
    await before.stop()
    const older = await startMember(1, members, { incarnation: 4, process: 3 })
    await until(() => second.changes.includes('1 false incarnation-older'))
    await older.stop()
    expect(isConnected(second, 1)).toBe(false)
    const newer = await startMember(1, members, { incarnation: 6, process: 4 })
    await until(() => isConnected(second, 1) && isConnected(newer, 2))
    const newest = await startMember(1, members, { incarnation: 7, process: 5, listen: ['/ip4/127.0.0.1/tcp/0'] })
    await until(() => isConnected(newest, 2) && !isConnected(newer, 2))
    newest.network.sendPeer(memberOf(2).id, Uint8Array.of(1))
    await until(() => second.frames.length === 1)
  })

  it('are refused also by one who has started again since, and whoever is refused learns why', async () => {
    const members = [memberOf(1), memberOf(2)]
    const seen = rememberedStarts()
    const second = await startMember(2, members, { seen })
    const first = await startMember(1, members, { incarnation: 5, process: 1 })
    await until(() => isConnected(second, 1))
    await first.stop()
    await second.stop()
    const again = await startMember(2, members, { incarnation: 2, process: 1, seen })
    for (const [incarnation, process, reason] of [
      [5, 2, 'incarnation-repeated'],
      [4, 3, 'incarnation-older'],
    ] as const) {
      const copy = await startMember(1, members, { incarnation, process })
      await until(() => copy.refusals.includes(`2 ${reason} 5`))
      const [contact] = copy.network.contacts()
      expect([contact!.refuses, isConnected(again, 1)]).toEqual([{ reason, incarnation: 5 }, false])
      await copy.stop()
    }
    const newer = await startMember(1, members, { incarnation: 6, process: 4 })
    await until(() => isConnected(again, 1))
    again.network.sendPeer(memberOf(1).id, Uint8Array.of(1))
    await until(() => newer.frames.length === 1)
    expect([newer.refusals, newer.network.contacts()[0]!.refuses]).toEqual([[], null])
  })

  it('are kept before a link is let in: nothing is heard before, and nothing of whoever cannot be kept', async () => {
    const members = [memberOf(1), memberOf(2)]
    const answers: ((error: { message: string } | null) => void)[] = []
    const second = await startMember(2, members, { seen: rememberedStarts((done) => answers.push(done)) })
    const first = await startMember(1, members)
    await until(() => answers.length === 1 && isConnected(first, 2))
    first.network.sendPeer(memberOf(2).id, Uint8Array.of(1))
    expect([isConnected(second, 1), second.frames]).toEqual([false, []])
    answers[0]!({ message: 'the disk is full' })
    await until(() => second.changes.includes('1 false its incarnation cannot be kept: the disk is full'))
    expect(second.frames).toEqual([])
    await until(() => answers.length === 2 && isConnected(first, 2))
    first.network.sendPeer(memberOf(2).id, Uint8Array.of(2))
    answers[1]!(null)
    await until(() => second.frames.length === 1)
    expect([isConnected(second, 1), second.frames[0]!.body]).toEqual([true, Uint8Array.of(2)])
  })

  it('do not keep out the same process, which has merely lost its link', async () => {
    const members = [memberOf(1), memberOf(2)]
    const second = await startMember(2, members)
    const first = await startMember(1, members, { incarnation: 5, process: 1 })
    await until(() => isConnected(second, 1))
    await first.stop()
    await until(() => !isConnected(second, 1))
    await startMember(1, members, { incarnation: 5, process: 1 })
    await until(() => isConnected(second, 1))
  })
})
