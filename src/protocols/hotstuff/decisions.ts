// Committed nodes leave in order, while their proofs go to disk; and the tree is pruned.

import { broken } from '../../kernel/invariant.ts'
import { emptyPayload, type Block } from '../../kernel/block.ts'
import type { HotstuffDecisionProof, QuorumCertificate } from '../../kernel/proof.ts'
import { toHex } from '../../kernel/hex.ts'
import { letGo } from './holding.ts'
import { committedBy, runLength } from './rules.ts'
import { nodeDigest } from './statements.ts'
import type { HotstuffState, Step } from './state.ts'
import type { ChainNode, Root } from './tree.ts'

/** As far as the application keeps up. */
export function decideReady(step: Step): void {
  while (mayDecide(step.state) && (decideRecovered(step) || decideNext(step)));
}

function mayDecide({ decidedHeight, executedHeight, parameters }: HotstuffState): boolean {
  return decidedHeight - executedHeight < parameters.flow.executionLagBlocksMax
}

/** What the log shows as decided in an earlier life. */
function decideRecovered(step: Step): boolean {
  const { state } = step
  const height = state.decidedHeight + 1
  if (!state.ledger.has(height)) return false
  const { block, proof } = state.ledger.read(height)
  handOver(step, block, proof)
  return true
}

/** The whole chain below what is committed, in order, once each. */
function decideNext(step: Step): boolean {
  const { state } = step
  const { committed, tree, parameters } = state
  if (committed === null) return false
  const path = tree.path(committed.node)
  // Something between is not here yet: it is being fetched.
  if (path === null) return false
  const node = path[0]!
  const { header, payload } = node.proposal
  const proof = shortestProof([...path, ...committed.tail], committed.certificate, runLength(parameters))
  // First to the application, as in pbft: what follows from it promises nothing, but a signature on a checkpoint (docs/decisions/0016).
  handOver(step, { header, payload }, proof)
  record(step, { header, payload }, proof, node.persisted)
  return true
}

/**
 * The lowest run above the first of these proves it as well as the highest: whoever decides many blocks at once, since his application is slow, would write all
 * their headers with each of them. The certificate of each but the last stands in its child.
 */
function shortestProof(chain: readonly ChainNode[], last: QuorumCertificate, run: number): HotstuffDecisionProof {
  const certificates = [...chain.slice(1).map(({ proposal }) => proposal.justify), last]
  let first = 0
  while (first + run < chain.length && committedBy(chain.slice(first, first + run).reverse(), run) === null) first++
  const headers = chain.slice(0, first + run).map(({ header }) => header)
  return { kind: 'hotstuff', headers, certificates: certificates.slice(first, first + run) }
}

/** `at`: the record that has the payload already, or null. */
export function record(
  step: Step,
  { header, payload }: Block,
  { headers, certificates }: HotstuffDecisionProof,
  at: number | null,
): void {
  const isEmpty = payload.length === emptyPayload.length
  const written = at !== null || isEmpty ? null : payload
  const decided = step.effects.persistSoon({ kind: 'decided', headers, certificates, payload: written })
  step.state.ledger.add(header.height, { decided, payload: isEmpty ? null : (at ?? decided) })
}

export function handOver(step: Step, block: Block, proof: HotstuffDecisionProof): void {
  const { state, now, effects } = step
  const { header, payload } = block
  if (header.height !== state.decidedHeight + 1)
    broken(`block ${header.height} is decided above ${state.decidedHeight}`)
  state.decidedHeight = header.height
  state.lastDecidedMs = now.monotonicMs
  moveRoot(step, rootOf(state, proof))
  if (payload.length === emptyPayload.length) effects.note({ kind: 'null-block', detail: { height: header.height } })
  effects.decide(block, proof)
}

/** The node that a proof is about, as the beginning of what is not decided. */
export function rootOf({ ports }: HotstuffState, { headers }: HotstuffDecisionProof): Root {
  const header = headers[0]!
  const digest = nodeDigest(ports.hasher, header)
  return { key: toHex(digest), digest, header }
}

/** The requests of what was orphaned wait again. */
export function moveRoot({ state, effects }: Step, root: Root): void {
  const { tree, firsts, lacking } = state
  const orphans = tree.moveTo(root)
  letGo(state, orphans)
  if (orphans.length > 0) effects.note({ kind: 'orphaned', detail: { nodes: orphans.length } })
  const { view, block } = root.header
  // Decisions that were fetched may have come before those that were on their way.
  if (state.committed !== null && state.committed.node.height <= block.height) state.committed = null
  firsts.forgetUpTo(view)
  for (const [key, one] of lacking) if (one.view <= view) lacking.delete(key)
}
