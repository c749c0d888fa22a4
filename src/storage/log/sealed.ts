// A value with a checksum behind it: how everything of the log and of the snapshots is written that is no record.

import { decode, encode, type Codec } from '../../wire/codec.ts'
import { Writer } from '../../wire/writer.ts'
import type { Crc32 } from './file-port.ts'

export const crcBytes = 4

export function sealed<Value>(codec: Codec<Value>, value: Value, crc32: Crc32): Uint8Array {
  const writer = new Writer()
  const body = encode(codec, value)
  writer.raw(body)
  writer.u32(crc32(body, 0))
  return writer.finish()
}

export function unsealed<Value>(codec: Codec<Value>, bytes: Uint8Array, crc32: Crc32): Value | null {
  const end = bytes.length - crcBytes
  if (end < codec.bytesMin || !isSealed(bytes, crc32)) return null
  const value = decode(codec, bytes.subarray(0, end))
  return value.ok ? value.value : null
}

/** `bytes` has room for the checksum. */
export function isSealed(bytes: Uint8Array, crc32: Crc32): boolean {
  const end = bytes.length - crcBytes
  const expected = new DataView(bytes.buffer, bytes.byteOffset + end, crcBytes).getUint32(0, true)
  return crc32(bytes.subarray(0, end), 0) === expected
}
