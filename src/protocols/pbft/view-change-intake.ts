// The view changes of others: who joins them, and when the wait for the primary of the next view begins (PBFT §4.4, §4.5.2).

import { equalBytes } from '../../wire/equal-bytes.ts'
import type { ReplicaId } from '../../kernel/ids.ts'
import { accuseOfViewChange } from './evidence-making.ts'
import type { ViewChange } from './messages.ts'
import { onCitedViewChange, sendNewView } from './new-views.ts'
import { timeoutMs, timer, type KnownViewChange, type Step } from './state.ts'
import { mayAnswer } from '../../kernel/paced-answers.ts'
import { isSignedViewChange, viewChangeDigest } from './statements.ts'
import { askForView, keep } from './view-changes.ts'

export function onViewChange(step: Step, from: ReplicaId, message: ViewChange): void {
  const { state } = step
  const { sender, view } = message
  if (!state.membership.isVoter(sender) || sender === state.self) return
  if (sender !== from) return onCitedViewChange(step, message)
  // It is behind: the proof of where the others are brings it there.
  if (view < state.view || (view === state.view && state.active)) {
    if (mayAnswer(step, 'new-view', from)) sendNewView(step, from)
    return
  }
  const known = state.viewChanges.get(sender)
  if (known !== undefined && known.viewChange.view > view) return
  if (known !== undefined && known.viewChange.view === view) return onSameView(step, known, message)
  if (!isSignedViewChange(state, message)) return drop(step, from, 'a wrong signature')
  // However far ahead: one for each sender, and nobody moves without `oneCorrect` (B5).
  state.viewChanges.set(sender, keep(state, message))
  if (view === state.view) state.judged.delete(sender)
  onCitedViewChange(step, message)
  join(step)
}

function onSameView(step: Step, known: KnownViewChange, message: ViewChange): void {
  const { state } = step
  if (equalBytes(known.digest, viewChangeDigest(state, message))) return onCitedViewChange(step, message)
  if (!isSignedViewChange(state, message)) return drop(step, message.sender, 'a wrong signature')
  accuseOfViewChange(step, known.viewChange, message)
  // The one that the primary has cited is of use all the same.
  onCitedViewChange(step, message)
}

/** So many ask for later views that one of them is correct: the highest view that so many ask for, or one above it. */
function join(step: Step): void {
  const { state } = step
  const { oneCorrect } = state.membership
  const views = [...state.viewChanges.values()]
    .filter(({ viewChange }) => viewChange.sender !== state.self)
    .map(({ viewChange }) => viewChange.view)
    .sort((left, right) => right - left)
  const view = views[oneCorrect - 1]
  if (view !== undefined && view > state.view) askForView(step, view)
}

/** With a quorum the wait for the primary of the next view begins (PBFT §4.5.2). */
export function countViewChanges(step: Step): void {
  const { state, now, effects } = step
  if (state.active) return
  // Whoever has gone on asks for later views: they are all waiting, and none of them alone (README.md, deviation 3).
  const asking = [...state.viewChanges.values()].filter(({ viewChange }) => viewChange.view >= state.view)
  if (asking.length < state.membership.quorum) return
  if (state.newViewDueMs !== null) return
  state.newViewDueMs = now.monotonicMs + timeoutMs(state)
  effects.arm(timer.newView, timeoutMs(state))
}

export function onNewViewTimer(step: Step): void {
  const { state, now, effects } = step
  if (state.active || state.newViewDueMs === null) return
  if (state.newViewDueMs > now.monotonicMs || state.stalled) {
    return effects.arm(
      timer.newView,
      Math.max(1, state.newViewDueMs - now.monotonicMs, state.stalled ? timeoutMs(state) : 0),
    )
  }
  effects.note({ kind: 'new-view-timeout', detail: { view: state.view } })
  askForView(step, state.view + 1)
}

function drop({ effects }: Step, from: ReplicaId, reason: string): void {
  effects.note({ kind: 'view-change-dropped', detail: { from, reason } })
}
