// The three phases (PBFT §4.2): pre-prepare, prepare, commit, for all sequence numbers of the window at once.

import { detached } from '../../wire/detached.ts'
import { equalBytes } from '../../wire/equal-bytes.ts'
import { blockDigest, emptyPayload, payloadDigest, type BlockHeader } from '../../kernel/block.ts'
import type { Digest } from '../../kernel/crypto-ports.ts'
import { toHex } from '../../kernel/hex.ts'
import type { Height, ReplicaId } from '../../kernel/ids.ts'
import { accuseOf } from './evidence-making.ts'
import type { PrePrepare, Prepare, Statement, Commit } from './messages.ts'
import { wantLackingPayloads } from './payloads.ts'
import { Slot, type Proposal, type ReceivedVote } from './slot.ts'
import { hasVoice, high, inWindow, persist, primaryOf, type PbftState, type Step } from './state.ts'
import { isSignedPhase, signPhase, type Phase } from './statements.ts'
import { gather } from './votes.ts'

/** The slot of a sequence number in the window. */
export function slotAt(state: PbftState, height: Height): Slot {
  let slot = state.slots.get(height)
  if (slot === undefined) state.slots.set(height, (slot = new Slot(height)))
  return slot
}

export function onPrePrepare(step: Step, from: ReplicaId, message: PrePrepare): void {
  const { state, now, effects } = step
  const { view, header, payload, signature } = message
  const { height } = header
  if (!state.active || view !== state.view || from !== primaryOf(state, view)) return
  if (!inWindow(state, height) || header.epoch !== state.epoch.number) return
  const digest = blockDigest(state.ports.hasher, header)
  const slot = slotAt(state, height)
  const known = slot.proposal
  if (known !== null && equalBytes(known.digest, digest)) return onPayload(step, header.payloadDigest, payload)
  const statement = { view, height, digest }
  if (!isSignedPhase(state, 'pre-prepare', from, statement, signature)) {
    return effects.note({ kind: 'forged-pre-prepare', detail: { from, height } })
  }
  // The first stays, and both together show what the primary is.
  if (known !== null)
    return accuseOf(step, from, 'pre-prepare', statementOf(known), known.signature, statement, signature)
  // What was decided stands: whoever proposes anything else contradicts a quorum.
  const isSettled = slot.decision === null ? height <= state.decidedHeight : !equalBytes(slot.decision.digest, digest)
  if (isSettled) {
    return effects.note({ kind: 'proposal-for-decided', detail: { from, height } })
  }
  if (!equalBytes(payloadDigest(state.ports.hasher, payload), header.payloadDigest)) {
    return effects.note({ kind: 'wrong-payload', detail: { from, height } })
  }
  // R19: only a proposal that is new, and which nobody has voted for yet, is held against the clock.
  if (Math.abs(header.timestamp - now.wallMs) > state.parameters.pbft.clockToleranceMs) {
    return effects.note({ kind: 'clock-refused', detail: { from, height } })
  }
  // What is next is always taken; the rest comes again when there is room.
  if (height > state.decidedHeight + 1 && undecidedBytes(state) + payload.length > undecidedBytesMax) return
  const kept = { ...header, payloadDigest: detached(header.payloadDigest) }
  slot.proposal = makeProposal(step, statement, kept, detached(signature), detached(payload))
  state.proposedHeight = Math.max(state.proposedHeight, height)
  effects.validate(slot.proposal.payload!, kept.payloadDigest)
}

/** Payloads in memory that are in no decided block: a primary that lies could send a window of the largest. */
export const undecidedBytesMax: number = 64 * 1024 * 1024

export function undecidedBytes({ slots }: PbftState): number {
  let bytes = 0
  for (const { proposal } of slots.values()) bytes += proposal?.payload?.length ?? 0
  return bytes
}

export function makeProposal(
  { now }: Step,
  { view, digest }: Statement,
  header: BlockHeader,
  signature: Uint8Array,
  payload: Uint8Array | null,
): Proposal {
  const sinceMs = now.monotonicMs
  return {
    view,
    header,
    digest,
    signature,
    sinceMs,
    payload,
    accepted: false,
    acceptedMs: 0,
    persisted: null,
    invalid: false,
  }
}

export function statementOf({ view, header, digest }: Proposal): Statement {
  return { view, height: header.height, digest }
}

/** The host has checked the envelopes of a payload. */
export function onValidated(step: Step, digest: Digest, ok: boolean): void {
  const { state, effects } = step
  if (!state.active) return
  for (const slot of waitingFor(state, digest)) {
    const proposal = slot.proposal!
    // Another proposal with the same payload, which this one still lacks.
    if (proposal.payload === null) continue
    if (ok) accept(step, slot)
    else {
      proposal.invalid = true
      effects.note({ kind: 'invalid-payload', detail: { height: slot.height, view: proposal.view } })
    }
  }
}

/** A payload that a proposal lacked. It was prepared by a quorum, and so checked by correct replicas: it need not be checked again. */
export function onPayload(step: Step, digest: Digest, payload: Uint8Array): void {
  const { state } = step
  const lacking = waitingFor(state, digest).filter(({ proposal }) => proposal!.payload === null)
  if (lacking.length === 0) return
  if (!equalBytes(payloadDigest(state.ports.hasher, payload), digest)) return
  const kept = detached(payload)
  for (const slot of lacking) {
    slot.proposal!.payload = kept
    if (state.active) accept(step, slot)
  }
}

export function onPayloadFetched(step: Step, digest: Digest, payload: Uint8Array | null): void {
  step.state.payloadsWanted.delete(toHex(digest))
  if (payload === null) return
  step.effects.note({ kind: 'payload-fetched' })
  onPayload(step, digest, payload)
  wantLackingPayloads(step)
}

function waitingFor(state: PbftState, digest: Digest): Slot[] {
  return [...state.slots.values()].filter(
    ({ proposal }) =>
      proposal !== null && !proposal.accepted && !proposal.invalid && equalBytes(proposal.header.payloadDigest, digest),
  )
}

/** The proposal is on disk before this replica's prepare leaves. */
export function accept(step: Step, slot: Slot): void {
  const { state, effects } = step
  const proposal = slot.proposal!
  const { view, header, digest, signature } = proposal
  const payload = proposal.payload!
  const stored = slot.stored(header.payloadDigest)
  const isEmpty = payload.length === emptyPayload.length
  const written = stored !== null || isEmpty ? null : payload
  proposal.persisted = persist(step, { kind: 'proposal', view, header, signature, payload: written })
  proposal.accepted = true
  proposal.acceptedMs = step.now.monotonicMs
  if (written !== null) {
    slot.store({ payloadDigest: header.payloadDigest, payload, persisted: proposal.persisted })
  }
  // What is decided is in no block under way: nobody would tell the pool a second time that it was executed.
  if (!isEmpty && slot.height > state.decidedHeight) {
    const { operationsMax, bytesMax } = state.parameters.batch
    const isFull = state.ports.pool.proposed(payload) >= operationsMax || payload.length >= bytesMax
    if (isFull) state.pace.fullBlocks++
  }
  // The primary's pre-prepare is its prepare.
  if (hasVoice(state) && primaryOf(state, view) !== state.self) {
    effects.broadcast(ownVote(state, slot, 'prepare', digest))
  }
  tryPrepare(step, slot)
  tryCommit(step, slot)
}

/** Signs a vote of one's own, and counts it. */
export function ownVote(state: PbftState, slot: Slot, kind: 'prepare', digest: Digest): Prepare
export function ownVote(state: PbftState, slot: Slot, kind: 'commit', digest: Digest): Commit
export function ownVote(state: PbftState, slot: Slot, kind: 'prepare' | 'commit', digest: Digest): Prepare | Commit {
  const { view, self } = state
  const statement = { view, height: slot.height, digest }
  const signature = signPhase(state, kind, statement)
  const votes = kind === 'prepare' ? slot.prepares : slot.commits
  votes.set(self, { digest, signature, verified: true })
  return { kind, ...statement, signature }
}

/** As it was said: signed once. */
export function repeatedVote(
  state: PbftState,
  slot: Slot,
  kind: 'prepare' | 'commit',
  digest: Digest,
): Prepare | Commit {
  const own = (kind === 'prepare' ? slot.prepares : slot.commits).get(state.self)
  if (own === undefined)
    return kind === 'prepare' ? ownVote(state, slot, 'prepare', digest) : ownVote(state, slot, 'commit', digest)
  return { kind, view: state.view, height: slot.height, digest, signature: own.signature }
}

export function onVote(step: Step, from: ReplicaId, vote: Prepare | Commit): void {
  const { state } = step
  const { view, height, digest, signature, kind } = vote
  // Those of the view that is asked for may come before its new view does.
  if (view !== state.view || !inWindow(state, height) || !state.membership.isVoter(from)) return
  // The primary's pre-prepare is its prepare: with a prepare it would count twice (R4).
  if (kind === 'prepare' && from === primaryOf(state, view)) return
  const slot = slotAt(state, height)
  const votes = kind === 'prepare' ? slot.prepares : slot.commits
  const first = votes.get(from)
  if (first !== undefined) {
    if (!equalBytes(first.digest, digest)) onSecondVote(step, from, vote, first)
    return
  }
  votes.set(from, { digest: detached(digest), signature: detached(signature), verified: false })
  if (!state.active) return
  if (kind === 'prepare') tryPrepare(step, slot)
  else tryCommit(step, slot)
}

/** B23: the first one stays, if it is one. */
function onSecondVote(step: Step, from: ReplicaId, vote: Prepare | Commit, first: ReceivedVote): void {
  const { state } = step
  const { view, height, kind, signature } = vote
  const firstStatement = { view, height, digest: first.digest }
  if (!first.verified && !isSignedPhase(state, kind, from, firstStatement, first.signature)) return
  first.verified = true
  const second = { view, height, digest: vote.digest }
  if (!isSignedPhase(state, kind, from, second, signature)) return
  accuseOf(step, from, kind, firstStatement, first.signature, second, signature)
}

/** Prepared (PBFT §4.2), with a quorum of distinct replicas, the primary's pre-prepare among them (R4). */
export function tryPrepare(step: Step, slot: Slot): void {
  const { state, effects } = step
  const { proposal } = slot
  if (!hasVoice(state) || !state.active || proposal === null || !proposal.accepted) return
  if (slot.prepared !== null && slot.prepared.view === state.view) return
  const { view, header, digest, signature } = proposal
  const prepares = gather(slot.prepares, digest, state.membership.quorum - 1, isValid(state, slot, 'prepare'))
  if (prepares === null) return
  slot.prepared = { view, header, signature, prepares }
  slot.preparedPersisted = persist(step, { kind: 'prepared', certificate: slot.prepared })
  state.committedHeight = Math.max(state.committedHeight, slot.height)
  effects.broadcast(ownVote(state, slot, 'commit', digest))
  tryCommit(step, slot)
}

/** From one's own prepare to the decision: what a primary alone cannot stretch. */
function measureVotes({ state, now }: Step, acceptedMs: number): void {
  const { pace } = state
  const tookMs = now.monotonicMs - acceptedMs
  pace.votesMs = pace.votesMs === null ? tookMs : pace.votesMs + (tookMs - pace.votesMs) / 8
}

/** Committed: a quorum of commits for what this replica has accepted. */
export function tryCommit(step: Step, slot: Slot): void {
  const { state } = step
  const { proposal } = slot
  if (!state.active || proposal === null || slot.decision !== null) return
  const { view, header, digest } = proposal
  const commits = gather(slot.commits, digest, state.membership.quorum, isValid(state, slot, 'commit'))
  if (commits === null) return
  slot.decision = { view, header, digest, commits }
  if (proposal.accepted) measureVotes(step, proposal.acceptedMs)
  if (state.failedViews > 0) viewWorks(state)
}

/** The next one that fails is the first again, and what was armed for longer is armed anew. */
function viewWorks(state: PbftState): void {
  state.failedViews = 0
  state.requestArmed = false
  state.forwardArmed = false
}

function isValid(state: PbftState, { height }: Slot, phase: Phase) {
  const { view } = state
  return (signer: ReplicaId, { digest, signature }: ReceivedVote): boolean =>
    isSignedPhase(state, phase, signer, { view, height, digest }, signature)
}

/** Sequence numbers of the window, ascending, as far as anything is known of them. */
export function knownSlots(state: PbftState): Slot[] {
  return [...state.slots.values()]
    .filter(({ height }) => height > state.low && height <= high(state))
    .sort((left, right) => left.height - right.height)
}
