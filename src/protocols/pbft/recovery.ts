// A start: the records of the log make the promises of the lives before this one's own.

import { blockDigest } from '../../kernel/block.ts'
import type { Checkpoint } from '../../kernel/checkpoint.ts'
import type { Persisted, Recovered } from '../../kernel/protocol.ts'
import { ownVote, slotAt } from './agreement.ts'
import type { NewView, ViewChange } from './messages.ts'
import { adoptReproposals, begin, select } from './new-views.ts'
import { isEmptyDigest } from './payloads.ts'
import type { DecidedRecord, PbftRecord, ProposalRecord } from './records.ts'
import {
  hasVoice,
  inWindow,
  isPrimary,
  primaryOf,
  timer,
  type KnownViewChange,
  type PbftState,
  type Step,
} from './state.ts'
import { askForHelp } from './status-exchange.ts'
import { armPace } from './suspicion.ts'
import { keep } from './view-changes.ts'

interface Stored {
  sequence: Persisted
  record: ProposalRecord
}

/** What the records say of the view. */
interface Views {
  own: { viewChange: ViewChange; persisted: Persisted } | null
  newView: { newView: NewView; persisted: Persisted } | null
  /** By sender and view: those that new views cite. */
  cited: Map<string, { viewChange: ViewChange; persisted: Persisted }>
  proposals: Stored[]
}

export function start(step: Step, recovered: Recovered<PbftRecord>): void {
  const { state, now, effects } = step
  state.abstains = recovered.abstains
  beginFrom(state, recovered.checkpoint)
  const views: Views = { own: null, newView: null, cited: new Map(), proposals: [] }
  for (const { sequence, record } of recovered.records) {
    state.durable = sequence
    state.lastPersisted = sequence
    apply(state, views, sequence, record)
  }
  dropBelow(state)
  recoverView(step, views)
  recoverProposals(state, views)
  state.nextHeight = Math.max(state.low, state.decidedHeight) + 1
  state.viewSinceMs = now.monotonicMs
  state.lastDecidedMs = now.monotonicMs
  if (state.active) beginRecovered(step)
  effects.arm(timer.status, state.parameters.timers.retransmitMs)
  armPace(step)
  if (isPrimary(state)) effects.arm(timer.heartbeat, state.parameters.timers.heartbeatMs)
  askForHelp(step)
}

function beginFrom(state: PbftState, checkpoint: Checkpoint | null): void {
  if (checkpoint === null) return
  const { height } = checkpoint.header
  state.decidedHeight = height
  state.executedHeight = height
  state.committedHeight = height
  state.stableHeight = height
  state.low = height
  state.checkpoint = checkpoint
  state.certified = checkpoint
}

function apply(state: PbftState, views: Views, sequence: Persisted, record: PbftRecord): void {
  switch (record.kind) {
    case 'proposal':
      return applyProposal(state, views, sequence, record)
    case 'prepared': {
      const { header, view } = record.certificate
      state.committedHeight = Math.max(state.committedHeight, header.height)
      if (header.height <= state.low) return
      const slot = slotAt(state, header.height)
      if (slot.prepared !== null && slot.prepared.view > view) return
      slot.prepared = record.certificate
      slot.preparedPersisted = sequence
      return
    }
    case 'decided':
      return applyDecided(state, sequence, record)
    case 'view-change': {
      const { viewChange } = record
      const { sender, view } = viewChange
      views.cited.set(`${sender} ${view}`, { viewChange, persisted: sequence })
      if (sender === state.self && view >= (views.own?.viewChange.view ?? 0)) {
        views.own = { viewChange, persisted: sequence }
      }
      return
    }
    case 'new-view':
      if (record.newView.view >= (views.newView?.newView.view ?? 0)) {
        views.newView = { newView: record.newView, persisted: sequence }
      }
      return
    case 'checkpoint':
      state.checkpointPersisted = sequence
      state.committedHeight = Math.max(state.committedHeight, record.checkpoint.header.height)
      if (record.checkpoint.header.height <= state.low) return
      state.low = record.checkpoint.header.height
      state.checkpoint = record.checkpoint
      state.certified = record.checkpoint
  }
}

/** Whatever a proposal brought is on disk still, whichever view it was in. */
function applyProposal(state: PbftState, views: Views, sequence: Persisted, record: ProposalRecord): void {
  const { header, payload } = record
  if (header.height <= state.stableHeight) return
  const slot = slotAt(state, header.height)
  if (payload !== null) {
    slot.store({ payloadDigest: header.payloadDigest, payload: Uint8Array.from(payload), persisted: sequence })
  }
  views.proposals.push({ sequence, record })
}

function applyDecided(state: PbftState, sequence: Persisted, record: DecidedRecord): void {
  const { header, view, commits, payload } = record
  const { height, payloadDigest } = header
  if (height <= state.stableHeight) return
  const digest = blockDigest(state.ports.hasher, header)
  const slot = slotAt(state, height)
  if (payload !== null) slot.store({ payloadDigest, payload: null, persisted: sequence })
  const stored = slot.stored(payloadDigest)?.persisted ?? null
  // The log was cut between its payload and its decision, for checkpoints that cannot be read any more: others have it.
  if (stored === null && !isEmptyDigest(state, payloadDigest)) return state.ledger.clear()
  state.ledger.add(height, { decided: sequence, payload: isEmptyDigest(state, payloadDigest) ? null : stored })
  slot.decision = { view, header, digest, commits }
  slot.forgetPayloads()
}

/** The watermark may stand in a later record than what lies below it. */
function dropBelow(state: PbftState): void {
  for (const height of state.slots.keys()) if (height <= state.low) state.slots.delete(height)
}

function recoverView(step: Step, { own, newView, cited }: Views): void {
  const { state } = step
  if (newView !== null) {
    const { newView: message, persisted } = newView
    const known = message.cited.map(({ sender }) => fromDisk(state, cited.get(`${sender} ${message.view}`)!))
    state.entered = { newView: message, cited: known, selection: select(state, known), persisted }
    state.view = message.view
  }
  if (own === null) return
  state.asked = fromDisk(state, own)
  const { view } = own.viewChange
  if (view <= state.view) return
  state.view = view
  state.active = false
  state.viewChanges.set(state.self, state.asked)
}

function fromDisk(
  state: PbftState,
  { viewChange, persisted }: { viewChange: ViewChange; persisted: Persisted },
): KnownViewChange {
  return { ...keep(state, viewChange), persisted }
}

/** What was proposed in the view that it is still in: on disk, so it is promised (R14). */
function recoverProposals(state: PbftState, { proposals }: Views): void {
  if (!state.active) return
  for (const { sequence, record } of proposals) {
    const { view, header, signature } = record
    if (view !== state.view || !inWindow(state, header.height)) continue
    const slot = slotAt(state, header.height)
    const digest = blockDigest(state.ports.hasher, header)
    const payload = slot.stored(header.payloadDigest)?.payload ?? null
    slot.proposal = {
      view,
      header,
      digest,
      signature,
      sinceMs: 0,
      payload,
      accepted: true,
      acceptedMs: 0,
      persisted: sequence,
      invalid: false,
    }
    state.lastTimestamp = Math.max(state.lastTimestamp, header.timestamp)
  }
}

function beginRecovered(step: Step): void {
  const { state, now } = step
  begin(step)
  for (const slot of state.slots.values()) {
    const { proposal, prepared } = slot
    if (proposal === null) continue
    slot.proposal = { ...proposal, sinceMs: now.monotonicMs }
    state.nextHeight = Math.max(state.nextHeight, slot.height + 1)
    state.proposedHeight = Math.max(state.proposedHeight, slot.height)
    if (!hasVoice(state)) continue
    // Votes are worked out anew: the same statement has the same signature.
    if (primaryOf(state, state.view) !== state.self) ownVote(state, slot, 'prepare', proposal.digest)
    if (prepared !== null && prepared.view === state.view) {
      ownVote(state, slot, 'commit', proposal.digest)
    }
    if (proposal.payload !== null && slot.decision === null) state.ports.pool.proposed(proposal.payload)
  }
  adoptReproposals(step)
}
