// What others say of themselves, as far as it can be believed.

import type { Height } from '../../kernel/ids.ts'
import type { HotstuffState } from './state.ts'

/** The highest that one correct replica has decided, or that is certified. */
export function decidedByOthers({ membership, claims, certified, decidedHeight }: HotstuffState): Height {
  const heights = [...claims]
    .filter(([replica]) => membership.isVoter(replica))
    .map(([, claim]) => claim.decidedHeight)
    .sort((left, right) => right - left)
  return Math.max(decidedHeight, heights[membership.oneCorrect - 1] ?? 0, certified?.header.height ?? 0)
}

/** The host looks for one until it has it, or blocks have brought this replica as far. */
export function isStateWanted({ stateWanted, decidedHeight }: HotstuffState): boolean {
  return stateWanted > decidedHeight
}
