// Reads a report that somebody may have sent: with bounds on everything, and nothing taken for granted. What it says is figures; nothing in it is run.

import { fields, boolean, integer, json, Refusal, word, type Fields } from '../../kernel/network-file-fields.ts'
import { shown } from '../../kernel/strict-json.ts'
import { Failure } from '../../cli/failure.ts'
import { LatencyHistogram } from '../latency-histogram.ts'
import type { PlannedLoad, PlannedPoint, PlannedRound } from '../plan/plan.ts'
import type { EncodedHistogram, Point, PointResult, WarmUp } from '../round.ts'
import type { Counters } from '../system.ts'
import type { Yardstick } from '../yardstick.ts'
import type { CpuBreakdown } from './cpu-breakdown.ts'
import { cpuCategories } from './cpu-categories.ts'
import type { Machine } from './machine.ts'
import { reportVersion, type ProcessProfile, type Report, type RoundReport } from './report.ts'

export const reportBytesMax = 128 * 1024 * 1024
export const planBounds = {
  replicas: [1, 31],
  outstanding: [1, 65_536],
  bytes: [1, 65_536],
  clients: [1, 1024],
  roundTripMs: [0, 10_000],
  seconds: [1, 3600],
  runs: [1, 1000],
} as const satisfies Record<string, readonly [number, number]>

const roundsMax = 100_000
const pointsMax = 10_000
const textMax = 1000
const warmUpPhasesMax = 16
const messageNamesMax = 100
const stepsMax = 100_000
const systemPattern = /^[a-z0-9][a-z0-9./-]{0,63}$/

export function parseReport(text: string, name: string): Report {
  try {
    return reportOf(json(text, 'the report', reportBytesMax))
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    const step = 'name a report.json that quorate bench of this release has written'
    throw new Failure('ERR_REPORT', `${name} is no report that can be read: ${error.message}: ${step}`)
  }
}

const reportFields = [
  'version',
  'quorate',
  'startedAt',
  'seconds',
  'state',
  'failure',
  'machine',
  'yardsticks',
  'systems',
  'rounds',
]

function reportOf(value: unknown): Report {
  const report = fields(value, 'the report', reportFields)
  const { failure } = report
  integer(report['version'], 'version', reportVersion, reportVersion)
  const quorate = fields(report['quorate'], 'quorate', ['version', 'commit'])
  return {
    version: reportVersion,
    quorate: {
      version: text(quorate['version'], 'quorate.version'),
      commit: quorate['commit'] === null ? null : text(quorate['commit'], 'quorate.commit'),
    },
    startedAt: text(report['startedAt'], 'startedAt'),
    seconds: amount(report['seconds'], 'seconds'),
    state: word(report['state'], 'state', ['complete', 'interrupted', 'late', 'failed']),
    ...(failure === undefined ? {} : { failure: text(failure, 'failure') }),
    machine: machine(report['machine']),
    yardsticks: list(report['yardsticks'], 'yardsticks', 2 * planBounds.runs[1], yardstick),
    systems: list(report['systems'], 'systems', 100, (one, where) => {
      const system = fields(one, where, ['name', 'version'])
      return { name: systemName(system['name'], `${where}.name`), version: text(system['version'], `${where}.version`) }
    }),
    rounds: list(report['rounds'], 'rounds', roundsMax, round),
  }
}

function machine(value: unknown): Machine {
  const one = fields(value, 'machine', ['cpuModel', 'cores', 'memoryMegabytes', 'kernel', 'node', 'platform'])
  const words = (name: string): string => text(one[name], `machine.${name}`)
  return {
    cpuModel: words('cpuModel'),
    cores: integer(one['cores'], 'machine.cores', 1, 65_536),
    memoryMegabytes: integer(one['memoryMegabytes'], 'machine.memoryMegabytes', 0, 2 ** 40),
    kernel: words('kernel'),
    node: words('node'),
    platform: words('platform'),
  }
}

function yardstick(value: unknown, where: string): Yardstick {
  const one = fields(value, where, ['verifies', 'hashMegabytes', 'syncMs'])
  const syncMs = fields(one['syncMs'], `${where}.syncMs`, ['median', 'p99'])
  return {
    verifies: amount(one['verifies'], `${where}.verifies`),
    hashMegabytes: amount(one['hashMegabytes'], `${where}.hashMegabytes`),
    syncMs: {
      median: amount(syncMs['median'], `${where}.syncMs.median`),
      p99: amount(syncMs['p99'], `${where}.syncMs.p99`),
    },
  }
}

function round(value: unknown, where: string): RoundReport {
  const one = fields(value, where, ['plan', 'processes', 'results', 'check', 'failure', 'profiles'])
  const { check } = one
  const plan = plannedRound(one['plan'], `${where}.plan`)
  const results = list(one['results'], `${where}.results`, plan.points.length, result)
  return {
    plan,
    processes: list(one['processes'], `${where}.processes`, planBounds.replicas[1], text),
    results,
    ...(check === undefined ? {} : { check: text(check, `${where}.check`) }),
    failure: one['failure'] === null ? null : text(one['failure'], `${where}.failure`),
    profiles: list(one['profiles'], `${where}.profiles`, planBounds.replicas[1] + 1, profile),
  }
}

function plannedRound(value: unknown, where: string): PlannedRound {
  const known = ['system', 'replicas', 'fsync', 'roundTripMs', 'run', 'profile', 'warmUp', 'points', 'check']
  const one = fields(value, where, known)
  const { warmUp: phases, check } = one
  const within = (name: string, bounds: readonly [number, number]): number =>
    integer(one[name], `${where}.${name}`, ...bounds)
  return {
    run: within('run', planBounds.runs),
    system: systemName(one['system'], `${where}.system`),
    replicas: within('replicas', planBounds.replicas),
    fsync: boolean(one['fsync'], `${where}.fsync`),
    roundTripMs: within('roundTripMs', planBounds.roundTripMs),
    profile: boolean(one['profile'], `${where}.profile`),
    ...(phases === undefined ? {} : { warmUp: list(phases, `${where}.warmUp`, warmUpPhasesMax, warmUp) }),
    points: list(one['points'], `${where}.points`, pointsMax, (point, at) => pointOf(point, at, plannedLoad)),
    ...(check === undefined ? {} : { check: boolean(check, `${where}.check`) }),
  }
}

function warmUp(value: unknown, where: string): WarmUp {
  const one = fields(value, where, ['kind', 'outstanding', 'seconds'])
  const seconds = amount(one['seconds'], `${where}.seconds`)
  if (seconds > planBounds.seconds[1]) throw refused(`${where}.seconds`, seconds, `be at most ${planBounds.seconds[1]}`)
  return {
    kind: word(one['kind'], `${where}.kind`, ['put', 'get']),
    outstanding: integer(one['outstanding'], `${where}.outstanding`, ...planBounds.outstanding),
    seconds,
  }
}

const pointFields = [
  'kind',
  'load',
  'operationBytes',
  'clients',
  'transactionPuts',
  'warmUpSeconds',
  'seconds',
  'failure',
] as const

function pointOf(value: unknown, where: string, load: (value: unknown, where: string) => PlannedLoad): PlannedPoint
function pointOf(value: unknown, where: string, load: (value: unknown, where: string) => Point['load']): Point
function pointOf<Load>(value: unknown, where: string, load: (value: unknown, where: string) => Load): object {
  const one = fields(value, where, pointFields)
  const { kind, failure, transactionPuts: puts } = one
  const failures = ['leader-killed', 'slow-replica', 'lying-replica'] as const
  return {
    kind: word(kind, `${where}.kind`, ['put', 'get', 'transaction']),
    load: load(one['load'], `${where}.load`),
    operationBytes: integer(one['operationBytes'], `${where}.operationBytes`, ...planBounds.bytes),
    clients: integer(one['clients'], `${where}.clients`, ...planBounds.clients),
    ...(puts === undefined ? {} : { transactionPuts: integer(puts, `${where}.transactionPuts`, 1, 10_000) }),
    warmUpSeconds: integer(one['warmUpSeconds'], `${where}.warmUpSeconds`, 0, planBounds.seconds[1]),
    seconds: integer(one['seconds'], `${where}.seconds`, ...planBounds.seconds),
    ...(failure === undefined ? {} : { failure: word(failure, `${where}.failure`, failures) }),
  }
}

function plannedLoad(value: unknown, where: string): PlannedLoad {
  return loadOf(value, where, 'percent', (percent) => ({ loop: 'open', percent }), 1000)
}

function measuredLoad(value: unknown, where: string): Point['load'] {
  return loadOf(value, where, 'perSecond', (perSecond) => ({ loop: 'open', perSecond }), 1e9)
}

function loadOf<Open>(value: unknown, where: string, name: string, open: (rate: number) => Open, rateMax: number) {
  const one = fields(value, where, ['loop', 'outstanding', name])
  if (word(one['loop'], `${where}.loop`, ['closed', 'open']) === 'open') {
    return open(integer(one[name], `${where}.${name}`, 1, rateMax))
  }
  const outstanding = integer(one['outstanding'], `${where}.outstanding`, ...planBounds.outstanding)
  return { loop: 'closed' as const, outstanding }
}

function result(value: unknown, where: string): PointResult {
  const known = ['point', 'seconds', 'operations', 'failed', 'latency', 'cpuSeconds', 'counters', 'timeline']
  const one = fields(value, where, known)
  const cpu = fields(one['cpuSeconds'], `${where}.cpuSeconds`, ['processes', 'generator'])
  const seconds = amount(one['seconds'], `${where}.seconds`)
  if (seconds === 0) throw refused(`${where}.seconds`, 0, 'be above 0')
  const { timeline } = one
  return {
    point: pointOf(one['point'], `${where}.point`, measuredLoad),
    seconds,
    operations: count(one['operations'], `${where}.operations`),
    failed: count(one['failed'], `${where}.failed`),
    latency: histogram(one['latency'], `${where}.latency`),
    cpuSeconds: {
      processes: list(cpu['processes'], `${where}.cpuSeconds.processes`, planBounds.replicas[1], amount),
      generator: amount(cpu['generator'], `${where}.cpuSeconds.generator`),
    },
    counters: list(one['counters'], `${where}.counters`, planBounds.replicas[1], counters),
    ...(timeline === undefined ? {} : { timeline: list(timeline, `${where}.timeline`, stepsMax, count) }),
  }
}

/** What the histogram itself would refuse is refused here. */
function histogram(value: unknown, where: string): EncodedHistogram {
  const one = fields(value, where, ['significantBits', 'counts'])
  const encoded: EncodedHistogram = {
    significantBits: integer(one['significantBits'], `${where}.significantBits`, 1, 16),
    counts: list(one['counts'], `${where}.counts`, 65_536, (pair, at): [number, number] => {
      const [bucket, times] = list(pair, at, 2, count)
      if (bucket === undefined || times === undefined) throw refused(at, pair, 'be two numbers')
      return [bucket, times]
    }),
  }
  try {
    LatencyHistogram.decode(encoded)
  } catch (error) {
    throw refused(where, String(error), 'be a histogram as latency-histogram.ts writes it')
  }
  return encoded
}

function counters(value: unknown, where: string): Counters | null {
  if (value === null) return null
  const names = ['fsyncs', 'framesSent', 'bytesSent', 'signaturesMade', 'signaturesChecked'] as const
  const one = fields(value, where, [...names, 'messagesSent', 'eventLoopDelayP99Ms'])
  const counted = names.map((name) => [name, one[name] === null ? null : count(one[name], `${where}.${name}`)])
  const { eventLoopDelayP99Ms: delay } = one
  return {
    ...(Object.fromEntries(counted) as Pick<Counters, (typeof names)[number]>),
    messagesSent: messages(one['messagesSent'], `${where}.messagesSent`),
    eventLoopDelayP99Ms: delay === null ? null : amount(delay, `${where}.eventLoopDelayP99Ms`),
  }
}

function messages(value: unknown, where: string): Counters['messagesSent'] {
  if (value === null) return null
  const names = typeof value === 'object' ? Object.keys(value) : []
  const sound = names.length <= messageNamesMax && names.every((name) => /^[\w-]{1,64}$/.test(name))
  if (!sound) throw refused(where, names[0], `name at most ${messageNamesMax} messages by words`)
  const all: Fields = fields(value, where, names)
  return Object.fromEntries(names.map((name) => [name, count(all[name], `${where}.${name}`)]))
}

function profile(value: unknown, where: string): ProcessProfile {
  const one = fields(value, where, ['process', 'shares', 'flameGraph'])
  const categories = [...cpuCategories, 'other threads'] as const
  const shares = fields(one['shares'], `${where}.shares`, categories)
  const flameGraph = text(one['flameGraph'], `${where}.flameGraph`)
  // It becomes a link in a document.
  if (!/^[\w-][\w.-]*\.svg$/.test(flameGraph)) throw refused(`${where}.flameGraph`, flameGraph, 'be the name of an SVG')
  return {
    process: text(one['process'], `${where}.process`),
    shares: Object.fromEntries(
      categories.map((category) => [category, amount(shares[category], `${where}.shares.${category}`)]),
    ) as CpuBreakdown,
    flameGraph,
  }
}

function list<Item>(value: unknown, where: string, most: number, read: (item: unknown, where: string) => Item): Item[] {
  if (!Array.isArray(value) || value.length > most) throw refused(where, value, `be a list of at most ${most}`)
  return value.map((item, index) => read(item, `${where}[${index}]`))
}

/** Of words for a person. */
function text(value: unknown, where: string): string {
  if (typeof value === 'string' && value.length <= textMax) return value
  throw refused(where, value, `be text of at most ${textMax} characters`)
}

function systemName(value: unknown, where: string): string {
  if (typeof value === 'string' && systemPattern.test(value)) return value
  throw refused(where, value, 'be the name of a system')
}

function amount(value: unknown, where: string): number {
  if (typeof value === 'number' && value >= 0 && value <= Number.MAX_SAFE_INTEGER) return value
  throw refused(where, value, 'be a number that is not negative')
}

function count(value: unknown, where: string): number {
  return integer(value, where, 0, Number.MAX_SAFE_INTEGER)
}

function refused(where: string, value: unknown, rule: string): Refusal {
  return new Refusal('ERR_NETWORK_FIELD', `${where} is ${shown(value)}, and must ${rule}`)
}
