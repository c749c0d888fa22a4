// Goal: frames come out as they went in, however they were cut on the way; no length that is claimed costs anything.

import { describe, expect, it } from 'vitest'
import { FrameDecoder, type DecodedFrame } from '../../../src/network/link/frame-decoder.ts'
import { linkFrame } from '../../../src/network/link/link-frame.ts'

const bodies = [
  Uint8Array.of(),
  Uint8Array.of(7),
  Uint8Array.from({ length: 9 }, (_, index) => index),
  Uint8Array.of(1, 2),
]
const stream = Buffer.concat(bodies.map((body, index) => linkFrame(index + 1, body)))
const expected = bodies.map((body, index) => ({ kind: index + 1, body: [...body] }))

function framesOf(chunks: readonly Uint8Array[], decoder = new FrameDecoder()): { kind: number; body: number[] }[] {
  const frames: DecodedFrame[] = []
  for (const chunk of chunks) expect(decoder.push(chunk, (frame) => frames.push(frame))).toBeNull()
  return frames.map(({ kind, body }) => ({ kind, body: [...body] }))
}

function header(length: number, kind = 2): Uint8Array {
  const bytes = new Uint8Array(5)
  new DataView(bytes.buffer).setUint32(0, length, true)
  bytes[4] = kind
  return bytes
}

describe('FrameDecoder', () => {
  it('gives the same frames for every two cuts of the stream, and byte by byte', () => {
    for (let first = 0; first <= stream.length; first++) {
      for (let second = first; second <= stream.length; second++) {
        const chunks = [stream.subarray(0, first), stream.subarray(first, second), stream.subarray(second)]
        expect(framesOf(chunks)).toEqual(expected)
      }
    }
    expect(framesOf(Array.from(stream, (byte) => Uint8Array.of(byte)))).toEqual(expected)
  })

  it('takes a body of the limit and none above, whole or in pieces', () => {
    const most = linkFrame(2, new Uint8Array(100))
    const tooMuch = linkFrame(2, new Uint8Array(101))
    expect(framesOf([most], new FrameDecoder(100))).toHaveLength(1)
    expect(framesOf([most.subarray(0, 3), most.subarray(3)], new FrameDecoder(100))).toHaveLength(1)
    expect(new FrameDecoder(100).push(tooMuch, () => {})).toBe('frame-too-large')
    const decoder = new FrameDecoder(100)
    expect(decoder.push(tooMuch.subarray(0, 3), () => {})).toBeNull()
    expect(decoder.push(tooMuch.subarray(3, 5), () => {})).toBe('frame-too-large')
  })

  it('refuses a frame without a kind', () => {
    expect(new FrameDecoder().push(header(0), () => {})).toBe('frame-without-kind')
    const decoder = new FrameDecoder()
    decoder.push(header(0).subarray(0, 1), () => {})
    expect(decoder.push(header(0).subarray(1), () => {})).toBe('frame-without-kind')
  })

  it('hands on the frames before a bad one', () => {
    const frames: number[] = []
    const problem = new FrameDecoder(100).push(
      Buffer.concat([linkFrame(3, Uint8Array.of(1)), header(0xffff_ffff)]),
      (frame) => frames.push(frame.kind),
    )
    expect(problem).toBe('frame-too-large')
    expect(frames).toEqual([3])
  })

  it('allocates for what has arrived, and nothing for what a length claims', () => {
    const decoder = new FrameDecoder()
    expect(decoder.allocated).toBe(0)
    decoder.push(header(9 * 1024 * 1024), () => {})
    expect(decoder.allocated).toBeLessThanOrEqual(4096)
    let arrived = 5
    while (arrived < 3_000_000) {
      const chunk = new Uint8Array(Math.min(arrived, 60_000))
      decoder.push(chunk, () => {})
      arrived += chunk.length
      expect(decoder.allocated).toBeLessThanOrEqual(Math.max(4096, 2 * arrived))
    }
  })

  it('allocates no more than the frame, which whoever keeps it keeps as it is', () => {
    const decoder = new FrameDecoder()
    const frame = linkFrame(2, new Uint8Array(100_000))
    decoder.push(frame.subarray(0, 60_000), () => {})
    expect(decoder.allocated).toBe(frame.length)
    const bodies: Uint8Array[] = []
    decoder.push(frame.subarray(60_000), ({ body }) => bodies.push(body))
    expect(bodies.map(({ length, buffer }) => [length, buffer.byteLength])).toEqual([[100_000, frame.length]])
  })

  it('keeps nothing once a frame is whole', () => {
    const decoder = new FrameDecoder()
    const frame = linkFrame(2, new Uint8Array(100_000))
    framesOf([frame.subarray(0, 50_000), frame.subarray(50_000)], decoder)
    expect(decoder.allocated).toBe(0)
  })

  it('gives small frames memory of their own, so that who keeps one does not keep the chunk that it came in', () => {
    const small = linkFrame(2, Uint8Array.of(1, 2, 3))
    // What a socket hands over is a Buffer, whose own `slice` copies nothing.
    const chunk = Buffer.concat([small, linkFrame(2, new Uint8Array(60_000)), small.subarray(0, 6)])
    const kept: Uint8Array[] = []
    const decoder = new FrameDecoder()
    decoder.push(chunk, ({ body }) => kept.push(body))
    decoder.push(small.subarray(6), ({ body }) => kept.push(body))
    expect(kept).toHaveLength(3)
    for (const body of kept) expect(body.buffer.byteLength).toBeLessThanOrEqual(2 * body.length + 8)
  })
})
