import { WireError } from './error.ts'

/**
 * Reads values off bytes that may be hostile. Slices are views, never copies: cost is bounded by the bytes given. Integers are put
 * together from bytes: a DataView would have to be made for each value that is decoded, and costs more than it saves.
 */
export class Reader {
  readonly #bytes: Uint8Array
  #offset = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get offset(): number {
    return this.#offset
  }

  get remaining(): number {
    return this.#bytes.length - this.#offset
  }

  #take(count: number): number {
    const offset = this.#offset
    if (offset + count > this.#bytes.length) throw this.#truncated(count)
    this.#offset = offset + count
    return offset
  }

  #truncated(count: number): WireError {
    const message = `${count} bytes wanted at ${this.#offset}, ${this.remaining} left`
    return new WireError('ERR_WIRE_TRUNCATED', message)
  }

  u8(): number {
    return this.#bytes[this.#take(1)]!
  }

  u16(): number {
    const offset = this.#take(2)
    return this.#bytes[offset]! | (this.#bytes[offset + 1]! << 8)
  }

  u32(): number {
    return this.#u32At(this.#take(4))
  }

  #u32At(offset: number): number {
    const bytes = this.#bytes
    const signed = bytes[offset]! | (bytes[offset + 1]! << 8) | (bytes[offset + 2]! << 16) | (bytes[offset + 3]! << 24)
    return signed >>> 0
  }

  u53(): number {
    const offset = this.#take(8)
    const high = this.#u32At(offset + 4)
    if (high > 0x1f_ffff) throw new WireError('ERR_WIRE_RANGE', 'integer above 2^53-1')
    return high * 0x1_0000_0000 + this.#u32At(offset)
  }

  bool(): boolean {
    const value = this.u8()
    if (value > 1) throw new WireError('ERR_WIRE_TAG', `${value} is no boolean`)
    return value === 1
  }

  fixed(count: number): Uint8Array {
    const offset = this.#take(count)
    return this.#bytes.subarray(offset, offset + count)
  }

  bytes(bytesMax: number): Uint8Array {
    const count = this.u32()
    if (count > bytesMax) throw new WireError('ERR_WIRE_LIMIT', `${count} bytes, at most ${bytesMax}`)
    return this.fixed(count)
  }

  rest(): Uint8Array {
    return this.fixed(this.remaining)
  }

  /** A list's length. A list cannot be longer than the bytes that are left allow, so no allocation is larger than the input. */
  count(itemsMax: number, itemBytesMin: number): number {
    const count = this.u32()
    if (count > itemsMax) throw new WireError('ERR_WIRE_LIMIT', `${count} items, at most ${itemsMax}`)
    if (count * itemBytesMin > this.remaining) {
      throw new WireError('ERR_WIRE_TRUNCATED', `${count} items wanted, ${this.remaining} bytes left`)
    }
    return count
  }

  end(): void {
    if (this.remaining > 0) throw new WireError('ERR_WIRE_TRAILING', `${this.remaining} bytes behind the value`)
  }
}
