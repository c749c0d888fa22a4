// Goal: what a link promises to whoever holds it, with the other side and the stream played by the test.

import { describe, expect, it } from 'vitest'
import { encode } from '../../../src/wire/codec.ts'
import { FrameDecoder } from '../../../src/network/link/frame-decoder.ts'
import {
  clientLinkLimits,
  Link,
  peerLinkLimits,
  type LinkLimits,
  type LinkListener,
} from '../../../src/network/link/link.ts'
import { helloCodec, linkFrame, linkFrameKind, linkVersion, type Hello } from '../../../src/network/link/link-frame.ts'

const hello: Hello = { version: linkVersion, incarnation: 3, process: new Uint8Array(16) }
const greeting = linkFrame(linkFrameKind.hello, encode(helloCodec, hello))
const mib = 1024 * 1024

function linkOf(limits: LinkLimits = peerLinkLimits, wanted: ReturnType<LinkListener['opened']> = true) {
  const seen: string[] = []
  const sent: { kind: number; body: Uint8Array }[] = []
  const decoder = new FrameDecoder()
  const stream = { takes: Infinity, isPaused: false }
  const link = new Link(
    {
      send: (bytes) => {
        decoder.push(bytes, (frame) => sent.push(frame))
        return --stream.takes > 0
      },
      pause: () => (stream.isPaused = true),
      resume: () => (stream.isPaused = false),
      abort: (reason) => seen.push(`aborted ${reason}`),
    },
    {
      opened: ({ incarnation }) => {
        seen.push(`opened ${incarnation}`)
        return wanted
      },
      data: (body) => seen.push(`data ${body.length}`),
      refused: ({ reason, incarnation }) => seen.push(`refused ${reason} ${incarnation}`),
      closed: (reason) => seen.push(`closed ${reason}`),
    },
    limits,
    hello,
    0,
  )
  return { link, stream, seen, sent, kinds: () => sent.map(({ kind }) => kind) }
}

function opened(limits?: LinkLimits) {
  const parts = linkOf(limits)
  parts.link.received(greeting, 0)
  parts.seen.length = 0
  parts.sent.length = 0
  return parts
}

const data = (length: number) => linkFrame(linkFrameKind.data, new Uint8Array(length))

describe('the greeting', () => {
  it('goes first, and opens the link when it comes', () => {
    const { link, seen, kinds } = linkOf()
    expect(kinds()).toEqual([linkFrameKind.hello])
    expect(link.isOpen).toBe(false)
    link.received(greeting, 5)
    expect(link.isOpen).toBe(true)
    link.received(data(3), 6)
    expect(seen).toEqual(['opened 3', 'data 3'])
  })

  it.each([
    ['data', data(3)],
    ['a ping', linkFrame(linkFrameKind.ping, new Uint8Array(8))],
    ['a greeting with a byte too many', linkFrame(linkFrameKind.hello, new Uint8Array(27))],
    ['a greeting too short', linkFrame(linkFrameKind.hello, new Uint8Array(3))],
  ])('is not replaced by %s', (_, frame) => {
    const { link, seen } = linkOf()
    link.received(frame, 0)
    link.received(greeting, 0)
    expect(seen).toEqual(['aborted no-greeting', 'closed no-greeting'])
  })

  it('of another version closes the link', () => {
    const { link, seen } = linkOf()
    link.received(linkFrame(linkFrameKind.hello, encode(helloCodec, { ...hello, version: 2 })), 0)
    expect(seen).toEqual(['aborted link-version-2', 'closed link-version-2'])
  })

  it('that is refused is told why, and gets a moment to hear it; nothing that it says counts', () => {
    const refusal = { reason: 'incarnation-older', incarnation: 9 } as const
    const { link, seen, sent, stream } = linkOf(peerLinkLimits, refusal)
    link.received(Uint8Array.from([...greeting, ...data(3), ...data(4)]), 0)
    expect([seen, sent.at(-1)!.kind, stream.isPaused]).toEqual([['opened 3'], linkFrameKind.refusal, true])
    link.received(data(5), 0)
    link.send(new Uint8Array(6))
    expect([seen.length, sent.length, link.isOpen]).toEqual([1, 2, false])
    link.tick(1_000)
    expect(seen.length).toBe(1)
    link.tick(2_000)
    expect(seen.slice(1)).toEqual(['aborted refused', 'closed refused'])

    const other = opened()
    other.link.received(linkFrame(linkFrameKind.refusal, sent[1]!.body), 0)
    expect(other.seen).toEqual([
      'refused incarnation-older 9',
      'aborted refused: incarnation-older',
      'closed refused: incarnation-older',
    ])
  })

  it('that is decided about later keeps what comes behind it, within the budget of a turn, until it is accepted', () => {
    const { link, seen, stream } = linkOf(peerLinkLimits, 'later')
    link.received(Uint8Array.from([...greeting, ...data(3)]), 0)
    link.received(data(4), 0)
    expect([seen, link.isOpen, stream.isPaused]).toEqual([['opened 3'], false, true])
    link.endTurn()
    expect(stream.isPaused).toBe(true)
    link.accept(5)
    expect([seen.slice(1), link.isOpen, stream.isPaused]).toEqual([['data 3', 'data 4'], true, false])

    const flooded = linkOf({ ...peerLinkLimits, turnBytesMax: 100 }, 'later')
    flooded.link.received(Uint8Array.from([...greeting, ...data(60), ...data(60)]), 0)
    expect(flooded.seen.at(-1)).toBe('closed too-much-too-early')
    flooded.link.accept(5)
    expect(flooded.link.isOpen).toBe(false)

    const late = linkOf(peerLinkLimits, 'later')
    late.link.received(greeting, 0)
    late.link.refuse({ reason: 'incarnation-repeated', incarnation: 3 })
    late.link.accept(5)
    expect([late.link.isOpen, late.kinds()]).toEqual([false, [linkFrameKind.hello, linkFrameKind.refusal]])
  })

  it('that nobody decides about ends like one that does not come', () => {
    const { link, seen } = linkOf(peerLinkLimits, 'later')
    link.received(greeting, 0)
    for (let second = 1; second <= 11; second++) link.tick(second * 1_000)
    expect(seen.at(-1)).toBe('closed silent')
  })

  it('may not be repeated', () => {
    const { link, seen } = opened()
    link.received(greeting, 0)
    expect(seen).toEqual(['aborted unknown-frame', 'closed unknown-frame'])
  })

  it('has its time, however busily its bytes dribble in', () => {
    const { link, seen } = linkOf()
    for (let second = 0; second <= 11; second++) {
      link.received(greeting.subarray(second, second + 1), second * 1_000)
      link.tick(second * 1_000)
    }
    expect(seen).toEqual(['aborted silent', 'closed silent'])
  })
})

describe('silence', () => {
  it('ends the link, and any byte breaks it', () => {
    const { link, seen } = opened()
    for (let second = 1; second <= 8; second++) link.tick(second * 1_000)
    link.received(data(0).subarray(0, 1), 8_000)
    for (let second = 9; second <= 18; second++) link.tick(second * 1_000)
    expect(seen).toEqual([])
    link.tick(19_000)
    expect(seen).toEqual(['aborted silent', 'closed silent'])
  })

  it('is not what a process hears that stood still itself for a minute', () => {
    const { link, seen } = opened()
    link.tick(1_000)
    link.tick(61_000)
    expect(seen).toEqual([])
    for (let second = 62; second <= 80; second++) link.tick(second * 1_000)
    expect(seen).toEqual(['aborted silent', 'closed silent'])
  })
})

describe('heartbeats', () => {
  it('are answered as they came', () => {
    const { link, sent } = opened()
    const body = Uint8Array.of(9, 0, 0, 0, 0, 0, 0, 0)
    link.received(linkFrame(linkFrameKind.ping, body), 0)
    expect(sent).toEqual([{ kind: linkFrameKind.pong, body }])
  })

  it('measure the round trip, smoothed; answers that come twice, or to none, are ignored', () => {
    const { link, sent } = opened()
    const pong = (index: number): Uint8Array => linkFrame(linkFrameKind.pong, sent[index]!.body)
    expect(link.roundTripMs).toBeNull()
    link.tick(1_000)
    link.received(pong(0), 1_040)
    expect(link.roundTripMs).toBe(40)
    link.received(pong(0), 9_000)
    expect(link.roundTripMs).toBe(40)
    link.tick(2_000)
    link.tick(3_000)
    link.received(pong(2), 3_120)
    expect(link.roundTripMs).toBe(50)
    // Later ones are answered already.
    link.received(pong(1), 4_000)
    link.received(linkFrame(linkFrameKind.pong, Uint8Array.of(99, 0, 0, 0, 0, 0, 0, 0)), 4_000)
    expect(link.roundTripMs).toBe(50)
  })

  it('measure a round trip that is longer than the pause between two of them', () => {
    const { link, sent } = opened()
    for (let second = 1; second <= 20; second++) {
      link.tick(second * 1_000)
      if (second >= 4) link.received(linkFrame(linkFrameKind.pong, sent[second - 4]!.body), second * 1_000 + 500)
    }
    expect(link.roundTripMs).toBe(3_500)
  })

  it('do not measure how long this process stood still', () => {
    const { link, sent } = opened()
    link.tick(1_000)
    link.tick(9_000)
    link.received(linkFrame(linkFrameKind.pong, sent[0]!.body), 9_001)
    expect(link.roundTripMs).toBeNull()
    link.received(linkFrame(linkFrameKind.pong, sent[1]!.body), 9_030)
    expect(link.roundTripMs).toBe(30)
  })

  it('are forgotten when very many wait for an answer, though other things come', () => {
    const { link, sent } = opened()
    for (let second = 1; second <= 17; second++) {
      link.tick(second * 1_000)
      link.received(data(1), second * 1_000)
    }
    link.received(linkFrame(linkFrameKind.pong, sent[0]!.body), 17_500)
    expect(link.roundTripMs).toBeNull()
    link.received(linkFrame(linkFrameKind.pong, sent[1]!.body), 17_500)
    expect(link.roundTripMs).toBe(15_500)
  })

  it('are not sent before the greeting has come', () => {
    const { link, kinds } = linkOf()
    link.tick(1_000)
    expect(kinds()).toEqual([linkFrameKind.hello])
  })

  it.each([
    ['malformed-ping', linkFrame(linkFrameKind.ping, new Uint8Array(9))],
    ['malformed-pong', linkFrame(linkFrameKind.pong, new Uint8Array(8).fill(255))],
    ['unknown-frame', linkFrame(6, new Uint8Array(0))],
    ['malformed-refusal', linkFrame(linkFrameKind.refusal, Uint8Array.of(3, 0, 0, 0, 0, 0, 0, 0, 0))],
    ['frame-without-kind', new Uint8Array(5)],
    ['frame-too-large', new Uint8Array(5).fill(255)],
  ])('and other frames out of shape end the link: %s', (reason, frame) => {
    const { link, seen } = opened()
    link.received(frame, 0)
    expect(seen).toEqual([`aborted ${reason}`, `closed ${reason}`])
  })
})

describe('the budget of a turn', () => {
  it('pauses whoever takes more, says so to the host, and ends with the turn', () => {
    const { link, stream } = opened({ ...peerLinkLimits, turnBytesMax: 100 + greeting.length })
    expect(link.received(data(95), 0)).toBe(false)
    expect(stream.isPaused).toBe(false)
    expect(link.received(data(0), 0)).toBe(true)
    expect(stream.isPaused).toBe(true)
    link.endTurn()
    expect(stream.isPaused).toBe(false)
    expect(link.received(data(95), 0)).toBe(false)
  })

  it('counts what belongs to frames that are not whole', () => {
    const { link, stream } = opened()
    expect(link.received(data(8 * mib).subarray(0, 5 * mib), 0)).toBe(true)
    expect(stream.isPaused).toBe(true)
  })
})

describe('a client that does not read its answers', () => {
  it('is not read from, until it has read', () => {
    const { link, stream } = opened(clientLinkLimits)
    stream.takes = 1
    for (let sent = 0; sent <= 5; sent++) link.send(new Uint8Array(mib))
    expect(link.waitingBytes).toBeGreaterThan(clientLinkLimits.unreadBytesMax)
    expect(stream.isPaused).toBe(true)
    link.endTurn()
    expect(stream.isPaused).toBe(true)
    stream.takes = Infinity
    link.drained()
    expect(stream.isPaused).toBe(false)
  })

  it('costs no more than its bound, and is told to nobody', () => {
    const { link, stream, seen } = opened(clientLinkLimits)
    stream.takes = 1
    for (let sent = 0; sent < 40; sent++) {
      link.send(new Uint8Array(mib))
      expect(link.waitingBytes).toBeLessThanOrEqual(8 * mib)
    }
    expect(link.framesDropped).toBe(32)
    expect(seen).toEqual([])
  })

  it('is never resumed from within send, where what waits would come at once', () => {
    const { link, stream } = opened(clientLinkLimits)
    stream.takes = 1
    for (let sent = 0; sent <= 2; sent++) link.send(new Uint8Array(2.6 * mib))
    expect(stream.isPaused).toBe(true)
    // The oldest go: what is left is below the bound.
    link.send(new Uint8Array(3.5 * mib))
    link.send(new Uint8Array(7.9 * mib))
    link.send(new Uint8Array(1 * mib))
    expect(link.waitingBytes).toBeLessThan(clientLinkLimits.unreadBytesMax)
    expect(stream.isPaused).toBe(true)
  })

  it('does not stop us from reading where it is a replica: both would wait for each other', () => {
    const { link, stream } = opened(peerLinkLimits)
    stream.takes = 1
    for (let sent = 0; sent < 40; sent++) link.send(new Uint8Array(mib))
    expect(stream.isPaused).toBe(false)
  })
})

describe('the end', () => {
  it('comes exactly once, whoever brings it', () => {
    for (const ends of [
      ['close', 'closed'],
      ['closed', 'close'],
      ['closed', 'closed'],
      ['close', 'close'],
    ] as const) {
      const { link, seen } = opened()
      link[ends[0]]('first')
      link[ends[1]]('second')
      expect(seen.filter((entry) => entry.startsWith('closed'))).toEqual(['closed first'])
    }
  })

  it('is the end: nothing is sent, received, measured, paused or resumed behind it', () => {
    const { link, seen, sent, stream } = opened()
    link.close('done')
    seen.length = 0
    link.send(new Uint8Array(5))
    link.received(data(5 * mib), 0)
    link.tick(1_000_000)
    link.drained()
    link.endTurn()
    expect([seen, sent, stream.isPaused]).toEqual([[], [], false])
  })

  it('may come from within a frame, and the rest of the chunk is not handed on', () => {
    const { link, seen } = opened()
    link.received(Buffer.concat([data(1), linkFrame(9, new Uint8Array(0)), data(2)]), 0)
    expect(seen).toEqual(['data 1', 'aborted unknown-frame', 'closed unknown-frame'])
  })
})
