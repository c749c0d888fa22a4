// A proposal as a node of the chain, and who had to make it: both follow from the proposal alone, so that it can be judged by whoever has not got
// the node that it extends.

import { equalBytes } from '../../wire/equal-bytes.ts'
import { toHex } from '../../kernel/hex.ts'
import type { ReplicaId, View } from '../../kernel/ids.ts'
import type { ChainedHeader, QuorumCertificate } from '../../kernel/proof.ts'
import type { ProtocolPorts } from '../../kernel/protocol.ts'
import { isByReputation, leaderAfter, leaderInTurn, leadersIn, type Agreed } from './leaders.ts'
import type { Proposal } from './messages.ts'
import type { HotstuffState } from './state.ts'
import { nodeDigest } from './statements.ts'

type Said = Omit<Proposal, 'kind' | 'signature'>

/** The leader of this view, with this certificate, is chosen by what it certifies: then the proposal brings the header of that along. */
export function isLeaderByChain(agreed: Agreed, view: View, justify: QuorumCertificate): boolean {
  return isByReputation(agreed) && justify.view === view - 1
}

/** It brings the header that its certificate names, exactly where that is asked for. */
export function namesWhatItExtends(
  agreed: Agreed,
  { hasher }: Pick<ProtocolPorts, 'hasher'>,
  { view, justify, extended }: Said,
): boolean {
  if (!isLeaderByChain(agreed, view, justify)) return extended === null
  if (extended === null || extended.view !== justify.view) return false
  return equalBytes(nodeDigest(hasher, extended), justify.node)
}

/** A view may have two, who follow from different reasons for it: a certificate of the view before, and a quorum that has given that up. */
export function leaderOf(agreed: Agreed, { view, extended }: Said): ReplicaId {
  return extended === null ? leaderInTurn(agreed, view) : leaderAfter(agreed, extended)
}

/** All that its digest is made of. */
export function headerOf(agreed: Agreed, said: Said): ChainedHeader {
  const { header: block, view, justify, extended } = said
  return { block, view, parent: justify.node, ...leadersIn(agreed, leaderOf(agreed, said), extended, justify) }
}

/** Of the view that this replica is in, for the reason that it knows. Without the certified node: whose turn it is. */
export function leaderNow(state: HotstuffState): ReplicaId {
  const { view, high, tree } = state
  const extended = isLeaderByChain(state, view, high) ? tree.headerOf(toHex(high.node)) : null
  return extended === null ? leaderInTurn(state, view) : leaderAfter(state, extended)
}
