// A whole network in one folder, for one machine: keys of all members, the file that all have approved, a client's key, and a data
// directory for each replica. It is built beside its place and moved there when it is whole.

import { mkdtempSync, readdirSync, renameSync, rmdirSync, rmSync } from 'node:fs'
import { isIP } from 'node:net'
import { basename, dirname, join, resolve } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { toHex } from '../../kernel/hex.ts'
import type { ProtocolName } from '../../kernel/ids.ts'
import { approveNetwork } from '../../kernel/network-approval.ts'
import type { ReadNetwork } from '../../kernel/network-file.ts'
import { assembleNetwork, networkFileText } from '../../kernel/network-file-writer.ts'
import { createDataDirectory } from '../../storage/node/create-data-directory.ts'
import { DataDirectoryError } from '../../storage/node/data-directory-error.ts'
import { Failure, systemCode } from '../failure.ts'
import { networkPorts } from '../network-files.ts'
import { createFile } from '../write-file.ts'
import { freePorts } from './free-ports.ts'
import { clientKeyName, createClientKey, createMember, type CreatedMember } from './member-keys.ts'

export interface LocalNetworkOptions {
  /** Absent or empty; its parent exists. */
  dir: string
  name: string
  protocol: ProtocolName
  /** Voters. */
  replicas: number
  /** Beside them, with the highest numbers. Default: none. */
  learners?: number
  /** As in the network file: groups of what differs from the defaults. */
  parameters?: object
  /** An IP address of this machine. */
  host: string
  /** The first of two ports for each replica. Absent: ports that are free now. */
  port?: number
  /** Aborting leaves nothing behind. */
  signal?: AbortSignal
}

export interface LocalNetwork {
  network: ReadNetwork
  /** Absolute, as all paths here. */
  dir: string
  networkPath: string
  clientKeyPath: string
  clientKey: Uint8Array
}

export const localNetworkFileName = 'network.json'
/** Who besides the members may connect. */
export const clientsFileName = 'clients.txt'
/** In a replica's folder, beside its keys. */
export const dataFolderName = 'data'
export const portsPerReplica = 2

/** Where a replica of such a network has its keys. */
export function replicaFolder(dir: string, replica: number): string {
  return join(dir, `replica-${replica}`)
}

/** Throws a Failure, or the signal's reason; then the folder is as it was. */
export async function createLocalNetwork(options: LocalNetworkOptions): Promise<LocalNetwork> {
  const dir = resolve(options.dir)
  requireVacant(dir)
  const ports = await portsOf(options)
  const building = makeBuildingFolder(dir)
  try {
    const built = await build(building, ports, options)
    moveInto(building, dir)
    return {
      ...built,
      dir,
      networkPath: join(dir, localNetworkFileName),
      clientKeyPath: join(dir, clientKeyName),
    }
  } catch (error) {
    rmSync(building, { recursive: true, force: true })
    throw error
  }
}

async function build(dir: string, ports: readonly number[], options: LocalNetworkOptions) {
  const created: CreatedMember[] = []
  for (let replica = 1; replica <= membersOf(options); replica++) {
    await breathe(options.signal)
    const addresses = addressesOf(options.host, ports.slice((replica - 1) * portsPerReplica))
    const role = replica <= options.replicas ? 'voter' : 'learner'
    const plan = { name: `replica-${replica}`, role, addresses, priority: 0 } as const
    created.push(createMember({ ...plan, dir: replicaFolder(dir, replica) }))
  }
  const network = await approvedByAll(options, created)
  createFile(join(dir, localNetworkFileName), networkFileText(network))
  const clientKey = createClientKey(dir)
  createFile(
    join(dir, clientsFileName),
    `# Clients that the replicas let in, one public key a line.\n${toHex(clientKey)}\n`,
  )
  for (const { id } of network.epoch.members) {
    await breathe(options.signal)
    await createData(join(replicaFolder(dir, id), dataFolderName), { network: network.epoch.network, replica: id })
  }
  await breathe(options.signal)
  return { network, clientKey }
}

async function createData(path: string, identity: Parameters<typeof createDataDirectory>[1]): Promise<void> {
  try {
    await createDataDirectory(path, identity)
  } catch (error) {
    throw error instanceof DataDirectoryError ? new Failure(error.code, error.message) : error
  }
}

function membersOf({ replicas, learners = 0 }: LocalNetworkOptions): number {
  return replicas + learners
}

async function approvedByAll(options: LocalNetworkOptions, created: readonly CreatedMember[]) {
  const { name, protocol, parameters, signal } = options
  const members = created.map(({ member }) => member)
  const file = assembleNetwork(
    { name, protocol, members, ...(parameters === undefined ? {} : { parameters }) },
    networkPorts,
  )
  if (!file.ok) throw new Failure(file.error.code, file.error.message)
  let network: ReadNetwork = file
  for (const { consensus } of created) {
    await breathe(signal)
    network = approveNetwork(network, consensus)!
  }
  return network
}

/** Signals of the system arrive between turns only. */
async function breathe(signal: AbortSignal | undefined): Promise<void> {
  await setImmediate()
  signal?.throwIfAborted()
}

async function portsOf(options: LocalNetworkOptions): Promise<number[]> {
  const { host, port } = options
  const count = membersOf(options) * portsPerReplica
  return port === undefined ? freePorts(host, count) : Array.from({ length: count }, (_, index) => port + index)
}

/** One for replicas and clients on Node, one for browsers. */
function addressesOf(host: string, [tcp, webSocket]: readonly number[]): string[] {
  const at = `/ip${isIP(host) === 6 ? 6 : 4}/${host}/tcp`
  return [`${at}/${tcp}`, `${at}/${webSocket}/ws`]
}

function requireVacant(dir: string): void {
  // It is replaced, and whoever stands in it would stand nowhere.
  if (dir === process.cwd()) {
    throw new Failure('ERR_FOLDER_IN_USE', `${dir} is the folder that you are in: name a new folder inside it`)
  }
  try {
    if (readdirSync(dir).length === 0) return
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return
    throw unusable(dir, error)
  }
  throw new Failure('ERR_FOLDER_NOT_EMPTY', `${dir} is not empty: name a new folder, or empty that one`)
}

function makeBuildingFolder(dir: string): string {
  try {
    return mkdtempSync(join(dirname(dir), `.${basename(dir)}-`))
  } catch (error) {
    throw unusable(dir, error)
  }
}

function moveInto(building: string, dir: string): void {
  try {
    // Some systems do not move a folder onto an empty one.
    rmdirSync(dir)
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw unusable(dir, error)
  }
  try {
    renameSync(building, dir)
  } catch (error) {
    throw unusable(dir, error)
  }
}

function unusable(dir: string, error: unknown): Failure {
  return new Failure(
    'ERR_FILE_NOT_WRITTEN',
    `${dir} cannot be made (${systemCode(error)}): name a new folder inside one that exists and is yours`,
  )
}
