// The network file: who the replicas are, and which protocol orders their operations. JSON, because people write it; read as if an
// enemy had.

import type { Hasher, SignatureSuite } from './crypto-ports.ts'
import { hashingBytes } from './domains.ts'
import { toHex } from './hex.ts'
import { faultModelOf, protocolNames, type ProtocolName, type ReplicaId } from './ids.ts'
import { membersMax } from './limits.ts'
import type { Epoch, Member } from './membership.ts'
import { approvalBytes, missingApprovals, readApprovals, type ApprovableNetwork } from './network-approval.ts'
import {
  boolean,
  choice,
  fields,
  integer,
  json,
  memberFieldNames,
  memberFields,
  Refusal,
  requireVersion,
  shortText,
  withDefault,
  word,
  type NetworkFileErrorCode,
} from './network-file-fields.ts'
import { asciiBytes, canonicalNetworkText, networkFileVersion } from './network-text.ts'
import { defaultParameters, parameterBounds, type EnvelopeSignatures, type Parameters } from './parameters.ts'
import { faultsTolerated, votersMin } from './quorum.ts'
import { shown } from './strict-json.ts'
import { windowFault } from './view-change-cost.ts'

export const networkFileBytesMax: number = 1024 * 1024

export interface NetworkFileError {
  code: NetworkFileErrorCode
  /** One sentence for a person, with the next step. */
  message: string
}

export interface ReadNetwork extends ApprovableNetwork {
  /** Members whose approval the file does not carry, ascending. */
  missingApprovals: readonly ReplicaId[]
  warnings: string[]
}

export type NetworkFile = ({ ok: true } & ReadNetwork) | { ok: false; error: NetworkFileError }

export interface NetworkFilePorts {
  hasher: Hasher
  suite: SignatureSuite
}

/** Total on any text. */
export function parseNetworkFile(text: string, ports: NetworkFilePorts): NetworkFile {
  try {
    return readNetwork(json(text, 'the network file', networkFileBytesMax), ports)
  } catch (error) {
    if (error instanceof Refusal) return { ok: false, error: { code: error.code, message: error.message } }
    throw error
  }
}

const fileFields = [
  'version',
  'name',
  'protocol',
  'suite',
  'envelopeSignatures',
  'members',
  'parameters',
  'approvals',
] as const

function readNetwork(value: unknown, ports: NetworkFilePorts): NetworkFile {
  const file = fields(value, 'the file', fileFields)
  requireVersion(file['version'], networkFileVersion)
  const name = shortText(file['name'], 'name')
  const protocol = readProtocol(file['protocol'])
  const suite = word(withDefault(file['suite'], ports.suite.name), 'suite', [ports.suite.name])
  const signatures = readSignatures(file['envelopeSignatures'], protocol)
  const members = readMembers(file['members'], ports.suite)
  const warnings = checkNumbers(protocol, members)
  const parameters = readParameters(withDefault(file['parameters'], {}), signatures)
  if (protocol === 'pbft') checkWindow(members, parameters)
  const epoch = { number: 1, firstHeight: 1, protocol, members, parameters }
  const canonical = asciiBytes(canonicalNetworkText(name, suite, epoch))
  const named: Epoch = { network: ports.hasher.digest(hashingBytes('network-id', canonical)), ...epoch }
  const given = withDefault(file['approvals'], [])
  const approvals = readApprovals(given, approvalBytes(name, suite, named), members, ports.suite)
  const missing = missingApprovals(members, approvals)
  return { ok: true, name, suite, epoch: named, approvals, missingApprovals: missing, warnings }
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
      const other = keys.get(toHex(key))
      if (other !== undefined)
        throw new Refusal('ERR_NETWORK_DUPLICATE', `${other} and ${owner} are the same key: each needs its own`)
      keys.set(toHex(key), owner)
    }
  }
  return members
}

function readMember(value: unknown, index: number, suite: SignatureSuite): Member {
  const where = `members[${index}]`
  const member = fields(value, where, ['id', ...memberFieldNames])
  return {
    id: integer(member['id'], `${where}.id`, 1, 0xffff) as ReplicaId,
    ...memberFields(member, where, suite),
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
    const bounds = parameterBounds[group] as Readonly<Record<string, ParameterBound>>
    const overrides = fields(given[group], `parameters.${group}`, Object.keys(bounds))
    for (const [name, override] of Object.entries(overrides)) {
      parameters[group]![name] = readParameter(override, `parameters.${group}.${name}`, bounds[name]!)
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

interface ParameterBound {
  default: unknown
  min?: number
  max?: number
  choices?: readonly string[]
}

function readParameter(value: unknown, where: string, { min, max, choices }: ParameterBound): unknown {
  if (choices !== undefined) return word(value, where, choices)
  return min === undefined ? boolean(value, where) : integer(value, where, min, max!)
}

function checkWindow(members: readonly Member[], parameters: Parameters): void {
  const fault = windowFault(members.filter(({ role }) => role === 'voter').length, parameters)
  if (fault !== null) throw new Refusal('ERR_NETWORK_FIELD', fault)
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
