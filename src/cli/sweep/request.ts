// What `quorate sim` was asked for, checked: wrong use is found before the first seed runs.

import { protocolNames, type ProtocolName } from '../../kernel/ids.ts'
import { faultModelOf } from '../../kernel/ids.ts'
import { faultsTolerated, votersMin } from '../../kernel/quorum.ts'
import { parameterBounds, type HotstuffRule } from '../../kernel/parameters.ts'
import { behaviourNames } from '../../simulator/protocols.ts'
import { faultFamilies } from '../../simulator/report.ts'
import { flag, number, oneOf, text, UsageError, type ParsedOptions } from '../options.ts'
import type { SweepOptions } from './run-chunk.ts'

const replicasMax = 31
const jobsMax = 64
const minutesMax = 10_000
const seedMax = 1_000_000_000
const seedsMax = 10_000_000
const failuresMax = 1_000_000

export interface SimRequest {
  sweep: SweepOptions
  from: number
  to: number
  jobs: number
  stopAfter: number
  minutes: number | null
  resume: string | null
  trace: string | null
  record: boolean
  json: boolean
}

export function readRequest(parsed: ParsedOptions): SimRequest {
  if (parsed.positionals.length > 0) throw new UsageError(`${parsed.positionals[0]} is not an option`)
  const protocol = oneOf<ProtocolName>(parsed, 'protocol', 'raft', protocolNames)
  const [from, to] = readSeeds(parsed)
  const replicas = number(parsed, 'replicas', votersMin(faultModelOf(protocol)), 1, replicasMax)
  const request: SimRequest = {
    sweep: {
      protocol,
      replicas,
      faults: oneOf(parsed, 'faults', 'all', faultFamilies),
      ...readLies(parsed, protocol, replicas),
      ...readRule(parsed, protocol),
      ...(flag(parsed, 'verify-determinism') ? { twiceEvery: 1 } : {}),
    },
    from,
    to,
    jobs: number(parsed, 'jobs', 1, 1, jobsMax),
    stopAfter: number(parsed, 'stop-after', 10, 1, failuresMax),
    minutes: parsed.values['minutes'] === undefined ? null : number(parsed, 'minutes', 1, 1, minutesMax),
    resume: path(parsed, 'resume'),
    trace: path(parsed, 'trace'),
    record: flag(parsed, 'record'),
    json: flag(parsed, 'json'),
  }
  if (request.trace !== null) checkTrace(request)
  return request
}

/** Only what was given: the rest is drawn for each seed. */
function readLies(
  parsed: ParsedOptions,
  protocol: ProtocolName,
  replicas: number,
): Pick<SweepOptions, 'adversaries' | 'behaviour'> {
  const names = behaviourNames(protocol)
  const most = names.length === 0 ? 0 : faultsTolerated('byzantine', replicas)
  const lies: Pick<SweepOptions, 'adversaries' | 'behaviour'> = {}
  if (parsed.values['adversaries'] !== undefined) {
    const adversaries = number(parsed, 'adversaries', 0, 0, replicasMax)
    if (adversaries > most) throw new UsageError(tooMany(protocol, replicas, adversaries, most))
    lies.adversaries = adversaries
  }
  if (parsed.values['behaviour'] !== undefined) {
    if (most === 0)
      throw new UsageError(`--behaviour is for replicas that lie, and ${replicas} of ${protocol} survive none`)
    lies.behaviour = oneOf(parsed, 'behaviour', names[0]!, names)
  }
  return lies
}

function readRule(parsed: ParsedOptions, protocol: ProtocolName): Pick<SweepOptions, 'rule'> {
  if (parsed.values['rule'] === undefined) return {}
  if (protocol !== 'hotstuff') throw new UsageError(`--rule is for hotstuff, and ${protocol} has one rule`)
  const { default: usual, choices } = parameterBounds.hotstuff.rule
  return { rule: oneOf<HotstuffRule>(parsed, 'rule', usual, choices) }
}

function tooMany(protocol: ProtocolName, replicas: number, adversaries: number, most: number): string {
  return `--adversaries is ${adversaries}, and ${replicas} replicas of ${protocol} survive ${most}: give at most ${most}`
}

function checkTrace({ from, to, trace, json, record, resume }: SimRequest): void {
  if (from !== to) throw new UsageError('--trace writes one history: name its --seed')
  if (record || resume !== null) throw new UsageError('--trace writes one history, without --record and --resume')
  if (json && trace === '-')
    throw new UsageError('--trace - and --json both want the screen: write the trace to a file')
}

function path(parsed: ParsedOptions, name: string): string | null {
  if (parsed.values[name] === undefined) return null
  const value = text(parsed, name, '')
  if (value === '') throw new UsageError(`--${name} is empty, and must be a file`)
  return value
}

function readSeeds(parsed: ParsedOptions): [number, number] {
  if (parsed.values['seed'] !== undefined) {
    if (parsed.values['seeds'] !== undefined)
      throw new UsageError('--seed and --seeds say two things: give one of them')
    const seed = number(parsed, 'seed', 1, 0, seedMax)
    return [seed, seed]
  }
  const range = text(parsed, 'seeds', '1..100')
  const match = /^([0-9]{1,10})(?:\.\.([0-9]{1,10}))?$/.exec(range)
  const from = Number(match?.[1])
  const to = Number(match?.[2] ?? match?.[1])
  if (match === null || to < from || to > seedMax || to - from >= seedsMax) {
    throw new UsageError(
      `--seeds is ${range}, and must be A..B with A not above B, at most ${seedsMax} seeds up to ${seedMax}`,
    )
  }
  return [from, to]
}
