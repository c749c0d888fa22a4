// `quorate get`: the value alone, so that scripts can use it.

import { jsonBytes, keyOf, visibleBytes } from '../byte-strings.ts'
import type { Command } from '../command.ts'
import { exitCode } from '../exit-codes.ts'
import { Failure } from '../failure.ts'
import { flag, parseOptions, type CommandSpec } from '../options.ts'
import type { Output } from '../output.ts'
import { localOption, positionals, resultOf, storeOptions, withStore } from '../store-session.ts'

const spec: CommandSpec = {
  name: 'get',
  summary: 'prints the value of a key of the built-in store',
  usage: 'quorate get KEY [--local] [options]',
  options: [localOption, ...storeOptions],
  examples: ['quorate get greeting --dir net', 'quorate get 00ff --hex --dir net'],
}

export const getCommand: Command = { spec, run }

async function run(args: readonly string[], output: Output): Promise<number> {
  const parsed = parseOptions(spec, args)
  const isHex = flag(parsed, 'hex')
  const [keyText] = positionals(parsed, ['KEY'])
  const key = keyOf(keyText!, isHex)
  const consistency = flag(parsed, 'local') ? 'local' : 'linearizable'
  return withStore(parsed, async ({ client, signal, deadlineMs }) => {
    const options = { consistency, signal, deadlineMs: deadlineMs() } as const
    const { result, height } = await client.query({ kind: 'get', key }, options)
    const { entry } = resultOf(result, 'value')
    if (entry === null) {
      throw new Failure(
        'ERR_NO_SUCH_KEY',
        `there is no key ${visibleBytes(key, isHex)}: quorate scan lists those there are`,
      )
    }
    if (flag(parsed, 'json')) {
      const { createRevision, modRevision, version, lease } = entry
      const bytes = { key: jsonBytes(entry.key, isHex), value: jsonBytes(entry.value, isHex) }
      output.out(JSON.stringify({ ...bytes, createRevision, modRevision, version, lease, height }))
    } else printValue(entry.value, isHex, output)
    return exitCode.ok
  })
}

/** A pipe gets the bytes as they are. On a terminal, control characters that somebody has stored would act. */
function printValue(value: Uint8Array, isHex: boolean, output: Output): void {
  if (isHex || process.stdout.isTTY === true) return output.out(visibleBytes(value, isHex))
  process.stdout.write(Buffer.concat([value, Buffer.from('\n')]))
}
