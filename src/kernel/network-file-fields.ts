// The fields of a network file, each read with its bounds. A refusal names the field, its value and the rule, and ends the reading.

import type { SignatureSuite } from './crypto-ports.ts'
import { nameBytesMax } from './limits.ts'
import { nearest } from './nearest.ts'
import { shown } from './strict-json.ts'

export type NetworkFileErrorCode =
  | 'ERR_NETWORK_TOO_LARGE'
  | 'ERR_NETWORK_SYNTAX'
  | 'ERR_NETWORK_VERSION'
  | 'ERR_NETWORK_FIELD'
  | 'ERR_NETWORK_PROTOCOL'
  | 'ERR_NETWORK_DUPLICATE'
  | 'ERR_NETWORK_TOO_FEW'
  | 'ERR_NETWORK_KEY'
  | 'ERR_NETWORK_SIGNATURES'

/** What a check throws to leave the reading; `parseNetworkFile` catches it. */
export class Refusal extends Error {
  readonly code: NetworkFileErrorCode
  constructor(code: NetworkFileErrorCode, message: string) {
    super(message)
    this.code = code
  }
}

export type Fields = Readonly<Record<string, unknown>>

const addressesMax = 8
const addressBytesMax = 256

/** An object with no other fields than these: what is misspelt must not be taken for absent. */
export function fields(value: unknown, where: string, known: readonly string[]): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Refusal('ERR_NETWORK_FIELD', `${where} is ${shown(value)}, and must be an object`)
  }
  for (const name of Object.keys(value)) {
    if (known.includes(name)) continue
    throw new Refusal('ERR_NETWORK_FIELD', `${where} has a field ${shown(name)}: ${choice(name, known)}`)
  }
  return value as Fields
}

/** The next step after a word that is not known. */
export function choice(word: unknown, known: readonly string[]): string {
  const near = typeof word === 'string' ? nearest(word, known) : null
  const list = `known are ${known.join(', ')}`
  return near === null ? list : `did you mean ${near} (${list})?`
}

/** One of a few words. */
export function word<Word extends string>(value: unknown, where: string, known: readonly Word[]): Word {
  const found = known.find((one) => one === value)
  if (found !== undefined) return found
  throw new Refusal('ERR_NETWORK_FIELD', `${where} is ${shown(value)}, and must be ${known.join(' or ')}`)
}

export function integer(value: unknown, where: string, minimum: number, maximum: number): number {
  // A written -0 is 0.
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= minimum && value <= maximum) return value + 0
  throw new Refusal(
    'ERR_NETWORK_FIELD',
    `${where} is ${shown(value)}, and must be a whole number from ${minimum} to ${maximum}`,
  )
}

export function boolean(value: unknown, where: string): boolean {
  if (typeof value === 'boolean') return value
  throw new Refusal('ERR_NETWORK_FIELD', `${where} is ${shown(value)}, and must be true or false`)
}

export function shortText(value: unknown, where: string): string {
  const sound = typeof value === 'string' && value.length <= nameBytesMax && /^[\x20-\x7e]+$/.test(value)
  // A blank at an end makes two names that look the same.
  if (sound && value === value.trim()) return value
  throw new Refusal(
    'ERR_NETWORK_FIELD',
    `${where} is ${shown(value)}, and must be 1 to ${nameBytesMax} printable ASCII characters without blanks at its ends`,
  )
}

export function addresses(value: unknown, where: string): string[] {
  const sound = (address: unknown): address is string =>
    typeof address === 'string' && address.length <= addressBytesMax && /^\/[\x21-\x7e]+$/.test(address)
  if (Array.isArray(value) && value.length <= addressesMax && value.every((address) => sound(address))) return value
  throw new Refusal(
    'ERR_NETWORK_FIELD',
    `${where} must be a list of at most ${addressesMax} multiaddresses such as /ip4/127.0.0.1/tcp/4001`,
  )
}

export function publicKey(value: unknown, where: string, suite: SignatureSuite): Uint8Array {
  if (typeof value !== 'string' || value.length > 4096 || !/^(?:[0-9a-f]{2})+$/.test(value)) {
    throw new Refusal(
      'ERR_NETWORK_KEY',
      `${where} is ${shown(value)}, and must be a public key in lower-case hexadecimal`,
    )
  }
  const bytes = Uint8Array.from({ length: value.length / 2 }, (_, index) =>
    Number.parseInt(value.slice(2 * index, 2 * index + 2), 16),
  )
  if (!suite.isValidPublicKey(bytes)) {
    throw new Refusal(
      'ERR_NETWORK_KEY',
      `${where} is no valid ${suite.name} public key: ask its owner to make a new one`,
    )
  }
  return bytes
}
