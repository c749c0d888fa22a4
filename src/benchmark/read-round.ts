// What a round's process was told to do. It comes from a parent of the same version: only what a person may get wrong is looked for.

import { QuorateError } from '../kernel/quorate-error.ts'
import type { Point, Round } from './round.ts'

/** Left after which a point that follows would measure something else. */
const lasting: readonly Point['failure'][] = ['leader-killed', 'lying-replica']

/** Throws a QuorateError. */
export function readRound(text: string | undefined): Round {
  const round = parsed(text)
  const { points } = round
  const spoiling = points.findIndex(({ failure }) => lasting.includes(failure))
  if (spoiling < 0 || spoiling === points.length - 1) return round
  const which = `point ${spoiling + 1} of ${points.length}`
  throw new QuorateError(
    'ERR_BENCHMARK_ROUND',
    `${which} leaves a replica dead or lying: let it be the last of its round`,
  )
}

function parsed(text: string | undefined): Round {
  try {
    const round = JSON.parse(text ?? '') as Partial<Round>
    if (Array.isArray(round.points) && typeof round.setup?.dir === 'string') return round as Round
  } catch {
    // Told below.
  }
  throw new QuorateError('ERR_BENCHMARK_ROUND', 'the argument is no round as JSON: see src/benchmark/round.ts')
}
