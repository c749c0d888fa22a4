// Giving views up: timers run only while something is to be done, and a quorum's timeouts open the next view.

import type { ReplicaId, View } from '../../kernel/ids.ts'
import { accuseOfTimeouts } from './evidence-making.ts'
import { decidedByOthers } from '../../kernel/catching-up.ts'
import { onCertificate } from './chain.ts'
import type { Newest, Timeout } from './messages.ts'
import { letGoOfOthers } from './holding.ts'
import { bringAlong } from './newest.ts'
import { hasVoice, persist, timer, type HotstuffState, type Step } from './state.ts'
import { looksAhead } from './prospects.ts'
import { signTimeout } from './statements.ts'
import { onTimeoutCertificate, timeoutMs } from './views.ts'

/** Something waits for this view to bring it on: requests, or a block of requests that is not committed. */
function isBusy(state: HotstuffState): boolean {
  const { tree, committed, decidedHeight, executedHeight, parameters, ports } = state
  const { high, firsts, view, timeout, stalled } = state
  // R20: a slow application is not a bad leader; and whoever lags has to catch up first.
  if (decidedHeight - executedHeight >= parameters.flow.executionLagBlocksMax) return false
  if (decidedByOthers(state) > decidedHeight) return false
  if (stalled) return false
  if (ports.pool.oldestWaitingSinceMs() !== null) return true
  // What a leader would bring to an end: the chain that leads to the highest certificate, and this view's own blocks while it may be certified.
  const top = tree.get(high.node)
  const underWay = top === null ? [] : tree.descent(top, Infinity)
  if (timeout?.view !== view) underWay.push(...firsts.of(view))
  const settled = committed?.node.height ?? decidedHeight
  return underWay.some(({ isEmpty, height }) => !isEmpty && height > settled)
}

/** Looked at after each input: the timer begins with the first reason for it in the view. */
export function watchView({ state, now, effects }: Step): void {
  if (!hasVoice(state) || state.timeout?.view === state.view || !isBusy(state)) {
    if (state.viewDueMs !== null) effects.disarm(timer.view)
    state.viewDueMs = null
    state.busySinceMs = null
    return
  }
  state.busySinceMs ??= now.monotonicMs
  const dueMs = state.busySinceMs + timeoutMs(state)
  if (state.viewDueMs === dueMs) return
  state.viewDueMs = dueMs
  effects.arm(timer.view, Math.max(1, dueMs - now.monotonicMs))
}

export function onViewTimer(step: Step): void {
  const { state, now, effects } = step
  if (state.viewDueMs === null || now.monotonicMs < state.viewDueMs || state.stalled) {
    // Armed anew after this step, if there is still a reason.
    state.viewDueMs = null
    return
  }
  state.viewDueMs = null
  effects.note({ kind: 'view-timeout', detail: { view: state.view } })
  giveUp(step, state.view)
}

/** From here on this replica votes in no view up to this one, whatever it learns (R2). Signed once, on disk first. */
function giveUp(step: Step, view: View): void {
  const { state, effects } = step
  if (!hasVoice(state) || (state.timeout !== null && state.timeout.view >= view)) return
  const certificateView = state.high.view
  const signature = signTimeout(state, { view, certificateView })
  const timeout: Timeout = { kind: 'timeout', view, certificateView, certificate: state.high, signature }
  state.timeoutPersisted = persist(step, { kind: 'timeout', timeout })
  state.timeout = timeout
  state.votedView = Math.max(state.votedView, view)
  if (view > state.view) {
    state.view = view
    state.timeouts = null
  }
  state.timeoutsOf.set(state.self, timeout)
  letGoOfOthers(state)
  effects.note({ kind: 'view-given-up', detail: { view } })
  effects.broadcast(timeout)
  countTimeouts(step)
}

export function onTimeout(step: Step, from: ReplicaId, timeout: Timeout): void {
  const { state } = step
  const { view, certificateView, certificate, signature } = timeout
  if (!state.membership.isVoter(from)) return
  // One too many for the quorum that has opened this view is not answered: its sender hears of that quorum from all, or says by his status that he does not.
  if (view < state.view && view !== state.timeouts?.view) bringAlong(step, from)
  // One of the view before that comes after the quorum had come shows that its sender is there.
  if (view < state.view && (view < state.view - 1 || !looksAhead(state))) return
  const known = state.timeoutsOf.get(from)
  if (known !== undefined && known.view > view) return
  if (known !== undefined && known.view === view && known.certificateView === certificateView) return
  // Its certificate is what it signs for, and no later than what it gives up.
  if (certificate.view !== certificateView || certificateView > view) return
  if (!state.certificates.holdsTimeout(from, { view, certificateView }, signature)) return
  if (known !== undefined && known.view === view) return accuseOfTimeouts(step, from, known, timeout)
  const genuine = state.certificates.genuine(certificate)
  if (genuine === null) return
  state.timeoutsOf.set(from, { ...timeout, certificate: genuine })
  onCertificate(step, genuine, from)
  countTimeouts(step)
}

/** A quorum for one view makes its certificate; when one correct replica has given up this view or a later one, so does this one. */
export function countTimeouts(step: Step): void {
  const { state } = step
  const { membership, timeoutsOf } = state
  const views = [...timeoutsOf.values()].map(({ view }) => view).sort((left, right) => right - left)
  const highest = views[membership.oneCorrect - 1]
  if (highest !== undefined && highest >= state.view) giveUp(step, highest)
  const complete = views.find(
    (view) => view >= state.view && views.filter((one) => one === view).length >= membership.quorum,
  )
  if (complete === undefined) return
  const timeouts = [...timeoutsOf]
    .filter(([, { view }]) => view === complete)
    .map(([replica, { certificateView, signature }]) => ({ replica, certificateView, signature }))
    .sort((left, right) => left.replica - right.replica)
  onTimeoutCertificate(step, { view: complete, timeouts })
}

export function onNewest(step: Step, from: ReplicaId, { certificate, timeouts }: Newest): void {
  const { state } = step
  if (certificate.view > state.high.view || state.certificates.find(certificate.view, certificate.node) === null) {
    const genuine = state.certificates.genuine(certificate)
    if (genuine === null)
      return step.effects.note({ kind: 'false-certificate', detail: { from, view: certificate.view } })
    onCertificate(step, genuine, from)
  } else onCertificate(step, state.certificates.find(certificate.view, certificate.node)!, from)
  if (timeouts !== null && timeouts.view >= state.view && state.certificates.holds(timeouts))
    onTimeoutCertificate(step, timeouts)
}
