// The fields of network files and member files, each read with its bounds. A refusal names the field, its value and the rule, and ends the reading.

import type { SignatureSuite } from './crypto-ports.ts'
import { fromHex } from './hex.ts'
import { nameBytesMax } from './limits.ts'
import type { Member, MemberRole } from './membership.ts'
import { nearest } from './nearest.ts'
import { parseStrictJson, shown } from './strict-json.ts'

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
  | 'ERR_NETWORK_APPROVAL'
  | 'ERR_NETWORK_PROOF'

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
const publicKeyBytesMax = 2048
/** The highest priority of a member. */
export const priorityMax = 1000

export function json(text: string, what: string, charactersMax: number): unknown {
  if (text.length > charactersMax) {
    throw new Refusal(
      'ERR_NETWORK_TOO_LARGE',
      `${what} has ${text.length} characters, and at most ${charactersMax} are read: is it the right file?`,
    )
  }
  if (text.startsWith('\ufeff')) {
    throw new Refusal('ERR_NETWORK_SYNTAX', `${what} begins with a byte-order mark: save it as UTF-8 without one`)
  }
  const read = parseStrictJson(text)
  if (read.ok) return read.value
  throw new Refusal('ERR_NETWORK_SYNTAX', `${what} is no sound JSON: line ${read.line} ${read.reason}`)
}

export function requireVersion(value: unknown, known: number): void {
  if (value === known) return
  throw new Refusal(
    'ERR_NETWORK_VERSION',
    `version is ${shown(value)}, and this release reads ${known}: write that, or use the release that the file was made for`,
  )
}

/** Only what is absent has a default; a null is a value like any other, and no sound one. */
export function withDefault(value: unknown, otherwise: unknown): unknown {
  return value === undefined ? otherwise : value
}

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

export function bytes(value: unknown, where: string, bytesMax: number, code: NetworkFileErrorCode): Uint8Array {
  const read = fromHex(value, bytesMax)
  if (read !== null) return read
  throw new Refusal(code, `${where} is ${shown(value)}, and must be lower-case hexadecimal`)
}

export function publicKey(value: unknown, where: string, suite: SignatureSuite): Uint8Array {
  const key = fromHex(value, publicKeyBytesMax)
  if (key === null) {
    throw new Refusal(
      'ERR_NETWORK_KEY',
      `${where} is ${shown(value)}, and must be a public key in lower-case hexadecimal`,
    )
  }
  if (!suite.isValidPublicKey(key)) {
    throw new Refusal(
      'ERR_NETWORK_KEY',
      `${where} is no valid ${suite.name} public key: ask its owner to make a new one`,
    )
  }
  return key
}

/** What a member says of itself, in a file of its own and in the network's; the network adds the id. */
export const memberFieldNames = ['name', 'role', 'consensusKey', 'linkKey', 'addresses', 'priority'] as const

export function memberFields(member: Fields, where: string, suite: SignatureSuite): Omit<Member, 'id'> {
  const at = (name: string): string => (where === '' ? name : `${where}.${name}`)
  return {
    name: shortText(member['name'], at('name')),
    role: word<MemberRole>(withDefault(member['role'], 'voter'), at('role'), ['voter', 'learner']),
    consensusKey: publicKey(member['consensusKey'], at('consensusKey'), suite),
    linkKey: publicKey(member['linkKey'], at('linkKey'), suite),
    addresses: addresses(withDefault(member['addresses'], []), at('addresses')),
    priority: integer(withDefault(member['priority'], 0), at('priority'), 0, priorityMax),
  }
}
