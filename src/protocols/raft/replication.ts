// Log replication and commitment: Raft §5.3 and §5.4.2, with pipelined appends.

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
import { confirmRounds, onTermCommitted } from './reads.ts'
import { timer, type Step } from './state.ts'

/** Entries of one message, payloads together; one entry goes even when it is larger. */
const messageBytesMax = 1024 * 1024
const entryOverheadBytes = 80

// ---- The leader.

/** Appends a block to the leader's own log. It counts as the leader's own copy when it is durable, and not before (C12). */
export function appendAsLeader(step: Step, payload: Uint8Array): void {
  const { state, now, effects } = step
  const height = state.log.lastIndex + 1
  const timestamp = Math.max(state.lastTimestamp, Math.floor(now.wallMs))
  state.lastTimestamp = timestamp
  const header = { epoch: state.epoch, height, timestamp, payloadDigest: payloadDigest(state.ports.hasher, payload) }
  const entry: Entry = { term: state.term, block: { header, payload } }
  const persisted = effects.persist({ kind: 'entries', firstIndex: height, entries: [entry] })
  state.log.replaceFrom(height - 1, [entry], persisted)
}

/** Takes what waits into blocks, as far as the pipeline and the executor allow. */
export function proposeWaiting(step: Step): void {
  const { state, effects } = step
  if (state.role !== 'leader' || state.stalled) return
  const { batch, flow } = state.parameters
  const { pool } = state.ports
  let proposed = false
  while (pool.waitingOperations > 0) {
    const underWay = state.log.lastIndex - state.commitIndex
    // C42: without a quorum nothing is decided, so nothing more is taken from the pool, and the pool refuses.
    if (underWay >= flow.pipelineBlocksMax) break
    if (state.decidedHeight - state.executedHeight >= flow.executionLagBlocksMax) break
    const full = pool.waitingOperations >= batch.operationsMax || pool.waitingBytes >= batch.bytesMax
    if (underWay > 0 && !full && batch.lingerMs > 0 && !linger(step)) break
    const taken = pool.take(batch)
    if (taken === null) break
    state.lingering = false
    appendAsLeader(step, taken.payload)
    proposed = true
  }
  if (pool.waitingOperations === 0 && state.lingering) {
    state.lingering = false
    effects.disarm(timer.linger)
  }
  if (proposed) sendToAll(step)
}

/** True when the batch has waited long enough for others to join it. */
function linger({ state, effects }: Step): boolean {
  if (state.lingering) return false
  state.lingering = true
  effects.arm(timer.linger, state.parameters.batch.lingerMs)
  return false
}

export function onLingerTimer(step: Step): void {
  const { state } = step
  if (state.role !== 'leader' || !state.lingering) return
  state.lingering = false
  const { batch, flow } = state.parameters
  if (state.stalled || state.log.lastIndex - state.commitIndex >= flow.pipelineBlocksMax) return
  if (state.decidedHeight - state.executedHeight >= flow.executionLagBlocksMax) return
  const taken = state.ports.pool.take(batch)
  if (taken === null) return
  appendAsLeader(step, taken.payload)
  sendToAll(step)
  proposeWaiting(step)
}

export function sendToAll(step: Step): void {
  for (const [follower, progress] of step.state.progress) sendTo(step, follower, progress)
}

/** Fills the follower's pipeline; a probe is sent alone. */
function sendTo(step: Step, follower: ReplicaId, progress: Progress): void {
  const { state, now } = step
  if (progress.mode === 'probing') {
    if (progress.probeSentMs !== null) return
    progress.probeSentMs = now.monotonicMs
    sendEntries(step, follower, progress)
    return
  }
  const { inflightEntriesMax, inflightBytesMax } = state.parameters.raft
  while (
    progress.nextIndex <= state.log.lastIndex &&
    progress.inflight.length < inflightEntriesMax &&
    progress.inflightBytes < inflightBytesMax
  ) {
    const { lastIndex, bytes } = sendEntries(step, follower, progress)
    progress.sent(lastIndex, bytes, now.monotonicMs)
  }
}

/**
 * Names the persist of the term's hard state instead of waiting for the entries' own (README.md, proof 1): the leader's disk and the
 * followers' work at the same time (thesis §10.2.1).
 */
function sendEntries(step: Step, follower: ReplicaId, progress: Progress): { lastIndex: number; bytes: number } {
  const { state, effects } = step
  const previousIndex = progress.nextIndex - 1
  const previousTerm = state.log.termAt(previousIndex)
  assert(previousTerm !== null, `no term for ${previousIndex}`)
  const entries: Entry[] = []
  let bytes = 0
  for (let index = progress.nextIndex; index <= state.log.lastIndex && entries.length < messageEntriesMax; index++) {
    const entry = state.log.at(index)
    const size = entryOverheadBytes + entry.block.payload.length
    if (entries.length > 0 && bytes + size > messageBytesMax) break
    entries.push(entry)
    bytes += size
  }
  const { term, commitIndex: commit, round } = state
  const message: Append = { kind: 'append', term, previousIndex, previousTerm, commit, round, entries }
  effects.send(follower, message, state.hardStatePersisted)
  return { lastIndex: previousIndex + entries.length, bytes }
}

/** At every heartbeat: says that the leader is there, and sends again what was lost. */
export function sendHeartbeats(step: Step): void {
  const { state, now } = step
  const sinceMs = now.monotonicMs - state.parameters.timers.retransmitMs
  for (const [follower, progress] of state.progress) {
    const unanswered = progress.unansweredSinceMs()
    if (unanswered !== null && unanswered <= sinceMs) progress.probeFrom(progress.matchIndex + 1)
    if (progress.mode === 'probing') sendTo(step, follower, progress)
    heartbeat(step, follower, progress)
  }
}

export function heartbeatAll(step: Step): void {
  for (const [follower, progress] of step.state.progress) heartbeat(step, follower, progress)
}

/** Stands on what the follower is known to have: it can be proven there without a probe, and nothing more is committed by it. */
function heartbeat({ state, effects }: Step, follower: ReplicaId, progress: Progress): void {
  const previousIndex = progress.matchIndex
  const previousTerm = state.log.termAt(previousIndex)
  assert(previousTerm !== null, `no term for ${previousIndex}`)
  const { term, commitIndex: commit, round } = state
  const message: Heartbeat = { kind: 'heartbeat', term, previousIndex, previousTerm, commit, round }
  effects.send(follower, message, state.hardStatePersisted)
}

export function onMatched(step: Step, from: ReplicaId, answer: AppendAnswer | HeartbeatAnswer): void {
  const { state } = step
  const progress = heard(step, from, answer.round)
  if (progress === null || answer.matchIndex > state.log.lastIndex) return
  const fromAppend = answer.kind === 'append-answer'
  // A heartbeat proves only what was known, and must not end a probe that is under way.
  const advanced = fromAppend || answer.matchIndex > progress.matchIndex ? progress.matched(answer.matchIndex) : false
  if (advanced) advanceCommit(step)
  sendTo(step, from, progress)
  confirmRounds(step)
}

export function onRejection(step: Step, from: ReplicaId, rejection: Rejection): void {
  const { state, effects } = step
  const progress = heard(step, from, rejection.round)
  if (progress === null || rejection.rejectedIndex <= progress.matchIndex) return confirmRounds(step)
  // Late rejections of earlier messages must not move the probe back and forth (C18).
  const current = progress.mode === 'replicating' || rejection.rejectedIndex === progress.nextIndex - 1
  if (current) {
    const agree = state.log.lastNotAbove(Math.min(rejection.hintIndex, state.log.lastIndex), rejection.hintTerm)
    progress.probeFrom(Math.min(agree.index + 1, rejection.rejectedIndex))
    effects.note({ kind: 'probe-rejected', detail: { follower: from, next: progress.nextIndex } })
    sendTo(step, from, progress)
  }
  confirmRounds(step)
}

/** An answer of this term: its sender is there, and follows. */
function heard({ state, now }: Step, from: ReplicaId, round: number): Progress | null {
  const progress = state.role === 'leader' ? state.progress.get(from) : undefined
  if (progress === undefined) return null
  progress.heardMs = now.monotonicMs
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
  flushCommit(step)
}

/** The highest index that `quorum` of the voters have reached. */
export function quorumIndex(matches: readonly number[], quorum: number): number {
  return [...matches].sort((left, right) => right - left)[quorum - 1] ?? 0
}

/** The commit index rides on the next append. When none is coming, followers are told at once. */
function flushCommit(step: Step): void {
  const { state } = step
  if (state.log.lastIndex === state.commitIndex && state.ports.pool.waitingOperations === 0) heartbeatAll(step)
}

/** Decides what lies between. At the leader it need not wait for the leader's own disk (README.md, proof 2). */
function commitTo({ state, effects }: Step, index: number): void {
  assert(index >= state.commitIndex && index <= state.log.lastIndex, `commit ${index} outside of the log`)
  state.commitIndex = index
  while (state.decidedHeight < index) {
    state.decidedHeight++
    const { term, block } = state.log.at(state.decidedHeight)
    const after = state.role === 'leader' ? state.hardStatePersisted : undefined
    effects.decide(block, { kind: 'raft', term, index: state.decidedHeight }, after)
  }
}

// ---- The follower. Its term is the message's when it gets here.

export function onAppend(step: Step, from: ReplicaId, message: Append): void {
  const { state, effects } = step
  if (!isSound(step, message)) return effects.note({ kind: 'malformed-append', detail: { from } })
  if (state.log.termAt(message.previousIndex) !== message.previousTerm) return reject(step, from, message)
  const proven = message.previousIndex + message.entries.length
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
  assert(keepIndex >= state.commitIndex, `a leader would truncate the committed entry ${keepIndex + 1}`)
  const added = entries.slice(fresh)
  const persisted = effects.persist({ kind: 'entries', firstIndex: keepIndex + 1, entries: added })
  const truncated = state.log.replaceFrom(keepIndex, added, persisted)
  if (truncated.length > 0) {
    effects.note({ kind: 'truncated', detail: { from: keepIndex + 1, count: truncated.length } })
    for (const { block } of truncated)
      if (block.payload.length > emptyPayload.length) state.ports.pool.putBack(block.payload)
  }
  state.lastTimestamp = added.at(-1)!.block.header.timestamp
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
function isSound({ state }: Step, { term, previousIndex, previousTerm, entries }: Append): boolean {
  if (previousIndex > Number.MAX_SAFE_INTEGER - messageEntriesMax || previousTerm > term) return false
  let last = previousTerm
  for (const [offset, entry] of entries.entries()) {
    if (entry.term < last || entry.term > term) return false
    last = entry.term
    if (!isSoundBlock(state.epoch, previousIndex + 1 + offset, entry.block)) return false
    const known = state.log.termAt(previousIndex + 1 + offset) === entry.term
    if (known) continue
    const digest = payloadDigest(state.ports.hasher, entry.block.payload)
    if (!digest.every((byte, at) => byte === entry.block.header.payloadDigest[at])) return false
  }
  return true
}

function isSoundBlock(epoch: number, index: number, { header }: Block): boolean {
  return header.epoch === epoch && header.height === index
}
