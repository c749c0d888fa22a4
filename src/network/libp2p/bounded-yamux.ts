/**
 * yamux with the two bounds that it lacks. It collects a frame whole before it looks at the window, so that a claimed length of 4 GiB
 * is 4 GiB of memory; and it answers pings and opens windows for somebody who does not read, into memory without end.
 */

import { yamux } from '@chainsafe/libp2p-yamux'
import type { StreamMuxerFactory } from '@libp2p/interface'

export type YamuxSettings = NonNullable<Parameters<typeof yamux>[0]>

export interface YamuxBounds {
  /** The largest frame: nobody may send more than the window. */
  frameBytesMax: number
  /** Unwritten behind all streams of a connection. */
  writeBytesMax: number
}

const headerBytes = 12
const dataType = 0

export function boundedYamux(
  settings: YamuxSettings,
  { frameBytesMax, writeBytesMax }: YamuxBounds,
): StreamMuxerFactory {
  const factory = yamux(settings)()
  return {
    protocol: factory.protocol,
    createStreamMuxer: (connection) => {
      connection.maxWriteBufferLength = writeBytesMax
      const lengths = new FrameLengths(frameBytesMax)
      // Listens before yamux does.
      connection.addEventListener('message', ({ data }) => {
        for (const piece of data instanceof Uint8Array ? [data] : data) {
          if (!lengths.accept(piece)) return connection.abort(new Error('yamux frame above the window'))
        }
      })
      return factory.createStreamMuxer(connection)
    },
  }
}

/** Follows the headers of yamux frames through a stream. */
export class FrameLengths {
  readonly #bytesMax: number
  readonly #header = new Uint8Array(headerBytes)
  #held = 0
  /** Of the body of the present frame, to come. */
  #skip = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  /** False: a frame is too large. */
  accept(chunk: Uint8Array): boolean {
    let offset = 0
    while (offset < chunk.length) {
      const skipped = Math.min(this.#skip, chunk.length - offset)
      this.#skip -= skipped
      offset += skipped
      while (this.#skip === 0 && this.#held < headerBytes && offset < chunk.length) {
        this.#header[this.#held++] = chunk[offset++]!
      }
      if (this.#held < headerBytes) continue
      this.#held = 0
      if (this.#header[1] !== dataType) continue
      this.#skip = new DataView(this.#header.buffer).getUint32(8)
      if (this.#skip > this.#bytesMax) return false
    }
    return true
  }
}
