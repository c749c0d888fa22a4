// `quorate scan`: keys in order, and their values.

import { keyBytesMax, scanEntriesMax } from '../../execution/store/limits.ts'
import { bytesOf, jsonBytes, visibleBytes } from '../byte-strings.ts'
import type { Command } from '../command.ts'
import { exitCode } from '../exit-codes.ts'
import { flag, number, parseOptions, text, UsageError, type CommandSpec } from '../options.ts'
import type { Output } from '../output.ts'
import { localOption, positionals, resultOf, storeOptions, withStore } from '../store-session.ts'

const limitDefault = 100

const spec: CommandSpec = {
  name: 'scan',
  summary: 'lists keys of the built-in store in order',
  usage: 'quorate scan [FROM] [--to KEY] [--limit N] [--keys] [options]',
  options: [
    { name: 'to', value: 'KEY', description: 'ends before this key', default: 'the last key' },
    { name: 'limit', value: 'N', description: 'how many entries at most', default: String(limitDefault) },
    { name: 'keys', description: 'leaves the values out' },
    localOption,
    ...storeOptions,
  ],
  examples: ['quorate scan --dir net', 'quorate scan user/ --to user0 --keys --dir net'],
}

export const scanCommand: Command = { spec, run }

async function run(args: readonly string[], output: Output): Promise<number> {
  const parsed = parseOptions(spec, args)
  const isHex = flag(parsed, 'hex')
  const [fromText = ''] = parsed.positionals.length === 0 ? [] : positionals(parsed, ['FROM'])
  const toText = text(parsed, 'to', '')
  const keysOnly = flag(parsed, 'keys')
  const scan = {
    kind: 'scan',
    from: boundOf(fromText, isHex, 'FROM'),
    to: toText === '' ? null : boundOf(toText, isHex, '--to'),
    limit: number(parsed, 'limit', limitDefault, 1, scanEntriesMax),
    keysOnly,
  } as const
  return withStore(parsed, async ({ client, signal, deadlineMs }) => {
    const consistency = flag(parsed, 'local') ? 'local' : 'linearizable'
    const answer = await client.query(scan, { consistency, signal, deadlineMs: deadlineMs() })
    const { entries, next, revision } = resultOf(answer.result, 'entries')
    if (flag(parsed, 'json')) {
      const listed = entries.map(({ key, value, modRevision, version }) => ({
        key: jsonBytes(key, isHex),
        ...(keysOnly ? {} : { value: jsonBytes(value, isHex) }),
        modRevision,
        version,
      }))
      const rest = next === null ? null : jsonBytes(next, isHex)
      output.out(JSON.stringify({ entries: listed, next: rest, revision, height: answer.height }))
      return exitCode.ok
    }
    // One line an entry, whatever was stored: a tab and a line's end in a key or a value are written as \x09 and \x0a.
    for (const { key, value } of entries) {
      output.out(keysOnly ? visibleBytes(key, isHex) : `${visibleBytes(key, isHex)}\t${visibleBytes(value, isHex)}`)
    }
    if (next !== null) output.error(`there are more, from ${visibleBytes(next, isHex)} on: scan from there`)
    return exitCode.ok
  })
}

function boundOf(argument: string, isHex: boolean, what: string): Uint8Array {
  const bound = bytesOf(argument, isHex, what)
  if (bound.length <= keyBytesMax) return bound
  throw new UsageError(`${what} has ${bound.length} bytes, and may have at most ${keyBytesMax}`)
}
