// Retransmission (Castro's thesis §5.2): whoever has unfinished business says how far it is, and gets just what it lacks.

import { emptyPayload } from '../../kernel/block.ts'
import type { Height, ReplicaId } from '../../kernel/ids.ts'
import { knownSlots, repeatedVote } from './agreement.ts'
import { slotStage, windowBlocksMax, type AskViewChanges, type Status } from './messages.ts'
import { decidedByOthers } from '../../kernel/catching-up.ts'
import { askForCited, sendNewView } from './new-views.ts'
import { payloadOf, wantLackingPayloads } from './payloads.ts'
import type { Slot } from './slot.ts'
import { hasVoice, inWindow, isPrimary, primaryOf, timer, type Claim, type PbftState, type Step } from './state.ts'
import { mayAnswer } from '../../kernel/paced-answers.ts'
import { repeatWish } from './suspicion.ts'

/** Payloads that one status may bring, however many are lacking: the next one brings more. One is always brought. */
export const repeatedBytesMax: number = 1024 * 1024

export function statusMessage(state: PbftState, asks: boolean): Status {
  const { view, active, decidedHeight, ledger } = state
  const stages: number[] = []
  for (const slot of knownSlots(state)) {
    const index = slot.height - decidedHeight - 1
    if (index < 0) continue
    // Decided and not handed over yet: others have nothing to send for it.
    if (index >= windowBlocksMax) break
    while (stages.length < index) stages.push(slotStage.nothing)
    stages.push(slot.stage(view))
  }
  return { kind: 'status', view, active, decidedHeight, servesFrom: ledger.first ?? decidedHeight + 1, stages, asks }
}

/** After a start: until a quorum has answered, nobody knows what was missed. */
export function askForHelp({ state, effects }: Step): void {
  effects.broadcast(statusMessage(state, true))
}

/** An idle replica says how far it is after so many looks, after twice as many, and so on; in the end each time after the most. */
export const idleLooksMin = 4
export const idleLooksMax = 64

/** What is unfinished and has not moved since the last look. */
export function onStatusTimer(step: Step): void {
  const { state, effects } = step
  effects.arm(timer.status, state.parameters.timers.retransmitMs)
  // What was said last is not on its way yet: a second copy would not come earlier. A disk that is only busy lets it through.
  const hangs = state.durable < state.lastPersisted && state.durable === state.durableAtLook
  state.durableAtLook = state.durable
  const mark = markOf(state)
  const hasMoved = mark !== state.progressMark
  state.progressMark = mark
  if (hangs) return
  const isHelped = state.heard.size >= state.membership.quorum - 1
  const isIdle = isHelped && !isUnfinished(state)
  state.idleLooks = isIdle && !hasMoved ? state.idleLooks + 1 : 0
  if (isIdle) return sayWhenIdle(step)
  if (!isHelped) askForHelp(step)
  else if (hasMoved) return
  if (!state.active && state.asked !== null && state.asked.viewChange.view === state.view) {
    effects.broadcast(state.asked.viewChange)
  }
  askForCited(step)
  repeatWish(step)
  wantLackingPayloads(step)
  effects.broadcast(statusMessage(state, false))
  for (const claim of state.claims.values()) claim.asked = true
}

/**
 * Whoever lags does not know it until it is told, and the primary, whose heartbeat would tell, may be silent while there is nothing for which it
 * could be blamed. So each voter speaks once the last block is old, ever more seldom, and whoever hears of a higher one asks.
 */
function sayWhenIdle({ state, effects }: Step): void {
  const { idleLooks, membership, self } = state
  if (isPrimary(state) || !membership.isVoter(self)) return
  const isDue = idleLooks > idleLooksMax ? idleLooks % idleLooksMax === 0 : isPowerOfTwo(idleLooks)
  if (idleLooks >= idleLooksMin && isDue) effects.broadcast(statusMessage(state, false))
}

function isPowerOfTwo(count: number): boolean {
  return (count & (count - 1)) === 0
}

/** Of the lowest slot that is unfinished: that others move does not help whoever lacks something there. */
function markOf({ view, active, decidedHeight, slots }: PbftState): string {
  const slot = slots.get(decidedHeight + 1)
  const reached = slot === undefined ? 0 : slot.stage(view) + slot.prepares.size + slot.commits.size
  return `${view} ${active} ${decidedHeight} ${reached}`
}

/** A slot that is not decided, a view that is not entered, a height that others have. */
function isUnfinished(state: PbftState): boolean {
  if (!state.active || state.pending.size > 0 || state.wished) return true
  if (decidedByOthers(state) > state.decidedHeight) return true
  if ([...state.claims.values()].some((claim) => isNews(state, claim))) return true
  // A slot with nothing but votes is somebody's word: what was proposed there, the primary's heartbeat tells.
  return knownSlots(state).some(
    ({ proposal, decision, height }) =>
      (proposal !== null && decision === null) || (decision !== null && height > state.decidedHeight),
  )
}

/** Somebody says that it is ahead: the others are asked once whether that is so. */
function isNews({ decidedHeight }: PbftState, claim: Claim): boolean {
  return claim.decidedHeight > decidedHeight && !claim.asked
}

/** A primary says that it is there; and whoever lags hears how far the others are. */
export function onHeartbeatTimer({ state, effects }: Step): void {
  if (!isPrimary(state)) return
  effects.arm(timer.heartbeat, state.parameters.timers.heartbeatMs)
  if (state.durable >= state.lastPersisted || state.durable > state.durableAtLook) {
    effects.broadcast(statusMessage(state, false))
  }
}

export function onStatus(step: Step, from: ReplicaId, message: Status): void {
  const { state } = step
  const { view, active, decidedHeight, servesFrom, stages, asks } = message
  const known = state.claims.get(from)
  const asked = known !== undefined && known.asked && known.decidedHeight === decidedHeight
  state.claims.set(from, { view, active, decidedHeight, servesFrom, asked })
  if (state.membership.isVoter(from)) state.heard.add(from)
  if (!mayAnswer(step, 'status', from)) return
  if (view < state.view && state.active) sendNewView(step, from)
  if (view === state.view && active && state.active) repeatFor(step, from, decidedHeight + 1, stages)
  const lacks = decidedHeight < state.decidedHeight
  const has = (view > state.view && active) || proposesMore(state, from, message)
  if (asks || lacks || has) step.effects.send(from, statusMessage(state, false))
}

/** Its pre-prepares have not come: it must hear so, for nobody else can send them. */
function proposesMore(state: PbftState, from: ReplicaId, { view, active, decidedHeight, stages }: Status): boolean {
  if (!active || !state.active || view !== state.view || from !== primaryOf(state, view)) return false
  return stages.some((stage, index) => {
    const height = decidedHeight + 1 + index
    return (
      stage !== slotStage.nothing && inWindow(state, height) && (state.slots.get(height)?.proposal ?? null) === null
    )
  })
}

export function onAskViewChanges(step: Step, from: ReplicaId, { view, senders }: AskViewChanges): void {
  const { state, effects } = step
  if (state.entered === null || state.entered.newView.view !== view || !mayAnswer(step, 'cited', from)) return
  for (const { viewChange } of state.entered.cited)
    if (senders.includes(viewChange.sender)) effects.send(from, viewChange)
}

/** What this replica has said in this view, and the other has not got. */
function repeatFor(step: Step, to: ReplicaId, firstHeight: Height, stages: readonly number[]): void {
  const { state } = step
  let bytes = 0
  for (const slot of knownSlots(state)) {
    if (slot.height < firstHeight) continue
    const stage = stages[slot.height - firstHeight] ?? slotStage.nothing
    if (stage === slotStage.nothing && bytes < repeatedBytesMax) bytes += repeatProposal(step, to, slot)
    repeatVotes(step, to, slot, stage)
  }
}

/** Returns how large it was. */
function repeatProposal({ state, effects }: Step, to: ReplicaId, slot: Slot): number {
  const { proposal } = slot
  if (proposal === null || !proposal.accepted || !isPrimary(state)) return 0
  const { view, header, signature } = proposal
  const payload = payloadOf(state, slot, header.payloadDigest)
  // What a new view proposes again is in the new view.
  if (payload === null || payload.length === emptyPayload.length) return 0
  effects.send(to, { kind: 'pre-prepare', view, header, payload, signature })
  return payload.length
}

function repeatVotes({ state, effects }: Step, to: ReplicaId, slot: Slot, stage: number): void {
  const { proposal, prepared } = slot
  if (!hasVoice(state) || proposal === null || !proposal.accepted) return
  if (stage < slotStage.prepared && primaryOf(state, state.view) !== state.self) {
    effects.send(to, repeatedVote(state, slot, 'prepare', proposal.digest))
  }
  if (stage < slotStage.committed && prepared !== null && prepared.view === state.view) {
    effects.send(to, repeatedVote(state, slot, 'commit', proposal.digest))
  }
}
