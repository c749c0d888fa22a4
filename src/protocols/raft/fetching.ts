// Asking for a state: what the leader no longer has as entries.

import type { Height, ReplicaId } from '../../kernel/ids.ts'
import type { RaftState, Step } from './state.ts'

/** Asks once; the host goes on asking until it has a state. */
export function wantState({ state, effects }: Step, offered: Height): void {
  const { log, decidedHeight } = state
  // What the present leader lacks counts, not what an earlier one lacked: that one may be gone, and nobody else have so high a state.
  const minimumHeight = decidedHeight < log.baseIndex ? Math.max(offered, log.baseIndex) : offered
  if (minimumHeight <= decidedHeight || minimumHeight === state.wantedState) return
  state.wantedState = minimumHeight
  effects.fetch({ kind: 'state', minimumHeight }, sources(state))
  effects.note({ kind: 'state-wanted', detail: { minimumHeight } })
}

/** The leader, if one is known, and all others. */
function sources({ membership, self, leader }: RaftState): ReplicaId[] {
  const others = membership.all.filter((member) => member !== self && member !== leader)
  return leader === null || leader === self ? others : [leader, ...others]
}
