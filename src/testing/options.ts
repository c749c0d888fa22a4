// What a check is asked for, with its defaults and bounds.

import { publicKeyBytes, type PublicKey } from '../kernel/crypto-ports.ts'
import type { Random } from '../kernel/random.ts'

export interface CheckOptions<Command, Query, Result> {
  /** Draws one command. Few names and small numbers, so that commands meet. Draw from `random` alone: a seed replays then. */
  commands: (random: Random) => Command
  /** Draws one query. Default: no query is asked, and the rule for queries is not checked. */
  queries?: (random: Random) => Query
  /** Whose commands they are: public keys of 32 bytes, drawn for each command. Default: three made-up keys. */
  clients?: readonly PublicKey[]
  /** Asked after every block, with queries of its own. Null, or what is wrong. */
  invariant?: (ask: (query: Query) => Result) => string | null
  /** Default 1. Equal seeds draw equal commands. */
  seed?: number
  /** Histories that are drawn and checked, each under all rules. Default 20, at most 100,000. */
  runs?: number
  /** Default 100, at most 10,000. */
  commandsPerRun?: number
}

export interface ResolvedOptions<Command, Query, Result> extends Required<
  Omit<CheckOptions<Command, Query, Result>, 'queries' | 'invariant'>
> {
  queries: ((random: Random) => Query) | null
  invariant: ((ask: (query: Query) => Result) => string | null) | null
}

const runsDefault = 20
const runsMax = 100_000
const commandsPerRunDefault = 100
const commandsPerRunMax = 10_000
const clientsMax = 16
const clientsDefault: readonly PublicKey[] = [1, 2, 3].map((byte) => new Uint8Array(publicKeyBytes).fill(byte))

/** Throws on options that make no sense: a mistake of the caller, not of the machine. */
export function resolveOptions<Command, Query, Result>(
  options: CheckOptions<Command, Query, Result>,
): ResolvedOptions<Command, Query, Result> {
  const { seed = 1, runs = runsDefault, commandsPerRun = commandsPerRunDefault, clients = clientsDefault } = options
  if (!Number.isSafeInteger(seed)) throw new RangeError(`option seed is ${seed}: it must be an integer`)
  requireCount('runs', runs, runsMax)
  requireCount('commandsPerRun', commandsPerRun, commandsPerRunMax)
  requireCount('clients.length', clients.length, clientsMax)
  const odd = clients.find((key) => key.length !== publicKeyBytes)
  if (odd !== undefined) {
    throw new RangeError(`option clients has a key of ${odd.length} bytes: each must have ${publicKeyBytes}`)
  }
  if (new Set(clients.map(String)).size < clients.length) {
    throw new RangeError('option clients names one key twice: each client has its own')
  }
  return {
    commands: options.commands,
    queries: options.queries ?? null,
    invariant: options.invariant ?? null,
    clients,
    seed,
    runs,
    commandsPerRun,
  }
}

export function requireCount(name: string, value: number, maximum: number): void {
  if (!Number.isInteger(value) || value < 1 || value > maximum) {
    throw new RangeError(`option ${name} is ${value}: it must be an integer from 1 to ${maximum}`)
  }
}
