// Goal: all clients together cost a replica no more than one named amount; who costs most goes first.

import type { Connection, Stream } from '@libp2p/interface'
import { describe, expect, it } from 'vitest'
import { encode } from '../../../src/wire/codec.ts'
import { helloCodec, linkFrame, linkFrameKind, linkVersion, type Hello } from '../../../src/network/link/link-frame.ts'
import { ClientLinks } from '../../../src/network/node/client-links.ts'

const hello: Hello = { version: linkVersion, incarnation: 0, process: new Uint8Array(16) }
const greeting = linkFrame(linkFrameKind.hello, encode(helloCodec, hello))
const kib = 1024

/** A stream that takes everything and reads nothing. */
class StuckStream extends EventTarget {
  status = 'open'
  writeStatus = 'writable'
  readStatus = 'readable'
  send(): boolean {
    return false
  }
  pause(): void {}
  resume(): void {}
  abort(): void {
    this.status = 'aborted'
  }
  say(data: Uint8Array): void {
    this.dispatchEvent(Object.assign(new Event('message'), { data }))
  }
}

function clientsOf(bytesMax: number) {
  const closed: number[] = []
  const clients = new ClientLinks({
    hello,
    nowMs: () => 0,
    frame: () => {},
    opened: () => {},
    closed: (connection) => closed.push(connection),
    bytesMax,
  })
  const connect = () => {
    const stream = new StuckStream()
    clients.accept(new Uint8Array(32), stream as unknown as Stream, { abort: () => {} } as unknown as Connection)
    stream.say(greeting)
    return stream
  }
  return { clients, closed, connect }
}

describe('ClientLinks', () => {
  it('lets those go that make it keep most: answers they do not read, and frames they do not finish', () => {
    const { clients, closed, connect } = clientsOf(300 * kib)
    const streams = [1, 2, 3, 4].map(connect)
    clients.send(1, new Uint8Array(100 * kib))
    clients.send(2, new Uint8Array(150 * kib))
    streams[2]!.say(linkFrame(linkFrameKind.data, new Uint8Array(500 * kib)).subarray(0, 200 * kib))
    clients.tick()
    expect(closed).toEqual([3])
    clients.tick()
    expect(closed).toEqual([3])
    clients.send(4, new Uint8Array(200 * kib))
    clients.tick()
    expect(closed).toEqual([3, 4])
    expect(clients.count).toBe(2)
  })

  it('takes nobody once it has stopped', () => {
    const { clients, closed, connect } = clientsOf(300 * kib)
    connect()
    clients.stop()
    connect()
    expect(closed).toEqual([1])
    expect(clients.count).toBe(0)
  })
})
