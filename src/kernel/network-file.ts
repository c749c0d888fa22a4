// The network file: who the replicas are, and which protocol orders their operations. JSON, because people write it; read as if an
// enemy had.

import type { Hasher, SignatureSuite } from './crypto-ports.ts'
import { hashingBytes } from './domains.ts'
import { faultModelOf, protocolNames, type ProtocolName, type ReplicaId } from './ids.ts'
import { membersMax } from './limits.ts'
import type { Epoch, Member, MemberRole } from './membership.ts'
import {
  addresses,
  boolean,
  choice,
  fields,
  integer,
  publicKey,
  Refusal,
  shortText,
  word,
  type NetworkFileErrorCode,
} from './network-file-fields.ts'
import { defaultParameters, parameterBounds, type EnvelopeSignatures, type Parameters } from './parameters.ts'
import { faultsTolerated, votersMin } from './quorum.ts'
import { parseStrictJson, shown } from './strict-json.ts'

export const networkFileVersion = 1
export const networkFileBytesMax: number = 1024 * 1024
const priorityMax = 1000

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
      `the network file has ${text.length} characters, and at most ${networkFileBytesMax} are read: is it the right file?`,
    )
  }
  const json = parseStrictJson(text)
  if (json.ok) return json.value
  throw new Refusal('ERR_NETWORK_SYNTAX', `the network file is no sound JSON: line ${json.line} ${json.reason}`)
}

const fileFields = ['version', 'name', 'protocol', 'suite', 'envelopeSignatures', 'members', 'parameters'] as const

function readNetwork(value: unknown, ports: NetworkFilePorts): NetworkFile {
  const file = fields(value, 'the file', fileFields)
  if (file['version'] !== networkFileVersion) {
    throw new Refusal(
      'ERR_NETWORK_VERSION',
      `version is ${shown(file['version'])}, and this release reads ${networkFileVersion}: write that, or use the release that the file was made for`,
    )
  }
  const name = shortText(file['name'], 'name')
  const protocol = readProtocol(file['protocol'])
  const suite = word(withDefault(file['suite'], ports.suite.name), 'suite', [ports.suite.name])
  const signatures = readSignatures(file['envelopeSignatures'], protocol)
  const members = readMembers(file['members'], ports.suite)
  const warnings = checkNumbers(protocol, members)
  const parameters = readParameters(withDefault(file['parameters'], {}), signatures)
  const epoch = { number: 1, firstHeight: 1, protocol, members, parameters }
  const canonical = canonicalNetworkText(name, suite, epoch)
  const network = ports.hasher.digest(hashingBytes('network-id', asciiBytes(canonical)))
  return { ok: true, name, suite, epoch: { network, ...epoch }, warnings }
}

/** Only what is absent has a default; a null is a value like any other, and no sound one. */
function withDefault(value: unknown, otherwise: unknown): unknown {
  return value === undefined ? otherwise : value
}

function readProtocol(value: unknown): ProtocolName {
  const known = protocolNames.find((name) => name === value)
  if (known !== undefined) return known
  throw new Refusal('ERR_NETWORK_PROTOCOL', `protocol is ${shown(value)}: ${choice(value, protocolNames)}`)
}

function readSignatures(value: unknown, protocol: ProtocolName): EnvelopeSignatures {
  const byzantine = faultModelOf(protocol) === 'byzantine'
  const chosen = withDefault(value, byzantine ? 'required' : 'link')
  if (chosen !== 'required' && chosen !== 'link') {
    throw new Refusal('ERR_NETWORK_SIGNATURES', `envelopeSignatures is ${shown(value)}, and must be required or link`)
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
  return {
    id: integer(member['id'], `${where}.id`, 1, 0xffff) as ReplicaId,
    name: shortText(member['name'], `${where}.name`),
    role: word<MemberRole>(withDefault(member['role'], 'voter'), `${where}.role`, ['voter', 'learner']),
    consensusKey: publicKey(member['consensusKey'], `${where}.consensusKey`, suite),
    linkKey: publicKey(member['linkKey'], `${where}.linkKey`, suite),
    addresses: addresses(withDefault(member['addresses'], []), `${where}.addresses`),
    priority: integer(withDefault(member['priority'], 0), `${where}.priority`, 0, priorityMax),
  }
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

/**
 * The one text for all files that mean the same; its hash is the network's id. Members ascend by id and say everything; parameters
 * are named only where they differ from their defaults, so that a release with new parameters does not rename the networks that
 * exist. Defaults are therefore part of the format: one that changes needs a new version of it.
 */
export function canonicalNetworkText(name: string, suite: string, epoch: Omit<Epoch, 'network'>): string {
  const { protocol, members, parameters } = epoch
  const { envelopeSignatures } = parameters
  const version = networkFileVersion
  return canonicalText({
    version,
    name,
    protocol,
    suite,
    envelopeSignatures,
    members,
    parameters: overridesOf(parameters),
  })
}

function overridesOf(parameters: Parameters): object {
  const overrides: Record<string, Record<string, unknown>> = {}
  for (const [group, bounds] of Object.entries(parameterBounds)) {
    const values = parameters[group as keyof typeof parameterBounds] as unknown as Record<string, unknown>
    for (const [name, bound] of Object.entries(bounds) as [string, { default: unknown }][]) {
      if (values[name] !== bound.default) (overrides[group] ??= {})[name] = values[name]
    }
  }
  return overrides
}

/** JSON with names in the order of their characters, keys as hexadecimal, and no white space. */
function canonicalText(value: unknown): string {
  if (value instanceof Uint8Array) return JSON.stringify(hex(value))
  if (Array.isArray(value)) return `[${value.map((item) => canonicalText(item)).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const entries = Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1))
  return `{${entries.map(([name, item]) => `${JSON.stringify(name)}:${canonicalText(item)}`).join(',')}}`
}

/** Names and addresses are checked to be ASCII, and the rest is our own. */
function asciiBytes(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0))
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
