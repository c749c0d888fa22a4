// What travels on a stream: frames with their length in front, so that a receiver knows what it takes on before it takes it.

import { struct, u53, u16, fixedBytes, oneOf, type Codec } from '../../wire/codec.ts'

export const linkFrameKind = {
  /** The first frame each way. */
  hello: 1,
  /** What the link is for. */
  data: 2,
  ping: 3,
  pong: 4,
  /** The last frame, in the place of all others: why the greeting was not accepted. */
  refusal: 5,
} as const

/** Length of the rest, 4 bytes little endian, and the kind. */
export const linkHeaderBytes = 5
/** One frame of a driver or a client, with room to spare. */
export const linkBodyBytesMax: number = 9 * 1024 * 1024
export const linkVersion = 1
export const processNonceBytes = 16

export interface Hello {
  version: number
  /** Rises with each start of a replica (architecture.md §9); 0 from a client. */
  incarnation: number
  /** Drawn at each start: two processes that claim one incarnation differ in it. */
  process: Uint8Array
}

export const helloCodec: Codec<Hello> = struct<Hello>({
  version: u16,
  incarnation: u53,
  process: fixedBytes(processNonceBytes),
})

export const refusalReasons = ['incarnation-older', 'incarnation-repeated'] as const

/** Said to a member that is not let in, so that its operator learns why. Whoever hears it decides what it is worth. */
export interface LinkRefusal {
  reason: (typeof refusalReasons)[number]
  /** The newest that whoever refuses has seen of the one that is refused. */
  incarnation: number
}

export const refusalCodec: Codec<LinkRefusal> = struct<LinkRefusal>({
  reason: oneOf(refusalReasons),
  incarnation: u53,
})

/** One copy, so that a frame reaches the socket as one piece. */
export function linkFrame(kind: number, body: Uint8Array): Uint8Array {
  const frame = new Uint8Array(linkHeaderBytes + body.length)
  const rest = body.length + 1
  frame[0] = rest & 0xff
  frame[1] = (rest >>> 8) & 0xff
  frame[2] = (rest >>> 16) & 0xff
  frame[3] = rest >>> 24
  frame[4] = kind
  frame.set(body, linkHeaderBytes)
  return frame
}
