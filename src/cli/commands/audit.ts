// `quorate audit DIR…`: is what these directories say proven, and do they agree? From the network file alone; writes nothing.

import { existsSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { toHex } from '../../kernel/hex.ts'
import { auditDirectory, logBytes } from '../audit/audit-directory.ts'
import type { DirectoryFindings } from '../audit/findings.ts'
import { printDirectory, printTogether } from '../audit/report.ts'
import { Witness } from '../audit/witness.ts'
import type { Command } from '../command.ts'
import { exitCode } from '../exit-codes.ts'
import { namesOf, readNetworkFile } from '../network-files.ts'
import { flag, parseOptions, text, UsageError, type CommandSpec } from '../options.ts'
import { progressBar, type Output } from '../output.ts'
import { networkPathFor } from '../replica-folder.ts'

const spec: CommandSpec = {
  name: 'audit',
  summary: "verifies replicas' directories offline: signatures, decisions, checkpoints, evidence, agreement",
  usage: 'quorate audit DIR… [--network FILE] [--json]',
  options: [
    { name: 'network', value: 'FILE', description: 'the network file', default: 'network.json in DIR or above it' },
    { name: 'json', description: 'prints one JSON object and nothing else' },
  ],
  examples: [
    'quorate audit net/replica-1',
    'quorate audit net/replica-1 net/replica-2 net/replica-3 net/replica-4',
    'quorate audit /mnt/theirs/data --network net/network.json --json',
  ],
}

export const auditCommand: Command = { spec, run }

const mebibyte = 1024 * 1024

async function run(args: readonly string[], output: Output): Promise<number> {
  const parsed = parseOptions(spec, args)
  const paths = parsed.positionals
  if (paths.length === 0) throw new UsageError('say: audit DIR…')
  if (new Set(paths.map((path) => resolve(path))).size < paths.length) throw new UsageError('name each directory once')
  const network = readNetworkFile(text(parsed, 'network', networkPathOf(paths[0]!)))
  const { epoch } = network
  if (network.missingApprovals.length > 0) {
    output.error(
      `not approved by ${namesOf(network, network.missingApprovals).join(', ')}: the network file itself is no one's word yet`,
    )
  }
  const json = flag(parsed, 'json')
  const witness = new Witness()
  const all: DirectoryFindings[] = []
  const total = paths.reduce((sum, path) => sum + logBytes(path), 0)
  let done = 0
  for (const path of paths) {
    const before = done
    const findings = await auditDirectory(path, epoch, witness, (bytes) => {
      output.progress(`${progressBar(Math.ceil((before + bytes) / mebibyte), Math.ceil(total / mebibyte))} MiB`)
    })
    done = before + findings.bytes
    all.push(findings)
    if (findings.isLocked)
      output.error(`${findings.path}: a replica has it open, or died with it open: it may change meanwhile`)
    if (!json) printDirectory(findings, output)
  }
  const ok = all.every((findings) => findings.ok) && witness.lies.length === 0 && witness.disagreements.length === 0
  if (json) output.out(JSON.stringify({ ok, network: toHex(epoch.network), ...asJson(all, witness) }))
  else printTogether(witness, all.length, output)
  return ok ? exitCode.ok : exitCode.failed
}

/** For a replica's folder, or for the data directory in it. */
function networkPathOf(path: string): string {
  const near = networkPathFor(path)
  return existsSync(near) ? near : networkPathFor(dirname(resolve(path)))
}

function asJson(all: readonly DirectoryFindings[], witness: Witness): object {
  return {
    directories: all.map((findings) => {
      const { path, replica, ok, records, bytes, decided, gaps, evidence, tornBytes, isLocked, abstains } = findings
      const about = { records, bytes, decided, gaps, states: findings.states, evidence, tornBytes, isLocked, abstains }
      return { path, replica, ok, ...about, faultCount: findings.faultCount, faults: findings.faults }
    }),
    compared: witness.compared,
    lies: witness.lies,
    disagreements: witness.disagreements,
  }
}
