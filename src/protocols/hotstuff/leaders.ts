// Who leads a view: a function of what is agreed, and of nothing else.

import type { ReplicaId, View } from '../../kernel/ids.ts'
import type { Membership } from '../../kernel/membership.ts'
import type { Parameters } from '../../kernel/parameters.ts'

interface Agreed {
  readonly membership: Membership
  readonly parameters: Parameters
}

/** Views count from 1. */
export function leaderOf({ membership, parameters }: Agreed, view: View): ReplicaId {
  const { leaders, tenureViews } = parameters.hotstuff
  const { voters } = membership
  const turn = leaders === 'tenure' ? Math.floor(view / tenureViews) : view
  return voters[turn % voters.length]!
}
