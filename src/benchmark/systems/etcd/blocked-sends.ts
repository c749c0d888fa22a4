// Bodies of requests that the windows of HTTP/2 hold back: of a stream, and of the connection. What fits at once never comes here.

import { frameBytesDefault, frameFlag, frameHeaderBytes, frameType, writeFrameHeader } from './http2-frames.ts'

interface Blocked {
  readonly stream: number
  readonly body: Uint8Array
  sent: number
  window: number
}

export class BlockedSends {
  readonly #write: (bytes: Uint8Array) => void
  readonly #blocked = new Map<number, Blocked>()
  /** What the connection may send still. */
  connectionWindow: number

  constructor(connectionWindow: number, write: (bytes: Uint8Array) => void) {
    this.connectionWindow = connectionWindow
    this.#write = write
  }

  /** True: what is new must wait its turn. */
  get isWaiting(): boolean {
    return this.#blocked.size > 0
  }

  add(stream: number, body: Uint8Array, window: number): void {
    this.#blocked.set(stream, { stream, body, sent: 0, window })
    this.pump()
  }

  remove(stream: number): void {
    this.#blocked.delete(stream)
  }

  widenStream(stream: number, by: number): void {
    const blocked = this.#blocked.get(stream)
    if (blocked === undefined) return
    blocked.window += by
    this.pump()
  }

  /** The window that each stream begins with has changed (RFC 9113 §6.9.2). */
  widenAll(by: number): void {
    for (const blocked of this.#blocked.values()) blocked.window += by
    this.pump()
  }

  pump(): void {
    for (const blocked of this.#blocked.values()) {
      if (this.connectionWindow <= 0) return
      while (this.#sendSome(blocked));
    }
  }

  #sendSome(blocked: Blocked): boolean {
    const { stream, body, sent, window } = blocked
    const length = Math.min(body.length - sent, window, this.connectionWindow, frameBytesDefault)
    if (length <= 0) return false
    const isLast = sent + length === body.length
    const bytes = new Uint8Array(frameHeaderBytes + length)
    writeFrameHeader(bytes, 0, { length, type: frameType.data, flags: isLast ? frameFlag.endStream : 0, stream })
    bytes.set(body.subarray(sent, sent + length), frameHeaderBytes)
    blocked.sent += length
    blocked.window -= length
    this.connectionWindow -= length
    if (isLast) this.#blocked.delete(stream)
    this.#write(bytes)
    return !isLast
  }
}
