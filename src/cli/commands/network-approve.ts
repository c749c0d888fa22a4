// `quorate network approve FILE --dir DIR`: one organisation puts its signature to a network file, and sees what it signs.

import { join } from 'node:path'
import { nodeEd25519 } from '../../crypto/node/ed25519-suite.ts'
import { readKeyFile } from '../../crypto/node/key-file.ts'
import type { Signer } from '../../kernel/crypto-ports.ts'
import { toHex } from '../../kernel/hex.ts'
import { approveNetwork, memberOfKey } from '../../kernel/network-approval.ts'
import type { ReadNetwork } from '../../kernel/network-file.ts'
import { networkFileText } from '../../kernel/network-file-writer.ts'
import type { Command } from '../command.ts'
import { exitCode } from '../exit-codes.ts'
import { Failure } from '../failure.ts'
import { approvalCount, namesOf, readNetworkFile } from '../network-files.ts'
import { flag, parseOptions, requiredText, text, UsageError, type CommandSpec } from '../options.ts'
import { table, type Output } from '../output.ts'
import { memberFileNames } from '../setup/member-keys.ts'
import { createOrReplaceInput } from '../write-file.ts'

const spec: CommandSpec = {
  name: 'network approve',
  summary: 'signs a network file for the member whose keys are in a folder',
  usage: 'quorate network approve FILE --dir DIR [--out FILE2] [--json]',
  options: [
    { name: 'dir', value: 'DIR', description: `the folder of quorate keygen, with its ${memberFileNames.consensus}` },
    { name: 'out', value: 'FILE2', description: 'writes another file, which must not exist', default: 'FILE itself' },
    { name: 'json', description: 'prints one JSON object and nothing else' },
  ],
  examples: [
    'quorate network approve network.json --dir keys',
    'quorate network approve network.json --dir keys --out network-of-a.json',
  ],
}

export const networkApproveCommand: Command = {
  spec,
  run: async (args, output) => run(args, output),
}

function run(args: readonly string[], output: Output): number {
  const parsed = parseOptions(spec, args)
  const [path, ...rest] = parsed.positionals
  if (path === undefined || rest.length > 0) throw new UsageError('say: network approve FILE --dir DIR')
  const dir = requiredText(parsed, spec, 'dir')
  const out = text(parsed, 'out', path)
  const network = readNetworkFile(path)
  const json = flag(parsed, 'json')
  if (!json) for (const line of describe(network)) output.out(line)
  const signer = readSigner(join(dir, memberFileNames.consensus))
  const approved = approveNetwork(network, signer)
  if (approved === null) {
    throw new Failure('ERR_NOT_A_MEMBER', `the key in ${dir} is of no member of ${path}: name the folder of one`)
  }
  createOrReplaceInput(out, networkFileText(approved), [path])
  const member = memberOfKey(network.epoch.members, signer.publicKey)!.name
  const missing = namesOf(approved, approved.missingApprovals)
  if (json) {
    const id = toHex(approved.epoch.network)
    const result = { file: out, 'network id': id, approved: member, approvals: approvalCount(approved) }
    output.out(JSON.stringify({ ok: true, ...result, missingApprovals: missing }))
    return exitCode.ok
  }
  const left = missing.length === 0 ? 'nobody is missing' : `missing: ${missing.join(', ')}`
  output.out(`Approved by ${member} in ${out}: ${approvalCount(approved)}, ${left}.`)
  return exitCode.ok
}

/** What the member is about to sign. */
function describe({ name, epoch }: ReadNetwork): string[] {
  const head = [
    ['name', name],
    ['network id', toHex(epoch.network)],
    ['protocol', epoch.protocol],
  ]
  const members = epoch.members.map((member) => [
    String(member.id),
    member.name,
    member.role,
    toHex(member.consensusKey),
    member.addresses.join(' '),
  ])
  return [...table(head), ...table([['id', 'member', 'role', 'consensus key', 'addresses'], ...members])]
}

function readSigner(path: string): Signer {
  const key = readKeyFile(path, 'consensus')
  if (!key.ok) throw new Failure(key.code, key.message)
  return nodeEd25519.signer(key.pair.secretKey)
}
