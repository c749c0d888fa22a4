// Cuts what arrives into frames. Memory grows with what has arrived, never with what a length claims.

import { linkBodyBytesMax, linkHeaderBytes } from './link-frame.ts'

export interface DecodedFrame {
  kind: number
  /** Nobody writes to it any more, and whoever keeps it keeps at most twice its size. */
  body: Uint8Array
}

export type FrameProblem = 'frame-too-large' | 'frame-without-kind'

/** What a frame that arrives in pieces gets at first. */
const bufferBytesMin = 4096

export class FrameDecoder {
  readonly #bodyBytesMax: number
  /** Of a frame that is not whole: at most twice what has arrived of it, and no more than the frame. */
  #buffer = new Uint8Array(0)
  #held = 0

  constructor(bodyBytesMax: number = linkBodyBytesMax) {
    this.#bodyBytesMax = bodyBytesMax
  }

  /** Bytes allocated for a frame that is not whole. */
  get allocated(): number {
    return this.#buffer.length
  }

  /** Hands on each frame that became whole. After a problem the stream is worthless: whoever sent it is lost or evil. */
  push(chunk: Uint8Array, take: (frame: DecodedFrame) => void): FrameProblem | null {
    // A Buffer's own slice would copy nothing.
    let rest = new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length)
    while (this.#held > 0 && rest.length > 0) {
      const wanted = this.#held < linkHeaderBytes ? linkHeaderBytes : this.#lengthOf(this.#buffer)
      if (typeof wanted === 'string') return wanted
      const more = Math.min(wanted - this.#held, rest.length)
      this.#hold(rest.subarray(0, more), wanted)
      rest = rest.subarray(more)
      if (this.#held < linkHeaderBytes || this.#held < wanted) return null
      const whole = this.#lengthOf(this.#buffer)
      if (typeof whole === 'string') return whole
      if (this.#held === whole) take(this.#release())
    }
    while (rest.length >= linkHeaderBytes) {
      const wanted = this.#lengthOf(rest)
      if (typeof wanted === 'string') return wanted
      if (rest.length < wanted) {
        this.#hold(rest, wanted)
        return null
      }
      take({ kind: rest[linkHeaderBytes - 1]!, body: compact(rest.subarray(linkHeaderBytes, wanted)) })
      rest = rest.subarray(wanted)
    }
    if (rest.length > 0) this.#hold(rest, linkHeaderBytes)
    return null
  }

  /** The whole frame's, header included. */
  #lengthOf(header: Uint8Array): number | FrameProblem {
    const rest = header[0]! + header[1]! * 0x100 + header[2]! * 0x1_0000 + header[3]! * 0x100_0000
    if (rest < 1) return 'frame-without-kind'
    if (rest - 1 > this.#bodyBytesMax) return 'frame-too-large'
    return linkHeaderBytes - 1 + rest
  }

  /** `whole`: bytes of the frame, or of the header as long as that is not there. */
  #hold(bytes: Uint8Array, whole: number): void {
    const needed = this.#held + bytes.length
    if (needed > this.#buffer.length) {
      const grown = new Uint8Array(Math.max(bufferBytesMin, needed, Math.min(2 * needed, whole)))
      grown.set(this.#buffer.subarray(0, this.#held))
      this.#buffer = grown
    }
    this.#buffer.set(bytes, this.#held)
    this.#held = needed
  }

  #release(): DecodedFrame {
    const frame = {
      kind: this.#buffer[linkHeaderBytes - 1]!,
      body: compact(this.#buffer.subarray(linkHeaderBytes, this.#held)),
    }
    this.#buffer = new Uint8Array(0)
    this.#held = 0
    return frame
  }
}

/** A small frame must not keep the large chunk that it came in: a pool of small requests would hold all that was ever around them. */
function compact(body: Uint8Array): Uint8Array {
  return body.length * 2 < body.buffer.byteLength ? body.slice() : body
}
