// A follower hands requests on to whoever proposes next, and to everybody when that comes to nothing, so that all of them watch the view.

import type { ReplicaId } from '../../kernel/ids.ts'
import { forwardedAgainBytesMax } from '../../kernel/limits.ts'
import { leaderAfter, leaderInTurn } from './leaders.ts'
import { leaderNow } from './node-header.ts'
import { timer, type HotstuffState, type Step } from './state.ts'
import { timeoutMs } from './views.ts'

/** Who will propose next: the view's leader, or the next one's when this view has its proposal. */
export function nextLeader(state: HotstuffState): ReplicaId {
  const { view, votedView, firsts } = state
  const [first] = firsts.of(view)
  if (first !== undefined) return leaderAfter(state, first.header)
  return votedView >= view ? leaderInTurn(state, view + 1) : leaderNow(state)
}

export function handOn(step: Step): void {
  const { state, effects } = step
  const { pool } = state.ports
  if (pool.oldestWaitingSinceMs() === null) return
  const leader = nextLeader(state)
  if (leader !== state.self) pool.forward(leader)
  if (state.forwardArmed) return
  state.forwardArmed = true
  effects.arm(timer.forward, timeoutMs(state) / 2)
}

export function onForwardTimer(step: Step): void {
  const { state, now, effects } = step
  const { pool } = state.ports
  state.forwardArmed = false
  const sinceMs = pool.oldestWaitingSinceMs()
  if (sinceMs === null) return
  const halfMs = timeoutMs(state) / 2
  if (now.monotonicMs - sinceMs >= halfMs) {
    pool.forwardAgain(forwardedAgainBytesMax)
    for (const voter of state.membership.voters) if (voter !== state.self) pool.forward(voter, forwardedAgainBytesMax)
  }
  state.forwardArmed = true
  effects.arm(timer.forward, halfMs)
}
