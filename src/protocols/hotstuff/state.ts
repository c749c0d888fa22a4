// Everything that one replica's hotstuff knows, in one place. The files beside this one hold the rules that change it.

import type { CatchingUp } from '../../kernel/catching-up.ts'
import type { Checkpoint } from '../../kernel/checkpoint.ts'
import type { Answering } from '../../kernel/paced-answers.ts'
import { DecidedLedger } from '../../kernel/decided-ledger.ts'
import type { SigningScope } from '../../kernel/domains.ts'
import { toHex } from '../../kernel/hex.ts'
import type { Height, ReplicaId, View } from '../../kernel/ids.ts'
import { membershipOf, type Epoch, type Membership } from '../../kernel/membership.ts'
import type { Parameters } from '../../kernel/parameters.ts'
import type { HotstuffDecisionProof, QuorumCertificate } from '../../kernel/proof.ts'
import type { Effects, Now, Persisted, ProtocolOptions, ProtocolPorts } from '../../kernel/protocol.ts'
import { VerifiedCertificates } from './certificates.ts'
import { decisionRecords } from './decisions-on-disk.ts'
import { FirstProposals } from './first-proposals.ts'
import { genesisCertificate, genesisHeader } from './genesis.ts'
import type { HotstuffMessage, Statement, Timeout, TimeoutCertificate, Vote } from './messages.ts'
import type { HotstuffRecord } from './records.ts'
import { scopeOf } from './statements.ts'
import { Tree, type ChainNode } from './tree.ts'

export type HotstuffEffects = Effects<HotstuffMessage, HotstuffRecord>

/** A vote that came in, for the highest view of its sender. */
export interface ReceivedVote {
  readonly vote: Vote
  verified: boolean
}

/** What another replica last said of itself. Unproven. */
export interface Claim {
  view: View
  decidedHeight: Height
  servesFrom: Height
  /** It says that it is ahead, and everybody was asked whether that is so. */
  asked: boolean
}

/** A node that a certificate names and that is not here. */
export interface LackingNode {
  readonly digest: Uint8Array
  readonly view: View
  /** Who should have it, the next to be asked first. */
  holders: ReplicaId[]
  askedMs: number
}

export interface HotstuffState extends CatchingUp, Answering {
  readonly self: ReplicaId
  readonly epoch: Epoch
  readonly scope: SigningScope
  readonly membership: Membership
  readonly parameters: Parameters
  readonly ports: ProtocolPorts
  readonly certificates: VerifiedCertificates
  readonly genesis: QuorumCertificate
  /** This replica has lost promises: it makes none any more in this epoch. */
  abstains: boolean
  /** To the farthest of the nearest peers that make a quorum with this replica; null: was never known (kernel/round-trips.ts). */
  roundTripMs: number | null

  // The view (the pacemaker's).
  view: View
  /** Why the view before has no certificate; null where it has one. */
  timeouts: TimeoutCertificate | null
  timeoutsPersisted: Persisted
  /** Since when there is something in this view that has to come to an end. Null: nothing is to be done. */
  busySinceMs: number | null
  /** When the view is given up; null while nothing is to be done. */
  viewDueMs: number | null
  /** Of others and oneself: of each voter the one for the highest view. */
  readonly timeoutsOf: Map<ReplicaId, Timeout>

  // Promises.
  /** The highest view that this replica has voted in, or given up. */
  votedView: View
  /** One's last, and whom it goes to. */
  vote: { readonly said: Vote; readonly to: ReplicaId } | null
  /** One's own, for the highest view. */
  timeout: Timeout | null
  timeoutPersisted: Persisted
  promisesPersisted: Persisted
  /** Three-chain: what this replica may not vote against, unless a later certificate says so. Null: nothing yet. */
  lock: Statement | null
  /** As far as this replica's votes go, nothing above was ever acknowledged (R3): the parent's height of what it has voted for; three-chain: one less. */
  certifiedHeight: Height
  /** The last view in which it proposed. */
  proposedView: View

  // The chain.
  readonly tree: Tree
  /** The certificate of the highest view. */
  high: QuorumCertificate
  readonly votes: Map<ReplicaId, ReceivedVote>
  /** One that this replica has just made, and that nobody else has. */
  freshCertificate: QuorumCertificate | null
  readonly lacking: Map<string, LackingNode>
  readonly firsts: FirstProposals
  /** The highest node that is committed, and what shows it: the rest of its run, and the certificate of the last; null: it is decided. */
  committed: { node: ChainNode; tail: ChainNode[]; certificate: QuorumCertificate } | null

  // Decisions.
  readonly ledger: DecidedLedger<HotstuffDecisionProof>
  decidedHeight: Height
  executedHeight: Height
  lastDecidedMs: number
  stableHeight: Height
  stable: Checkpoint | null
  certified: Checkpoint | null

  // Disk.
  durable: Persisted
  lastPersisted: Persisted
  durableAtLook: Persisted
  stalled: boolean

  // Others.
  readonly claims: Map<ReplicaId, Claim>
  readonly heard: Set<ReplicaId>
  progressMark: string
  idleLooks: number
  forwardArmed: boolean
}

/** One step's surroundings. */
export interface Step {
  readonly state: HotstuffState
  readonly now: Now
  readonly effects: HotstuffEffects
}

export const timer = { view: 'view', forward: 'forward', status: 'status' } as const

/** Votes and proposes. */
export function hasVoice({ membership, self, abstains }: HotstuffState): boolean {
  return membership.isVoter(self) && !abstains
}

export function persist({ state, effects }: Step, record: HotstuffRecord): Persisted {
  state.lastPersisted = effects.persist(record)
  return state.lastPersisted
}

export function createState({ epoch, self, ports }: ProtocolOptions): HotstuffState {
  const originHeight = epoch.firstHeight - 1
  const scope = scopeOf(epoch)
  const membership = membershipOf(epoch)
  const genesis = genesisCertificate(epoch, ports.hasher)
  const certificates = new VerifiedCertificates({ scope, membership, ports })
  certificates.remember(genesis)
  return {
    self,
    epoch,
    scope,
    membership,
    parameters: epoch.parameters,
    ports,
    certificates,
    genesis,
    abstains: false,
    roundTripMs: null,
    view: 1,
    timeouts: null,
    timeoutsPersisted: 0,
    busySinceMs: null,
    viewDueMs: null,
    timeoutsOf: new Map(),
    votedView: 0,
    vote: null,
    timeout: null,
    timeoutPersisted: 0,
    promisesPersisted: 0,
    lock: null,
    certifiedHeight: originHeight,
    proposedView: 0,
    tree: new Tree({ key: toHex(genesis.node), digest: genesis.node, header: genesisHeader(epoch) }),
    high: genesis,
    votes: new Map(),
    freshCertificate: null,
    lacking: new Map(),
    firsts: new FirstProposals(),
    committed: null,
    ledger: new DecidedLedger(decisionRecords(ports)),
    decidedHeight: originHeight,
    executedHeight: originHeight,
    lastDecidedMs: 0,
    stableHeight: originHeight,
    stable: null,
    certified: null,
    durable: 0,
    lastPersisted: 0,
    durableAtLook: 0,
    stalled: false,
    claims: new Map(),
    answered: new Map(),
    heard: new Set(),
    fetchingBlocks: false,
    stateWanted: 0,
    fetchAfterMs: 0,
    servedNothing: false,
    lagAtFetch: Infinity,
    progressMark: '',
    idleLooks: 0,
    forwardArmed: false,
  }
}
