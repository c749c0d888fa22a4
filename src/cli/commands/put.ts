// `quorate put`: one key of the built-in store.

import { valueBytesMax } from '../../execution/store/limits.ts'
import { bytesOf, keyOf } from '../byte-strings.ts'
import type { Command } from '../command.ts'
import { exitCode } from '../exit-codes.ts'
import { flag, parseOptions, UsageError, type CommandSpec } from '../options.ts'
import type { Output } from '../output.ts'
import { positionals, resultOf, storeOptions, withStore } from '../store-session.ts'

const spec: CommandSpec = {
  name: 'put',
  summary: 'writes a key of the built-in store',
  usage: 'quorate put KEY VALUE [options]',
  options: storeOptions,
  examples: ['quorate put greeting hello --dir net', 'quorate put --dir net -- temperature -5'],
}

export const putCommand: Command = { spec, run }

async function run(args: readonly string[], output: Output): Promise<number> {
  const parsed = parseOptions(spec, args)
  const isHex = flag(parsed, 'hex')
  const [keyText, valueText] = positionals(parsed, ['KEY', 'VALUE'])
  const key = keyOf(keyText!, isHex)
  const value = bytesOf(valueText!, isHex, 'VALUE')
  if (value.length > valueBytesMax) {
    throw new UsageError(`VALUE has ${value.length} bytes, and may have at most ${valueBytesMax}`)
  }
  return withStore(parsed, async ({ client, signal, deadlineMs }) => {
    const command = { kind: 'put', key, value, lease: 0 } as const
    const { result, height } = await client.submit(command, { signal, deadlineMs: deadlineMs() })
    const { revision } = resultOf(result, 'put')
    output.out(flag(parsed, 'json') ? JSON.stringify({ revision, height }) : `revision ${revision} at height ${height}`)
    return exitCode.ok
  })
}
