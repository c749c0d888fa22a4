// Goal: what libp2p does at awkward moments does not reach the link at awkward moments. The stream is played by the test.

import type { Stream } from '@libp2p/interface'
import { describe, expect, it } from 'vitest'
import { encode } from '../../../src/wire/codec.ts'
import { Link, peerLinkLimits } from '../../../src/network/link/link.ts'
import { helloCodec, linkFrame, linkFrameKind, linkVersion, type Hello } from '../../../src/network/link/link-frame.ts'
import { attachStream, byteStream } from '../../../src/network/libp2p/attach-stream.ts'

const hello: Hello = { version: linkVersion, incarnation: 1, process: new Uint8Array(16) }
const greeting = linkFrame(linkFrameKind.hello, encode(helloCodec, hello))

/** Keeps what comes while it is paused; hands it over from within `resume` and opens its window after that, as libp2p does. */
class PlayedStream extends EventTarget {
  status = 'open'
  writeStatus = 'writable'
  remoteWriteStatus = 'writable'
  readStatus = 'readable'
  isWindowOpen = true
  waiting: Uint8Array[] = []
  isBroken = false
  send(): boolean {
    if (this.isBroken) {
      this.abort(new Error('broken'))
      throw new Error('broken')
    }
    return true
  }
  pause(): void {
    if (this.readStatus !== 'readable') return
    this.readStatus = 'paused'
    this.isWindowOpen = false
  }
  resume(): void {
    this.readStatus = 'readable'
    if (this.isBroken) throw new Error('the connection below has ended')
    for (const chunk of this.waiting.splice(0)) this.say(chunk)
    this.isWindowOpen = true
  }
  abort(error: Error): void {
    if (this.status !== 'open') return
    this.status = 'aborted'
    this.dispatchEvent(Object.assign(new Event('close'), { error }))
  }
  say(data: Uint8Array): void {
    if (this.readStatus === 'paused') this.waiting.push(data)
    else this.dispatchEvent(Object.assign(new Event('message'), { data }))
  }
}

function attached(data: (body: Uint8Array) => void = () => {}) {
  const stream = new PlayedStream()
  const seen: string[] = []
  const link = new Link(
    byteStream(stream as unknown as Stream),
    { opened: () => true, data, closed: (reason) => seen.push(reason) },
    { ...peerLinkLimits, turnBytesMax: 100 },
    hello,
    0,
  )
  attachStream(stream as unknown as Stream, link, () => 0)
  stream.say(greeting)
  return { stream, link, seen }
}

const chunk = (length: number) => linkFrame(linkFrameKind.data, new Uint8Array(length))
const turn = () => new Promise((resolve) => setTimeout(resolve, 5))

describe('attachStream', () => {
  it('keeps the window shut when what waited is too much again', () => {
    const { stream, link } = attached()
    stream.say(chunk(200))
    stream.say(chunk(200))
    expect(stream).toMatchObject({ readStatus: 'paused', isWindowOpen: false })
    link.endTurn()
    expect(stream.waiting).toEqual([])
    expect(stream).toMatchObject({ readStatus: 'paused', isWindowOpen: false })
  })

  it('ends a turn that nobody else ends, so that a frame larger than the budget arrives', async () => {
    const bodies: number[] = []
    const { stream } = attached((body) => bodies.push(body.length))
    const frame = chunk(1_000)
    for (let offset = 0; offset < frame.length; offset += 150) stream.say(frame.subarray(offset, offset + 150))
    expect(stream.readStatus).toBe('paused')
    for (let turns = 0; turns < 50 && bodies.length === 0; turns++) await turn()
    expect(bodies).toEqual([1_000])
  })

  it('tells of an end that came while somebody sent only after that', async () => {
    const { stream, link, seen } = attached()
    stream.isBroken = true
    link.send(new Uint8Array(3))
    expect(seen).toEqual([])
    await turn()
    expect(seen).toEqual(['broken'])
  })

  it('lets no error of a connection that ended below escape when there is room again', async () => {
    const { stream, link, seen } = attached()
    stream.say(chunk(200))
    stream.isBroken = true
    link.endTurn()
    await turn()
    expect([stream.status, seen]).toEqual(['aborted', ['the connection below has ended']])
  })

  it('closes the link on an error of whoever listens, and lets none escape', () => {
    const { stream, seen } = attached(() => {
      throw new Error('a bug')
    })
    stream.say(chunk(3))
    expect(seen).toEqual(['failed here: a bug'])
    expect(stream.status).toBe('aborted')
  })

  it('closes the link when the other side will say no more, also when that was before', () => {
    const { stream, seen } = attached()
    stream.dispatchEvent(new Event('remoteCloseWrite'))
    expect(seen).toEqual(['ended-by-peer'])
    const early = new PlayedStream()
    early.remoteWriteStatus = 'closed'
    const ends: string[] = []
    const listener = { opened: () => true as const, data: () => {}, closed: (reason: string) => void ends.push(reason) }
    const link = new Link(byteStream(early as unknown as Stream), listener, peerLinkLimits, hello, 0)
    attachStream(early as unknown as Stream, link, () => 0)
    expect(ends).toEqual(['ended-by-peer'])
  })
})
