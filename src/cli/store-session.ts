// What the commands on the built-in store share.

import { keyValueStore } from '../execution/store/key-value-store.ts'
import type { StoreCommand, StoreQuery } from '../execution/store/commands.ts'
import type { StoreResult } from '../execution/store/results.ts'
import { clientOptions, withReplica, type ClientSession } from './client.ts'
import { Failure } from './failure.ts'
import { UsageError, type OptionSpec, type ParsedOptions } from './options.ts'

export type StoreSession = ClientSession<StoreCommand, StoreQuery, StoreResult>

export const storeOptions: readonly OptionSpec[] = [
  { name: 'hex', description: 'reads and prints hexadecimal in place of text' },
  { name: 'json', description: 'prints JSON: byte strings as {text}, or {hex} where they are not UTF-8' },
  ...clientOptions,
]

export const localOption: OptionSpec = {
  name: 'local',
  description: 'asks one replica for what it has: possibly old, and unproven',
}

export function withStore(parsed: ParsedOptions, work: (session: StoreSession) => Promise<number>): Promise<number> {
  return withReplica(parsed, keyValueStore, work)
}

/** Narrows a result to the kind that the question has; what the store refused is said. */
export function resultOf<Kind extends StoreResult['kind']>(
  result: StoreResult,
  kind: Kind,
): Extract<StoreResult, { kind: Kind }> {
  if (result.kind === kind) return result as Extract<StoreResult, { kind: Kind }>
  const why = result.kind === 'refused' ? result.reason : `it answered ${result.kind}`
  throw new Failure('ERR_REFUSED', `the store refuses (${why}), and nothing was changed: correct the command`)
}

/** As many as named, or one sentence. */
export function positionals(parsed: ParsedOptions, names: readonly string[]): string[] {
  const given = parsed.positionals
  const missing = names[given.length]
  if (missing !== undefined) throw new UsageError(`${missing} is missing: say ${names.join(' ')}`)
  const extra = given[names.length]
  if (extra !== undefined) throw new UsageError(`${extra} is one argument too many: put what has blanks into quotes`)
  return [...given]
}
