// How commands, queries and results of a state machine become bytes. One value has one encoding, on every machine.

import { decode as decodeWire, encode as encodeWire, encodeBriefly, type Codec } from '../wire/codec.ts'

export interface ValueCodec<Value> {
  /** Throws a TypeError or RangeError on a value that has no encoding: a mistake of the program. */
  encode(value: Value): Uint8Array
  /** The same bytes, at less cost where they are let go of soon: they may share memory with others, which is kept as long as any of them. */
  encodeBriefly?(value: Value): Uint8Array
  /** Total on any bytes, and strict: what it accepts encodes to the same bytes. */
  decode(bytes: Uint8Array): ValueDecoded<Value>
}

export type ValueDecoded<Value> = { ok: true; value: Value } | { ok: false; reason: string }

/** Bytes as they are. What is decoded may be a view of a larger buffer: a state machine that keeps it copies it. */
export const bytesCodec: ValueCodec<Uint8Array> = {
  encode: (value) => value,
  decode: (bytes) => ({ ok: true, value: bytes }),
}

/** A codec of wire/ as one for values. */
export function wireValueCodec<Value>(codec: Codec<Value>): ValueCodec<Value> {
  return {
    encode: (value) => encodeWire(codec, value),
    encodeBriefly: (value) => encodeBriefly(codec, value),
    decode: (bytes) => {
      const decoded = decodeWire(codec, bytes)
      return decoded.ok ? decoded : { ok: false, reason: decoded.error.message }
    },
  }
}

export interface JsonCodecOptions<Value> {
  /** Says whether a decoded value has the right shape. Default: any JSON value is taken for a `Value`. */
  check?: (value: unknown) => value is Value
  /** Arrays and objects inside each other. Default 32, at most 256. */
  depthMax?: number
  /** Bytes of the text in UTF-8. Default 1 MiB, the limit of an operation. */
  bytesMax?: number
}

const depthMaxDefault = 32
const depthMaxLimit = 256
const bytesMaxDefault = 1024 * 1024

/**
 * Canonical JSON: keys in the order of their UTF-16 code units, no white space, numbers and strings as JSON.stringify writes them,
 * properties that are undefined left out. NaN, infinities, -0, bigints, functions and class instances have no encoding.
 */
export function jsonCodec<Value>(options: JsonCodecOptions<Value> = {}): ValueCodec<Value> {
  const { check, depthMax = depthMaxDefault, bytesMax = bytesMaxDefault } = options
  if (!Number.isInteger(depthMax) || depthMax < 1 || depthMax > depthMaxLimit) {
    throw new RangeError(`option depthMax is ${depthMax}: it must be an integer from 1 to ${depthMaxLimit}`)
  }
  if (!Number.isInteger(bytesMax) || bytesMax < 1) throw new RangeError(`option bytesMax is ${bytesMax}: at least 1`)
  return {
    encode: (value) => {
      const bytes = new TextEncoder().encode(canonicalText(value, depthMax))
      if (bytes.length > bytesMax) throw new RangeError(`${bytes.length} bytes of JSON, at most ${bytesMax}`)
      return bytes
    },
    decode: (bytes) => {
      if (bytes.length > bytesMax) return { ok: false, reason: `${bytes.length} bytes, at most ${bytesMax}` }
      const value = parseCanonical(bytes, depthMax)
      if (value === undefined) return { ok: false, reason: 'no canonical JSON' }
      if (check !== undefined && !check(value)) return { ok: false, reason: 'JSON of another shape' }
      return { ok: true, value: value as Value }
    },
  }
}

/** Undefined, which JSON cannot express, for bytes that are not the one encoding of a value. */
function parseCanonical(bytes: Uint8Array, depthMax: number): unknown {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    const value: unknown = JSON.parse(text)
    return canonicalText(value, depthMax) === text ? value : undefined
  } catch {
    // Nothing in here but decoding is at work, so whatever was thrown says that the bytes are at fault.
    return undefined
  }
}

function canonicalText(value: unknown, depthLeft: number): string {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return JSON.stringify(value)
    case 'number':
      if (!Number.isFinite(value) || Object.is(value, -0)) throw new TypeError(`${value} has no canonical JSON`)
      return JSON.stringify(value)
    case 'object':
      if (value === null) return 'null'
      if (depthLeft === 0) throw new RangeError('JSON is nested too deeply')
      return Array.isArray(value) ? arrayText(value, depthLeft - 1) : objectText(value, depthLeft - 1)
    default:
      throw new TypeError(`a ${typeof value} has no canonical JSON`)
  }
}

function arrayText(values: readonly unknown[], depthLeft: number): string {
  // A hole in an array reads as undefined, and is refused as such.
  return `[${Array.from(values, (value) => canonicalText(value, depthLeft)).join(',')}]`
}

function objectText(value: object, depthLeft: number): string {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) {
    throw new TypeError(`a ${value.constructor?.name ?? 'class'} instance has no canonical JSON`)
  }
  const members: string[] = []
  for (const [name, member] of Object.entries(value).sort(byName)) {
    if (member !== undefined) members.push(`${JSON.stringify(name)}:${canonicalText(member, depthLeft)}`)
  }
  return `{${members.join(',')}}`
}

function byName(left: readonly [string, unknown], right: readonly [string, unknown]): number {
  return left[0] < right[0] ? -1 : left[0] > right[0] ? 1 : 0
}
