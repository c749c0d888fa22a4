// Two statements of one replica that contradict each other go to the host, which keeps them.

import { encode } from '../../wire/codec.ts'
import type { Signature } from '../../kernel/crypto-ports.ts'
import { signingDomains, type SigningDomain } from '../../kernel/domains.ts'
import type { SignedStatement } from '../../kernel/evidence.ts'
import type { ReplicaId } from '../../kernel/ids.ts'
import { nodeStatementCodec, timeoutStatementCodec, type Statement, type Timeout, type Vote } from './messages.ts'
import type { ReceivedVote, Step } from './state.ts'
import { isSignedVote } from './statements.ts'
import type { ChainNode } from './tree.ts'

/** Both were verified. */
export function accuseOfProposals(
  step: Step,
  leader: ReplicaId,
  first: ChainNode,
  second: Statement,
  signature: Signature,
): void {
  const { view, digest: node, proposal } = first
  accuse(step, leader, 'hotstuff-proposal', view, [
    { body: encode(nodeStatementCodec, { view, node }), signature: proposal.signature },
    { body: encode(nodeStatementCodec, second), signature },
  ])
}

/** Votes are verified when they count: here is a reason to. What does not verify shows nothing. */
export function accuseOfVotes(step: Step, replica: ReplicaId, first: ReceivedVote, second: Vote): void {
  const { state } = step
  const { view } = second
  first.verified ||= isSignedVote(state, replica, first.vote, first.vote.signature)
  const holds = isSignedVote(state, replica, second, second.signature)
  // The genuine one stays.
  if (!first.verified && holds) state.votes.set(replica, { vote: second, verified: true })
  if (!first.verified || !holds) return
  accuse(step, replica, 'hotstuff-vote', view, [
    { body: encode(nodeStatementCodec, { view, node: first.vote.node }), signature: first.vote.signature },
    { body: encode(nodeStatementCodec, { view, node: second.node }), signature: second.signature },
  ])
}

/** Both were verified. */
export function accuseOfTimeouts(step: Step, replica: ReplicaId, first: Timeout, second: Timeout): void {
  const bodyOf = ({ view, certificateView }: Timeout): Uint8Array =>
    encode(timeoutStatementCodec, { view, certificateView })
  accuse(step, replica, 'hotstuff-timeout', first.view, [
    { body: bodyOf(first), signature: first.signature },
    { body: bodyOf(second), signature: second.signature },
  ])
}

function accuse(
  { state, effects }: Step,
  replica: ReplicaId,
  domain: SigningDomain,
  view: number,
  [first, second]: [SignedStatement, SignedStatement],
): void {
  effects.note({ kind: 'equivocation', detail: { replica, domain, view } })
  effects.accuse({
    replica,
    protocol: 'hotstuff',
    epoch: state.epoch.number,
    domainTag: signingDomains[domain],
    first,
    second,
  })
}
