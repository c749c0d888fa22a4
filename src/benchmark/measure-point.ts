// One point on a system that runs: warmed up, counted before and after, and driven in between.

import { countedBetween } from './counted.ts'
import { armFailure } from './failures.ts'
import { runClosedLoop } from './load/closed-loop.ts'
import { hostClock } from './load/clock.ts'
import { runOpenLoop } from './load/open-loop.ts'
import { prepareOperations, Puts, type Operations } from './load/operations.ts'
import type { LoadOutcome } from './load/tally.ts'
import { cpuSecondsOf } from './process-cpu.ts'
import type { Point, PointResult, WarmUp } from './round.ts'
import type { RunningSystem, SystemClient } from './system.ts'

/** Puts under way while the keys are filled that a point will read. */
const fillingTogether = 64

export interface MeasureOptions {
  running: RunningSystem
  clients: readonly SystemClient[]
  point: Point
  seed: number
}

export async function measurePoint({ running, clients, point, seed }: MeasureOptions): Promise<PointResult> {
  const operations = await prepared(point, seed, clients[0]!)
  if (point.warmUpSeconds > 0) await drive(point, point.warmUpSeconds, operations, clients)
  const before = { counters: await running.counters(), cpu: cpuOf(running), own: process.cpuUsage() }
  const end = point.failure === undefined ? () => {} : armFailure(point.failure, point.seconds, running, hostClock)
  const outcome = await drive(point, point.seconds, operations, clients)
  end()
  const own = process.cpuUsage(before.own)
  const after = cpuOf(running)
  return {
    point,
    seconds: outcome.seconds,
    operations: outcome.operations,
    failed: outcome.failed,
    latency: outcome.latency.encode(),
    cpuSeconds: {
      processes: after.map((seconds, index) => Math.max(seconds - before.cpu[index]!, 0)),
      generator: (own.user + own.system) / 1e6,
    },
    counters: countedBetween(before.counters, await running.counters()),
    ...(point.failure === undefined ? {} : { timeline: outcome.timeline }),
  }
}

/** Loads a system without measuring it: the operations are those of `point`, which comes next. */
export async function warmUp(
  { clients, point, seed }: Omit<MeasureOptions, 'running'>,
  phases: readonly WarmUp[],
): Promise<void> {
  for (const { kind, outstanding, seconds } of phases) {
    const load = { loop: 'closed', outstanding } as const
    const { operationBytes, clients: count } = point
    const phase: Point = { kind, load, operationBytes, clients: count, warmUpSeconds: 0, seconds }
    await drive(phase, seconds, await prepared(phase, seed, clients[0]!), clients)
  }
}

async function prepared(point: Point, seed: number, client: SystemClient): Promise<Operations> {
  const puts = new Puts(point.operationBytes, seed)
  if (point.kind === 'get') await fill(puts, client)
  return prepareOperations(puts, point)
}

function drive(
  { load }: Point,
  seconds: number,
  operations: Operations,
  clients: readonly SystemClient[],
): Promise<LoadOutcome> {
  const options = { clients, operations, clock: hostClock, seconds }
  return load.loop === 'closed'
    ? runClosedLoop({ ...options, outstanding: load.outstanding })
    : runOpenLoop({ ...options, perSecond: load.perSecond })
}

async function fill(puts: Puts, client: SystemClient): Promise<void> {
  for (let from = 0; from < puts.keys.length; from += fillingTogether) {
    await Promise.all(Array.from({ length: fillingTogether }, (_, index) => puts.begin(client, from + index)))
  }
}

/** Whoever was killed has had none since: nobody counts the dead. */
function cpuOf({ processes }: RunningSystem): number[] {
  return processes.map(({ pid }) => {
    try {
      return cpuSecondsOf(pid)
    } catch {
      return 0
    }
  })
}
