// How far this replica is, as it says it to others.

import type { Status } from './messages.ts'
import type { HotstuffState } from './state.ts'

export function statusMessage(state: HotstuffState, asks: boolean): Status {
  const { view, votedView, high, decidedHeight, ledger, firstOf } = state
  const proposed = votedView >= view || firstOf.has(view)
  const servesFrom = ledger.first ?? decidedHeight + 1
  return { kind: 'status', view, certificateView: high.view, proposed, decidedHeight, servesFrom, asks }
}
