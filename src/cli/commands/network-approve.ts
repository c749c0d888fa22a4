// `quorate network approve FILE --dir DIR`: one organisation puts its signature to a network file, and sees what it signs.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { nodeEd25519 } from '../../crypto/node/ed25519-suite.ts'
import { readKeyFile } from '../../crypto/node/key-file.ts'
import type { Signer } from '../../kernel/crypto-ports.ts'
import { toHex } from '../../kernel/hex.ts'
import type { Member } from '../../kernel/membership.ts'
import { approveNetwork, memberOfKey } from '../../kernel/network-approval.ts'
import type { ReadNetwork } from '../../kernel/network-file.ts'
import { memberFieldNames } from '../../kernel/network-file-fields.ts'
import { networkFileText } from '../../kernel/network-file-writer.ts'
import { canonicalText } from '../../kernel/network-text.ts'
import type { Command } from '../command.ts'
import { exitCode } from '../exit-codes.ts'
import { Failure } from '../failure.ts'
import { approvalCount, namesOf, readMemberFile, readNetworkFile } from '../network-files.ts'
import { flag, parseOptions, requiredText, text, UsageError, type CommandSpec } from '../options.ts'
import { table, type Output } from '../output.ts'
import { memberFileNames } from '../setup/member-keys.ts'
import { createOrReplaceInput } from '../write-file.ts'

const spec: CommandSpec = {
  name: 'network approve',
  summary: 'signs a network file for the member whose keys are in a folder',
  usage: 'quorate network approve FILE --dir DIR [--out FILE2] [--json]',
  options: [
    {
      name: 'dir',
      value: 'DIR',
      description: `the folder of quorate keygen, with ${memberFileNames.consensus} and ${memberFileNames.member}`,
    },
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
  const member = memberOfKey(network.epoch.members, signer.publicKey)
  const approved = approveNetwork(network, signer)
  if (member === null || approved === null) {
    throw new Failure('ERR_NOT_A_MEMBER', `the key in ${dir} is of no member of ${path}: name the folder of one`)
  }
  const warnings = compareWithSaid(member, join(dir, memberFileNames.member))
  createOrReplaceInput(out, networkFileText(approved), [path])
  const missing = namesOf(approved, approved.missingApprovals)
  if (json) {
    const id = toHex(approved.epoch.network)
    const result = { file: out, 'network id': id, approved: member.name, approvals: approvalCount(approved) }
    output.out(JSON.stringify({ ok: true, ...result, missingApprovals: missing, warnings }))
    return exitCode.ok
  }
  const left = missing.length === 0 ? 'nobody is missing' : `missing: ${missing.join(', ')}`
  for (const warning of warnings) output.error(`warning: ${warning}`)
  output.out(`Approved by ${member.name} in ${out}: ${approvalCount(approved)}, ${left}.`)
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

/**
 * Whoever assembled the file could have put another link key beside the member's consensus key, or changed something else that the
 * member said. Only the member itself can tell, and this is where it does.
 */
function compareWithSaid(member: Member, path: string): string[] {
  if (!existsSync(path)) return [`there is no ${path} to compare with what the file says of ${member.name}`]
  const said = readMemberFile(path)
  const changed = memberFieldNames.filter((name) => canonicalText(said[name]) !== canonicalText(member[name]))
  if (changed.length === 0) return []
  throw new Failure(
    'ERR_NOT_AS_SAID',
    `${path} says something else of ${member.name} than the network file does (${changed.join(', ')}): ask whoever assembled it`,
  )
}

function readSigner(path: string): Signer {
  const key = readKeyFile(path, 'consensus')
  if (!key.ok) throw new Failure(key.code, key.message)
  return nodeEd25519.signer(key.pair.secretKey)
}
