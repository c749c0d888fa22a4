// Proposals as they come, the vote for one in each view, and the certificate that whoever is next to lead makes of votes.

import { equalBytes } from '../../wire/equal-bytes.ts'
import type { Digest } from '../../kernel/crypto-ports.ts'
import { toHex } from '../../kernel/hex.ts'
import type { ReplicaId, View } from '../../kernel/ids.ts'
import type { SignatureSet } from '../../kernel/proof.ts'
import { addNode, detachedProposal, hasItsPayload, makeNode, onCertificate } from './chain.ts'
import { accuseOfProposals, accuseOfVotes } from './evidence-making.ts'
import { leaderAfter } from './leaders.ts'
import type { Proposal, Vote } from './messages.ts'
import { hold } from './holding.ts'
import { headerOf, leaderOf, namesWhatItExtends } from './node-header.ts'
import { acknowledgedBelow, isJustified } from './rules.ts'
import { hasVoice, persist, type HotstuffState, type Step } from './state.ts'
import { isSignedProposal, isSignedVote, nodeDigest, signVote } from './statements.ts'
import { chainNodesMax, type ChainNode } from './tree.ts'
import { onTimeoutCertificate } from './views.ts'

/** Whoever hands it on, it is its leader's. */
export function onProposal(step: Step, from: ReplicaId, message: Proposal): void {
  const { state, effects } = step
  const { view, header } = message
  const { tree, ports, membership } = state
  if (header.epoch !== state.epoch.number || view <= tree.root.header.view || message.justify.view >= view) return
  if (!namesWhatItExtends(state, ports, message))
    return effects.note({ kind: 'unjustified-proposal', detail: { from, view } })
  const leader = leaderOf(state, message)
  const digest = nodeDigest(ports.hasher, headerOf(state, message))
  if (tree.get(digest) !== null) return
  const isWanted = state.lacking.has(toHex(digest))
  const first = state.firsts.by(leader, view)
  if (!membership.isVoter(leader) || !isSignedProposal(state, leader, { view, node: digest }, message.signature)) {
    return effects.note({ kind: 'forged-proposal', detail: { from, view } })
  }
  // The first stays, and both together show what the leader is. Another one is taken when a quorum has certified it.
  if (first !== undefined) accuseOfProposals(step, leader, first, { view, node: digest }, message.signature)
  if (first !== undefined && !isWanted) return
  const justify = state.certificates.genuineOfSigners(message.justify)
  if (justify === null) return effects.note({ kind: 'false-certificate', detail: { from, view } })
  const { timeouts } = message
  if (timeouts !== null && !state.certificates.holds(timeouts))
    return effects.note({ kind: 'false-timeouts', detail: { from, view } })
  if (!hasItsPayload(state, message)) return effects.note({ kind: 'wrong-payload', detail: { from, view } })
  if (!isJustified(view, justify.view, timeouts, state.parameters)) {
    return effects.note({ kind: 'unjustified-proposal', detail: { from, view } })
  }
  onCertificate(step, justify, from)
  if (timeouts !== null) onTimeoutCertificate(step, timeouts)
  take(step, makeNode(step, detachedProposal(message, justify)), first === undefined)
}

function take(step: Step, node: ChainNode, isFirst: boolean): void {
  const { state, effects } = step
  if (!addNode(step, node)) return effects.note({ kind: 'no-room-for-a-node', detail: { view: node.view } })
  if (isFirst) state.firsts.add(node)
  if (node.valid === null) {
    if (node.isEmpty) node.valid = true
    else effects.validate(node.proposal.payload, node.proposal.header.payloadDigest)
  }
  // What is under way is in no other block: neither here, when this replica leads, nor anywhere that forwards it. What comes late waits.
  if (node.view >= state.view && state.timeout?.view !== node.view) hold(state, node)
}

/** The host has checked the envelopes of a payload. */
export function onValidated({ state, effects }: Step, digest: Digest, ok: boolean): void {
  for (const node of state.tree.all()) {
    if (node.valid !== null || !equalBytes(node.proposal.header.payloadDigest, digest)) continue
    node.valid = ok
    if (!ok) effects.note({ kind: 'invalid-payload', detail: { view: node.view } })
  }
}

/** For the proposal of the view that this replica is in, once it is all there. */
export function voteIfDue(step: Step): void {
  const { state, effects, now } = step
  const node = state.firsts.of(state.view).find((one) => one.valid === true && mayVoteFor(state, one))
  if (node === undefined || state.stalled) return
  const { timestamp } = node.proposal.header
  // R19: a proposal that is new is held against the clock.
  if (Math.abs(timestamp - now.wallMs) > state.parameters.hotstuff.clockToleranceMs) {
    return effects.note({ kind: 'clock-refused', detail: { view: node.view } })
  }
  castVote(step, node)()
}

/** The rule of the papers, and what the chain asks: that it is whole, and not too long. */
export function mayVoteFor(state: HotstuffState, node: ChainNode): boolean {
  const { tree, parameters } = state
  const { justify, timeouts } = node.proposal
  if (!hasVoice(state) || node.view !== state.view || node.view <= state.votedView) return false
  if (!isJustified(node.view, justify.view, timeouts, parameters)) return false
  const below = tree.headerOf(node.parentKey)
  if (below === null || node.height !== below.block.height + 1) return false
  const parent = tree.get(justify.node)
  const path = parent === null ? (tree.isRoot(justify.node) ? [] : null) : tree.path(parent)
  if (path === null || path.length >= chainNodesMax) return false
  return parameters.hotstuff.rule === 'two-chain' || isAboveLock(state, node, path)
}

/**
 * Three-chain: the lock is the parent of the highest certified node that this replica has voted on. The node extends it, or has a certificate of a
 * later view.
 */
function isAboveLock({ lock }: HotstuffState, { proposal }: ChainNode, path: readonly ChainNode[]): boolean {
  if (lock === null || proposal.justify.view > lock.view) return true
  return path.some(({ digest }) => equalBytes(digest, lock.node))
}

/** The promise is on disk before it leaves: call what is returned to send it. */
export function castVote(step: Step, node: ChainNode): () => void {
  const { state, effects } = step
  const { view, digest, proposal } = node
  raiseLock(state, node)
  node.persisted = persist(step, { kind: 'voted', proposal, lock: state.lock })
  state.promisesPersisted = node.persisted
  state.votedView = view
  state.certifiedHeight = Math.max(state.certifiedHeight, acknowledgedBelow(node.height, state.parameters))
  const vote: Vote = { kind: 'vote', view, node: digest, signature: signVote(state, { view, node: digest }) }
  const to = leaderAfter(state, node.header)
  state.vote = { said: vote, to }
  return () => {
    if (to === state.self) onVote(step, state.self, vote)
    else effects.send(to, vote)
  }
}

/** PODC'19: the parent of what the node certifies. Two-chain locks by the certificate itself, which stands in the vote. */
function raiseLock(state: HotstuffState, { proposal }: ChainNode): void {
  if (state.parameters.hotstuff.rule === 'two-chain') return
  const certified = state.tree.get(proposal.justify.node)
  if (certified === null) return
  const { view, node } = certified.proposal.justify
  if (view > (state.lock?.view ?? 0)) state.lock = { view, node }
}

export function onVote(step: Step, from: ReplicaId, vote: Vote): void {
  const { state } = step
  const { view } = vote
  if (!state.membership.isVoter(from) || view <= state.high.view) return
  const known = state.votes.get(from)
  if (known !== undefined && known.vote.view > view) return
  if (known !== undefined && known.vote.view === view) {
    if (!equalBytes(known.vote.node, vote.node)) accuseOfVotes(step, from, known, vote)
    return
  }
  state.votes.set(from, { vote, verified: from === state.self })
  certify(step, view, vote.node)
}

/** Verified only when enough are there to decide something (R10). */
function certify(step: Step, view: View, node: Digest): void {
  const { state, effects } = step
  const votes = gather(state, view, node)
  if (votes === null) return
  const certificate = state.certificates.remember({ view, node, votes })
  effects.note({ kind: 'certified-node', detail: { view } })
  onCertificate(step, certificate, null)
  state.freshCertificate = certificate
}

function gather(state: HotstuffState, view: View, node: Digest): SignatureSet | null {
  const { quorum } = state.membership
  const matching = [...state.votes].filter(([, { vote }]) => vote.view === view && equalBytes(vote.node, node))
  if (matching.length < quorum) return null
  matching.sort(([, left], [, right]) => Number(right.verified) - Number(left.verified))
  const valid: SignatureSet = []
  for (const [replica, received] of matching) {
    if (valid.length === quorum) break
    const { signature } = received.vote
    if (!received.verified && !isSignedVote(state, replica, { view, node }, signature)) {
      state.votes.delete(replica)
      continue
    }
    received.verified = true
    valid.push({ replica, signature })
  }
  return valid.length < quorum ? null : valid.sort((left, right) => left.replica - right.replica)
}
