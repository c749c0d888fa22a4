// Every value of every factor with every other: takes as long as it takes.

import type { PlannedPoint, PlannedRound, Plan } from './plan.ts'
import type { PlanRequest } from './one-factor.ts'
import { replicasMin } from './systems.ts'
import { warmUpOf } from './warm-up.ts'

const warmUpSeconds = 2

export function gridPlan(request: PlanRequest): Plan {
  const { systems, replicas, roundTripsMs, runs } = request
  const points = pointsOf(request)
  const warmUp = warmUpOf(points, request.warmUpSeconds)
  const rounds: PlannedRound[] = []
  for (let run = 1; run <= runs; run++) {
    for (const roundTripMs of roundTripsMs.length === 0 ? [0] : roundTripsMs) {
      for (const fsync of request.factors.includes('fsync') ? [true, false] : [true]) {
        const counts = replicas.length === 0 ? [null] : replicas
        for (const count of counts) {
          for (const system of systems) {
            const minimum = replicasMin(system)
            if (count !== null && count < minimum) continue
            const setup = { system, replicas: count ?? minimum, fsync, roundTripMs }
            rounds.push({ run, ...setup, profile: false, warmUp, points })
          }
        }
      }
    }
  }
  return { rounds }
}

function pointsOf({ outstanding, bytes, clients, factors, seconds }: PlanRequest): PlannedPoint[] {
  const kinds = factors.includes('reads') ? (['put', 'get'] as const) : (['put'] as const)
  return clients.flatMap((count) =>
    kinds.flatMap((kind) =>
      bytes.flatMap((operationBytes) =>
        outstanding.map((under): PlannedPoint => {
          const load = { loop: 'closed', outstanding: under } as const
          return { kind, load, operationBytes, clients: count, warmUpSeconds, seconds }
        }),
      ),
    ),
  )
}
