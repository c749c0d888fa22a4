// `quorate keygen`: the keys of one organisation or of one client, made where they stay.

import { join } from 'node:path'
import { toHex } from '../../kernel/hex.ts'
import type { MemberRole } from '../../kernel/membership.ts'
import { priorityMax } from '../../kernel/network-file-fields.ts'
import type { Command } from '../command.ts'
import { exitCode } from '../exit-codes.ts'
import { Failure } from '../failure.ts'
import {
  flag,
  number,
  oneOf,
  parseOptions,
  requiredText,
  texts,
  UsageError,
  type CommandSpec,
  type ParsedOptions,
} from '../options.ts'
import type { Output } from '../output.ts'
import { clientKeyName, createClientKey, createMember, memberFileNames, type MemberPlan } from '../setup/member-keys.ts'

const roles: readonly MemberRole[] = ['voter', 'learner']

const spec: CommandSpec = {
  name: 'keygen',
  summary: 'makes the keys of a member and the file it gives to others, or the key of a client',
  usage: 'quorate keygen --name NAME --dir DIR [--address MULTIADDR ...] | --client --dir DIR',
  options: [
    { name: 'dir', value: 'DIR', description: 'the folder for the keys, made if need be; nothing is overwritten' },
    { name: 'name', value: 'NAME', description: 'the name of the organisation, or of its replica' },
    { name: 'address', value: 'MULTIADDR', description: 'where the others reach it', repeatable: true },
    { name: 'role', value: 'ROLE', description: roles.join(', '), default: 'voter' },
    { name: 'priority', value: 'N', description: 'raft: the highest should lead', default: '0' },
    { name: 'client', description: 'makes a client key, and nothing of a member' },
    { name: 'json', description: 'prints one JSON object and nothing else' },
  ],
  examples: [
    'quorate keygen --name harbour-a --dir keys --address /dns/a.example/tcp/4001',
    'quorate keygen --client --dir keys',
  ],
}

export const keygenCommand: Command = {
  spec,
  run: async (args, output) => run(args, output),
}

function run(args: readonly string[], output: Output): number {
  const parsed = parseOptions(spec, args)
  if (parsed.positionals.length > 0) throw new UsageError(`${parsed.positionals[0]} is not an option`)
  const dir = requiredText(parsed, spec, 'dir')
  const json = flag(parsed, 'json')
  return flag(parsed, 'client') ? makeClient(parsed, dir, json, output) : makeMember(parsed, dir, json, output)
}

function makeClient(parsed: ParsedOptions, dir: string, json: boolean, output: Output): number {
  for (const name of ['name', 'address', 'role', 'priority']) {
    if (parsed.values[name] !== undefined) throw new UsageError(`--${name} is of a member: leave it out with --client`)
  }
  const publicKey = toHex(createClientKey(dir))
  if (json) output.out(JSON.stringify({ ok: true, file: join(dir, clientKeyName), publicKey }))
  else output.out(publicKey)
  return exitCode.ok
}

function makeMember(parsed: ParsedOptions, dir: string, json: boolean, output: Output): number {
  const { member } = create({
    dir,
    name: requiredText(parsed, spec, 'name'),
    role: oneOf(parsed, 'role', 'voter', roles),
    addresses: texts(parsed, 'address'),
    priority: number(parsed, 'priority', 0, 0, priorityMax),
  })
  const file = join(dir, memberFileNames.member)
  if (json) {
    const keys = { consensusKey: toHex(member.consensusKey), linkKey: toHex(member.linkKey) }
    output.out(JSON.stringify({ ok: true, file, name: member.name, ...keys }))
    return exitCode.ok
  }
  output.out(
    `Keys of ${member.name} are in ${dir}. Keep ${memberFileNames.consensus} and ${memberFileNames.link} there.`,
  )
  output.out(`Next, give ${file} to whoever assembles the network file.`)
  return exitCode.ok
}

/** A name or an address that is none is wrong use. */
function create(plan: MemberPlan) {
  try {
    return createMember(plan)
  } catch (error) {
    if (error instanceof Failure && error.code === 'ERR_NETWORK_FIELD') throw new UsageError(error.message)
    throw error
  }
}
