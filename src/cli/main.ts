#!/usr/bin/env node
// The command line: finds the command, and turns whatever happens into a sentence and an exit code.

import { readFileSync } from 'node:fs'
import { networkCommand } from './commands/network.ts'
import { simCommand } from './commands/sim.ts'
import type { Command } from './command.ts'
import { exitCode } from './exit-codes.ts'
import { help, nearest, UsageError } from './options.ts'
import { createOutput } from './output.ts'

const commands: readonly Command[] = [simCommand, networkCommand]

process.exitCode = await main(process.argv.slice(2))

async function main(args: readonly string[]): Promise<number> {
  const output = createOutput()
  const [name, ...rest] = args
  if (name === undefined || name === '--help' || name === 'help') {
    process.stdout.write(overview())
    return name === undefined ? exitCode.usage : exitCode.ok
  }
  if (name === '--version') {
    output.out(version())
    return exitCode.ok
  }
  const command = commands.find((one) => one.spec.name === name)
  if (command === undefined) {
    const near = nearest(
      name,
      commands.map((one) => one.spec.name),
    )
    output.error(
      `quorate: there is no command ${name}${near === null ? '' : `; did you mean ${near}?`} (quorate --help lists them)`,
    )
    return exitCode.usage
  }
  if (rest.includes('--help')) {
    process.stdout.write(help(command.spec))
    return exitCode.ok
  }
  try {
    return await command.run(rest, output)
  } catch (error) {
    return explain(error, name, output.error)
  }
}

function explain(error: unknown, name: string, print: (line: string) => void): number {
  if (error instanceof UsageError) {
    print(`quorate ${name}: ${error.message} (quorate ${name} --help says more)`)
    return exitCode.usage
  }
  print(`quorate ${name}: ${error instanceof Error ? error.message : String(error)}`)
  if (process.env['QUORATE_DEBUG'] !== undefined && error instanceof Error) print(error.stack ?? '')
  else print('This is a fault of quorate; QUORATE_DEBUG=1 shows where.')
  return exitCode.failed
}

function overview(): string {
  const lines = commands.map((command) => `  ${command.spec.name.padEnd(10)} ${command.spec.summary}`)
  return [
    'quorate: replicated state machines',
    '',
    'Commands:',
    ...lines,
    '',
    'quorate COMMAND --help says more. --version prints the version.',
    '',
  ].join('\n')
}

function version(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}
