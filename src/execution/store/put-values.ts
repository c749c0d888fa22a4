/**
 * The store's codecs as state-machine.ts wants them, with a short way for a put and its result, of which a busy store sees most. The
 * short way takes nothing that the codec refuses, and leaves to the codec what it does not take: so the codec says why it is refused.
 */

import { wireValueCodec, type ValueCodec } from '../value-codec.ts'
import { storeCommandCodec, type StoreCommand } from './commands.ts'
import { keyBytesMax, valueBytesMax } from './limits.ts'
import { storeResultCodec, type StoreResult } from './results.ts'

const commands = wireValueCodec(storeCommandCodec)
const results = wireValueCodec(storeResultCodec)

/** Of a put as of its result. */
const putTag = 1
const lengthBytes = 4
const numberBytes = 8
/** What a number's upper half is below. */
const upperEnd = 0x20_0000

export const storeCommands: ValueCodec<StoreCommand> = {
  encode: (command) => commands.encode(command),
  decode: (bytes) => {
    const put = readPut(bytes)
    return put === null ? commands.decode(bytes) : { ok: true, value: put }
  },
}

export const storeResults: ValueCodec<StoreResult> = {
  encode: (result) => (result.kind === 'put' ? putResult(result.revision) : results.encode(result)),
  decode: (bytes) => results.decode(bytes),
}

/** Null: it is none, or the codec has something to say about it. */
function readPut(bytes: Uint8Array): StoreCommand | null {
  const keyStart = 1 + lengthBytes
  if (bytes[0] !== putTag || bytes.length < keyStart) return null
  const keyEnd = keyStart + u32At(bytes, 1)
  const valueStart = keyEnd + lengthBytes
  if (keyEnd === keyStart || keyEnd > keyStart + keyBytesMax || bytes.length < valueStart) return null
  const valueEnd = valueStart + u32At(bytes, keyEnd)
  if (valueEnd > valueStart + valueBytesMax || bytes.length !== valueEnd + numberBytes) return null
  const upper = u32At(bytes, valueEnd + 4)
  if (upper >= upperEnd) return null
  const lease = upper * 0x1_0000_0000 + u32At(bytes, valueEnd)
  return { kind: 'put', key: bytes.subarray(keyStart, keyEnd), value: bytes.subarray(valueStart, valueEnd), lease }
}

function u32At(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0
}

function putResult(revision: number): Uint8Array {
  const bytes = new Uint8Array(1 + numberBytes)
  bytes[0] = putTag
  const upper = Math.floor(revision / 0x1_0000_0000)
  for (let at = 0; at < 4; at++) {
    bytes[1 + at] = revision >>> (8 * at)
    bytes[5 + at] = upper >>> (8 * at)
  }
  return bytes
}
