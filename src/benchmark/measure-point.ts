// One point on a system that runs: warmed up, counted before and after, and driven in between.

import { countedBetween } from './counted.ts'
import { armFailure } from './failures.ts'
import { runClosedLoop } from './load/closed-loop.ts'
import { hostClock } from './load/clock.ts'
import { runOpenLoop } from './load/open-loop.ts'
import { prepareOperations, Puts, type Operations } from './load/operations.ts'
import type { LoadOutcome } from './load/tally.ts'
import { cpuSecondsOf } from './process-cpu.ts'
import type { Point, PointResult } from './round.ts'
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
  const puts = new Puts(point.operationBytes, seed)
  const operations = prepareOperations(puts, point)
  if (point.kind === 'get') await fill(puts, clients[0]!)
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
