// `quorate init`: everything that a network on one machine needs, in one folder.

import { isIP } from 'node:net'
import { join, relative, resolve } from 'node:path'
import { toHex } from '../../kernel/hex.ts'
import { faultModelOf, protocolNames } from '../../kernel/ids.ts'
import { membersMax } from '../../kernel/limits.ts'
import { votersMin } from '../../kernel/quorum.ts'
import { memberOf, readIdentity, readNetworkFile, requireApproved } from '../../replica/options.ts'
import { createDataDirectory } from '../../storage/node/create-data-directory.ts'
import type { Command } from '../command.ts'
import { exitCode } from '../exit-codes.ts'
import { flag, number, oneOf, parseOptions, requiredText, text, UsageError, type CommandSpec } from '../options.ts'
import { table, type Output } from '../output.ts'
import { networkPathFor, requireReplicaFolder } from '../replica-folder.ts'
import {
  createLocalNetwork,
  dataFolderName,
  portsPerReplica,
  replicaFolder,
  type LocalNetwork,
  type LocalNetworkOptions,
} from '../setup/local-network.ts'

const portMax = 65_535

const spec: CommandSpec = {
  name: 'init',
  summary: 'makes a whole network for this machine: keys, the approved network file, data directories',
  usage: 'quorate init --dir DIR [--protocol raft] [--replicas 3] [options] | --member DIR [--network FILE]',
  options: [
    { name: 'dir', value: 'DIR', description: 'the folder for all of it, new or empty' },
    { name: 'protocol', value: 'PROTOCOL', description: protocolNames.join(', '), default: 'raft' },
    { name: 'replicas', value: 'N', description: 'how many', default: '3, or 4 to survive arbitrary faults' },
    { name: 'host', value: 'ADDRESS', description: 'an IP address of this machine', default: '127.0.0.1' },
    {
      name: 'port',
      value: 'BASE',
      description: `the first port; each replica has ${portsPerReplica}`,
      default: 'ports that are free now',
    },
    { name: 'name', value: 'NAME', description: 'the name of the network', default: 'local' },
    {
      name: 'member',
      value: 'DIR',
      description: 'makes only the data directory of the replica whose keys are in DIR, before its first start',
    },
    { name: 'network', value: 'FILE', description: 'its network file', default: 'network.json in DIR or above it' },
    { name: 'json', description: 'prints one JSON object and nothing else' },
  ],
  examples: [
    'quorate init --dir net',
    'quorate init --dir net --protocol pbft --replicas 4 --port 4001',
    'quorate init --member keys-a --network approved.json',
  ],
}

export const initCommand: Command = { spec, run }

async function run(args: readonly string[], output: Output): Promise<number> {
  const parsed = parseOptions(spec, args)
  if (parsed.values['member'] !== undefined) return initMember(parsed, output)
  const options = readOptions(parsed)
  const interruption = new AbortController()
  const interrupt = (): void => interruption.abort()
  const signals = ['SIGINT', 'SIGTERM'] as const
  for (const signal of signals) process.on(signal, interrupt)
  try {
    print(await createLocalNetwork({ ...options, signal: interruption.signal }), flag(parsed, 'json'), output)
    return exitCode.ok
  } catch (error) {
    if (!interruption.signal.aborted) throw error
    output.error(`interrupted: ${options.dir} is as it was`)
    return exitCode.interrupted
  } finally {
    for (const signal of signals) process.off(signal, interrupt)
  }
}

/** Of a network that several have agreed on: each makes its own. */
async function initMember(parsed: ReturnType<typeof parseOptions>, output: Output): Promise<number> {
  const other = ['dir', 'protocol', 'replicas', 'host', 'port', 'name'].find(
    (name) => parsed.values[name] !== undefined,
  )
  if (other !== undefined) throw new UsageError(`--${other} does not go with --member: the network file says it`)
  if (parsed.positionals.length > 0) throw new UsageError(`${parsed.positionals[0]} is not an option`)
  const dir = resolve(text(parsed, 'member', ''))
  requireReplicaFolder(dir)
  const network = readNetworkFile(text(parsed, 'network', networkPathFor(dir)))
  requireApproved(network)
  const { id, name } = memberOf(network, readIdentity(dir))
  const dataDir = join(dir, dataFolderName)
  await createDataDirectory(dataDir, { network: network.epoch.network, replica: id })
  if (flag(parsed, 'json')) output.out(JSON.stringify({ ok: true, replica: id, dataDir }))
  else {
    output.out(`Replica ${id} (${name}) has its data directory: ${dataDir}`)
    output.out('Once only: if it is ever lost, quorate start --rejoin, and do not make it anew.')
  }
  return exitCode.ok
}

function readOptions(parsed: ReturnType<typeof parseOptions>): LocalNetworkOptions {
  if (parsed.positionals.length > 0) throw new UsageError(`${parsed.positionals[0]} is not an option`)
  if (parsed.values['network'] !== undefined) throw new UsageError('--network goes with --member only')
  const dir = requiredText(parsed, spec, 'dir')
  const protocol = oneOf(parsed, 'protocol', 'raft', protocolNames)
  const replicas = number(parsed, 'replicas', votersMin(faultModelOf(protocol)), 1, membersMax)
  const host = text(parsed, 'host', '127.0.0.1')
  if (isIP(host) === 0 || host.includes('%') || host === '0.0.0.0' || host === '::') {
    throw new UsageError(`--host is ${host}, and must be one IP address that this machine is reached at`)
  }
  const name = text(parsed, 'name', 'local')
  const options = { dir, protocol, replicas, host, name }
  if (parsed.values['port'] === undefined) return options
  return { ...options, port: number(parsed, 'port', 0, 1, portMax - portsPerReplica * replicas + 1) }
}

function print({ network, dir, networkPath, clientKeyPath, clientKey }: LocalNetwork, json: boolean, output: Output) {
  const { epoch, name, warnings } = network
  const id = toHex(epoch.network)
  const folders = epoch.members.map((member) => replicaFolder(dir, member.id))
  if (json) {
    const replicas = epoch.members.map((member, index) => ({
      id: member.id,
      dir: folders[index]!,
      addresses: member.addresses,
    }))
    const client = { file: clientKeyPath, publicKey: toHex(clientKey) }
    output.out(JSON.stringify({ ok: true, file: networkPath, 'network id': id, replicas, client, warnings }))
    return
  }
  output.out(`Network ${name} (${epoch.protocol}) is in ${dir}.`)
  const rows = epoch.members.map((member, index) => [relative(dir, folders[index]!), member.addresses.join('  ')])
  for (const line of table([['network id', id], ...rows, ['client key', toHex(clientKey)]])) output.out(`  ${line}`)
  output.out(`To see what it survives: quorate network check ${join(relative('.', dir), 'network.json')}`)
  for (const warning of warnings) output.error(`warning: ${warning}`)
}
