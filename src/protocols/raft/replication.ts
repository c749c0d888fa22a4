// Log replication and commitment: Raft §5.3 and §5.4.2. What a leader makes of answers, and what a follower makes of appends.

import { payloadDigest, type Block } from '../../kernel/block.ts'
import type { ReplicaId } from '../../kernel/ids.ts'
import { assert } from '../../kernel/invariant.ts'
import { wantState } from './fetching.ts'
import {
  messageEntriesMax,
  type Append,
  type AppendAnswer,
  type Entry,
  type Heartbeat,
  type HeartbeatAnswer,
  type LogAnswer,
  type Offer,
  type Rejection,
} from './messages.ts'
import { Progress } from './progress.ts'
import { proposeWaiting, putBack } from './proposals.ts'
import { confirmRounds, onTermCommitted } from './reads.ts'
import { flushCommit, offerState, sendTo } from './sending.ts'
import { answerLeader, counted, storeEntries, type Step } from './state.ts'

// ---- The leader.

/** `abstains`: said by one that has no vote any more. */
export function onLogAnswer(step: Step, from: ReplicaId, answer: LogAnswer, abstains: boolean): void {
  const progress = heard(step, from, answer.round, abstains)
  if (progress === null) return
  if (answer.kind === 'rejection') onRejection(step, from, progress, answer)
  else onMatched(step, from, progress, answer)
}

function onMatched(step: Step, from: ReplicaId, progress: Progress, answer: AppendAnswer | HeartbeatAnswer): void {
  const { state } = step
  const { matchIndex } = answer
  if (matchIndex > state.log.lastIndex) return step.effects.note({ kind: 'malformed-answer', detail: { from } })
  // A heartbeat proves only what was known, and must not end a probe that is under way; unless a checkpoint speaks (README.md, proof 4).
  const proves = answer.kind === 'append-answer' || matchIndex > progress.matchIndex
  const advanced = proves && progress.matched(matchIndex)
  if (advanced && matchIndex > state.commitIndex) advanceCommit(step)
  sendTo(step, from, progress)
  flushCommit(step, from, progress)
  confirmRounds(step)
}

function onRejection(step: Step, from: ReplicaId, progress: Progress, rejection: Rejection): void {
  const { state } = step
  const { rejectedIndex } = rejection
  if (progress.abstains && rejectedIndex <= progress.matchIndex) progress.forget()
  // Late rejections of earlier messages must not move the probe back and forth (C18); what is proven is never doubted.
  const current = progress.mode !== 'probing' || rejectedIndex === progress.nextIndex - 1
  if (current && rejectedIndex > progress.matchIndex && rejectedIndex <= state.log.lastIndex)
    probeBelow(step, from, progress, rejection)
  if (progress.mode === 'offered') offerState(step, from, progress)
  else sendTo(step, from, progress)
  confirmRounds(step)
}

/** Where no entry of the leader's own log can be one that both have, the follower needs what was cut (C21). */
function probeBelow({ state, effects }: Step, from: ReplicaId, progress: Progress, rejection: Rejection): void {
  const { rejectedIndex, hintIndex, hintTerm } = rejection
  const belowIndex = Math.min(hintIndex, rejectedIndex - 1)
  const agree = state.log.lastNotAbove(belowIndex, hintTerm)
  if (agree.index > belowIndex || agree.term > hintTerm) {
    if (progress.mode !== 'offered') effects.note({ kind: 'state-offered', detail: { follower: from } })
    return progress.offer()
  }
  progress.probeFrom(agree.index + 1)
  effects.note({ kind: 'probe-rejected', detail: { follower: from, next: progress.nextIndex } })
}

/** An answer of this term: its sender is there, and follows. */
function heard({ state, now }: Step, from: ReplicaId, round: number, abstains: boolean): Progress | null {
  let progress = state.role === 'leader' ? state.progress.get(from) : undefined
  if (progress === undefined) return null
  if (abstains && !progress.abstains) {
    // What it said before it lost its log says nothing any more.
    progress = new Progress(state.originIndex, state.log.lastIndex + 1, state.log.firstIndex)
    progress.abstains = true
    state.progress.set(from, progress)
  }
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
    matches.push(voter === state.self ? log.durableIndex : (counted(state, voter)?.matchIndex ?? 0))
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

function commitTo(step: Step, index: number): void {
  const { state } = step
  assert(index >= state.commitIndex && index <= state.log.lastIndex, 'commit outside of the log')
  state.commitIndex = index
  decideCommitted(step)
}

/** Also when the executor has got on: no more is handed to it than it may lag behind; the rest waits in the log, on disk where it is much. */
export function decideCommitted({ state, effects }: Step): void {
  const { log, parameters } = state
  // A log that begins behind the newest checkpoint waits for a state.
  if (state.decidedHeight < log.baseIndex) return
  // At the leader it need not wait for the leader's own disk (README.md, proof 2).
  const after = state.role === 'leader' ? state.hardStatePersisted : undefined
  while (state.decidedHeight < state.commitIndex) {
    if (state.decidedHeight - state.executedHeight >= parameters.flow.executionLagBlocksMax) break
    state.decidedHeight++
    const { term, block } = log.at(state.decidedHeight)
    effects.decide(block, { kind: 'raft', term, index: state.decidedHeight }, after)
  }
  log.shrink(state.commitIndex)
  if (state.wantedState !== null && state.decidedHeight >= state.wantedState) state.wantedState = null
}

// ---- The follower. Its term is the message's when it gets here.

export function onAppend(step: Step, from: ReplicaId, given: Append): void {
  const { state, effects } = step
  const { baseIndex } = state.log
  if (!isWellFormed(step, given)) return effects.note({ kind: 'malformed-append', detail: { from } })
  const { round } = given
  if (given.previousIndex + given.entries.length < baseIndex)
    return answerLeader(step, from, { kind: 'append-answer', term: state.term, round, matchIndex: baseIndex })
  const message = given.previousIndex < baseIndex ? aboveBase(step, given) : given
  if (state.log.termAt(message.previousIndex) !== message.previousTerm) return reject(step, from, message)
  const proven = message.previousIndex + message.entries.length
  if (!isIntact(step, message)) return effects.note({ kind: 'malformed-append', detail: { from } })
  takeEntries(step, message)
  commitProven(step, message.commit, proven)
  // Leaves when the entries are durable; it promises no more than the message proved (C16).
  answerLeader(step, from, { kind: 'append-answer', term: state.term, round, matchIndex: proven })
}

/** What lies up to the base is in a checkpoint, hence decided, hence in this leader's log too (README.md, proof 4). */
function aboveBase({ state }: Step, message: Append): Append {
  const { baseIndex: previousIndex } = state.log
  const known = previousIndex - message.previousIndex
  const entries = message.entries.slice(known)
  return { ...message, previousIndex, previousTerm: message.entries[known - 1]!.term, entries }
}

export function onHeartbeat(step: Step, from: ReplicaId, message: Heartbeat | Offer): void {
  const { state } = step
  const { log } = state
  const isBelow = message.previousIndex < log.baseIndex
  if (!isBelow && log.termAt(message.previousIndex) !== message.previousTerm) {
    if (message.kind === 'offer') wantState(step, message.previousIndex)
    return reject(step, from, message)
  }
  if (state.decidedHeight < log.baseIndex) wantState(step, log.baseIndex)
  const proven = isBelow ? log.baseIndex : message.previousIndex
  commitProven(step, message.commit, proven)
  // All it promises was promised before: the term, and entries that were acknowledged (README.md, proof 3).
  const { term, hardStatePersisted } = state
  const answer: HeartbeatAnswer = {
    kind: 'heartbeat-answer',
    term,
    round: message.round,
    matchIndex: proven,
  }
  answerLeader(step, from, answer, hardStatePersisted)
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
  if (truncated.count === 0) return
  effects.note({ kind: 'truncated', detail: { from: keepIndex + 1, count: truncated.count, conflicting: true } })
  putBack(step, truncated)
}

function commitProven(step: Step, commit: number, proven: number): void {
  const index = Math.min(commit, proven)
  if (index > step.state.commitIndex) commitTo(step, index)
}

/** The hint lets the leader skip all of a divergent term in one round (C20). */
function reject(step: Step, to: ReplicaId, message: Append | Heartbeat | Offer): void {
  const { state } = step
  const { previousIndex, previousTerm, round } = message
  const hint = state.log.lastNotAbove(previousIndex, previousTerm)
  answerLeader(step, to, {
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
