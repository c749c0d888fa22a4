// Frames of HTTP/2 (RFC 9113), as far as a client of etcd meets them.

export const frameType = {
  data: 0,
  headers: 1,
  resetStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goAway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const

export const frameFlag = { endStream: 0x1, acknowledgement: 0x1, endHeaders: 0x4, padded: 0x8, priority: 0x20 } as const
export const setting = { headerTableBytes: 1, initialWindowBytes: 4, frameBytes: 5 } as const

export const frameHeaderBytes = 9
/** Of the payload, where nothing else was agreed. */
export const frameBytesDefault = 16_384
export const windowBytesDefault = 65_535
export const windowBytesMax: number = 2 ** 31 - 1
export const preface: Uint8Array = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1')

export interface Frame {
  type: number
  flags: number
  stream: number
  payload: Buffer
}

export function writeFrameHeader(
  into: Uint8Array,
  at: number,
  head: Omit<Frame, 'payload'> & { length: number },
): void {
  const { length, type, flags, stream } = head
  into[at] = length >>> 16
  into[at + 1] = length >>> 8
  into[at + 2] = length
  into[at + 3] = type
  into[at + 4] = flags
  into[at + 5] = stream >>> 24
  into[at + 6] = stream >>> 16
  into[at + 7] = stream >>> 8
  into[at + 8] = stream
}

export function frame(type: number, flags: number, stream: number, payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(frameHeaderBytes + payload.length)
  writeFrameHeader(bytes, 0, { length: payload.length, type, flags, stream })
  bytes.set(payload, frameHeaderBytes)
  return bytes
}

export function uint32(...values: readonly number[]): Uint8Array {
  const bytes = Buffer.alloc(values.length * 4)
  for (const [index, value] of values.entries()) bytes.writeUInt32BE(value, index * 4)
  return bytes
}

/** A setting: its number in 16 bits, its value in 32. */
export function settingsPayload(settings: readonly (readonly [number, number])[]): Uint8Array {
  const bytes = Buffer.alloc(settings.length * 6)
  for (const [index, [number, value]] of settings.entries()) {
    bytes.writeUInt16BE(number, index * 6)
    bytes.writeUInt32BE(value, index * 6 + 2)
  }
  return bytes
}

export function* readSettings(payload: Buffer): Generator<readonly [number: number, value: number]> {
  for (let at = 0; at + 6 <= payload.length; at += 6) yield [payload.readUInt16BE(at), payload.readUInt32BE(at + 2)]
}

/** What a frame carries without its padding; null where it is padded with more than there is. */
export function unpadded(flags: number, payload: Buffer): Buffer | null {
  if ((flags & frameFlag.padded) === 0) return payload
  const padding = (payload[0] ?? 0) + 1
  return padding > payload.length ? null : payload.subarray(1, payload.length - padding + 1)
}

/** Cuts what comes into frames; a frame may come in pieces. */
export class FrameReader {
  #left: Buffer = Buffer.alloc(0)

  /** Calls for each whole frame; its payload lasts as long as the call. False where one is longer than was agreed. */
  read(chunk: Buffer, take: (type: number, flags: number, stream: number, payload: Buffer) => void): boolean {
    const bytes = this.#left.length === 0 ? chunk : Buffer.concat([this.#left, chunk])
    let at = 0
    while (bytes.length - at >= frameHeaderBytes) {
      const length = bytes.readUIntBE(at, 3)
      if (length > frameBytesDefault) return false
      const end = at + frameHeaderBytes + length
      if (end > bytes.length) break
      const stream = bytes.readUInt32BE(at + 5) & 0x7fff_ffff
      take(bytes[at + 3]!, bytes[at + 4]!, stream, bytes.subarray(at + frameHeaderBytes, end))
      at = end
    }
    this.#left = bytes.subarray(at)
    return true
  }
}
