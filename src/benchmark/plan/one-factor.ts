/**
 * One factor at a time: each is varied around a base point, while all others stay as they are there. Whatever needs no other start is measured in one.
 *
 * Contenders take turns (A B C, A B C, …): what else the machine does in an hour falls on all of them. What targets stand on is measured in each run;
 * the other starts take as long as they tell, and are made in three of five.
 */

import type { PlannedLoad, PlannedPoint, PlannedRound, PlannedSetup, Plan } from './plan.ts'
import { isOurs, faultModelOfSystem, replicasMin } from './systems.ts'
import { warmUpOf } from './warm-up.ts'

export const factors = [
  'outstanding',
  'bytes',
  'clients',
  'reads',
  'transactions',
  'open-loop',
  'fsync',
  'replicas',
  'round-trip',
  'failures',
  'profile',
] as const

export type Factor = (typeof factors)[number]

export interface PlanRequest {
  /** In the order of their turns. */
  systems: readonly string[]
  factors: readonly Factor[]
  outstanding: readonly number[]
  bytes: readonly number[]
  clients: readonly number[]
  /** Empty: what suits each system. */
  replicas: readonly number[]
  roundTripsMs: readonly number[]
  /** Of each start, before its first point. */
  warmUpSeconds: number
  seconds: number
  runs: number
}

export const defaults = {
  outstanding: [1, 4, 16, 64, 256, 1024, 4096],
  bytes: [16, 128, 1024, 16_384, 65_536],
  clients: [1, 16, 256],
  warmUpSeconds: 10,
  seconds: 3,
  runs: 5,
} as const

const base = { outstanding: 256, bytes: 128, clients: 1 } as const
const replicasOf = { crash: [3, 5, 7, 13], byzantine: [4, 7, 10, 13] } as const
const readsOutstanding = [1, 256]
const openPercents = [50, 80]
/** Below etcd's default limit of operations in a transaction, 128. */
const transaction = { kind: 'transaction', transactionPuts: 100, load: closed(16) } as const
const failureSeconds = 15
/** Of each point: what was under way before it was of another kind. */
const warmUpSeconds = 1
/** Of the runs, those of starts that no target stands on. */
const fewerShare = 0.6

interface Group {
  setup: Omit<PlannedSetup, 'system'>
  points: readonly PlannedPoint[]
  runs: number
  profile?: boolean
}

export function oneFactorPlan(request: PlanRequest): Plan {
  const groups = request.systems.map((system) => ({ system, groups: groupsOf(system, request) }))
  const most = Math.max(0, ...groups.map((one) => one.groups.length))
  const rounds: PlannedRound[] = []
  for (let run = 1; run <= request.runs; run++) {
    for (let index = 0; index < most; index++) {
      for (const { system, groups: own } of groups) {
        const group = own[index]
        if (group === undefined || run > group.runs) continue
        const { setup, points, profile = false } = group
        rounds.push({ run, system, ...setup, profile, warmUp: warmUpOf(points, request.warmUpSeconds), points })
      }
    }
  }
  return { rounds }
}

function groupsOf(system: string, request: PlanRequest): Group[] {
  const { runs, roundTripsMs } = request
  const has = (factor: Factor): boolean => request.factors.includes(factor)
  const { least: replicas, others } = replicasFor(system, request.replicas)
  const setup = { replicas, fsync: true, roundTripMs: 0 }
  const fewer = Math.ceil(runs * fewerShare)
  const few = [pointOf(request), pointOf(request, { load: closed(1) })]
  const groups: Group[] = [
    { setup, points: basePoints(request), runs },
    { setup, points: has('open-loop') ? openPoints(request) : [], runs: fewer },
    { setup: { ...setup, fsync: false }, points: has('fsync') ? few : [], runs: fewer },
    ...(has('replicas') ? others : []).map((count) => ({
      setup: { ...setup, replicas: count },
      points: [pointOf(request)],
      runs: fewer,
    })),
    ...(has('round-trip') ? roundTripsMs : []).map((roundTripMs) => ({
      setup: { ...setup, roundTripMs },
      points: few,
      runs: fewer,
    })),
    ...(has('failures') ? failuresOf(system) : []).map((failure) => ({
      setup,
      points: [pointOf(request, { seconds: failureSeconds, failure })],
      runs: 1,
    })),
    ...(has('profile') && isOurs(system) ? [replicas, ...others] : []).map((count) => ({
      setup: { ...setup, replicas: count },
      points: [pointOf(request)],
      runs: 1,
      profile: true,
    })),
  ]
  return groups.filter(({ points }) => points.length > 0)
}

/** All that one start at the base point has to show. Many clients come last: their connections take long to make. */
function basePoints(request: PlanRequest): PlannedPoint[] {
  const { factors: asked, outstanding, bytes, clients } = request
  const has = (factor: Factor): boolean => asked.includes(factor)
  const basis = baseOf(request)
  const points = [
    ...(has('outstanding') ? outstanding.map((count) => pointOf(request, { load: closed(count) })) : []),
    ...(has('bytes') ? bytes.map((operationBytes) => pointOf(request, { operationBytes })) : []),
    ...(has('reads') ? readsOutstanding : []).map((count) => pointOf(request, { kind: 'get', load: closed(count) })),
    ...(has('transactions') ? [pointOf(request, transaction)] : []),
    ...(has('clients') ? clients.map((count) => pointOf(request, { clients: count })) : []),
  ]
  // Open loops and what is compared with the base point need it.
  if (has('open-loop') || has('fsync') || has('replicas')) points.unshift(pointOf(request))
  const isBase = ({ kind, load, operationBytes, clients: count }: PlannedPoint): boolean =>
    kind === 'put' && isClosed(load, basis.outstanding) && operationBytes === basis.bytes && count === basis.clients
  return points.filter((point, index) => !isBase(point) || points.findIndex(isBase) === index)
}

function isClosed(load: PlannedLoad, outstanding: number): boolean {
  return load.loop === 'closed' && load.outstanding === outstanding
}

function openPoints(request: PlanRequest): PlannedPoint[] {
  return openPercents.map((percent) => pointOf(request, { load: { loop: 'open', percent } }))
}

/** The base point, but for what is named. */
function pointOf(request: PlanRequest, changes: Partial<PlannedPoint> = {}): PlannedPoint {
  const { outstanding, bytes, clients } = baseOf(request)
  const { seconds } = request
  return {
    kind: 'put',
    load: closed(outstanding),
    operationBytes: bytes,
    clients,
    warmUpSeconds,
    seconds,
    ...changes,
  }
}

function closed(outstanding: number): PlannedLoad {
  return { loop: 'closed', outstanding }
}

/** Whoever asks for other values alone means them at every point. */
function baseOf({ outstanding, bytes, clients }: PlanRequest): { outstanding: number; bytes: number; clients: number } {
  const among = (values: readonly number[], usual: number): number =>
    values.includes(usual) ? usual : (values[0] ?? usual)
  return {
    outstanding: among(outstanding, base.outstanding),
    bytes: among(bytes, base.bytes),
    clients: among(clients, base.clients),
  }
}

/** Peers are compared at one size; of too few replicas for one fault there is nothing to compare. */
function replicasFor(system: string, asked: readonly number[]): { least: number; others: readonly number[] } {
  const minimum = replicasMin(system)
  const usual: readonly number[] = isOurs(system) ? replicasOf[faultModelOfSystem(system)] : [minimum]
  const possible = asked.length === 0 ? usual : asked.filter((count) => count >= minimum)
  const least = possible.includes(minimum) ? minimum : (possible[0] ?? minimum)
  return { least, others: possible.filter((count) => count !== least) }
}

/** One that lies means nothing to those who believe everybody. */
function failuresOf(system: string): NonNullable<PlannedPoint['failure']>[] {
  const crashes = ['leader-killed', 'slow-replica'] as const
  return faultModelOfSystem(system) === 'byzantine' ? [...crashes, 'lying-replica'] : [...crashes]
}
