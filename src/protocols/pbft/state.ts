// Everything that one replica's pbft knows, in one place. The files beside this one hold the rules that change it.

import { lingerTimer } from '../../kernel/batching.ts'
import type { BlockHeader } from '../../kernel/block.ts'
import type { CatchingUp } from '../../kernel/catching-up.ts'
import type { Checkpoint } from '../../kernel/checkpoint.ts'
import type { Answering } from '../../kernel/paced-answers.ts'
import { CertificateRules } from '../../kernel/checkpoint-rules.ts'
import type { Digest } from '../../kernel/crypto-ports.ts'
import type { SigningScope } from '../../kernel/domains.ts'
import type { Height, ReplicaId, View } from '../../kernel/ids.ts'
import { DecidedLedger } from '../../kernel/decided-ledger.ts'
import type { PbftDecisionProof } from '../../kernel/proof.ts'
import { membershipOf, type Epoch, type Membership } from '../../kernel/membership.ts'
import type { Parameters } from '../../kernel/parameters.ts'
import type { Effects, Now, Persisted, ProtocolOptions, ProtocolPorts } from '../../kernel/protocol.ts'
import { timeoutBaseMs } from '../../kernel/round-trips.ts'
import { isDecided } from './decision.ts'
import { decisionRecords } from './decisions-on-disk.ts'
import type { NewView, PbftMessage, ViewChange } from './messages.ts'
import type { PbftRecord } from './records.ts'
import type { Slot } from './slot.ts'

export type PbftEffects = Effects<PbftMessage, PbftRecord>

/** A view change whose signature was checked, and where it is on disk, if it is. */
export interface KnownViewChange {
  readonly viewChange: ViewChange
  readonly digest: Digest
  persisted: Persisted | null
}

/** What a new view proposes again for one sequence number. */
export interface Reproposal {
  readonly header: BlockHeader
  readonly digest: Digest
  /** Those who prepared it, and so have its payload; none for a null block. */
  readonly holders: readonly ReplicaId[]
}

/** What follows from the view changes that a new view cites. */
export interface Selection {
  /** The highest checkpoint that one of them proves. */
  readonly base: Height
  /** For base + 1 and so on. */
  readonly reproposals: readonly Reproposal[]
}

/** The new view by which the present view, or the last one before it, was entered. */
export interface EnteredView {
  readonly newView: NewView
  readonly cited: readonly KnownViewChange[]
  readonly selection: Selection
  persisted: Persisted
}

/** A new view that was received and is not accepted yet. */
export interface PendingNewView {
  readonly newView: NewView
  /** Who sent it last, and so has what it cites. */
  from: ReplicaId
  readonly cited: Map<ReplicaId, KnownViewChange>
  asks: number
}

/** What another replica last said of itself. Unproven. */
export interface Claim {
  view: View
  active: boolean
  decidedHeight: Height
  servesFrom: Height
  /** It says that it is ahead, and everybody was asked whether that is so. */
  asked: boolean
}

/** Work that is done in slices: each call of `next` checks a few signatures. */
export interface Judgement {
  /** What it returns is done in the step in which it ends. */
  readonly work: Iterator<void, (step: Step) => void>
}

export interface PbftState extends CatchingUp, Answering {
  readonly self: ReplicaId
  readonly epoch: Epoch
  readonly scope: SigningScope
  readonly membership: Membership
  readonly parameters: Parameters
  readonly ports: ProtocolPorts
  readonly rules: CertificateRules
  /** Below the first block of the epoch. */
  readonly originHeight: Height
  /** This replica has lost promises: it makes none any more in this epoch. */
  abstains: boolean

  /** To the farthest of the nearest peers that make a quorum with this replica; null: was never known (kernel/round-trips.ts). */
  roundTripMs: number | null

  // The view (PBFT §4.4).
  view: View
  /** It takes part in that view; else it has asked for it, and takes part in none. */
  active: boolean
  viewSinceMs: number
  entered: EnteredView | null
  /** One's own, for the highest view asked for. */
  asked: KnownViewChange | null
  /** Of each voter the one for the highest view; one's own among them. */
  readonly viewChanges: Map<ReplicaId, KnownViewChange>
  /** New views that are not accepted yet: one of each primary, so that a liar's keeps out no other's. */
  readonly pending: Map<ReplicaId, PendingNewView>
  /** Of each primary the highest view whose new view did not hold. */
  readonly refused: Map<ReplicaId, View>
  judgement: Judgement | null
  /** View changes that were judged: true if everything in them is proven. Of the present view only. */
  readonly judged: Map<ReplicaId, boolean>
  /** Certificates and checkpoints in view changes that were verified, by name. */
  readonly proven: Set<string>
  /** Views in a row in which nothing was decided: the timeout doubles with each. */
  failedViews: number
  /** When the wait for NEW-VIEW ends; null while fewer than a quorum ask for this view. */
  newViewDueMs: number | null
  /** Of others, for the present view. */
  readonly wishes: Set<ReplicaId>
  wished: boolean

  // The window (PBFT §4.2).
  /** The low watermark h, and the proof of it. */
  low: Height
  checkpoint: Checkpoint | null
  checkpointPersisted: Persisted
  /** The highest that a quorum signed, perhaps above what is decided here. */
  certified: Checkpoint | null
  readonly slots: Map<Height, Slot>
  /** The next sequence number that this primary assigns. */
  nextHeight: Height
  lastTimestamp: number
  /** The highest for which a COMMIT was sent, in whatever view and life (R3). */
  committedHeight: Height

  // Decisions.
  readonly ledger: DecidedLedger<PbftDecisionProof>
  decidedHeight: Height
  executedHeight: Height
  lastDecidedMs: number
  /** The newest checkpoint whose snapshot is on this replica's disk, and the one before it. */
  stableHeight: Height

  // Disk.
  durable: Persisted
  lastPersisted: Persisted
  /** At the last look of the status timer: a disk that has not moved since then hangs. */
  durableAtLook: Persisted
  stalled: boolean

  // Others.
  readonly claims: Map<ReplicaId, Claim>
  /** When a peer was last answered, by kind of answer and peer. */
  readonly payloadsWanted: Set<string>
  /** What had been reached when the last status was due: without a change since then, it is sent. */
  progressMark: string
  /** Looks in a row at which nothing was unfinished and nothing had moved. */
  idleLooks: number
  /** Whoever has answered since the start: until a quorum has, everybody is asked. */
  readonly heard: Set<ReplicaId>
  lingering: boolean
  /** The request timer runs; it looks for itself how long there is to wait. */
  requestArmed: boolean
  forwardArmed: boolean
  /** The highest sequence number that the present view has proposed. */
  proposedHeight: Height
  /** What the entered view proposes again is to be looked through once more: the window has moved. */
  adoptionDue: boolean
  /** Slow looks in a row or nearly so, full blocks since the last one, and how long votes take (smoothed). */
  readonly pace: { slow: number; fullBlocks: number; votesMs: number | null }
}

/** One step's surroundings. */
export interface Step {
  readonly state: PbftState
  readonly now: Now
  readonly effects: PbftEffects
}

export const timer = {
  request: 'request',
  forward: 'forward',
  linger: lingerTimer,
  status: 'status',
  heartbeat: 'heartbeat',
  newView: 'new-view',
  judge: 'judge',
  pace: 'pace',
} as const

export function primaryOf({ membership }: PbftState, view: View): ReplicaId {
  return membership.voters[view % membership.voters.length]!
}

export function isPrimary(state: PbftState): boolean {
  return state.active && primaryOf(state, state.view) === state.self && hasVoice(state)
}

/** Votes, proposes and asks for views. */
export function hasVoice({ membership, self, abstains }: PbftState): boolean {
  return membership.isVoter(self) && !abstains
}

/** The high watermark (PBFT §4.2: h + L). */
export function high({ low, parameters }: PbftState): Height {
  return low + parameters.pbft.windowBlocks
}

/** Above what is settled: the watermark, and the checkpoint that the present view began from. */
export function inWindow(state: PbftState, height: Height): boolean {
  const { low, entered, view } = state
  const base = entered !== null && entered.newView.view === view ? entered.selection.base : low
  return height > low && height > base && height <= high(state)
}

/**
 * So many round trips have room in a view timeout. From a request at a backup to its decision there takes three at the most; they have half of
 * the timeout, because the other half is for judging a view change (kernel/view-change-cost.ts; docs/decisions/0018).
 */
export const roundTripsPerTimeout = 6

/** The timeout of the present view: exact up to the cap, for any number of failed views (B6). */
export function timeoutMs(state: PbftState): number {
  const { timers } = state.parameters
  const baseMs = timeoutBaseMs(timers, roundTripsPerTimeout, state.roundTripMs)
  return Math.min(timers.timeoutMsMax, baseMs * 2 ** Math.min(state.failedViews, 30))
}

export function persist({ state, effects }: Step, record: PbftRecord): Persisted {
  state.lastPersisted = effects.persist(record)
  return state.lastPersisted
}

export function createState({ epoch, self, ports }: ProtocolOptions): PbftState {
  const originHeight = epoch.firstHeight - 1
  const { hasher, verifier } = ports
  return {
    self,
    epoch,
    scope: { network: epoch.network, epoch: epoch.number, protocol: 'pbft' },
    membership: membershipOf(epoch),
    parameters: epoch.parameters,
    ports,
    rules: new CertificateRules({
      epoch,
      hasher,
      verifier,
      verifyDecision: (header, proof) => isDecided(epoch, header, proof, ports),
    }),
    originHeight,
    abstains: false,
    roundTripMs: null,
    view: 0,
    active: true,
    viewSinceMs: 0,
    entered: null,
    asked: null,
    viewChanges: new Map(),
    pending: new Map(),
    refused: new Map(),
    judgement: null,
    judged: new Map(),
    proven: new Set(),
    failedViews: 0,
    newViewDueMs: null,
    wishes: new Set(),
    wished: false,
    low: originHeight,
    checkpoint: null,
    checkpointPersisted: 0,
    certified: null,
    slots: new Map(),
    nextHeight: originHeight + 1,
    lastTimestamp: 0,
    committedHeight: originHeight,
    ledger: new DecidedLedger(decisionRecords(ports)),
    decidedHeight: originHeight,
    executedHeight: originHeight,
    lastDecidedMs: 0,
    stableHeight: originHeight,
    durable: 0,
    lastPersisted: 0,
    durableAtLook: 0,
    stalled: false,
    claims: new Map(),
    answered: new Map(),
    fetchingBlocks: false,
    stateWanted: 0,
    fetchAfterMs: 0,
    servedNothing: false,
    lagAtFetch: Infinity,
    payloadsWanted: new Set(),
    progressMark: '',
    idleLooks: 0,
    heard: new Set(),
    lingering: false,
    requestArmed: false,
    forwardArmed: false,
    proposedHeight: originHeight,
    adoptionDue: false,
    pace: { slow: 0, fullBlocks: 0, votesMs: null },
  }
}
