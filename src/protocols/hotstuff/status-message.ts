// How far this replica is, as it says it to others.

import type { Status } from './messages.ts'
import type { HotstuffState } from './state.ts'

export function statusMessage(state: HotstuffState, asks: boolean): Status {
  const { view, votedView, high, decidedHeight, ledger, firsts } = state
  const proposed = votedView >= view || firsts.of(view).length > 0
  const servesFrom = ledger.first ?? decidedHeight + 1
  return { kind: 'status', view, certificateView: high.view, proposed, decidedHeight, servesFrom, asks }
}
