// Goal: the headers of yamux are found wherever the stream is cut, and a length above the bound is seen before its bytes come.

import { describe, expect, it } from 'vitest'
import { FrameLengths } from '../../../src/network/libp2p/bounded-yamux.ts'

function frame(type: number, length: number, body = new Uint8Array(0)): Uint8Array {
  const header = new Uint8Array(12)
  header[1] = type
  new DataView(header.buffer).setUint32(8, length)
  return Buffer.concat([header, body])
}

// Bodies that would be terrible headers.
const good = Buffer.concat([
  frame(0, 30, new Uint8Array(30).fill(255)),
  frame(1, 0xffff_ffff),
  frame(0, 0),
  frame(2, 0xffff_ffff),
  frame(0, 1, Uint8Array.of(255)),
])
const bad = Buffer.concat([good, frame(0, 31)])

describe('FrameLengths', () => {
  it('accepts frames up to the bound and refuses one above, for every two cuts', () => {
    for (let first = 0; first <= bad.length; first++) {
      for (let second = first; second <= bad.length; second++) {
        const cuts = [bad.subarray(0, first), bad.subarray(first, second), bad.subarray(second)]
        const lengths = new FrameLengths(30)
        const answers = cuts.map((cut) => lengths.accept(cut))
        expect(answers.every(Boolean)).toBe(false)
      }
    }
    for (let first = 0; first <= good.length; first++) {
      const lengths = new FrameLengths(30)
      expect(lengths.accept(good.subarray(0, first)) && lengths.accept(good.subarray(first))).toBe(true)
    }
  })
})
