// What `createReplica` is given, checked before anything is opened.

import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { nodeEd25519 } from '../crypto/node/ed25519-suite.ts'
import { readKeyFile, type KeyPair } from '../crypto/node/key-file.ts'
import { nodeHasher } from '../crypto/node/sha256-hasher.ts'
import type { StateMachineDefinition } from '../execution/state-machine.ts'
import type { Member } from '../kernel/membership.ts'
import { networkFileBytesMax, parseNetworkFile, type ReadNetwork } from '../kernel/network-file.ts'
import { QuorateError } from '../kernel/quorate-error.ts'
import type { PermittedClients } from '../network/node/replica-network.ts'
import { transferBytesPerSecondMax, transferBytesPerSecondMin } from './checkpoints/limits.ts'

/** The two keys of a member: they are bound to each other in the network file. */
export interface Identity {
  /** Signs what the protocol says. */
  consensus: KeyPair
  /** Authenticates connections, and what this replica's own application submits. */
  link: KeyPair
}

export interface ReplicaOptions<Command, Query, Result> {
  /** Path of the network file, or the file as it was read by `readNetworkFile`. */
  network: string | ReadNetwork
  /** Folder that holds `consensus.key` and `link.key`, or the keys. */
  identity: string | Identity
  /** The replica's own folder, made by `quorate init` or `createDataDirectory`. */
  dataDir: string
  stateMachine: StateMachineDefinition<Command, Query, Result>
  /** Multiaddresses to listen at. Default: the member's addresses in the network file. */
  listen?: readonly string[]
  /** Who besides the members may connect: public keys (32 bytes each), or `anyone`. Default: nobody. */
  clients?: PermittedClients
  /**
   * Where the log is lost (missing, empty, damaged, unreadable, an old copy): keep what is left of it beside a new one, and follow without
   * a vote from then on. Changes nothing where the log is sound. Default: false, and such a log is refused.
   */
  rejoin?: boolean
  /**
   * Bytes a second of its state that it hands out to replicas that lag behind, all of them together; a quarter while it leads. Default:
   * 32 MiB. From 64 KiB to 1 GiB.
   */
  transferBytesPerSecond?: number
  /** Ends the start, with its reason; has no effect on a replica that runs. */
  signal?: AbortSignal
}

export function requireTransferRate(bytesPerSecond: number): void {
  const isWithin = bytesPerSecond >= transferBytesPerSecondMin && bytesPerSecond <= transferBytesPerSecondMax
  if (Number.isInteger(bytesPerSecond) && isWithin) return
  const rule = `a whole number from ${transferBytesPerSecondMin} to ${transferBytesPerSecondMax}`
  throw new RangeError(`option transferBytesPerSecond is ${bytesPerSecond}: it must be ${rule}`)
}

export function readNetworkFile(path: string): ReadNetwork {
  let text: string
  try {
    const { size } = statSync(path)
    // Only what could be a network file is read into memory.
    text = size > networkFileBytesMax ? ' '.repeat(networkFileBytesMax + 1) : readFileSync(path, 'utf8')
  } catch (cause) {
    throw new QuorateError('ERR_NETWORK_FILE', `${path} cannot be read: correct the path`, { cause })
  }
  const file = parseNetworkFile(text, { hasher: nodeHasher, suite: nodeEd25519 })
  if (!file.ok) throw new QuorateError(file.error.code, `${path}: ${file.error.message}`)
  return file
}

export function readIdentity(folder: string): Identity {
  return { consensus: readKey(folder, 'consensus'), link: readKey(folder, 'link') }
}

function readKey(folder: string, purpose: 'consensus' | 'link'): KeyPair {
  const key = readKeyFile(join(folder, `${purpose}.key`), purpose)
  if (!key.ok) throw new QuorateError(key.code, key.message)
  return key.pair
}

export function requireApproved(network: ReadNetwork): void {
  if (network.missingApprovals.length === 0) return
  const names = network.epoch.members
    .filter((member) => network.missingApprovals.includes(member.id))
    .map((member) => member.name)
  const next = 'let them run quorate network approve, and merge what they return'
  throw new QuorateError('ERR_NETWORK_UNAPPROVED', `${names.join(', ')} have not approved the network file: ${next}`)
}

/** The member whose keys these are. */
export function memberOf(network: ReadNetwork, identity: Identity): Member {
  const member = network.epoch.members.find((one) => equal(one.consensusKey, identity.consensus.publicKey))
  if (member !== undefined && equal(member.linkKey, identity.link.publicKey)) return member
  const found = member === undefined ? 'no member has this consensus key' : `${member.name} has another link key`
  throw new QuorateError('ERR_IDENTITY_NOT_MEMBER', `${found}: name the identity that belongs to this network file`)
}

function equal(left: Uint8Array, right: Uint8Array): boolean {
  return Buffer.compare(left, right) === 0
}
