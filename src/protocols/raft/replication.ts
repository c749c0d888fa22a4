// Log replication and commitment: Raft §5.3 and §5.4.2. What a leader makes of answers, and what a follower makes of appends.

import { payloadDigest, emptyPayload, type Block } from '../../kernel/block.ts'
import type { ReplicaId } from '../../kernel/ids.ts'
import { assert } from './assert.ts'
import {
  messageEntriesMax,
  type Append,
  type AppendAnswer,
  type Entry,
  type Heartbeat,
  type HeartbeatAnswer,
  type Rejection,
} from './messages.ts'
import type { Progress } from './progress.ts'
import { proposeWaiting } from './proposals.ts'
import { confirmRounds, onTermCommitted } from './reads.ts'
import { flushCommit, sendTo } from './sending.ts'
import { storeEntries, type Step } from './state.ts'

// ---- The leader.

export function onMatched(step: Step, from: ReplicaId, answer: AppendAnswer | HeartbeatAnswer): void {
  const { state } = step
  const progress = heard(step, from, answer.round)
  if (progress === null) return
  const { matchIndex } = answer
  if (matchIndex > state.log.lastIndex) return step.effects.note({ kind: 'malformed-answer', detail: { from } })
  // A heartbeat proves only what was known, and must not end a probe that is under way.
  const advanced = answer.kind === 'append-answer' && progress.matched(matchIndex)
  if (advanced && matchIndex > state.commitIndex) advanceCommit(step)
  sendTo(step, from, progress)
  flushCommit(step, from, progress)
  confirmRounds(step)
}

export function onRejection(step: Step, from: ReplicaId, rejection: Rejection): void {
  const { state, effects } = step
  const progress = heard(step, from, rejection.round)
  if (progress === null) return
  const { rejectedIndex, hintIndex, hintTerm } = rejection
  // Late rejections of earlier messages must not move the probe back and forth (C18); what is proven is never doubted.
  const current = progress.mode === 'replicating' || rejectedIndex === progress.nextIndex - 1
  if (current && rejectedIndex > progress.matchIndex && rejectedIndex <= state.log.lastIndex) {
    const agree = state.log.lastNotAbove(Math.min(hintIndex, rejectedIndex - 1), hintTerm)
    progress.probeFrom(agree.index + 1)
    effects.note({ kind: 'probe-rejected', detail: { follower: from, next: progress.nextIndex } })
  }
  sendTo(step, from, progress)
  confirmRounds(step)
}

/** An answer of this term: its sender is there, and follows. */
function heard({ state, now }: Step, from: ReplicaId, round: number): Progress | null {
  const progress = state.role === 'leader' ? state.progress.get(from) : undefined
  if (progress === undefined) return null
  progress.heardMs = now.monotonicMs
  progress.silent = false
  if (round <= state.round) progress.round = Math.max(progress.round, round)
  return progress
}

/** §5.4.2: an entry is committed when a quorum has it *and it is of this term*; those before it are committed with it (C9). */
export function advanceCommit(step: Step): void {
  const { state } = step
  const { log, membership } = state
  const matches: number[] = []
  for (const voter of membership.voters) {
    matches.push(voter === state.self ? log.durableIndex : (state.progress.get(voter)?.matchIndex ?? 0))
  }
  const candidate = quorumIndex(matches, membership.quorum)
  if (candidate <= state.commitIndex || log.termAt(candidate) !== state.term) return
  const before = state.commitIndex
  commitTo(step, candidate)
  if (before < state.termStartIndex && candidate >= state.termStartIndex) onTermCommitted(step)
  proposeWaiting(step)
  for (const [follower, progress] of state.progress) flushCommit(step, follower, progress)
}

/** The highest index that `quorum` of the voters have reached. */
export function quorumIndex(matches: readonly number[], quorum: number): number {
  return [...matches].sort((left, right) => right - left)[quorum - 1] ?? 0
}

/** Decides what lies between. At the leader it need not wait for the leader's own disk (README.md, proof 2). */
function commitTo({ state, effects }: Step, index: number): void {
  assert(index >= state.commitIndex && index <= state.log.lastIndex, 'commit outside of the log')
  state.commitIndex = index
  const after = state.role === 'leader' ? state.hardStatePersisted : undefined
  while (state.decidedHeight < index) {
    state.decidedHeight++
    const { term, block } = state.log.at(state.decidedHeight)
    effects.decide(block, { kind: 'raft', term, index: state.decidedHeight }, after)
  }
}

// ---- The follower. Its term is the message's when it gets here.

export function onAppend(step: Step, from: ReplicaId, message: Append): void {
  const { state, effects } = step
  if (!isWellFormed(step, message)) return effects.note({ kind: 'malformed-append', detail: { from } })
  if (state.log.termAt(message.previousIndex) !== message.previousTerm) return reject(step, from, message)
  const proven = message.previousIndex + message.entries.length
  if (!isIntact(step, message)) return effects.note({ kind: 'malformed-append', detail: { from } })
  takeEntries(step, message)
  commitProven(step, message.commit, proven)
  // Leaves when the entries are durable; it promises no more than the message proved (C16).
  effects.send(from, { kind: 'append-answer', term: state.term, round: message.round, matchIndex: proven })
}

export function onHeartbeat(step: Step, from: ReplicaId, message: Heartbeat): void {
  const { state, effects } = step
  if (state.log.termAt(message.previousIndex) !== message.previousTerm) return reject(step, from, message)
  commitProven(step, message.commit, message.previousIndex)
  // All it promises was promised before: the term, and entries that were acknowledged (README.md, proof 3).
  const { term, hardStatePersisted } = state
  const answer: HeartbeatAnswer = {
    kind: 'heartbeat-answer',
    term,
    round: message.round,
    matchIndex: message.previousIndex,
  }
  effects.send(from, answer, hardStatePersisted)
}

/** Truncates only where an entry conflicts: a late, shorter append must not undo a longer one (§5.3). */
function takeEntries(step: Step, { previousIndex, entries }: Append): void {
  const { state, effects } = step
  let fresh = 0
  while (fresh < entries.length && state.log.termAt(previousIndex + 1 + fresh) === entries[fresh]!.term) fresh++
  if (fresh === entries.length) return
  const keepIndex = previousIndex + fresh
  assert(keepIndex >= state.commitIndex, 'a committed entry would be truncated')
  const truncated = storeEntries(step, keepIndex, fresh === 0 ? entries : entries.slice(fresh))
  if (truncated.length === 0) return
  effects.note({ kind: 'truncated', detail: { from: keepIndex + 1, count: truncated.length, conflicting: true } })
  for (const { block } of truncated) {
    if (block.payload.length > emptyPayload.length) state.ports.pool.putBack(block.payload)
  }
}

function commitProven(step: Step, commit: number, proven: number): void {
  const index = Math.min(commit, proven)
  if (index > step.state.commitIndex) commitTo(step, index)
}

/** The hint lets the leader skip all of a divergent term in one round (C20). */
function reject({ state, effects }: Step, to: ReplicaId, message: Append | Heartbeat): void {
  const { previousIndex, previousTerm, round } = message
  const hint = state.log.lastNotAbove(previousIndex, previousTerm)
  effects.send(to, {
    kind: 'rejection',
    term: state.term,
    round,
    rejectedIndex: previousIndex,
    hintIndex: hint.index,
    hintTerm: hint.term,
  })
}

/** A leader that runs our code sends nothing else; what does not look like it was damaged, and is dropped. */
function isWellFormed({ state }: Step, { term, previousIndex, previousTerm, entries }: Append): boolean {
  if (previousIndex > Number.MAX_SAFE_INTEGER - messageEntriesMax || previousTerm > term) return false
  let last = Math.max(previousTerm, 1)
  for (let offset = 0; offset < entries.length; offset++) {
    const entry = entries[offset]!
    if (entry.term < last || entry.term > term) return false
    last = entry.term
    if (!isSoundBlock(state.epoch, previousIndex + 1 + offset, entry.block)) return false
  }
  return true
}

function isSoundBlock(epoch: number, index: number, { header }: Block): boolean {
  return header.epoch === epoch && header.height === index
}

/**
 * What is new carries the payload that its digest names, and nothing contradicts what is committed here: no honest leader's log does
 * (§5.4.3), so such a message is refused like a damaged one, and this replica goes on.
 */
function isIntact(step: Step, { previousIndex, entries }: Append): boolean {
  const { log, commitIndex } = step.state
  for (let offset = 0; offset < entries.length; offset++) {
    const entry = entries[offset]!
    const index = previousIndex + 1 + offset
    if (log.termAt(index) === entry.term) continue
    if (index <= commitIndex || !hasItsPayload(step, entry)) return false
  }
  return true
}

function hasItsPayload({ state }: Step, { block }: Entry): boolean {
  const digest = payloadDigest(state.ports.hasher, block.payload)
  const named = block.header.payloadDigest
  if (digest.length !== named.length) return false
  for (let at = 0; at < digest.length; at++) if (digest[at] !== named[at]) return false
  return true
}
