// Linearizable reads at a follower (thesis §6.4): it asks the leader for a read index, and answers by its own state when that has got so
// far. Reads that come while a question is under way share the next one.
//
// A question bears the asker's incarnation and a number that only rises. An answer to any other question says nothing: one that was
// asked before a restart began before the reads that wait now (the context of a read is never used again).

import type { ReplicaId } from '../../kernel/ids.ts'
import type { ReadAnswer, ReadRequest } from './messages.ts'
import { timer, waitingReadsMax, type Step } from './state.ts'

export function askLeader(step: Step, id: number): void {
  const { state, effects } = step
  const { asking, toAsk } = state
  if (state.leader === null || state.stalled) return effects.readFailed(id, 'not-leader')
  if (toAsk.length + (asking?.reads.length ?? 0) >= waitingReadsMax) return effects.readFailed(id, 'overloaded')
  toAsk.push(id)
  ask(step)
}

function ask(step: Step): void {
  const { state } = step
  if (state.asking !== null || state.toAsk.length === 0) return
  state.questions++
  state.asking = { number: state.questions, reads: state.toAsk }
  state.toAsk = []
  sendQuestion(step)
}

function sendQuestion({ state, effects }: Step): void {
  if (state.asking === null || state.leader === null) return
  const { term, incarnation, asking } = state
  const request: ReadRequest = { kind: 'read-request', term, incarnation, number: asking.number }
  effects.send(state.leader, request)
  effects.arm(timer.ask, state.parameters.timers.retransmitMs)
}

/** Question or answer was lost, or the leader is slow: the same question again. Its index is then a later one, which does no harm. */
export function onAskTimer(step: Step): void {
  sendQuestion(step)
}

export function onReadAnswer(step: Step, from: ReplicaId, answer: ReadAnswer): void {
  const { state, effects } = step
  const { asking } = state
  const isMine = asking !== null && answer.incarnation === state.incarnation && answer.number === asking.number
  if (!isMine || from !== state.leader) return
  state.asking = null
  effects.disarm(timer.ask)
  // The index is a fact about a quorum, and waits for nothing on this disk; execution has yet to reach it.
  for (const id of asking.reads) effects.readReady(id, answer.index)
  effects.note({ kind: 'read-index-learnt' })
  ask(step)
}

/** The leader that was asked leads no more, as far as this replica knows: whoever reads tries again. */
export function failAsked({ state, effects }: Step): void {
  if (state.asking === null && state.toAsk.length === 0) return
  const ids = [...(state.asking?.reads ?? []), ...state.toAsk]
  state.asking = null
  state.toAsk = []
  effects.disarm(timer.ask)
  for (const id of ids) effects.readFailed(id, 'not-leader')
}
