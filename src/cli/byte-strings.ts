// Byte strings of the store, as people and programs write and read them.

import { fromHex, toHex } from '../kernel/hex.ts'
import { keyBytesMax, valueBytesMax } from '../execution/store/limits.ts'
import { UsageError } from './options.ts'

/** `what` names the argument, for the sentence. */
export function bytesOf(argument: string, isHex: boolean, what: string): Uint8Array {
  if (!isHex) return new TextEncoder().encode(argument)
  if (argument === '') return new Uint8Array(0)
  const bytes = fromHex(argument.toLowerCase(), valueBytesMax + 1)
  if (bytes === null) throw new UsageError(`${what} is no hexadecimal of whole bytes: give an even number of digits`)
  return bytes
}

export function keyOf(argument: string, isHex: boolean, what = 'KEY'): Uint8Array {
  const key = bytesOf(argument, isHex, what)
  if (key.length >= 1 && key.length <= keyBytesMax) return key
  throw new UsageError(`${what} has ${key.length} bytes, and must have 1 to ${keyBytesMax}`)
}

export type JsonBytes = { text: string } | { hex: string }

export function jsonBytes(bytes: Uint8Array, isHex: boolean): JsonBytes {
  const text = isHex ? null : utf8(bytes)
  return text === null ? { hex: toHex(bytes) } : { text }
}

/** For a terminal, where control characters would act: those are written as \xNN, and what is no UTF-8 as 0x and hexadecimal. */
export function visibleBytes(bytes: Uint8Array, isHex: boolean): string {
  if (isHex) return toHex(bytes)
  const text = utf8(bytes)
  return text === null ? `0x${toHex(bytes)}` : visibleText(text)
}

export function visibleText(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) => {
    const code = character.codePointAt(0)!.toString(16)
    return code.length <= 2 ? `\\x${code.padStart(2, '0')}` : `\\u{${code}}`
  })
}

function utf8(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return null
  }
}
