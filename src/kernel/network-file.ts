// The network file: who the replicas are, and which protocol orders their operations. JSON, because people write it; read as if an
// enemy had.

import type { Hasher, SignatureSuite } from './crypto-ports.ts'
import { hashingBytes } from './domains.ts'
import { faultModelOf, protocolNames, type ProtocolName, type ReplicaId } from './ids.ts'
import { membersMax, nameBytesMax } from './limits.ts'
import type { Epoch, Member, MemberRole } from './membership.ts'
import { defaultParameters, parameterBounds, type EnvelopeSignatures, type Parameters } from './parameters.ts'
import { faultsTolerated, votersMin } from './quorum.ts'

export const networkFileVersion = 1
export const networkFileBytesMax: number = 1024 * 1024
const addressesMax = 8
const addressBytesMax = 256
const priorityMax = 1000

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

export interface NetworkFileError {
  code: NetworkFileErrorCode
  /** One sentence for a person, with the next step. */
  message: string
}

export type NetworkFile =
  | { ok: true; name: string; suite: string; epoch: Epoch; warnings: string[] }
  | { ok: false; error: NetworkFileError }

export interface NetworkFilePorts {
  hasher: Hasher
  suite: SignatureSuite
}

/** What a check throws to leave it; never leaves this file. */
class Refusal extends Error {
  readonly code: NetworkFileErrorCode
  constructor(code: NetworkFileErrorCode, message: string) {
    super(message)
    this.code = code
  }
}

type Fields = Readonly<Record<string, unknown>>

/** Total on any text. */
export function parseNetworkFile(text: string, ports: NetworkFilePorts): NetworkFile {
  try {
    return readNetwork(parseJson(text), ports)
  } catch (error) {
    if (error instanceof Refusal) return { ok: false, error: { code: error.code, message: error.message } }
    throw error
  }
}

function parseJson(text: string): unknown {
  if (text.length > networkFileBytesMax) {
    throw new Refusal(
      'ERR_NETWORK_TOO_LARGE',
      `the network file has ${text.length} characters, at most ${networkFileBytesMax} are read`,
    )
  }
  try {
    return JSON.parse(text)
  } catch {
    throw new Refusal('ERR_NETWORK_SYNTAX', 'the network file is no JSON: check it for a missing comma or bracket')
  }
}

function readNetwork(value: unknown, ports: NetworkFilePorts): NetworkFile {
  const file = fields(value, 'the file', [
    'version',
    'name',
    'protocol',
    'suite',
    'envelopeSignatures',
    'members',
    'parameters',
  ])
  if (file['version'] !== networkFileVersion) {
    throw new Refusal(
      'ERR_NETWORK_VERSION',
      `version is ${show(file['version'])}, and this release reads ${networkFileVersion}`,
    )
  }
  const name = shortText(file['name'], 'name')
  const protocol = readProtocol(file['protocol'])
  const suite = file['suite'] ?? ports.suite.name
  if (suite !== ports.suite.name) {
    throw new Refusal('ERR_NETWORK_FIELD', `suite is ${show(suite)}, and this release has ${ports.suite.name}`)
  }
  const signatures = readSignatures(file['envelopeSignatures'], protocol)
  const members = readMembers(file['members'], ports.suite)
  const warnings = checkNumbers(protocol, members)
  const parameters = readParameters(file['parameters'] ?? {}, signatures)
  const canonical = canonicalText({ name, protocol, suite: ports.suite.name, members, parameters })
  const network = ports.hasher.digest(hashingBytes('network-id', Uint8Array.from(utf8(canonical))))
  const epoch: Epoch = { network, number: 1, firstHeight: 1, protocol, members, parameters }
  return { ok: true, name, suite: ports.suite.name, epoch, warnings }
}

function readProtocol(value: unknown): ProtocolName {
  const known = protocolNames.find((name) => name === value)
  if (known !== undefined) return known
  throw new Refusal(
    'ERR_NETWORK_PROTOCOL',
    `protocol is ${show(value)}, and must be one of ${protocolNames.join(', ')}`,
  )
}

function readSignatures(value: unknown, protocol: ProtocolName): EnvelopeSignatures {
  const byzantine = faultModelOf(protocol) === 'byzantine'
  const chosen = value ?? (byzantine ? 'required' : 'link')
  if (chosen !== 'required' && chosen !== 'link') {
    throw new Refusal('ERR_NETWORK_SIGNATURES', `envelopeSignatures is ${show(value)}, and must be required or link`)
  }
  if (byzantine && chosen === 'link') {
    throw new Refusal(
      'ERR_NETWORK_SIGNATURES',
      `envelopeSignatures is link, which ${protocol} cannot trust: say required`,
    )
  }
  return chosen
}

function readMembers(value: unknown, suite: SignatureSuite): Member[] {
  if (!Array.isArray(value)) throw new Refusal('ERR_NETWORK_FIELD', 'members is missing, and must be a list')
  if (value.length > membersMax) {
    throw new Refusal('ERR_NETWORK_FIELD', `there are ${value.length} members, at most ${membersMax} are possible`)
  }
  const members = value.map((member: unknown, index) => readMember(member, index, suite))
  members.sort((left, right) => left.id - right.id)
  requireDistinct(members, 'id', (member) => String(member.id))
  requireDistinct(members, 'name', (member) => member.name)
  // A key may stand once in the whole file: a link key that is somebody's consensus key would let one sign as the other.
  const keys = new Map<string, string>()
  for (const member of members) {
    for (const [kind, key] of [
      ['consensusKey', member.consensusKey],
      ['linkKey', member.linkKey],
    ] as const) {
      const owner = `${kind} of ${member.name}`
      const other = keys.get(hex(key))
      if (other !== undefined)
        throw new Refusal('ERR_NETWORK_DUPLICATE', `${other} and ${owner} are the same key: each needs its own`)
      keys.set(hex(key), owner)
    }
  }
  return members
}

function readMember(value: unknown, index: number, suite: SignatureSuite): Member {
  const where = `members[${index}]`
  const member = fields(value, where, ['id', 'name', 'role', 'consensusKey', 'linkKey', 'addresses', 'priority'])
  const role = member['role'] ?? 'voter'
  if (role !== 'voter' && role !== 'learner') {
    throw new Refusal('ERR_NETWORK_FIELD', `${where}.role is ${show(role)}, and must be voter or learner`)
  }
  return {
    id: integer(member['id'], `${where}.id`, 1, 0xffff) as ReplicaId,
    name: shortText(member['name'], `${where}.name`),
    role: role as MemberRole,
    consensusKey: key(member['consensusKey'], `${where}.consensusKey`, suite),
    linkKey: key(member['linkKey'], `${where}.linkKey`, suite),
    addresses: readAddresses(member['addresses'] ?? [], `${where}.addresses`),
    priority: integer(member['priority'] ?? 0, `${where}.priority`, 0, priorityMax),
  }
}

function readAddresses(value: unknown, where: string): string[] {
  const sound = (address: unknown): address is string =>
    typeof address === 'string' &&
    address.startsWith('/') &&
    address.length <= addressBytesMax &&
    /^[\x21-\x7e]+$/.test(address)
  if (Array.isArray(value) && value.length <= addressesMax && value.every((address) => sound(address))) return value
  throw new Refusal(
    'ERR_NETWORK_FIELD',
    `${where} must be a list of at most ${addressesMax} multiaddresses such as /ip4/127.0.0.1/tcp/4001`,
  )
}

/** Refuses what survives nothing it promises, and warns of what costs a member and gains nothing. */
function checkNumbers(protocol: ProtocolName, members: readonly Member[]): string[] {
  const model = faultModelOf(protocol)
  const voters = members.filter((member) => member.role === 'voter').length
  const least = votersMin(model)
  const word = model === 'crash' ? 'crash' : 'arbitrary fault'
  if (voters < least) {
    throw new Refusal(
      'ERR_NETWORK_TOO_FEW',
      `${protocol} with ${voters} voters survives no ${word}: name at least ${least}`,
    )
  }
  const faults = faultsTolerated(model, voters)
  const enough = model === 'crash' ? 2 * faults + 1 : 3 * faults + 1
  if (voters === enough) return []
  const plural = faults === 1 ? word : `${word}${model === 'crash' ? 'es' : 's'}`
  return [
    `${voters} voters survive ${faults} ${plural}, as ${enough} do, and each block waits for a larger quorum: it costs ${voters - enough === 1 ? 'a replica' : `${voters - enough} replicas`} and gains nothing`,
  ]
}

function readParameters(value: unknown, signatures: EnvelopeSignatures): Parameters {
  const groups = Object.keys(parameterBounds) as (keyof typeof parameterBounds)[]
  const given = fields(value, 'parameters', groups)
  const parameters = defaultParameters(signatures) as unknown as Record<string, Record<string, unknown>>
  for (const group of groups) {
    if (given[group] === undefined) continue
    const bounds = parameterBounds[group] as Readonly<Record<string, { default: unknown; min?: number; max?: number }>>
    const overrides = fields(given[group], `parameters.${group}`, Object.keys(bounds))
    for (const [name, override] of Object.entries(overrides)) {
      const { min, max } = bounds[name]!
      const where = `parameters.${group}.${name}`
      parameters[group]![name] = min === undefined ? boolean(override, where) : integer(override, where, min, max!)
    }
  }
  const { timers } = parameters as unknown as Parameters
  if (timers.timeoutMsMax < timers.timeoutMsBase || timers.heartbeatMs >= timers.timeoutMsBase) {
    throw new Refusal(
      'ERR_NETWORK_FIELD',
      'parameters.timers must have heartbeatMs below timeoutMsBase, and timeoutMsBase not above timeoutMsMax',
    )
  }
  return parameters as unknown as Parameters
}

function requireDistinct(members: readonly Member[], what: string, valueOf: (member: Member) => string): void {
  const seen = new Map<string, Member>()
  for (const member of members) {
    const other = seen.get(valueOf(member))
    if (other !== undefined) {
      throw new Refusal(
        'ERR_NETWORK_DUPLICATE',
        `the members ${other.name} and ${member.name} have the same ${what} ${valueOf(member)}: each needs its own`,
      )
    }
    seen.set(valueOf(member), member)
  }
}

/** An object with no other fields than these: what is misspelt must not be taken for absent. */
function fields(value: unknown, where: string, known: readonly string[]): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Refusal('ERR_NETWORK_FIELD', `${where} must be an object`)
  }
  for (const name of Object.keys(value)) {
    if (!known.includes(name))
      throw new Refusal('ERR_NETWORK_FIELD', `${where} has a field ${show(name)}; known are ${known.join(', ')}`)
  }
  return value as Fields
}

function integer(value: unknown, where: string, minimum: number, maximum: number): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= minimum && value <= maximum) return value
  throw new Refusal(
    'ERR_NETWORK_FIELD',
    `${where} is ${show(value)}, and must be a whole number from ${minimum} to ${maximum}`,
  )
}

function boolean(value: unknown, where: string): boolean {
  if (typeof value === 'boolean') return value
  throw new Refusal('ERR_NETWORK_FIELD', `${where} is ${show(value)}, and must be true or false`)
}

function shortText(value: unknown, where: string): string {
  if (typeof value === 'string' && value.length > 0 && value.length <= nameBytesMax && /^[\x20-\x7e]+$/.test(value))
    return value
  throw new Refusal(
    'ERR_NETWORK_FIELD',
    `${where} is ${show(value)}, and must be 1 to ${nameBytesMax} printable ASCII characters`,
  )
}

function key(value: unknown, where: string, suite: SignatureSuite): Uint8Array {
  if (typeof value !== 'string' || !/^(?:[0-9a-f]{2}){1,2048}$/.test(value)) {
    throw new Refusal(
      'ERR_NETWORK_KEY',
      `${where} is ${show(value)}, and must be a public key in lower-case hexadecimal`,
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

/** Keys in order, everything said: two files that mean the same have one network id. */
function canonicalText(value: unknown): string {
  if (value instanceof Uint8Array) return JSON.stringify(hex(value))
  if (Array.isArray(value)) return `[${value.map((item) => canonicalText(item)).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const entries = Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1))
  return `{${entries.map(([name, item]) => `${JSON.stringify(name)}:${canonicalText(item)}`).join(',')}}`
}

/** Only ASCII gets here: names and addresses are checked, the rest is our own. */
function utf8(text: string): number[] {
  return Array.from(text, (character) => character.charCodeAt(0))
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

function show(value: unknown): string {
  if (value === undefined) return 'missing'
  const text = JSON.stringify(value) ?? 'unreadable'
  return text.length > 40 ? `${text.slice(0, 40)}…` : text
}
