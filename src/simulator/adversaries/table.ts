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
import { lyingStatuses } from './lying-statuses.ts'
import {
  droppingCertificates,
  equivocatingViewChanges,
  forgedCertificates,
  hugeViewChanges,
  restless,
  staleCertificates,
} from './lying-view-changes.ts'
import { malformedBytes } from './malformed.ts'
import { replaying } from './replaying.ts'
import { silent } from './silent.ts'
import { slowNewViews, slowPrimary } from './slow.ts'
import { withholdingFromFew, withholdingOnePhase } from './withholding.ts'

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
  badPayloads,
  absurdTimestamps,
  lyingStatuses,
]

export const hotstuffBehaviours: readonly Behaviour<HotstuffMessage>[] = [...ofAnyProtocol]
