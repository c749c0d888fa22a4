/**
 * What every start is loaded with before its first point, the same for all systems: first with many operations under way, which runs all of the code
 * often, and then with one, where an operation takes other ways through it and V8 has compiled little of them after a few seconds.
 */

import type { WarmUp } from '../round.ts'
import type { PlannedPoint } from './plan.ts'

const phases = [
  { outstanding: 256, share: 0.4 },
  { outstanding: 1, share: 0.6 },
] as const

/** Of the kinds that the points have, each for as long. A transaction is puts. */
export function warmUpOf(points: readonly PlannedPoint[], seconds: number): WarmUp[] {
  const kinds = [...new Set(points.map(({ kind }) => (kind === 'get' ? 'get' : 'put')))]
  return phases.flatMap(({ outstanding, share }) =>
    kinds.map((kind) => ({ kind, outstanding, seconds: (seconds * share) / kinds.length })),
  )
}
