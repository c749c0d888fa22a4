// A start: the records of the log make the promises of the lives before this one's own.

import { emptyPayload, payloadDigest } from '../../kernel/block.ts'
import type { View } from '../../kernel/ids.ts'
import type { QuorumCertificate } from '../../kernel/proof.ts'
import type { Persisted, Recovered } from '../../kernel/protocol.ts'
import { makeNode } from './chain.ts'
import { beginAbove } from './checkpoints.ts'
import { toHex } from '../../kernel/hex.ts'
import { equalBytes } from '../../wire/equal-bytes.ts'
import { leaderAfter } from './leaders.ts'
import type { Proposal, Statement } from './messages.ts'
import { acknowledgedBelow } from './rules.ts'
import type { DecidedRecord, HotstuffRecord, VotedRecord } from './records.ts'
import { timer, type HotstuffState, type Step } from './state.ts'
import { askForHelp } from './status-exchange.ts'
import { nodeDigest, signVote } from './statements.ts'
import type { ChainNode } from './tree.ts'

/** Nodes that were voted for, by key: where a decision's payload may stand, and what the tree is made of again. */
type VotedNodes = Map<string, ChainNode>

export function start(step: Step, recovered: Recovered<HotstuffRecord>): void {
  const { state, now, effects } = step
  state.abstains = recovered.abstains
  if (recovered.checkpoint !== null) {
    beginAbove(step, recovered.checkpoint)
    state.stableHeight = recovered.checkpoint.header.height
    state.certified = recovered.checkpoint
  }
  const voted: VotedNodes = new Map()
  for (const { sequence, record } of recovered.records) {
    state.durable = sequence
    state.lastPersisted = sequence
    apply(step, voted, sequence, record)
  }
  restore(state, voted)
  enterRecovered(state)
  state.lastDecidedMs = now.monotonicMs
  repeatVote(state, voted)
  effects.arm(timer.status, state.parameters.timers.retransmitMs)
  askForHelp(step)
}

function apply(step: Step, voted: VotedNodes, sequence: Persisted, record: HotstuffRecord): void {
  const { state } = step
  switch (record.kind) {
    case 'voted':
      return applyVoted(step, voted, sequence, record)
    case 'timeout': {
      const timeout = { kind: 'timeout' as const, ...record.timeout }
      state.timeout = timeout
      state.timeoutPersisted = sequence
      state.timeoutsOf.set(state.self, timeout)
      raise(state, timeout.view, timeout.certificate)
      return
    }
    case 'timeouts':
      state.timeouts = record.timeouts
      state.timeoutsPersisted = sequence
      raise(state, 0, record.certificate)
      return
    case 'decided':
      return applyDecided(state, voted, sequence, record)
    case 'promises':
      state.promisesPersisted = sequence
      state.certifiedHeight = Math.max(state.certifiedHeight, record.certifiedHeight)
      raiseLock(state, record.lock)
      raise(state, record.votedView, record.certificate)
  }
}

/** A promise of an earlier life: the certificate is never forgotten, or a timeout would sign for less (R13). */
function raise(state: HotstuffState, votedView: View, certificate: QuorumCertificate): void {
  state.votedView = Math.max(state.votedView, votedView)
  const kept = state.certificates.remember(certificate)
  if (kept.view > state.high.view) state.high = kept
}

function raiseLock(state: HotstuffState, lock: Statement | null): void {
  if (lock !== null && lock.view > (state.lock?.view ?? 0)) state.lock = lock
}

function applyVoted(step: Step, voted: VotedNodes, sequence: Persisted, { proposal, lock }: VotedRecord): void {
  const { state } = step
  const kept: Proposal = { kind: 'proposal', ...proposal, payload: Uint8Array.from(proposal.payload) }
  const node = makeNode(step, kept)
  node.valid = true
  node.persisted = sequence
  voted.set(node.key, node)
  state.promisesPersisted = sequence
  state.certifiedHeight = Math.max(state.certifiedHeight, acknowledgedBelow(node.height, state.parameters))
  raiseLock(state, lock)
  raise(state, node.view, kept.justify)
}

function applyDecided(
  state: HotstuffState,
  voted: VotedNodes,
  sequence: Persisted,
  { headers, certificates, payload }: DecidedRecord,
): void {
  const first = headers[0]!
  const { height } = first.block
  for (const certificate of certificates) raise(state, 0, certificate)
  const key = toHex(nodeDigest(state.ports.hasher, first))
  const at = payload === null ? (voted.get(key)?.persisted ?? null) : sequence
  const node = voted.get(key)
  // What is decided is on disk, and need not stay in memory.
  if (node !== undefined) voted.delete(key)
  if (height <= state.stableHeight) return
  // The log was cut between its payload and its decision, for checkpoints that cannot be read any more: others have it.
  if (payload === null && at === null && !isEmptyBlock(state, first.block.payloadDigest)) return state.ledger.clear()
  state.ledger.add(height, { decided: sequence, payload: at })
}

function isEmptyBlock({ ports }: HotstuffState, digest: Uint8Array): boolean {
  return equalBytes(digest, payloadDigest(ports.hasher, emptyPayload))
}

/**
 * What is above what is decided: that comes first when the blocks are handed over again. In a life in which nothing was committed for long there were more
 * than there is room for. What is certified stays, for it may be extended, and if all were down at once nobody else has it either.
 */
function restore({ tree, firsts, high, decidedHeight }: HotstuffState, voted: VotedNodes): void {
  const certified = new Set([toHex(high.node), ...[...voted.values()].map(({ parentKey }) => parentKey)])
  for (const node of voted.values()) {
    if (node.height > decidedHeight && tree.add(node, certified) !== null) firsts.add(node)
  }
}

/** Nobody enters a view below what it has given up, or has a reason for. */
function enterRecovered(state: HotstuffState): void {
  const { timeouts, timeout, high } = state
  state.view = Math.max(high.view + 1, timeouts === null ? 0 : timeouts.view + 1, timeout?.view ?? 0)
  if (timeouts !== null && timeouts.view !== state.view - 1) state.timeouts = null
  state.proposedView = state.votedView
}

/** The same statement has the same signature. */
function repeatVote(state: HotstuffState, voted: VotedNodes): void {
  for (const { view, digest, header } of voted.values()) {
    if (view !== state.votedView || state.timeout?.view === view) continue
    const vote = { kind: 'vote' as const, view, node: digest, signature: signVote(state, { view, node: digest }) }
    const to = leaderAfter(state, header)
    state.vote = { said: vote, to }
    if (to === state.self) state.votes.set(state.self, { vote, verified: true })
  }
}
