// What signatures of independent clients leave possible: each replica verifies each envelope, and that alone takes a core so long.

import { isOurs, faultModelOfSystem } from '../plan/systems.ts'
import { spread, spreadOf, type Figure, type Spread } from './figures.ts'
import type { Report } from './report.ts'

export interface Ceiling {
  figure: Figure
  verifyMicroseconds: number
  /** If the cores did nothing but verify. */
  operationsPerSecond: number
  reached: Spread
}

/** Of points with several clients, where envelopes are signed: the more clients, the fewer operations share a signature. */
export function ceilingsOf({ yardsticks, machine }: Report, figures: readonly Figure[]): Ceiling[] {
  const verifies = spreadOf(yardsticks.map((one) => one.verifies))?.median ?? 0
  if (verifies === 0) return []
  return figures.flatMap((figure) => {
    const { setup, point } = figure
    const isSigned = isOurs(setup.system) && faultModelOfSystem(setup.system) === 'byzantine' && point.kind === 'put'
    const reached = spread(figure, (one) => one.operationsPerSecond)
    if (!isSigned || point.clients === 1 || point.load.loop === 'open' || reached === null) return []
    // A client's operations that are under way share one envelope at best.
    const envelopes = Math.min(point.clients, point.load.outstanding)
    const secondsOfCpu = (envelopes * setup.replicas) / verifies
    const operationsPerSecond = (machine.cores * point.load.outstanding) / secondsOfCpu
    return [{ figure, verifyMicroseconds: 1e6 / verifies, operationsPerSecond, reached }]
  })
}
