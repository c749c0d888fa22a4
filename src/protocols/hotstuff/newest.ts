// What brings others along: the highest certificate, and the reason for a view that does not follow it.

import type { ReplicaId } from '../../kernel/ids.ts'
import type { Newest } from './messages.ts'
import { type HotstuffState, type Step } from './state.ts'
import { mayAnswer } from '../../kernel/paced-answers.ts'

/** Whoever is in an earlier view gets what has brought this replica to its own. */
export function bringAlong(step: Step, to: ReplicaId): void {
  if (mayAnswer(step, 'newest', to)) step.effects.send(to, newest(step.state))
}

export function newest({ high, timeouts }: HotstuffState): Newest {
  return { kind: 'newest', certificate: high, timeouts }
}
