// A codec writes and reads one type. Codecs are strict: what decodes has exactly one encoding, and encoding it gives the same bytes.

import { WireError } from './error.ts'
import { Reader } from './reader.ts'
import { Writer } from './writer.ts'

export interface Codec<Value> {
  /** Least number of bytes that any value takes; bounds how many a list can hold. */
  readonly bytesMin: number
  write(writer: Writer, value: Value): void
  /** Throws a WireError and nothing else. */
  read(reader: Reader): Value
}

export type Decoded<Value> = { ok: true; value: Value } | { ok: false; error: WireError }

/** Kept between calls, because making a buffer costs more than filling it. Taken away while in use, so that calls may nest. */
let spareWriter: Writer | null = null
/**
 * A writer that had to grow beyond this is not kept. It holds a block of large operations: to grow from nothing for each of them makes three
 * times its bytes, for each message, record and peer.
 */
const spareBytesMax = 4 * 1024 * 1024

/** Throws a WireError when the value breaks a limit: that is a bug of the caller, who checks before. */
export function encode<Value>(codec: Codec<Value>, value: Value): Uint8Array {
  const writer = spareWriter ?? new Writer(1024)
  spareWriter = null
  writer.reset()
  codec.write(writer, value)
  const bytes = writer.finish()
  if (bytes.length <= spareBytesMax) spareWriter = writer
  return bytes
}

/** Pieces of memory that short-lived encodings share, and the longest encoding that does. */
const sharedBytes = 16 * 1024
const sharedEncodingBytesMax = 2048
let sharedWriter: Writer | null = null

/**
 * As `encode`, for bytes that are let go of soon. More than 64 bytes of one's own cost four times as much to have as to write, for they are
 * allocated beside the heap; these share an allocation with others, which is kept as long as any of them.
 */
export function encodeBriefly<Value>(codec: Codec<Value>, value: Value): Uint8Array {
  const writer = sharedWriter ?? new Writer(sharedBytes)
  sharedWriter = null
  const from = writer.length
  codec.write(writer, value)
  const encoded = writer.viewFrom(from)
  // Never grown, so that no view is of more than was meant to be shared.
  if (writer.length <= sharedBytes - sharedEncodingBytesMax) sharedWriter = writer
  return encoded.length <= sharedEncodingBytesMax ? encoded : encoded.slice()
}

/** Total on any bytes: the whole of them is one value, or an error says why not. */
export function decode<Value>(codec: Codec<Value>, bytes: Uint8Array): Decoded<Value> {
  try {
    const reader = new Reader(bytes)
    const value = codec.read(reader)
    reader.end()
    return { ok: true, value }
  } catch (error) {
    if (error instanceof WireError) return { ok: false, error }
    throw error
  }
}

export const u8: Codec<number> = { bytesMin: 1, write: (w, value) => w.u8(value), read: (r) => r.u8() }
export const u16: Codec<number> = { bytesMin: 2, write: (w, value) => w.u16(value), read: (r) => r.u16() }
export const u32: Codec<number> = { bytesMin: 4, write: (w, value) => w.u32(value), read: (r) => r.u32() }
export const u53: Codec<number> = { bytesMin: 8, write: (w, value) => w.u53(value), read: (r) => r.u53() }
export const bool: Codec<boolean> = { bytesMin: 1, write: (w, value) => w.bool(value), read: (r) => r.bool() }

export function fixedBytes(count: number): Codec<Uint8Array> {
  return { bytesMin: count, write: (w, value) => w.fixed(value, count), read: (r) => r.fixed(count) }
}

export function bytes(bytesMax: number): Codec<Uint8Array> {
  return { bytesMin: 4, write: (w, value) => w.bytes(value, bytesMax), read: (r) => r.bytes(bytesMax) }
}

export function list<Value>(item: Codec<Value>, itemsMax: number): Codec<Value[]> {
  // Four bytes would make as many of them as the limit allows.
  if (item.bytesMin < 1) throw new RangeError('items that take no bytes make no list')
  return {
    bytesMin: 4,
    write: (w, values) => {
      if (values.length > itemsMax) throw new WireError('ERR_WIRE_LIMIT', `${values.length} items, at most ${itemsMax}`)
      w.u32(values.length)
      for (const value of values) item.write(w, value)
    },
    read: (r) => {
      const count = r.count(itemsMax, item.bytesMin)
      const values: Value[] = []
      for (let index = 0; index < count; index++) values.push(item.read(r))
      return values
    },
  }
}

/** A list whose members rise strictly by a number of theirs: the one encoding of a set, without duplicates. */
export function ascending<Value>(item: Codec<Value>, key: (value: Value) => number, itemsMax: number): Codec<Value[]> {
  const plain = list(item, itemsMax)
  const check = (values: Value[]): Value[] => {
    for (let index = 1; index < values.length; index++) {
      if (key(values[index - 1] as Value) >= key(values[index] as Value)) {
        throw new WireError('ERR_WIRE_ORDER', `member ${index} does not rise above the one before it`)
      }
    }
    return values
  }
  return {
    bytesMin: plain.bytesMin,
    write: (w, values) => plain.write(w, check(values)),
    read: (r) => check(plain.read(r)),
  }
}

export function optional<Value>(item: Codec<Value>): Codec<Value | null> {
  return {
    bytesMin: 1,
    write: (w, value) => {
      w.bool(value !== null)
      if (value !== null) item.write(w, value)
    },
    read: (r) => (r.bool() ? item.read(r) : null),
  }
}

/** One of a few names, as a byte that counts them from 1. The order is part of the format: append, never insert. */
export function oneOf<Name extends string>(names: readonly Name[]): Codec<Name> {
  return {
    bytesMin: 1,
    write: (w, value) => {
      const index = names.indexOf(value)
      if (index < 0) throw new WireError('ERR_WIRE_TAG', `no name ${value}`)
      w.u8(index + 1)
    },
    read: (r) => {
      const number = r.u8()
      const name = names[number - 1]
      if (name === undefined) throw new WireError('ERR_WIRE_TAG', `no name with number ${number}`)
      return name
    },
  }
}

/** A codec of objects, which reads into one that has something already: its kind. */
export interface StructCodec<Value extends object> extends Codec<Value> {
  readInto(reader: Reader, value: object): Value
}

/** The fields of an object, in the order given here. */
export function struct<Value extends object>(fields: {
  [Key in keyof Value]-?: Codec<Value[Key]>
}): StructCodec<Value> {
  const names = Object.keys(fields) as (keyof Value)[]
  const codecs = names.map((name) => fields[name])
  const readInto = (r: Reader, begun: object): Value => {
    const value = begun as Value
    for (let index = 0; index < names.length; index++) value[names[index]!] = codecs[index]!.read(r)
    return value
  }
  return {
    bytesMin: codecs.reduce((sum, codec) => sum + codec.bytesMin, 0),
    write: (w, value) => {
      for (let index = 0; index < names.length; index++) {
        codecs[index]!.write(w, value[names[index]!])
      }
    },
    read: (r) => readInto(r, {}),
    readInto,
  }
}

/**
 * The fields beside the kind; or a codec of the whole value, kind included, written by hand. One code that reads all structs, field by field,
 * cannot be compiled for any of them: what comes with every operation is read in two thirds of the time by a function of its own.
 */
export type Variant<Whole extends { kind: string }> =
  | { tag: number; codec: Codec<Omit<Whole, 'kind'>> }
  | { tag: number; whole: Codec<Whole> }

interface TaggedVariant {
  kind: string
  tag: number
  bytesMin: number
  write: (w: Writer, value: object) => void
  read: (r: Reader) => object
}

function taggedVariant(kind: string, variant: Variant<{ kind: string }>): TaggedVariant {
  const { tag } = variant
  if (!Number.isInteger(tag) || tag < 0 || tag > 0xff) throw new RangeError(`${tag} is no tag`)
  if ('whole' in variant) return { kind, tag, ...(variant.whole as Codec<object>) }
  const codec = variant.codec as Codec<object> | StructCodec<object>
  // The kind comes first, so that each variant has one hidden class whatever its fields.
  const readInto =
    'readInto' in codec ? codec.readInto : (r: Reader, begun: object) => Object.assign(begun, codec.read(r))
  return { kind, tag, bytesMin: codec.bytesMin, write: codec.write, read: (r) => readInto(r, { kind }) }
}

/** One of several kinds, told apart by a tag byte. Tags are part of the format: never reuse one. */
export function union<Value extends { kind: string }>(variants: {
  [Kind in Value['kind']]: Variant<Extract<Value, { kind: Kind }>>
}): Codec<Value> {
  const byKind = new Map<string, TaggedVariant>()
  const byTag: (TaggedVariant | undefined)[] = []
  for (const kind of Object.keys(variants) as Value['kind'][]) {
    const variant = taggedVariant(kind, variants[kind] as unknown as Variant<{ kind: string }>)
    if (byTag[variant.tag] !== undefined) throw new RangeError(`tag ${variant.tag} is given twice`)
    byKind.set(kind, variant)
    byTag[variant.tag] = variant
  }
  return {
    bytesMin: 1 + Math.min(...[...byKind.values()].map((variant) => variant.bytesMin)),
    write: (w, value) => {
      const variant = byKind.get(value.kind)
      if (variant === undefined) throw new WireError('ERR_WIRE_TAG', `no variant ${value.kind}`)
      w.u8(variant.tag)
      variant.write(w, value)
    },
    read: (r) => {
      const tag = r.u8()
      const variant = byTag[tag]
      if (variant === undefined) throw new WireError('ERR_WIRE_TAG', `no variant with tag ${tag}`)
      return variant.read(r) as Value
    },
  }
}

/** An integer with a tighter bound than its width: checked on both sides. */
export function upTo(codec: Codec<number>, maximum: number): Codec<number> {
  const check = (value: number): number => {
    if (value > maximum) throw new WireError('ERR_WIRE_RANGE', `${value} is above ${maximum}`)
    return value
  }
  return {
    bytesMin: codec.bytesMin,
    write: (w, value) => codec.write(w, check(value)),
    read: (r) => check(codec.read(r)),
  }
}
