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

// Whoever reads may have seen enough (`| head`): that is no fault, and there is no one left to tell.
process.stdout.on('error', () => process.exit(exitCode.failed))

process.exitCode = await main(process.argv.slice(2))

async function main(args: readonly string[]): Promise<number> {
  const output = createOutput()
  const [name, ...rest] = args
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
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
  if (rest.includes('--help') || rest.includes('-h')) {
    process.stdout.write(help(command.spec))
    return exitCode.ok
  }
  try {
    return await command.run(rest, output)
  } catch (error) {
    return explain(error, name, rest.includes('--debug'), output.error)
  }
}

function explain(error: unknown, name: string, debug: boolean, print: (line: string) => void): number {
  if (error instanceof UsageError) {
    print(`quorate ${name}: ${error.message} (quorate ${name} --help says more)`)
    return exitCode.usage
  }
  print(`quorate ${name}: ${error instanceof Error ? error.message : String(error)}`)
  if (debug || process.env['QUORATE_DEBUG'] !== undefined) {
    if (error instanceof Error && error.stack !== undefined) print(error.stack)
  } else if (!isOfTheHost(error)) print('This is a fault of quorate; --debug shows where.')
  return exitCode.failed
}

/** A full disk or a lost permission in the middle of the work is not ours to mend. */
function isOfTheHost(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error
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
