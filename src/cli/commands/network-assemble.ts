// `quorate network assemble`: one network file of what the organisations have sent.

import { toHex } from '../../kernel/hex.ts'
import { protocolNames } from '../../kernel/ids.ts'
import { assembleNetwork, networkFileText } from '../../kernel/network-file-writer.ts'
import type { Command } from '../command.ts'
import { exitCode } from '../exit-codes.ts'
import { Failure } from '../failure.ts'
import { networkPorts, readMemberFile } from '../network-files.ts'
import { flag, oneOf, parseOptions, requiredText, UsageError, type CommandSpec } from '../options.ts'
import type { Output } from '../output.ts'
import { createFile } from '../write-file.ts'

const spec: CommandSpec = {
  name: 'network assemble',
  summary: 'makes a network file of member files, which nobody has approved yet',
  usage: 'quorate network assemble MEMBER.json ... --name NAME --protocol PROTOCOL --out FILE [--json]',
  options: [
    { name: 'name', value: 'NAME', description: 'the name of the network' },
    { name: 'protocol', value: 'PROTOCOL', description: protocolNames.join(', ') },
    { name: 'out', value: 'FILE', description: 'the network file, which must not exist' },
    { name: 'json', description: 'prints one JSON object and nothing else' },
  ],
  examples: ['quorate network assemble a.json b.json c.json --name harbour --protocol raft --out network.json'],
}

export const networkAssembleCommand: Command = {
  spec,
  run: async (args, output) => run(args, output),
}

function run(args: readonly string[], output: Output): number {
  const parsed = parseOptions(spec, args)
  const name = requiredText(parsed, spec, 'name')
  requiredText(parsed, spec, 'protocol')
  const protocol = oneOf(parsed, 'protocol', 'raft', protocolNames)
  const path = requiredText(parsed, spec, 'out')
  if (parsed.positionals.length === 0) throw new UsageError('there are no members: name their files')
  const members = parsed.positionals.map((member) => readMemberFile(member))
  const network = assembleNetwork({ name, protocol, members }, networkPorts)
  if (!network.ok) throw new Failure(network.error.code, network.error.message)
  createFile(path, networkFileText(network))
  const id = toHex(network.epoch.network)
  const { warnings } = network
  if (flag(parsed, 'json')) {
    const named = network.epoch.members.map((member) => ({ id: member.id, name: member.name }))
    output.out(JSON.stringify({ ok: true, file: path, 'network id': id, members: named, warnings }))
    return exitCode.ok
  }
  output.out(`${path} is network ${id} with ${members.length} members.`)
  output.out(`Next, each organisation approves it: quorate network approve ${path} --dir DIR`)
  for (const warning of warnings) output.error(`warning: ${warning}`)
  return exitCode.ok
}
