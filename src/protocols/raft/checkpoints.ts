// What checkpoints do to the log: it is cut below them, and a state that was fetched takes the place of what it lacks (Raft §7; the
// snapshot itself is the host's affair).

import type { Checkpoint } from '../../kernel/checkpoint.ts'
import { assert, broken } from '../../kernel/invariant.ts'
import { stepDown } from './election.ts'
import { wantState } from './fetching.ts'
import type { Base } from './log.ts'
import type { Progress } from './progress.ts'
import { putBack } from './proposals.ts'
import { decideCommitted } from './replication.ts'
import { answerLeader, type Step } from './state.ts'

/** A leader cuts nothing that a follower which answers still needs, or fetches a state to reach; but it keeps no more than this for it. */
export const heldBackBytesMax = 256 * 1024 * 1024

/**
 * The log is cut at the stable checkpoint *before* this one: whoever finds this one's snapshot damaged can still begin from that, and
 * whoever is a little behind needs no snapshot.
 */
export function onStable(step: Step, checkpoint: Checkpoint): void {
  const { state } = step
  const place = placeOf(checkpoint)
  const previous = state.stable
  if (previous !== null && place.index <= previous.index) return
  state.stable = place
  if (previous !== null && previous.index > state.log.baseIndex && !isNeeded(step, previous)) cutAt(step, previous)
}

function cutAt(step: Step, base: Base): void {
  const { log, progress } = step.state
  assert(log.termAt(base.index) === base.term, `the checkpoint ${base.index}:${base.term} contradicts the log`)
  log.rebase(base)
  for (const follower of progress.values()) follower.logBegins(log.firstIndex)
  persistBase(step, false)
}

function isNeeded({ state, now }: Step, { index }: Base): boolean {
  if (state.role !== 'leader' || state.log.bytes > heldBackBytesMax) return false
  const sinceMs = now.monotonicMs - state.parameters.timers.timeoutMsBase
  const needs = ({ matchIndex, heardMs }: Progress): boolean =>
    matchIndex < index && heardMs !== null && heardMs > sinceMs
  return [...state.progress.values()].some(needs)
}

/** Base, term and vote are durable before anything that said them is released. */
function persistBase({ state, effects }: Step, truncates: boolean): void {
  const { log, term, votedFor } = state
  const { baseIndex: index } = log
  const persisted = effects.persist({ kind: 'base', index, term: log.knownTermAt(index), truncates })
  state.lastPersisted = effects.persist({ kind: 'hard-state', term, votedFor })
  effects.release(Math.min(persisted, log.firstPersisted ?? persisted))
  effects.note({ kind: 'log-cut', detail: { index, truncates } })
}

/** A state was fetched: everything up to it is decided. Terms and votes stay. */
export function onRestored(step: Step, checkpoint: Checkpoint): void {
  const { state } = step
  state.wantedState = null
  beginFrom(step, checkpoint)
  decideCommitted(step)
  if (state.decidedHeight < state.log.baseIndex) return wantState(step, state.log.baseIndex)
  if (state.role !== 'follower' || state.leader === null) return
  // Unasked, so that the leader goes on at once (README.md, proof 4).
  const { term, leader, leaderRound: round } = state
  answerLeader(step, leader, { kind: 'append-answer', term, round, matchIndex: placeOf(checkpoint).index })
}

/** All records were read. */
export function startOver(step: Step, checkpoint: Checkpoint | null): void {
  const { state } = step
  const { log } = state
  if (!log.hasBase) broken('the records of the log do not reach back to where it was cut')
  if (checkpoint !== null) beginFrom(step, checkpoint)
  if (log.lastIndex > log.baseIndex) log.shrink(log.lastIndex)
  // The newest snapshot was lost, and what the log had below it was cut: nothing can be decided before another is fetched.
  if (state.decidedHeight < log.baseIndex) wantState(step, log.baseIndex)
  state.commitIndex = Math.max(state.commitIndex, log.baseIndex)
}

/**
 * The state of the checkpoint is on disk. Where the log has its entry, of its very term, the log stays as it is. Else all of it belongs
 * to a history that was not decided, or ends too early (C36): it begins anew behind the checkpoint, and a record says so.
 */
function beginFrom(step: Step, checkpoint: Checkpoint): void {
  const { state } = step
  const { log } = state
  const place = placeOf(checkpoint)
  if (place.index >= log.baseIndex && log.termAt(place.index) !== place.term) {
    assert(place.index > state.commitIndex, `the checkpoint ${place.index}:${place.term} contradicts what was decided`)
    // Whoever leads, or asks for votes, said that it has a log which it has no longer.
    if (state.role !== 'follower') stepDown(step, 'restored')
    const truncated = log.rebase(place)
    if (truncated.count > 0)
      step.effects.note({ kind: 'log-replaced', detail: { index: place.index, count: truncated.count } })
    putBack(step, truncated)
    persistBase(step, true)
    state.lastTimestamp = checkpoint.block.timestamp
  }
  state.stable = place
  state.commitIndex = Math.max(state.commitIndex, place.index)
  state.decidedHeight = Math.max(state.decidedHeight, place.index)
  state.executedHeight = Math.max(state.executedHeight, place.index)
}

function placeOf({ header, proof }: Checkpoint): Base {
  if (proof.kind !== 'raft' || proof.index !== header.height) broken('a checkpoint that is not of this protocol')
  return { index: proof.index, term: proof.term }
}
