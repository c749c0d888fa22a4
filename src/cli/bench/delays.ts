// Delays between replicas need root and a kernel with netem. Whether they are there is tried before anything starts, and not after an hour.

import type { createNetworkNamespace } from '../../benchmark/network-namespace.ts'
import type { Plan } from '../../benchmark/plan/plan.ts'
import { UsageError } from '../options.ts'

/** Makes the network of the longest delay that is asked for, and removes it. Throws a UsageError that says what is missing. */
export function requireDelays({ rounds }: Plan, create: typeof createNetworkNamespace): void {
  const longestMs = Math.max(0, ...rounds.map(({ roundTripMs }) => roundTripMs))
  if (longestMs === 0) return
  try {
    create(longestMs).remove()
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}
