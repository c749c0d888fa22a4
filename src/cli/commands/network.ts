// `quorate network check FILE`: is this a network file that replicas would start with?

import { closeSync, openSync, readSync } from 'node:fs'
import { nodeEd25519 } from '../../crypto/node/ed25519-suite.ts'
import { nodeHasher } from '../../crypto/node/sha256-hasher.ts'
import { membershipOf, type Epoch } from '../../kernel/membership.ts'
import { networkFileBytesMax, parseNetworkFile, type NetworkFile } from '../../kernel/network-file.ts'
import type { Command } from '../command.ts'
import { exitCode } from '../exit-codes.ts'
import { flag, parseOptions, UsageError, type CommandSpec } from '../options.ts'
import { table, type Output } from '../output.ts'

const spec: CommandSpec = {
  name: 'network',
  summary: 'checks a network file',
  usage: 'quorate network check FILE [--json]',
  options: [{ name: 'json', description: 'prints one JSON object and nothing else' }],
  examples: ['quorate network check network.json'],
}

export const networkCommand: Command = {
  spec,
  run: (args, output) => Promise.resolve().then(() => run(args, output)),
}

function run(args: readonly string[], output: Output): number {
  const parsed = parseOptions(spec, args)
  const [action, path, ...rest] = parsed.positionals
  if (action !== 'check' || path === undefined || rest.length > 0) throw new UsageError('say: network check FILE')
  const bytes = readBytes(path)
  if (bytes === null) {
    output.error(`${path} cannot be read: name a file that exists`)
    return exitCode.failed
  }
  const file = parseBytes(bytes)
  const json = flag(parsed, 'json')
  if (!file.ok) {
    if (json) output.out(JSON.stringify({ ok: false, ...file.error }))
    else output.error(`${path}: ${file.error.message} (${file.error.code})`)
    return exitCode.failed
  }
  const summary = summaryOf(file.name, file.epoch)
  if (json) output.out(JSON.stringify({ ok: true, ...summary, warnings: file.warnings }))
  else {
    for (const line of table(Object.entries(summary).map(([name, value]) => [name, String(value)]))) output.out(line)
    for (const warning of file.warnings) output.error(`warning: ${warning}`)
  }
  return exitCode.ok
}

function summaryOf(name: string, epoch: Epoch) {
  const membership = membershipOf(epoch)
  return {
    name,
    protocol: epoch.protocol,
    voters: membership.voters.length,
    learners: membership.learners.length,
    quorum: membership.quorum,
    'faults survived': membership.faultsTolerated,
    'network id': Buffer.from(epoch.network).toString('hex'),
  }
}

function parseBytes(bytes: Uint8Array): NetworkFile {
  if (bytes.length > networkFileBytesMax) {
    const message = `the network file has more than ${networkFileBytesMax} bytes, no more are read`
    return { ok: false, error: { code: 'ERR_NETWORK_TOO_LARGE', message } }
  }
  const text = decodeUtf8(bytes)
  if (text === null) {
    const message = 'the network file is not UTF-8 text: save it as such'
    return { ok: false, error: { code: 'ERR_NETWORK_SYNTAX', message } }
  }
  return parseNetworkFile(text, { hasher: nodeHasher, suite: nodeEd25519 })
}

/** Null if it is none: a damaged byte in a name must not become another name. */
function decodeUtf8(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return null
  }
}

/** Null when there is nothing to read. Reads no more than is needed to refuse it, whatever the file is. */
function readBytes(path: string): Uint8Array | null {
  let file: number
  try {
    file = openSync(path, 'r')
  } catch {
    return null
  }
  try {
    const buffer = Buffer.alloc(networkFileBytesMax + 1)
    let length = 0
    for (let count = -1; count !== 0 && length < buffer.length; length += count) {
      count = readSync(file, buffer, length, buffer.length - length, null)
    }
    return buffer.subarray(0, length)
  } catch {
    return null
  } finally {
    closeSync(file)
  }
}
