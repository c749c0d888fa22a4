// Questions cost their sender nothing: so many answers of a kind to one peer within `timers.retransmitMs`.

import type { ReplicaId } from './ids.ts'
import type { Parameters } from './parameters.ts'
import type { Now } from './protocol.ts'

export const answersMax = 4

export interface Answering {
  readonly parameters: Pick<Parameters, 'timers'>
  /** When the last one of each kind went to each peer. */
  readonly answered: Map<string, number>
}

export function mayAnswer({ state, now }: { state: Answering; now: Now }, kind: string, to: ReplicaId): boolean {
  const name = `${kind} ${to}`
  const { retransmitMs } = state.parameters.timers
  if (now.monotonicMs - (state.answered.get(name) ?? -Infinity) < retransmitMs / answersMax) return false
  state.answered.set(name, now.monotonicMs)
  return true
}
