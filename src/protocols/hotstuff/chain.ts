// Taking nodes into the tree, and what follows from certificates: the highest, the view after it, and what is committed.

import { detached } from '../../wire/detached.ts'
import { equalBytes } from '../../wire/equal-bytes.ts'
import { emptyPayload, payloadDigest } from '../../kernel/block.ts'
import { toHex } from '../../kernel/hex.ts'
import type { ReplicaId } from '../../kernel/ids.ts'
import type { ChainedHeader, QuorumCertificate } from '../../kernel/proof.ts'
import { wantBelow, wantNode } from './ancestors.ts'
import { detachedTimeouts } from './certificates.ts'
import { letGo } from './holding.ts'
import { headerOf, leaderOf } from './node-header.ts'
import type { Proposal } from './messages.ts'
import { committedBy, runLength } from './rules.ts'
import type { HotstuffState, Step } from './state.ts'
import { nodeDigest } from './statements.ts'
import type { ChainNode } from './tree.ts'
import { enterAfter } from './views.ts'

/** `proposal` is kept: its bytes are its own, and its certificate holds. */
export function makeNode({ state, now }: Step, proposal: Proposal): ChainNode {
  const { header: block, view, justify, payload } = proposal
  const header = headerOf(state, proposal)
  const digest = nodeDigest(state.ports.hasher, header)
  return {
    key: toHex(digest),
    parentKey: toHex(justify.node),
    digest,
    view,
    height: block.height,
    header,
    leader: leaderOf(state, proposal),
    proposal,
    sinceMs: now.monotonicMs,
    isEmpty: payload.length === emptyPayload.length,
    valid: null,
    persisted: null,
    held: false,
  }
}

/** What came from outside lies in a buffer that is not its own. */
export function detachedProposal(proposal: Proposal, justify: QuorumCertificate): Proposal {
  const { header, payload, timeouts, extended, signature } = proposal
  return {
    ...proposal,
    header: { ...header, payloadDigest: detached(header.payloadDigest) },
    payload: detached(payload),
    timeouts: timeouts === null ? null : detachedTimeouts(timeouts),
    extended: extended === null ? null : detachedHeader(extended),
    signature: detached(signature),
    justify,
  }
}

function detachedHeader(header: ChainedHeader): ChainedHeader {
  const { block, parent } = header
  return { ...header, block: { ...block, payloadDigest: detached(block.payloadDigest) }, parent: detached(parent) }
}

export function hasItsPayload({ ports }: HotstuffState, { header, payload }: Proposal): boolean {
  return equalBytes(payloadDigest(ports.hasher, payload), header.payloadDigest)
}

/** False: there is no room for it. */
export function addNode(step: Step, node: ChainNode): boolean {
  const { state } = step
  const gone = state.tree.add(node, keptNodes(state))
  if (gone === null) return false
  letGo(state, gone)
  for (const one of gone) state.firsts.forget(one)
  state.lacking.delete(node.key)
  wantBelow(step, node)
  // A certificate of it may have been here before it was.
  const certificate = state.certificates.find(node.view, node.digest)
  if (certificate !== null) {
    node.valid = true
    commitBy(step, certificate)
  }
  // It may be what a certified child was waiting for.
  if (state.tree.get(state.high.node) !== null) commitBy(step, state.high)
  return true
}

/** What leads to the highest certificate, and to what is committed. */
function keptNodes({ tree, high, committed }: HotstuffState): Set<string> {
  const kept = new Set<string>()
  for (const node of [tree.get(high.node), committed?.tail.at(-1) ?? null]) {
    if (node !== null) for (const below of tree.descent(node, Infinity)) kept.add(below.key)
  }
  return kept
}

/** It holds. `from`: who has what it certifies, beside those who voted for it. */
export function onCertificate(step: Step, certificate: QuorumCertificate, from: ReplicaId | null): void {
  const { state } = step
  const { tree } = state
  const node = tree.get(certificate.node)
  if (node !== null) node.valid = true
  if (certificate.view > state.high.view) state.high = certificate
  if (node !== null) commitBy(step, certificate)
  else if (!tree.isRoot(certificate.node) && certificate.view > tree.root.header.view) {
    wantNode(step, certificate, from)
  }
  enterAfter(step, certificate)
}

/** The commit rule: looked at for each certificate, when its node is here. */
function commitBy({ state, effects }: Step, certificate: QuorumCertificate): void {
  const { tree, certificates, parameters } = state
  const run = runLength(parameters)
  const certified = tree.descent(tree.get(certificate.node)!, run)
  const node = committedBy(certified, run)
  if (node === null || node.height <= (state.committed?.node.height ?? state.decidedHeight)) return
  const kept = certificates.find(certificate.view, certificate.node) ?? certificate
  state.committed = { node, tail: certified.slice(0, run - 1).reverse(), certificate: kept }
  effects.note({ kind: 'committed', detail: { height: node.height, view: node.view } })
}
