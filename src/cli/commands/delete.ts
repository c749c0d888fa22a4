// `quorate delete`: one key of the built-in store.

import { keyOf } from '../byte-strings.ts'
import type { Command } from '../command.ts'
import { exitCode } from '../exit-codes.ts'
import { flag, parseOptions, type CommandSpec } from '../options.ts'
import type { Output } from '../output.ts'
import { positionals, resultOf, storeOptions, withStore } from '../store-session.ts'

const spec: CommandSpec = {
  name: 'delete',
  summary: 'removes a key of the built-in store',
  usage: 'quorate delete KEY [options]',
  options: storeOptions,
  examples: ['quorate delete greeting --dir net'],
}

export const deleteCommand: Command = { spec, run }

async function run(args: readonly string[], output: Output): Promise<number> {
  const parsed = parseOptions(spec, args)
  const [keyText] = positionals(parsed, ['KEY'])
  const key = keyOf(keyText!, flag(parsed, 'hex'))
  return withStore(parsed, async ({ client, signal, deadlineMs }) => {
    const { result, height } = await client.submit({ kind: 'delete', key }, { signal, deadlineMs: deadlineMs() })
    const { existed, revision } = resultOf(result, 'deleted')
    // A key that is gone is what was asked for, whoever removed it.
    const where = `revision ${revision} at height ${height}`
    if (flag(parsed, 'json')) output.out(JSON.stringify({ existed, revision, height }))
    else output.out(existed ? where : `there was no such key: ${where}`)
    return exitCode.ok
  })
}
