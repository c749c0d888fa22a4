// `quorate network check FILE`: is this a network file that replicas would start with, and who has approved it?

import { toHex } from '../../kernel/hex.ts'
import { membershipOf } from '../../kernel/membership.ts'
import type { ReadNetwork } from '../../kernel/network-file.ts'
import type { Command } from '../command.ts'
import { exitCode } from '../exit-codes.ts'
import { approvalCount, namesOf, readNetworkFile } from '../network-files.ts'
import { flag, parseOptions, UsageError, type CommandSpec } from '../options.ts'
import type { Output } from '../output.ts'

const spec: CommandSpec = {
  name: 'network check',
  summary: 'says what a network file means, and who has approved it',
  usage: 'quorate network check FILE [--json]',
  options: [{ name: 'json', description: 'prints one JSON object and nothing else' }],
  examples: ['quorate network check network.json'],
}

export const networkCheckCommand: Command = {
  spec,
  run: async (args, output) => run(args, output),
}

function run(args: readonly string[], output: Output): number {
  const parsed = parseOptions(spec, args)
  const [path, ...rest] = parsed.positionals
  if (path === undefined || rest.length > 0) throw new UsageError('say: network check FILE')
  const network = readNetworkFile(path)
  const summary = summaryOf(network)
  const warnings = warningsOf(network)
  if (flag(parsed, 'json')) {
    const missingApprovals = namesOf(network, network.missingApprovals)
    output.out(JSON.stringify({ ok: true, ...summary, missingApprovals, warnings }))
    return exitCode.ok
  }
  const width = Math.max(...Object.keys(summary).map((name) => name.length))
  for (const [name, value] of Object.entries(summary)) output.out(`${name.padEnd(width)}  ${value}`)
  for (const warning of warnings) output.error(`warning: ${warning}`)
  return exitCode.ok
}

function summaryOf(network: ReadNetwork) {
  const { name, epoch } = network
  const membership = membershipOf(epoch)
  return {
    name,
    protocol: epoch.protocol,
    voters: membership.voters.length,
    learners: membership.learners.length,
    quorum: membership.quorum,
    'faults survived': membership.faultsTolerated,
    'network id': toHex(epoch.network),
    approvals: approvalCount(network),
  }
}

function warningsOf(network: ReadNetwork): string[] {
  if (network.missingApprovals.length === 0) return network.warnings
  const missing = namesOf(network, network.missingApprovals).join(', ')
  return [...network.warnings, `not approved yet by ${missing}: each of them says quorate network approve`]
}
