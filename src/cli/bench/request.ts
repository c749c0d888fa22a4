// What was asked of `quorate bench`.

import { existsSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { gridPlan } from '../../benchmark/plan/grid.ts'
import { defaults, factors, oneFactorPlan, type Factor, type PlanRequest } from '../../benchmark/plan/one-factor.ts'
import { withOwnCheck } from '../../benchmark/plan/own-check.ts'
import type { Plan } from '../../benchmark/plan/plan.ts'
import { isOurs } from '../../benchmark/plan/systems.ts'
import { planBounds, parseReport, reportBytesMax } from '../../benchmark/report/read-report.ts'
import type { Report } from '../../benchmark/report/report.ts'
import { flag, number, numbers, someOf, text, UsageError, type ParsedOptions } from '../options.ts'
import { readTextFile } from '../read-file.ts'

export interface BenchRequest {
  /** Null: --repeat brings one. */
  plan: Plan | null
  /** Of --repeat. */
  before: Report | null
  isGrid: boolean
  dir: string
  out: string
  json: boolean
}

const ours = ['raft', 'pbft', 'hotstuff']
/** What a plan is made of, and a report brings with it. */
const planOptions = [
  'protocols',
  'peers',
  'factors',
  'replicas',
  'outstanding',
  'bytes',
  'clients',
  'round-trip-ms',
  'seconds',
  'runs',
]
const planFlags = ['quick', 'grid', 'failures', 'profile', 'etcd-check-perf']

/** `installed`: peers that this machine has; `hasCheckPerf`: and the tool that checks etcd. */
export function readRequest(
  parsed: ParsedOptions,
  systems: readonly string[],
  installed: readonly string[],
  hasCheckPerf: boolean,
): BenchRequest {
  const { positionals } = parsed
  if (positionals.length > 0) throw new UsageError(`${positionals[0]} is not an option`)
  const dir = resolve(text(parsed, 'dir', '.'))
  if (!isFolder(dir))
    throw new UsageError(`--dir is ${dir}, and must be a folder that exists, on the disk to be measured`)
  const out = resolve(text(parsed, 'out', outName(new Date())))
  if (existsSync(out)) throw new UsageError(`--out is ${out}, which exists: name a folder to be made`)
  const common = { dir, out, json: flag(parsed, 'json'), isGrid: flag(parsed, 'grid') }
  const repeat = text(parsed, 'repeat', '')
  if (repeat === '') return { ...common, plan: planOf(parsed, systems, installed, hasCheckPerf), before: null }
  const given = [...planOptions, ...planFlags].find((name) => parsed.values[name] !== undefined)
  if (given !== undefined) throw new UsageError(`--repeat brings its own plan: leave --${given} out`)
  return { ...common, plan: null, before: parseReport(readTextFile(repeat, reportBytesMax), repeat), isGrid: true }
}

function planOf(
  parsed: ParsedOptions,
  systems: readonly string[],
  installed: readonly string[],
  hasCheckPerf: boolean,
): Plan {
  const isQuick = flag(parsed, 'quick')
  const isGrid = flag(parsed, 'grid')
  const bounds = planBounds
  const list = (name: string, fallback: readonly number[], [least, most]: readonly [number, number]): number[] =>
    numbers(parsed, name, fallback, least, most)
  const roundTripsMs = list('round-trip-ms', [], [1, bounds.roundTripMs[1]])
  const request: PlanRequest = {
    systems: contendersOf(parsed, systems, installed),
    factors: factorsOf(parsed, roundTripsMs.length > 0),
    outstanding: list(
      'outstanding',
      isQuick ? quick.outstanding : isGrid ? [256] : defaults.outstanding,
      bounds.outstanding,
    ),
    bytes: list('bytes', isGrid ? [128] : defaults.bytes, bounds.bytes),
    clients: list('clients', isGrid ? [1] : defaults.clients, bounds.clients),
    replicas: list('replicas', [], [3, bounds.replicas[1]]),
    roundTripsMs,
    warmUpSeconds: isQuick ? quick.warmUpSeconds : defaults.warmUpSeconds,
    seconds: number(parsed, 'seconds', isQuick ? quick.seconds : defaults.seconds, ...bounds.seconds),
    runs: number(parsed, 'runs', isQuick ? quick.runs : defaults.runs, ...bounds.runs),
  }
  const plan = isGrid ? gridPlan(request) : oneFactorPlan(request)
  if (plan.rounds.length === 0) {
    throw new UsageError('nothing is left to measure: name more --replicas, or other --factors')
  }
  if (!flag(parsed, 'etcd-check-perf')) return plan
  if (!request.systems.includes('etcd')) throw new UsageError('--etcd-check-perf needs etcd among the --peers')
  if (!hasCheckPerf)
    throw new UsageError('--etcd-check-perf needs etcdctl, which is not installed: apt-get install etcd-client')
  return withOwnCheck(plan, 'etcd')
}

const quick = { outstanding: [1, 256], warmUpSeconds: 3, seconds: 2, runs: 1 } as const

function contendersOf(parsed: ParsedOptions, systems: readonly string[], installed: readonly string[]): string[] {
  const known = systems.filter(isOurs)
  const peers = systems.filter((name) => !isOurs(name))
  const asked = text(parsed, 'peers', '') === 'none' ? [] : someOf(parsed, 'peers', installed, [...peers, 'none'])
  if (asked.includes('none')) throw new UsageError('--peers is none and another: say none alone')
  const missing = asked.find((name) => !installed.includes(name))
  if (missing !== undefined) {
    throw new UsageError(`--peers names ${missing}, which is not installed: apt-get install etcd-server, or say none`)
  }
  return [...someOf(parsed, 'protocols', ours, known), ...asked]
}

/** Failures, profiles and delays beside, alone or with others: as is said. */
function factorsOf(parsed: ParsedOptions, isDelayed: boolean): Factor[] {
  const isQuick = flag(parsed, 'quick')
  const isGrid = flag(parsed, 'grid')
  const usual = factors.filter((name) => !['round-trip', 'profile'].includes(name))
  const asked = flag(parsed, 'failures')
    ? (['failures'] as const)
    : isQuick || isGrid
      ? (['outstanding'] as const)
      : usual
  const chosen = someOf(parsed, 'factors', asked, factors)
  if (chosen.includes('round-trip') && !isDelayed) {
    throw new UsageError('--factors names round-trip: say how long they are with --round-trip-ms')
  }
  const added: Factor[] = [
    ...(isDelayed ? ['round-trip' as const] : []),
    ...(flag(parsed, 'profile') ? ['profile' as const] : []),
  ]
  return [...new Set([...chosen, ...added])]
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory()
  } catch {
    return false
  }
}

function outName(now: Date): string {
  return `quorate-bench-${now.toISOString().slice(0, 19).replaceAll(':', '')}`
}
