// How a type and a value of it stand in the registry, and the pieces that values are made of.

import type { BlockHeader } from '../../src/kernel/block.ts'
import type { Codec } from '../../src/wire/codec.ts'

export interface Registered {
  /** The codec's name in the sources, and a word for the value. */
  name: string
  codec: Codec<unknown>
  value: unknown
}

export function one(name: string, codec: unknown, value: unknown): Registered {
  return { name, codec: codec as Codec<unknown>, value }
}

export function fill(length: number, byte: number): Uint8Array {
  return new Uint8Array(length).fill(byte)
}

export const header: BlockHeader = {
  epoch: 1,
  height: 7,
  timestamp: 1_760_000_000_000,
  payloadDigest: fill(32, 0xd1),
}
export const block = { header, payload: Uint8Array.of(0, 0, 0, 0) }
export const session = { height: 3, index: 2 }
