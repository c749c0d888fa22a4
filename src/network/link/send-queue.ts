// What waits for a peer's socket, in bounded memory. A peer that does not read loses the oldest frames, as any frame may be lost;
// the protocols send again.

import { Line } from '../../kernel/line.ts'

export interface SendLimits {
  /** Bytes that wait behind the socket. */
  bytesMax: number
  framesMax: number
}

export const sendLimitsDefault: SendLimits = { bytesMax: 32 * 1024 * 1024, framesMax: 4096 }

export class SendQueue {
  readonly #limits: SendLimits
  readonly #write: (frame: Uint8Array) => boolean
  readonly #frames = new Line<Uint8Array>()
  #bytes = 0
  #blocked = false
  /** Frames lost to the limits. */
  dropped = 0

  /** `write` answers whether the socket takes more. */
  constructor(write: (frame: Uint8Array) => boolean, limits: SendLimits = sendLimitsDefault) {
    this.#write = write
    this.#limits = limits
  }

  get waitingBytes(): number {
    return this.#bytes
  }

  get waitingFrames(): number {
    return this.#frames.length
  }

  send(frame: Uint8Array): void {
    if (!this.#blocked) {
      this.#blocked = !this.#write(frame)
      return
    }
    this.#frames.push(frame)
    this.#bytes += frame.length
    while (this.#bytes > this.#limits.bytesMax || this.waitingFrames > this.#limits.framesMax) {
      this.#shift()
      this.dropped++
    }
  }

  /** The socket takes more again. */
  drained(): void {
    this.#blocked = false
    while (!this.#blocked && this.waitingFrames > 0) this.#blocked = !this.#write(this.#shift())
  }

  #shift(): Uint8Array {
    const frame = this.#frames.take()
    this.#bytes -= frame.length
    return frame
  }
}
