// A start in which a system checks itself and nothing is measured: once, when all else is done.

import { replicasMin } from './systems.ts'
import type { Plan } from './plan.ts'

export function withOwnCheck({ rounds }: Plan, system: string): Plan {
  const setup = { system, replicas: replicasMin(system), fsync: true, roundTripMs: 0 }
  const run = rounds.at(-1)?.run ?? 1
  return { rounds: [...rounds, { run, ...setup, profile: false, points: [], check: true }] }
}
