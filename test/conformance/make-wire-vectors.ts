// Writes wire-vectors.json anew. Run it on purpose only: what it changes is the format of networks that exist.
// `npx tsc -p tsconfig.tools.json && node .tools/test/conformance/make-wire-vectors.js test/conformance/wire-vectors.json`

import { writeFileSync } from 'node:fs'
import { decode, encode, type Codec } from '../../src/wire/codec.ts'
import type { WireErrorCode } from '../../src/wire/error.ts'
import { registry } from './registry.ts'

/** One way to spoil the bytes of a vector, and how they are refused then. */
export type Malformed = { code: WireErrorCode } & (
  | { cutTo: number } // only this many bytes are left
  | { append: number } // this byte stands behind the value
  | { at: number; byte: number } // this byte stands there instead
)

export interface WireVector {
  name: string
  hex: string
  malformed: Malformed[]
}

/** Values at which a length, tag, flag or high byte of an integer stops being one. */
const extremes = [0xff, 0x7f, 0x00, 0x01, 0x02, 0x03]

export function makeVectors(): string {
  const vectors = registry.map(({ name, codec, value }) => {
    const bytes = encode(codec, value)
    const vector: WireVector = { name, hex: Buffer.from(bytes).toString('hex'), malformed: malformedOf(codec, bytes) }
    return vector
  })
  // One line for each malformed variant, so that a change can be read.
  return `${JSON.stringify(vectors, null, 2).replaceAll(/\{\n\s+("(?:cutTo|append|at)[^{}]*?)\n\s+\}/g, (_, inside: string) => `{ ${inside.replaceAll(/\s*\n\s*/g, ' ')} }`)}\n`
}

export function spoil(bytes: Uint8Array, malformed: Malformed): Uint8Array {
  if ('cutTo' in malformed) return bytes.slice(0, malformed.cutTo)
  if ('append' in malformed) return Uint8Array.from([...bytes, malformed.append])
  const spoilt = Uint8Array.from(bytes)
  spoilt[malformed.at] = malformed.byte
  return spoilt
}

/** Nothing, one byte too few, one too many; and of each code that one changed byte can give, the first place and the last. */
function malformedOf(codec: Codec<unknown>, bytes: Uint8Array): Malformed[] {
  const first = new Map<WireErrorCode, Malformed>()
  const last = new Map<WireErrorCode, Malformed>()
  for (let at = 0; at < bytes.length; at++) {
    for (const byte of extremes) {
      const change = { at, byte }
      const code = codeOf(codec, spoil(bytes, { ...change, code: 'ERR_WIRE_RANGE' }))
      if (code === null) continue
      if (!first.has(code)) first.set(code, { ...change, code })
      else last.set(code, { ...change, code })
    }
  }
  return [
    { cutTo: 0, code: 'ERR_WIRE_TRUNCATED' },
    { cutTo: bytes.length - 1, code: 'ERR_WIRE_TRUNCATED' },
    { append: 0, code: 'ERR_WIRE_TRAILING' },
    ...first.values(),
    ...last.values(),
  ]
}

function codeOf(codec: Codec<unknown>, bytes: Uint8Array): WireErrorCode | null {
  const decoded = decode(codec, bytes)
  return decoded.ok ? null : decoded.error.code
}

const path = process.argv[2]
if (path?.endsWith('wire-vectors.json')) writeFileSync(path, makeVectors())
