// What a leader proposes, and when: what waits, or an empty block that brings an earlier one to its end. Nothing else moves an idle chain.

import { emptyPayload, payloadDigest } from '../../kernel/block.ts'
import type { Proposal } from './messages.ts'
import { addNode, makeNode } from './chain.ts'
import { hold, letGo } from './holding.ts'
import { headerOf, isLeaderByChain, leaderNow } from './node-header.ts'
import { hasRoomFor } from './prospects.ts'
import { isJustified } from './rules.ts'
import { hasVoice, type HotstuffState, type Step } from './state.ts'
import { nodeDigest, signProposal } from './statements.ts'
import type { ChainNode } from './tree.ts'
import { castVote, mayVoteFor } from './voting.ts'

export function propose(step: Step): void {
  const { state, effects } = step
  const path = pathToHigh(state)
  if (path === null || !mayPropose(state, path)) return
  holdWhatIsUnderWay(state, path)
  if (!hasBusiness(state, path)) return
  const taken = state.ports.pool.take(state.parameters.batch)
  const proposal = makeProposal(step, taken?.payload ?? emptyPayload)
  const node = makeNode(step, proposal)
  node.valid = true
  node.held = true
  if (!mayVoteFor(state, node) || !addNode(step, node)) {
    if (taken !== null) state.ports.pool.putBack(taken.payload)
    return
  }
  state.proposedView = state.view
  state.firsts.add(node)
  // Its own vote is on disk with it, before it leaves (R13).
  const vote = castVote(step, node)
  effects.broadcast(proposal)
  vote()
}

function mayPropose(state: HotstuffState, path: readonly ChainNode[]): boolean {
  const { view, high, timeouts, proposedView, stalled, decidedHeight, executedHeight, parameters } = state
  if (!hasVoice(state) || stalled || leaderNow(state) !== state.self) return false
  if (proposedView >= view || state.votedView >= view) return false
  if (!isJustified(view, high.view, timeouts, parameters)) return false
  if (!hasRoomFor(state, path.length)) return false
  return decidedHeight - executedHeight < parameters.flow.executionLagBlocksMax
}

/** From the root's child to the node that is extended; null: something between is not known. */
function pathToHigh({ tree, high }: HotstuffState): ChainNode[] | null {
  if (tree.isRoot(high.node)) return []
  const node = tree.get(high.node)
  return node === null ? null : tree.path(node)
}

/** What the chain that is extended holds is in the pool's hands; what other branches hold waits again. */
function holdWhatIsUnderWay(state: HotstuffState, path: readonly ChainNode[]): void {
  const onPath = new Set(path)
  const others = [...state.tree.all()].filter((node) => !onPath.has(node))
  letGo(state, others)
  for (const node of path) hold(state, node)
}

/** Requests, or a block of requests that is not committed yet. */
function hasBusiness({ ports, committed }: HotstuffState, path: readonly ChainNode[]): boolean {
  if (ports.pool.waitingOperations > 0) return true
  return path.some(({ isEmpty, height }) => !isEmpty && height > (committed?.node.height ?? 0))
}

function makeProposal({ state, now }: Step, payload: Uint8Array): Proposal {
  const { epoch, ports, tree, high, view } = state
  const below = tree.get(high.node)?.header ?? tree.root.header
  // It need not rise: executed time is the highest so far, and whoever came before may have had a fast clock.
  const timestamp = Math.floor(now.wallMs)
  const header = {
    epoch: epoch.number,
    height: below.block.height + 1,
    timestamp,
    payloadDigest: payloadDigest(ports.hasher, payload),
  }
  const timeouts = high.view === view - 1 ? null : state.timeouts
  const extended = isLeaderByChain(state, view, high) ? below : null
  const said = { kind: 'proposal' as const, view, header, payload, justify: high, timeouts, extended }
  const node = nodeDigest(ports.hasher, headerOf(state, said))
  return { ...said, signature: signProposal(state, { view, node }) }
}
