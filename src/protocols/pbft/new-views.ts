// NEW-VIEW (PBFT §4.4): the primary cites a quorum of view changes, and each backup works out for itself what follows from them.

import { equalBytes } from '../../wire/equal-bytes.ts'
import { blockDigest, emptyPayload, payloadDigest, type BlockHeader } from '../../kernel/block.ts'
import type { Height, ReplicaId, View } from '../../kernel/ids.ts'
import { accept, makeProposal, slotAt, tryCommit, tryPrepare } from './agreement.ts'
import { accuseOfNewView } from './evidence-making.ts'
import { beginJudgement, judgeViewChange } from './judging.ts'
import type { NewView, PreparedCertificate, ViewChange } from './messages.ts'
import { isEmptyDigest, payloadOf, wantPayload } from './payloads.ts'
import { handOn } from './requests.ts'
import {
  hasVoice,
  inWindow,
  isPrimary,
  persist,
  primaryOf,
  timer,
  type KnownViewChange,
  type PbftState,
  type Selection,
  type Step,
} from './state.ts'
import { isSignedNewView, isSignedPhase, isSignedViewChange, signNewView, signPhase } from './statements.ts'
import { askers, keep, leaveFor } from './view-changes.ts'

type Conclusion = (step: Step) => void

/** One judgement at a time: of what a primary needs for its own new view, or of the new view of another. */
export function judgeNext(step: Step): void {
  // A short one ends in the step that begins it, and what follows from it is done in the same step.
  while (step.state.judgement === null && (judgeForOwn(step) || judgeForOther(step)));
}

/**
 * Judges the view changes of all who ask, as they come in; at the primary a quorum of them that hold makes the new view (PBFT §4.4). Backups will
 * need the same verdicts when the new view cites them, and have nothing else to do.
 */
function judgeForOwn(step: Step): boolean {
  const { state } = step
  if (state.active || !hasVoice(state)) return false
  const good = askers(state).filter((sender) => state.judged.get(sender) === true)
  if (primaryOf(state, state.view) === state.self && good.length >= state.membership.quorum) {
    announce(step, good.slice(0, state.membership.quorum))
    return state.active
  }
  const unjudged = askers(state).filter((sender) => !state.judged.has(sender))
  if (unjudged.length === 0) return false
  beginJudgement(step, { work: judgeAskers(state, state.view, unjudged) })
  return true
}

function judgeForOther(step: Step): boolean {
  for (const [primary, { newView, cited }] of step.state.pending) {
    if (cited.size < newView.cited.length) continue
    const known = newView.cited.map(({ sender }) => cited.get(sender)!)
    beginJudgement(step, { work: judgeNewView(step.state, primary, newView, known) })
    return true
  }
  return false
}

function* judgeAskers(state: PbftState, view: View, senders: readonly ReplicaId[]): Generator<void, Conclusion> {
  const faults: { from: ReplicaId; fault: string }[] = []
  for (const from of senders) {
    const known = state.viewChanges.get(from)
    if (known === undefined || known.viewChange.view !== view) continue
    const fault = yield* judgeViewChange(state, known.viewChange)
    if (state.view === view) state.judged.set(from, fault === null)
    if (fault !== null) faults.push({ from, fault })
  }
  return (step) => {
    for (const detail of faults) step.effects.note({ kind: 'view-change-refused', detail })
  }
}

function announce(step: Step, senders: readonly ReplicaId[]): void {
  const { state, effects } = step
  const { view } = state
  const cited = [...senders].sort((left, right) => left - right).map((sender) => state.viewChanges.get(sender)!)
  const selection = select(state, cited)
  const newView = signNewView(state, {
    view,
    cited: cited.map(({ viewChange, digest }) => ({ sender: viewChange.sender, digest })),
    prePrepares: selection.reproposals.map(({ digest }, index) =>
      signPhase(state, 'pre-prepare', { view, height: selection.base + 1 + index, digest }),
    ),
  })
  effects.note({ kind: 'new-view-made', detail: { view, proposed: selection.reproposals.length } })
  if (enter(step, newView, cited, selection)) effects.broadcast(newView)
}

/**
 * What must be proposed again (PBFT §4.4, O): above the highest proven checkpoint, the prepared digest of the highest view where there is one, the
 * null block elsewhere.
 */
export function select(state: PbftState, cited: readonly KnownViewChange[]): Selection {
  const base = Math.max(state.originHeight, ...cited.map(({ viewChange }) => baseOf(state, viewChange)))
  const highest = new Map<Height, PreparedCertificate>()
  let last = base
  for (const { viewChange } of cited) {
    for (const certificate of viewChange.prepared) {
      const { height } = certificate.header
      if (height <= base) continue
      last = Math.max(last, height)
      const other = highest.get(height)
      if (other === undefined || certificate.view > other.view) highest.set(height, certificate)
    }
  }
  const reproposals = Array.from({ length: last - base }, (_, index) => {
    const certificate = highest.get(base + 1 + index)
    const header = certificate?.header ?? nullHeader(state, base + 1 + index)
    const holders = certificate?.prepares.map(({ replica }) => replica) ?? []
    return { header, digest: blockDigest(state.ports.hasher, header), holders }
  })
  return { base, reproposals }
}

function baseOf(state: PbftState, { checkpoint }: ViewChange): Height {
  return checkpoint?.header.height ?? state.originHeight
}

/** A constant of epoch and height: it changes nothing. */
function nullHeader(state: PbftState, height: Height): BlockHeader {
  return {
    epoch: state.epoch.number,
    height,
    timestamp: 0,
    payloadDigest: payloadDigest(state.ports.hasher, emptyPayload),
  }
}

export function onNewView(step: Step, from: ReplicaId, message: NewView): void {
  const { state, effects } = step
  const { view, cited } = message
  const primary = primaryOf(state, view)
  if (view === state.view && state.active) return onAnotherNewView(step, primary, message)
  if (view < state.view || view < 1 || primary === state.self) return
  const pending = state.pending.get(primary)
  if (pending !== undefined && equalBytes(pending.newView.signature, message.signature)) pending.from = from
  if (view <= Math.max(pending?.newView.view ?? 0, state.refused.get(primary) ?? 0)) return
  const { quorum, voters } = state.membership
  const isQuorum = cited.length >= quorum && cited.length <= voters.length
  if (!isQuorum || !cited.every(({ sender }) => state.membership.isVoter(sender))) return
  if (!isSignedNewView(state, primary, message)) return effects.note({ kind: 'forged-new-view', detail: { from } })
  const known = new Map<ReplicaId, KnownViewChange>()
  for (const { sender, digest } of cited) {
    const here = state.viewChanges.get(sender)
    if (here !== undefined && equalBytes(here.digest, digest)) known.set(sender, here)
  }
  state.pending.set(primary, { newView: message, from, cited: known, asks: 0 })
  askForCited(step)
}

function onAnotherNewView(step: Step, primary: ReplicaId, message: NewView): void {
  const { state } = step
  if (state.entered === null || state.entered.newView.view !== message.view) return
  const { newView } = state.entered
  const isSame = equalBytes(newView.signature, message.signature)
  if (!isSame && isSignedNewView(state, primary, message) && differ(newView, message)) {
    accuseOfNewView(step, primary, newView, message)
  }
}

function differ(left: NewView, right: NewView): boolean {
  if (left.cited.length !== right.cited.length) return true
  return left.cited.some(({ sender, digest }, index) => {
    const other = right.cited[index]!
    return sender !== other.sender || !equalBytes(digest, other.digest)
  })
}

/** So often it is asked for, each time that the status timer finds it missing still. */
export const citedAsksMax = 16

/** What is cited and not known here, from whoever sent the new view. */
export function askForCited({ state, effects }: Step): void {
  for (const [primary, pending] of state.pending) {
    const { newView, from, cited } = pending
    // Perhaps nobody has it. It is taken in again when it comes again.
    if (pending.asks++ >= citedAsksMax) {
      state.pending.delete(primary)
      continue
    }
    const senders = newView.cited.map(({ sender }) => sender).filter((sender) => !cited.has(sender))
    if (senders.length > 0) effects.send(from, { kind: 'ask-view-changes', view: newView.view, senders })
  }
}

/** A view change that perhaps is one of those that a pending new view cites. */
export function onCitedViewChange({ state }: Step, message: ViewChange): void {
  let known: KnownViewChange | null = null
  for (const { newView, cited } of state.pending.values()) {
    if (newView.view !== message.view || cited.has(message.sender)) continue
    const citation = newView.cited.find(({ sender }) => sender === message.sender)
    if (citation === undefined) continue
    known ??= keep(state, message)
    if (equalBytes(known.digest, citation.digest) && isSignedViewChange(state, message))
      cited.set(message.sender, known)
  }
}

function* judgeNewView(
  state: PbftState,
  primary: ReplicaId,
  newView: NewView,
  cited: readonly KnownViewChange[],
): Generator<void, Conclusion> {
  for (const { viewChange } of cited) {
    if (viewChange.view !== newView.view)
      return (step) => refuse(step, primary, newView, 'a view change to another view')
    const fault = yield* judgeViewChange(state, viewChange)
    if (fault !== null) return (step) => refuse(step, primary, newView, fault)
  }
  const selection = select(state, cited)
  const fault = yield* judgePrePrepares(state, newView, selection)
  if (fault !== null) return (step) => refuse(step, primary, newView, fault)
  return (step) => enterJudged(step, primary, newView, cited, selection)
}

/** Meanwhile this replica may have gone on to a later view. */
function enterJudged(
  step: Step,
  primary: ReplicaId,
  newView: NewView,
  cited: readonly KnownViewChange[],
  selection: Selection,
): void {
  const { state } = step
  if (state.pending.get(primary)?.newView === newView) state.pending.delete(primary)
  if (newView.view < state.view || (newView.view === state.view && state.active)) return
  enter(step, newView, cited, selection)
}

function* judgePrePrepares(state: PbftState, newView: NewView, selection: Selection): Generator<void, string | null> {
  const { view, prePrepares } = newView
  if (prePrepares.length !== selection.reproposals.length) return 'another number of pre-prepares than follows'
  const primary = primaryOf(state, view)
  for (const [index, { digest }] of selection.reproposals.entries()) {
    const statement = { view, height: selection.base + 1 + index, digest }
    if (!isSignedPhase(state, 'pre-prepare', primary, statement, prePrepares[index]!)) return 'a wrong pre-prepare'
    if (index % 4 === 3) yield
  }
  return null
}

/** It is not judged again, however often it comes. */
function refuse({ state, effects }: Step, primary: ReplicaId, newView: NewView, fault: string): void {
  const { view } = newView
  if (state.pending.get(primary)?.newView === newView) state.pending.delete(primary)
  state.refused.set(primary, Math.max(view, state.refused.get(primary) ?? 0))
  effects.note({ kind: 'new-view-refused', detail: { view, fault } })
}

/** The new view and all that it cites are on disk before anything is said in it. */
function enter(step: Step, newView: NewView, cited: readonly KnownViewChange[], selection: Selection): boolean {
  const { state, now, effects } = step
  const { view } = newView
  if (contradicts(state, selection)) {
    effects.note({ kind: 'new-view-contradicts-decisions', detail: { view } })
    return false
  }
  for (const known of cited) {
    known.persisted ??= persist(step, { kind: 'view-change', viewChange: known.viewChange })
  }
  const persisted = persist(step, { kind: 'new-view', newView })
  if (view > state.view) leaveFor(step, view)
  state.entered = { newView, cited, selection, persisted }
  begin(step)
  effects.note({ kind: 'view-entered', detail: { view, base: selection.base } })
  for (const { viewChange } of state.viewChanges.values()) {
    if (viewChange.view <= view && viewChange.sender !== state.self) state.viewChanges.delete(viewChange.sender)
  }
  state.viewSinceMs = now.monotonicMs
  adoptBase(state, cited)
  dropProposals(state)
  adoptReproposals(step)
  goOn(step)
  return true
}

/** PBFT §4.4: whoever is behind the checkpoint that the view begins from knows now that there is one. */
function adoptBase(state: PbftState, cited: readonly KnownViewChange[]): void {
  for (const { viewChange } of cited) {
    const { checkpoint } = viewChange
    const known = state.certified?.header.height ?? state.low
    if (checkpoint !== null && checkpoint.header.height > known) state.certified = checkpoint
  }
}

/** More than f replicas lie, or a promise was lost: this replica stands by what it has decided. */
function contradicts({ slots }: PbftState, { reproposals }: Selection): boolean {
  return reproposals.some(({ header, digest }) => {
    const decision = slots.get(header.height)?.decision
    return decision != null && !equalBytes(decision.digest, digest)
  })
}

/** The state of whoever takes part in `state.view` from now on. */
export function begin({ state, effects }: Step): void {
  state.active = true
  state.newViewDueMs = null
  for (const [primary, { newView }] of state.pending) if (newView.view <= state.view) state.pending.delete(primary)
  state.judged.clear()
  state.proven.clear()
  effects.disarm(timer.newView)
  const last = state.entered === null ? 0 : state.entered.selection.base + state.entered.selection.reproposals.length
  state.nextHeight = Math.max(state.low, state.decidedHeight, last) + 1
  state.proposedHeight = last
  state.requestArmed = false
}

/** Of the proposals of the view that was left, the payloads of what is proposed again are kept. */
function dropProposals({ slots, entered }: PbftState): void {
  const { base, reproposals } = entered!.selection
  for (const slot of slots.values()) slot.leaveView(reproposals[slot.height - base - 1]?.header.payloadDigest ?? null)
}

/** The new view stands for the pre-prepares of what it proposes again, as far as this replica's window reaches. */
export function adoptReproposals(step: Step): void {
  const { state, effects } = step
  state.adoptionDue = false
  if (!state.active || state.entered === null || state.entered.newView.view !== state.view) return
  const { newView, selection } = state.entered
  for (const [index, { header, digest, holders }] of selection.reproposals.entries()) {
    const { height } = header
    if (!inWindow(state, height)) continue
    const slot = slotAt(state, height)
    if (slot.proposal !== null) continue
    const payload = payloadOf(state, slot, header.payloadDigest)
    const statement = { view: state.view, height, digest }
    slot.proposal = makeProposal(step, statement, header, newView.prePrepares[index]!, payload)
    effects.note({
      kind: isEmptyDigest(state, header.payloadDigest) ? 'null-proposed' : 're-proposed',
      detail: { height },
    })
    if (payload !== null) accept(step, slot)
    else wantPayload(step, slot, header.payloadDigest, holders)
  }
}

/** Votes may have come before the view was entered. */
function goOn(step: Step): void {
  const { state, effects } = step
  for (const slot of state.slots.values()) {
    tryPrepare(step, slot)
    tryCommit(step, slot)
  }
  state.ports.pool.forwardAgain()
  handOn(step)
  if (isPrimary(state)) effects.arm(timer.heartbeat, state.parameters.timers.heartbeatMs)
}

/** It lets in whoever is behind; what it cites is asked for. */
export function sendNewView({ state, effects }: Step, to: ReplicaId): void {
  if (state.active && state.entered !== null && state.entered.newView.view === state.view) {
    effects.send(to, state.entered.newView)
  }
}
