// How long a plan takes, before it begins. Figures are of two cores; a round that takes far longer is given up.

import type { Plan, PlannedPoint, PlannedRound } from './plan.ts'

/** Without --grid. */
export const planMinutesMax = 60

const startSeconds = 2
const replicaSeconds = 0.6
const stopSeconds = 1.5
/** What is under way at the end of a point is waited for, and clients come and go. */
const pointSeconds = 0.4
/** Until the last answer has come. */
const warmUpRestSeconds = 0.1
/** Of a system's own check of itself: etcdctl's load takes a minute. */
const checkSeconds = 65
/** Of one client to one replica: handshakes of both, on cores that they share. */
const connectionSeconds = 0.008
/** Handshakes and first elections take so many round trips. */
const roundTripsToStart = 30
const yardstickSeconds = 2

export function roundSeconds({ replicas, roundTripMs, warmUp = [], points, check = false }: PlannedRound): number {
  const start = startSeconds + replicas * replicaSeconds + (roundTripsToStart * roundTripMs) / 1000
  const warm = warmUp.reduce((sum, { seconds }) => sum + seconds + warmUpRestSeconds, 0)
  const measured = points.reduce((sum, point) => sum + secondsOf(point, replicas), 0)
  return start + warm + measured + (check ? checkSeconds : 0) + stopSeconds
}

export function planSeconds({ rounds }: Plan): number {
  const runs = new Set(rounds.map(({ run }) => run)).size
  return rounds.reduce((sum, round) => sum + roundSeconds(round), 0) + runs * yardstickSeconds
}

/** After so long something hangs. */
export function patienceSeconds(round: PlannedRound): number {
  return 60 + 3 * roundSeconds(round)
}

function secondsOf({ warmUpSeconds, seconds, clients }: PlannedPoint, replicas: number): number {
  return warmUpSeconds + seconds + pointSeconds + clients * replicas * connectionSeconds
}
