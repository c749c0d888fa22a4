/**
 * Who leads a view: a function of what is agreed, and of nothing else.
 *
 * REPUTATION (after "Be Aware of Your Leaders", arXiv 2110.00960). A node names the voters that did not sign its parent's certificate, and who led
 * lately. After a certificate of that node the one whose turn it is leads, or the next one that has signed and has not led lately. No more are passed
 * over for being silent than a quorum leaves out: f, and one more where n is a multiple of 3. Who votes too late to be counted is silent too. Whoever makes the certificate chooses among its signers: that none of the last
 * f leaders leads again is what keeps liars from handing the lead to each other for good.
 *
 * It holds only after a node that carries a certificate which commits, under two-chain: of the view before, for a node whose own certificate is of
 * the view before that. So as long as nothing is committed leaders take plain turns, and commits come as they do with plain turns.
 */

import type { ReplicaId, View } from '../../kernel/ids.ts'
import type { Membership } from '../../kernel/membership.ts'
import type { Parameters } from '../../kernel/parameters.ts'
import type { ChainedHeader, QuorumCertificate } from '../../kernel/proof.ts'

export interface Agreed {
  readonly membership: Membership
  readonly parameters: Pick<Parameters, 'hotstuff'>
}

/** Nodes of views that follow each other, before the last one's certificate is a reason to pass anybody over. */
export const trustedRun = 3

export function isByReputation({ parameters }: Agreed): boolean {
  return parameters.hotstuff.leaders === 'reputation'
}

/** Whoever's turn it is: the leader of a view that follows one which was given up. Views count from 1. */
export function leaderInTurn({ membership, parameters }: Agreed, view: View): ReplicaId {
  const { leaders, tenureViews } = parameters.hotstuff
  const { voters } = membership
  const turn = leaders === 'tenure' ? Math.floor(view / tenureViews) : view
  return voters[turn % voters.length]!
}

/** The leader of the view that follows a certificate of this node. */
export function leaderAfter(agreed: Agreed, { view, absent, lately }: ChainedHeader): ReplicaId {
  const inTurn = leaderInTurn(agreed, view + 1)
  if (lately.length < trustedRun) return inTurn
  const { voters, faultsTolerated } = agreed.membership
  const passedOver = new Set([...absent, ...lately.slice(0, faultsTolerated)])
  const at = voters.indexOf(inTurn)
  // Somebody is always left, but in a header that nobody has certified.
  return [...voters.slice(at), ...voters.slice(0, at)].find((voter) => !passedOver.has(voter)) ?? inTurn
}

/** What a node tells of the leaders before it. `extended`: what its certificate certifies; null: a view was given up between. */
export function leadersIn(
  agreed: Agreed,
  leader: ReplicaId,
  extended: ChainedHeader | null,
  { votes }: QuorumCertificate,
): Pick<ChainedHeader, 'absent' | 'lately'> {
  if (!isByReputation(agreed)) return { absent: [], lately: [] }
  const { voters, faultsTolerated } = agreed.membership
  const lately = [leader, ...(extended?.lately ?? [])].slice(0, Math.max(trustedRun, faultsTolerated))
  if (lately.length < trustedRun) return { absent: [], lately }
  const signers = new Set(votes.map(({ replica }) => replica))
  return { absent: voters.filter((voter) => !signers.has(voter)), lately }
}
