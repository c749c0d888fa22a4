import { WireError } from './error.ts'

const initialBytes = 256

/** Appends values to a growing buffer. Fixed-width little-endian integers: a value has one encoding by construction. */
export class Writer {
  #bytes: Uint8Array
  #view: DataView
  #length = 0

  constructor(sizeHint: number = initialBytes) {
    this.#bytes = new Uint8Array(sizeHint)
    this.#view = new DataView(this.#bytes.buffer)
  }

  get length(): number {
    return this.#length
  }

  #reserve(count: number): number {
    const offset = this.#length
    const end = offset + count
    if (end > this.#bytes.length) this.#grow(end)
    this.#length = end
    return offset
  }

  #grow(needed: number): void {
    const bytes = new Uint8Array(Math.max(needed, this.#bytes.length * 2))
    bytes.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer)
  }

  u8(value: number): void {
    checkRange(value, 0xff, 'u8')
    const offset = this.#reserve(1)
    this.#bytes[offset] = value
  }

  u16(value: number): void {
    checkRange(value, 0xffff, 'u16')
    const offset = this.#reserve(2)
    this.#view.setUint16(offset, value, true)
  }

  u32(value: number): void {
    checkRange(value, 0xffff_ffff, 'u32')
    const offset = this.#reserve(4)
    this.#view.setUint32(offset, value, true)
  }

  /** A safe integer from 0 to 2^53-1, in 8 bytes. */
  u53(value: number): void {
    checkRange(value, Number.MAX_SAFE_INTEGER, 'u53')
    const offset = this.#reserve(8)
    const high = Math.floor(value / 0x1_0000_0000)
    this.#view.setUint32(offset, value - high * 0x1_0000_0000, true)
    this.#view.setUint32(offset + 4, high, true)
  }

  bool(value: boolean): void {
    this.u8(value ? 1 : 0)
  }

  /** Bytes whose number the reader knows. */
  fixed(value: Uint8Array, count: number): void {
    if (value.length !== count) throw new WireError('ERR_WIRE_RANGE', `${count} bytes expected, ${value.length} given`)
    const offset = this.#reserve(count)
    this.#bytes.set(value, offset)
  }

  /** Bytes behind their number. */
  bytes(value: Uint8Array, bytesMax: number): void {
    if (value.length > bytesMax) throw new WireError('ERR_WIRE_LIMIT', `${value.length} bytes, at most ${bytesMax}`)
    this.u32(value.length)
    const offset = this.#reserve(value.length)
    this.#bytes.set(value, offset)
  }

  /** Bytes as they are: a prefix or a body whose end is the end of the value. */
  raw(value: Uint8Array): void {
    const offset = this.#reserve(value.length)
    this.#bytes.set(value, offset)
  }

  /** What was written, as a view that the next use of this writer may overwrite. */
  view(): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }

  /** What was written from there on: as it is, as long as this writer is not reset. */
  viewFrom(offset: number): Uint8Array {
    return this.#bytes.subarray(offset, this.#length)
  }

  /** What was written, as bytes of the caller's own. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length)
  }

  reset(): void {
    this.#length = 0
  }
}

function checkRange(value: number, maximum: number, type: string): void {
  if (!Number.isInteger(value) || value < 0 || value > maximum) {
    throw new WireError('ERR_WIRE_RANGE', `${value} is no ${type}`)
  }
}
