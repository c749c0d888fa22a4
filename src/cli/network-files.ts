// Network files and member files on disk, by the suite and the hash of production.

import { nodeEd25519 } from '../crypto/node/ed25519-suite.ts'
import { nodeHasher } from '../crypto/node/sha256-hasher.ts'
import { memberFileBytesMax, parseMemberFile, type NewMember } from '../kernel/member-file.ts'
import type { ReplicaId } from '../kernel/ids.ts'
import {
  networkFileBytesMax,
  parseNetworkFile,
  type NetworkFileError,
  type NetworkFilePorts,
  type ReadNetwork,
} from '../kernel/network-file.ts'
import { Failure } from './failure.ts'
import { readTextFile } from './read-file.ts'

export const networkPorts: NetworkFilePorts = { hasher: nodeHasher, suite: nodeEd25519 }

export function readNetworkFile(path: string): ReadNetwork {
  const file = parseNetworkFile(readTextFile(path, networkFileBytesMax), networkPorts)
  if (!file.ok) throw refusal(path, file.error)
  return file
}

export function readMemberFile(path: string): NewMember {
  const file = parseMemberFile(readTextFile(path, memberFileBytesMax), networkPorts.suite)
  if (!file.ok) throw refusal(path, file.error)
  return file.member
}

export function namesOf(network: ReadNetwork, ids: readonly ReplicaId[]): string[] {
  return network.epoch.members.filter((member) => ids.includes(member.id)).map((member) => member.name)
}

export function approvalCount({ approvals, epoch }: ReadNetwork): string {
  return `${approvals.length} of ${epoch.members.length}`
}

function refusal(path: string, { code, message }: NetworkFileError): Failure {
  return new Failure(code, `${path}: ${message}`)
}
