// A command's options as a table: what `--help` prints and what is accepted are the same thing.

import { parseArgs } from 'node:util'
import { nearest } from '../kernel/nearest.ts'

export interface OptionSpec {
  name: string
  /** Absent for a flag. */
  value?: string
  description: string
  default?: string
  /** May be given more than once. */
  repeatable?: boolean
}

export interface CommandSpec {
  name: string
  summary: string
  usage: string
  options: readonly OptionSpec[]
  examples: readonly string[]
}

/** Wrong use: one sentence that names the option, its value and the rule. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

export interface ParsedOptions {
  values: Readonly<Record<string, string | boolean | readonly string[] | undefined>>
  positionals: readonly string[]
}

const common: readonly OptionSpec[] = [
  { name: 'help', description: 'prints this' },
  { name: 'debug', description: 'shows where a fault of quorate itself arose' },
]

export function parseOptions(spec: CommandSpec, args: readonly string[]): ParsedOptions {
  const options = [...spec.options, ...common]
  const given = withNegativeNumbers(args, options)
  const seen = new Set<string>()
  for (const argument of given) {
    // Behind it, nothing is an option.
    if (argument === '--') break
    if (!argument.startsWith('--')) continue
    const name = argument.slice(2).split('=')[0]!
    const option = options.find((one) => one.name === name)
    if (option === undefined) throw unknownOption(spec, name, options)
    if (seen.has(name) && option.repeatable !== true) throw new UsageError(`--${name} is given twice: give it once`)
    seen.add(name)
  }
  try {
    const { values, positionals } = parseArgs({
      args: given,
      allowPositionals: true,
      options: Object.fromEntries(
        options.map(({ name, value, repeatable = false }) => {
          const type = value === undefined ? ('boolean' as const) : ('string' as const)
          return [name, { type, multiple: repeatable }]
        }),
      ),
    })
    return { values: values as ParsedOptions['values'], positionals }
  } catch (error) {
    throw new UsageError(firstSentence(error instanceof Error ? error.message : String(error)))
  }
}

function unknownOption(spec: CommandSpec, name: string, options: readonly OptionSpec[]): UsageError {
  const near = nearest(
    name,
    options.map((option) => option.name),
  )
  return new UsageError(`${spec.name} has no option --${name}${near === null ? '' : `; did you mean --${near}?`}`)
}

/** `--replicas -1` as `--replicas=-1`: then the rule for the option's value answers, and not the rule for dashes. */
function withNegativeNumbers(args: readonly string[], options: readonly OptionSpec[]): string[] {
  const joined: string[] = []
  for (const argument of args) {
    const last = joined.at(-1)
    const wanting = options.some((option) => option.value !== undefined && last === `--${option.name}`)
    if (wanting && /^-[0-9]/.test(argument)) joined[joined.length - 1] = `${last}=${argument}`
    else joined.push(argument)
  }
  return joined
}

export function text(parsed: ParsedOptions, name: string, fallback: string): string {
  const value = parsed.values[name]
  return typeof value === 'string' ? value : fallback
}

/** Of an option that must be given. */
export function requiredText(parsed: ParsedOptions, spec: CommandSpec, name: string): string {
  const value = text(parsed, name, '')
  if (value !== '') return value
  const { value: what = '' } = spec.options.find((option) => option.name === name)!
  throw new UsageError(`--${name} is missing: say --${name} ${what}`)
}

/** Of a repeatable option, in the order given. */
export function texts(parsed: ParsedOptions, name: string): string[] {
  const value = parsed.values[name]
  return Array.isArray(value) ? [...value] : []
}

export function flag(parsed: ParsedOptions, name: string): boolean {
  return parsed.values[name] === true
}

/** A whole number within bounds. */
export function number(
  parsed: ParsedOptions,
  name: string,
  fallback: number,
  minimum: number,
  maximum: number,
): number {
  const value = parsed.values[name]
  if (value === undefined) return fallback
  const parsedNumber = typeof value === 'string' && /^[0-9]{1,15}$/.test(value) ? Number(value) : Number.NaN
  if (!(parsedNumber >= minimum && parsedNumber <= maximum)) {
    throw new UsageError(`--${name} is ${String(value)}, and must be a whole number from ${minimum} to ${maximum}`)
  }
  return parsedNumber
}

/** Whole numbers within bounds, with commas between. */
export function numbers(
  parsed: ParsedOptions,
  name: string,
  fallback: readonly number[],
  minimum: number,
  maximum: number,
): number[] {
  const value = parsed.values[name]
  if (typeof value !== 'string') return [...fallback]
  const all = value.split(',').map((one) => (/^[0-9]{1,15}$/.test(one) ? Number(one) : Number.NaN))
  if (all.every((one) => one >= minimum && one <= maximum)) return [...new Set(all)]
  throw new UsageError(
    `--${name} is ${value}, and must be whole numbers from ${minimum} to ${maximum} with commas between`,
  )
}

/** Words of a list, with commas between. */
export function someOf<Name extends string>(
  parsed: ParsedOptions,
  name: string,
  fallback: readonly Name[],
  known: readonly Name[],
): Name[] {
  const value = parsed.values[name]
  if (typeof value !== 'string') return [...fallback]
  return [...new Set(value.split(','))].map((one) => knownName(name, one, known))
}

export function oneOf<Name extends string>(
  parsed: ParsedOptions,
  name: string,
  fallback: Name,
  known: readonly Name[],
): Name {
  return knownName(name, text(parsed, name, fallback), known)
}

function knownName<Name extends string>(option: string, value: string, known: readonly Name[]): Name {
  const found = known.find((one) => one === value)
  if (found !== undefined) return found
  const near = nearest(value, known)
  const hint = near === null ? '' : `; did you mean ${near}?`
  throw new UsageError(`--${option} is ${value}, and must be one of ${known.join(', ')}${hint}`)
}

export function help(spec: CommandSpec): string {
  const options = [...spec.options, ...common]
  const heads = options.map((option) => `--${option.name}${option.value === undefined ? '' : ` ${option.value}`}`)
  const width = Math.max(...heads.map((head) => head.length))
  const lines = options.map((option, index) => {
    const fallback = option.default === undefined ? '' : ` (default: ${option.default})`
    const repeated = option.repeatable === true ? ' (may be given again)' : ''
    return `  ${heads[index]!.padEnd(width)}  ${option.description}${repeated}${fallback}`
  })
  return [
    `${spec.summary}`,
    '',
    `Usage: ${spec.usage}`,
    '',
    'Options:',
    ...lines,
    '',
    'Examples:',
    ...spec.examples.map((example) => `  ${example}`),
    '',
    exitCodes,
    '',
  ].join('\n')
}

/** What all commands of a group have to say. */
export function groupHelp(summary: string, specs: readonly CommandSpec[]): string {
  return [
    summary,
    '',
    ...specs.map((spec, index) => `${index === 0 ? 'Usage: ' : '       '}${spec.usage}`),
    '',
    'Examples:',
    ...specs.flatMap((spec) => spec.examples).map((example) => `  ${example}`),
    '',
    `quorate ${specs[0]!.name} --help says more about ${specs[0]!.name}; the others have theirs.`,
    exitCodes,
    '',
  ].join('\n')
}

const exitCodes = 'Exit codes: 0 all is well; 1 something was found; 2 wrong use; 130 interrupted.'

function firstSentence(message: string): string {
  return message.split(/\.\s|\n/)[0]!
}
