// `quorate network merge FILE...`: the approvals that several organisations made apart, in one file.

import { toHex } from '../../kernel/hex.ts'
import { mergeApprovals } from '../../kernel/network-approval.ts'
import type { ReadNetwork } from '../../kernel/network-file.ts'
import { networkFileText } from '../../kernel/network-file-writer.ts'
import type { Command } from '../command.ts'
import { exitCode } from '../exit-codes.ts'
import { Failure } from '../failure.ts'
import { approvalCount, namesOf, readNetworkFile } from '../network-files.ts'
import { flag, parseOptions, requiredText, UsageError, type CommandSpec } from '../options.ts'
import type { Output } from '../output.ts'
import { createOrReplaceInput } from '../write-file.ts'

const spec: CommandSpec = {
  name: 'network merge',
  summary: 'puts the approvals of several copies of one network file into one',
  usage: 'quorate network merge FILE ... --out FILE [--json]',
  options: [
    { name: 'out', value: 'FILE', description: 'one of the files, or one that does not exist' },
    { name: 'json', description: 'prints one JSON object and nothing else' },
  ],
  examples: ['quorate network merge network-of-a.json network-of-b.json --out network.json'],
}

export const networkMergeCommand: Command = {
  spec,
  run: async (args, output) => run(args, output),
}

function run(args: readonly string[], output: Output): number {
  const parsed = parseOptions(spec, args)
  const out = requiredText(parsed, spec, 'out')
  const [first, ...rest] = parsed.positionals
  if (first === undefined) throw new UsageError('say: network merge FILE ... --out FILE')
  const merged = rest.reduce((network, path) => merge(network, first, path), readNetworkFile(first))
  createOrReplaceInput(out, networkFileText(merged), parsed.positionals)
  const missing = namesOf(merged, merged.missingApprovals)
  const approvals = approvalCount(merged)
  if (flag(parsed, 'json')) {
    const id = toHex(merged.epoch.network)
    output.out(JSON.stringify({ ok: true, file: out, 'network id': id, approvals, missingApprovals: missing }))
    return exitCode.ok
  }
  output.out(`${out}: ${approvals}, ${missing.length === 0 ? 'nobody is missing' : `missing: ${missing.join(', ')}`}.`)
  return exitCode.ok
}

function merge(network: ReadNetwork, first: string, path: string): ReadNetwork {
  const other = readNetworkFile(path)
  if (toHex(other.epoch.network) !== toHex(network.epoch.network)) {
    throw new Failure(
      'ERR_OTHER_NETWORK',
      `${path} is another network than ${first}: merge copies of one file, whose network id is the same`,
    )
  }
  return mergeApprovals(network, other.approvals)
}
