// `quorate submit`: a command or a query of one's own application, given as JSON.

import type { AnyStateMachine } from '../application.ts'
import { loadApplication } from '../application.ts'
import { clientOptions, withReplica } from '../client.ts'
import type { Command } from '../command.ts'
import { exitCode } from '../exit-codes.ts'
import { flag, parseOptions, text, UsageError, type CommandSpec } from '../options.ts'
import type { Output } from '../output.ts'
import { localOption, positionals } from '../store-session.ts'

const spec: CommandSpec = {
  name: 'submit',
  summary: "orders a command of one's own application, given as JSON",
  usage: 'quorate submit VALUE --app MODULE [--query] [--local] [options]',
  options: [
    { name: 'app', value: 'MODULE', description: 'the module whose stateMachine the replicas run' },
    { name: 'query', description: 'VALUE is a query: it is answered, and changes nothing' },
    { ...localOption, description: `with --query: ${localOption.description}` },
    { name: 'json', description: 'prints failures as JSON too; what is printed otherwise is JSON always' },
    ...clientOptions,
  ],
  examples: [
    `quorate submit '{"kind":"add","by":2}' --app counter.js --dir net`,
    `quorate submit '{"kind":"read"}' --query --app counter.js --dir net`,
  ],
}

export const submitCommand: Command = { spec, run }

async function run(args: readonly string[], output: Output): Promise<number> {
  const parsed = parseOptions(spec, args)
  const [valueText] = positionals(parsed, ['VALUE'])
  const app = text(parsed, 'app', '')
  if (app === '')
    throw new UsageError('--app is missing: name the module, or use put, get, delete and scan on the built-in store')
  const isQuery = flag(parsed, 'query')
  if (flag(parsed, 'local') && !isQuery) throw new UsageError('--local is for queries: say --query too')
  const value = parseValue(valueText!)
  const stateMachine = await loadApplication(app)
  requireEncoding(stateMachine, isQuery ? 'query' : 'command', value)
  return withReplica(parsed, stateMachine, async ({ client, signal, deadlineMs }) => {
    const wait = { signal, deadlineMs: deadlineMs() }
    const consistency = flag(parsed, 'local') ? 'local' : 'linearizable'
    const answer = isQuery ? await client.query(value, { ...wait, consistency }) : await client.submit(value, wait)
    output.out(JSON.stringify(answer, asJson))
    return exitCode.ok
  })
}

function parseValue(valueText: string): unknown {
  try {
    return JSON.parse(valueText) as unknown
  } catch {
    throw new UsageError('VALUE is no JSON: put it into single quotes, and words inside it into double quotes')
  }
}

/** Before anything is sent: what has no encoding is wrong use, and no fault of ours. */
function requireEncoding(stateMachine: AnyStateMachine, kind: 'command' | 'query', value: unknown): void {
  try {
    stateMachine[kind].encode(value)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new UsageError(`VALUE is no ${kind} of ${stateMachine.name} (${reason})`)
  }
}

/** What JSON has no word for. */
function asJson(_name: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString()
  return value instanceof Uint8Array ? { hex: Buffer.from(value).toString('hex') } : value
}
