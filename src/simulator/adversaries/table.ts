// Every way to lie, by name.

import type { HotstuffMessage } from '../../protocols/hotstuff/messages.ts'
import type { PbftMessage } from '../../protocols/pbft/messages.ts'
import { absurdTimestamps, badPayloads, proposingAnew } from './bad-proposals.ts'
import type { Behaviour } from './behaviour.ts'
import { crashing, forgetful } from './crashing.ts'
import { equivocatingProposals } from './equivocating-proposals.ts'
import { equivocatingCommits, equivocatingPrepares, votingForAll } from './equivocating-votes.ts'
import { equivocatingCheckpoints, falseCheckpoints } from './false-checkpoints.ts'
import { falseNewViews, inventedNewViews } from './false-new-views.ts'
import { falseReplies, lyingFetches } from './lying-answers.ts'
import { equivocatingVotes, votingForAllNodes } from './hotstuff/contradicting-votes.ts'
import { ChainPen } from './hotstuff/chain-pen.ts'
import { equivocatingNodes, proposingAnewInOldViews } from './hotstuff/equivocating-nodes.ts'
import { forkingLeaders, tailForkingLeaders } from './hotstuff/forking-leaders.ts'
import {
  equivocatingTimeouts,
  falseHighestCertificates,
  forgedChainCertificates,
  givingEveryViewUp,
  hugeTimeouts,
  staleTimeouts,
} from './hotstuff/lying-timeouts.ts'
import { orphanedBlocks } from './hotstuff/orphaned-blocks.ts'
import { silentLeaders } from './hotstuff/silent-leaders.ts'
import { withheldCertificates } from './hotstuff/withheld-certificates.ts'
import { lyingChainStatuses, lyingStatuses } from './lying-statuses.ts'
import {
  droppingCertificates,
  equivocatingViewChanges,
  forgedCertificates,
  hugeViewChanges,
  restless,
  staleCertificates,
} from './lying-view-changes.ts'
import { malformedBytes } from './malformed.ts'
import { Pen } from './pen.ts'
import { replaying } from './replaying.ts'
import { silent } from './silent.ts'
import { slowLeader, slowNewViews, slowPrimary, slowTimeouts } from './slow.ts'
import {
  withholdingFromFew,
  withholdingNodesFromFew,
  withholdingOneKind,
  withholdingOnePhase,
  withholdingVotes,
} from './withholding.ts'

/** Those that need no protocol's words. */
const ofAnyProtocol: readonly Behaviour<never>[] = [
  silent,
  crashing,
  forgetful,
  falseCheckpoints,
  equivocatingCheckpoints,
  lyingFetches,
  falseReplies,
  malformedBytes,
]

export const pbftBehaviours: readonly Behaviour<PbftMessage>[] = [
  ...ofAnyProtocol,
  equivocatingProposals,
  equivocatingPrepares,
  equivocatingCommits,
  votingForAll,
  withholdingFromFew,
  withholdingOnePhase,
  slowPrimary,
  slowNewViews,
  replaying,
  droppingCertificates,
  equivocatingViewChanges,
  staleCertificates,
  forgedCertificates,
  hugeViewChanges,
  restless,
  falseNewViews,
  inventedNewViews,
  proposingAnew,
  badPayloads((options) => new Pen(options)),
  absurdTimestamps((options) => new Pen(options)),
  lyingStatuses,
]

export const hotstuffBehaviours: readonly Behaviour<HotstuffMessage>[] = [
  ...ofAnyProtocol,
  equivocatingNodes,
  proposingAnewInOldViews,
  equivocatingVotes,
  votingForAllNodes,
  withholdingNodesFromFew,
  withholdingOneKind,
  withholdingVotes,
  slowLeader,
  slowTimeouts,
  replaying,
  equivocatingTimeouts,
  staleTimeouts,
  forgedChainCertificates,
  falseHighestCertificates,
  withheldCertificates,
  hugeTimeouts,
  givingEveryViewUp,
  forkingLeaders,
  tailForkingLeaders,
  silentLeaders,
  orphanedBlocks,
  badPayloads((options) => new ChainPen(options)),
  absurdTimestamps((options) => new ChainPen(options)),
  lyingChainStatuses,
]
