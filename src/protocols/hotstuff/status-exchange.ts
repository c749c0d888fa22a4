// Retransmission: whoever has unfinished business that does not move says how far it is, and gets what it lacks.

import type { ReplicaId } from '../../kernel/ids.ts'
import { askAgain } from './ancestors.ts'
import { decidedByOthers } from '../../kernel/catching-up.ts'
import type { Status } from './messages.ts'
import { bringAlong } from './newest.ts'
import { hasVoice, timer, type Claim, type HotstuffState, type Step } from './state.ts'
import { mayAnswer } from '../../kernel/paced-answers.ts'
import { statusMessage } from './status-message.ts'

/** After a start: until a quorum has answered, nobody knows what was missed. */
export function askForHelp({ state, effects }: Step): void {
  effects.broadcast(statusMessage(state, true))
}

/** An idle replica says how far it is after so many looks, after twice as many, and so on; in the end each time after the most. */
export const idleLooksMin = 4
export const idleLooksMax = 64

export function onStatusTimer(step: Step): void {
  const { state, effects } = step
  effects.arm(timer.status, state.parameters.timers.retransmitMs)
  // What was said last is not on its way yet: a second copy would not come earlier.
  const hangs = state.durable < state.lastPersisted && state.durable === state.durableAtLook
  state.durableAtLook = state.durable
  const mark = markOf(state)
  const hasMoved = mark !== state.progressMark
  state.progressMark = mark
  if (hangs) return
  askAgain(step)
  const isHelped = state.heard.size >= state.membership.quorum - 1
  const isIdle = isHelped && !isUnfinished(state)
  state.idleLooks = isIdle && !hasMoved ? state.idleLooks + 1 : 0
  if (isIdle) return sayWhenIdle(step)
  if (!isHelped) askForHelp(step)
  else if (hasMoved) return
  repeat(step)
  effects.broadcast(statusMessage(state, false))
  for (const claim of state.claims.values()) claim.asked = true
}

/** Byte for byte as it was said. */
function repeat({ state, effects }: Step): void {
  const { view, timeout, vote } = state
  if (timeout !== null && timeout.view === view) effects.broadcast(timeout)
  else if (vote !== null && vote.said.view === view && vote.to !== state.self) effects.send(vote.to, vote.said)
}

function markOf({ view, high, decidedHeight, votes, timeoutsOf, tree }: HotstuffState): string {
  return `${view} ${high.view} ${decidedHeight} ${tree.size} ${votes.size} ${timeoutsOf.size}`
}

/** A view that something waits for, a node that lacks, a height that others have. */
function isUnfinished(state: HotstuffState): boolean {
  if (state.viewDueMs !== null || state.lacking.size > 0 || state.timeout?.view === state.view) return true
  if (state.committed !== null || decidedByOthers(state) > state.decidedHeight) return true
  for (const { isEmpty } of state.tree.all()) if (!isEmpty) return true
  return [...state.claims.values()].some((claim) => isNews(state, claim))
}

/** Somebody says that it is ahead: the others are asked once whether that is so. */
function isNews({ decidedHeight, view }: HotstuffState, claim: Claim): boolean {
  return (claim.decidedHeight > decidedHeight || claim.view > view) && !claim.asked
}

/** Whoever lags in an idle network does not know it until it is told. */
function sayWhenIdle({ state, effects }: Step): void {
  const { idleLooks } = state
  if (!hasVoice(state)) return
  const isDue = idleLooks > idleLooksMax ? idleLooks % idleLooksMax === 0 : (idleLooks & (idleLooks - 1)) === 0
  if (idleLooks >= idleLooksMin && isDue) effects.broadcast(statusMessage(state, false))
}

export function onStatus(step: Step, from: ReplicaId, message: Status): void {
  const { state, effects } = step
  const { view, certificateView, proposed, decidedHeight, servesFrom, asks } = message
  const known = state.claims.get(from)
  const asked = known !== undefined && known.asked && known.decidedHeight === decidedHeight && known.view === view
  state.claims.set(from, { view, decidedHeight, servesFrom, asked })
  if (state.membership.isVoter(from)) state.heard.add(from)
  if (!mayAnswer(step, 'status', from)) return
  if (view < state.view || certificateView < state.high.view) bringAlong(step, from)
  else if (view === state.view && !proposed) repeatProposal(step, from)
  if (asks || decidedHeight < state.decidedHeight) effects.send(from, statusMessage(state, false))
}

function repeatProposal({ state, effects }: Step, to: ReplicaId): void {
  const node = state.firsts.by(state.self, state.view)
  if (node !== undefined) effects.send(to, node.proposal)
}
