#!/usr/bin/env node
// The command line: finds the command, and turns whatever happens into a sentence and an exit code.

import { errorCodes } from '../kernel/error-codes.ts'
import { nearest } from '../kernel/nearest.ts'
import { QuorateError } from '../kernel/quorate-error.ts'
import { commandTable } from './command-table.ts'
import type { Command, CommandGroup } from './command.ts'
import { exitCode } from './exit-codes.ts'
import { Failure } from './failure.ts'
import { groupHelp, help, UsageError } from './options.ts'
import { createOutput, type Output } from './output.ts'
import { packageVersion } from './package.ts'

const certaintyInWords = { definite: 'certainly not executed', indefinite: 'may have been executed' } as const

// Whoever reads may have seen enough (`| head`): that is no fault, and there is no one left to tell.
// A command that has more to put away than itself listens too.
process.stdout.on('error', () => {
  if (process.stdout.listenerCount('error') === 1) process.exit(exitCode.failed)
})

process.exitCode = await main(process.argv.slice(2))

async function main(args: readonly string[]): Promise<number> {
  const output = createOutput()
  const [name, ...rest] = args
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    process.stdout.write(overview())
    return name === undefined ? exitCode.usage : exitCode.ok
  }
  if (name === '--version') {
    output.out(packageVersion())
    return exitCode.ok
  }
  const entry = commandTable.find((one) => one.name === name)
  if (entry === undefined) {
    return unknown(
      name,
      commandTable.map((one) => one.name),
      '',
      output,
    )
  }
  const command = await entry.load()
  if ('spec' in command) return runCommand(command, rest, output)
  return runGroup(command, rest, output)
}

async function runGroup({ name, summary, commands }: CommandGroup, args: readonly string[], output: Output) {
  const [word, ...rest] = args
  const specs = commands.map((command) => command.spec)
  if (word === '--help' || word === '-h' || word === 'help') {
    process.stdout.write(groupHelp(summary, specs))
    return exitCode.ok
  }
  if (word === undefined || word.startsWith('-')) {
    const usages = specs.map((spec) => spec.name).join(', ')
    output.error(`quorate ${name}: say one of ${usages} (quorate ${name} --help says more)`)
    return exitCode.usage
  }
  const command = commands.find((one) => one.spec.name === `${name} ${word}`)
  if (command !== undefined) return runCommand(command, rest, output)
  const words = specs.map((spec) => spec.name.slice(name.length + 1))
  return unknown(word, words, `${name} `, output)
}

async function runCommand(command: Command, args: readonly string[], output: Output): Promise<number> {
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(help(command.spec))
    return exitCode.ok
  }
  try {
    return await command.run(args, output)
  } catch (error) {
    if (!isExplained(error)) return explain(error, command.spec.name, args.includes('--debug'), output.error)
    const { code, message } = error
    const certainty = error instanceof QuorateError ? error.certainty : null
    if (args.includes('--json')) {
      output.out(JSON.stringify({ ok: false, code, message, ...(certainty === null ? {} : { certainty }) }))
    } else output.error(`${message} (${code})${certainty === null ? '' : `: ${certaintyInWords[certainty]}`}`)
    return exitCode.failed
  }
}

/** What bears a code of ours was written for whoever calls, and says what to do. */
function isExplained(error: unknown): error is Error & { code: string } {
  if (error instanceof Failure) return true
  const code: unknown = error instanceof Error && 'code' in error ? error.code : null
  return typeof code === 'string' && Object.hasOwn(errorCodes, code)
}

function unknown(word: string, known: readonly string[], group: string, output: Output): number {
  const near = nearest(word, known)
  const hint = near === null ? '' : `; did you mean ${group}${near}?`
  output.error(`quorate: there is no command ${group}${word}${hint} (quorate ${group}--help lists them)`)
  return exitCode.usage
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
  const lines = commandTable.map(({ name, summary }) => `  ${name.padEnd(10)} ${summary}`)
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
