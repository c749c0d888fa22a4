// What is measured, in which order: a list of rounds. In each a system starts fresh, is measured at some points, and stops.

import type { Point, WarmUp } from '../round.ts'

export interface Plan {
  rounds: readonly PlannedRound[]
}

/** How a system is started. */
export interface PlannedSetup {
  /** See systems/table.ts. */
  system: string
  replicas: number
  /** False: its files lie in memory. */
  fsync: boolean
  /** 0: as the machine is. */
  roundTripMs: number
}

export interface PlannedRound extends PlannedSetup {
  /** From 1: how often this was measured before, and once more. */
  run: number
  /** Measured with a profiler in each process: where CPU goes, and not how fast it is. */
  profile: boolean
  /** Before the first point; absent: as plans had it before. */
  warmUp?: readonly WarmUp[]
  points: readonly PlannedPoint[]
  /** After the last point the system checks itself, and its words stand in the report. */
  check?: boolean
}

export type PlannedLoad =
  | { loop: 'closed'; outstanding: number }
  /** A share of the most that the closed loop of the same system has reached, in percent. */
  | { loop: 'open'; percent: number }

export type PlannedPoint = Omit<Point, 'load'> & { load: PlannedLoad }

/** What was asked for, without how long and in which run: what of several runs belongs together has one name. */
export function pointKey(setup: PlannedSetup, point: PlannedPoint): string {
  const { system, replicas, fsync, roundTripMs } = setup
  const { kind, load, operationBytes, clients, transactionPuts = 0, failure = '' } = point
  const loaded = load.loop === 'closed' ? `${load.outstanding}` : `${load.percent}%`
  return [system, replicas, fsync, roundTripMs, kind, loaded, operationBytes, clients, transactionPuts, failure].join(
    ' ',
  )
}
