// Elections: Raft §5.2 and §5.4.1, pre-vote and check-quorum of the thesis §9.6 and §6.2.

import type { ReplicaId } from '../../kernel/ids.ts'
import { emptyPayload } from '../../kernel/block.ts'
import { forwardedAgainBytesMax } from '../../kernel/limits.ts'
import { termMax, type TransferVoteRequest, type VoteAnswer, type VoteRequest } from './messages.ts'
import { failAsked } from './follower-reads.ts'
import { isBound, leasesAreOn } from './lease.ts'
import { Progress } from './progress.ts'
import { beginRoundForLease, failReads } from './reads.ts'
import { appendAsLeader, proposeWaiting } from './proposals.ts'
import { sendHeartbeats, sendToAll } from './sending.ts'
import { counted, hasVoice, setHardState, timer, type Step } from './state.ts'

/** Draws a timeout between the base and twice the base, so that split votes are rare (§5.2). */
export function armElection({ state, now, effects }: Step): void {
  const base = state.parameters.timers.timeoutMsBase
  state.electionTimeoutMs = base + state.ports.random.below(base)
  state.electionDueMs = now.monotonicMs + state.electionTimeoutMs
  effects.arm(timer.election, state.electionTimeoutMs)
}

/**
 * The timer runs on while a leader is heard, and looks at the time only when it fires: one timer for a timeout, not one for each
 * heartbeat. When it fires late by as much as a heartbeat, this process stood still, and what others sent meanwhile may not have
 * been read yet: one more timeout is given for that (C8), but not two in a row, or a machine that is always late would never stand.
 */
export function onElectionTimer(step: Step): void {
  const { state, now, effects } = step
  if (state.role === 'leader' || !hasVoice(state) || state.stalled) return
  const lateMs = now.monotonicMs - state.electionDueMs
  const quietMs = now.monotonicMs - state.heardLeaderMs
  const { heartbeatMs, timeoutMsBase } = state.parameters.timers
  if (lateMs >= Math.min(heartbeatMs, timeoutMsBase / 2) && !state.stallForgiven) {
    state.stallForgiven = true
    effects.note({ kind: 'stall-noticed', detail: { lateMs } })
    return armElection(step)
  }
  state.stallForgiven = false
  if ((state.leader !== null || isBound(step)) && quietMs < state.electionTimeoutMs) {
    state.electionDueMs = state.heardLeaderMs + state.electionTimeoutMs
    return effects.arm(timer.election, Math.max(1, state.electionDueMs - now.monotonicMs))
  }
  campaign(step)
}

/** With pre-vote, a term begins only when a quorum would vote for this replica: one that was cut off deposes nobody (C5). */
export function campaign(step: Step): void {
  const { state } = step
  state.leader = null
  failAsked(step)
  if (state.parameters.raft.preVote) beginElection(step, 'pre-candidate')
  else beginElection(step, 'candidate')
}

/** `transfer`: the leader asked for it. */
export function beginElection(step: Step, role: 'pre-candidate' | 'candidate', transfer: boolean = false): void {
  const { state, effects } = step
  // Nobody gets here by honest elections; a term beyond it could not be said.
  if (state.term >= termMax) return effects.note({ kind: 'terms-exhausted' })
  state.role = role
  state.granted = new Set([state.self])
  state.refused = new Set()
  const preVote = role === 'pre-candidate'
  const term = state.term + 1
  if (!preVote) setHardState(step, term, state.self)
  armElection(step)
  const { lastIndex, lastTerm } = state.log
  const request: VoteRequest = { kind: 'vote-request', term, preVote, lastIndex, lastTerm }
  sendToVoters(step, transfer ? { kind: 'transfer-vote-request', term, lastIndex, lastTerm } : request)
  effects.note({ kind: preVote ? 'pre-vote-begun' : 'election-begun', detail: { term } })
  countVotes(step)
}

function sendToVoters({ state, effects }: Step, request: VoteRequest | TransferVoteRequest): void {
  for (const voter of state.membership.voters) if (voter !== state.self) effects.send(voter, request)
}

/** A real vote, asked for because the leader that is heard here, perhaps, wants this candidate. */
export function onTransferVoteRequest(step: Step, from: ReplicaId, message: TransferVoteRequest): void {
  onVoteRequest(step, from, { ...message, kind: 'vote-request', preVote: false }, isHandover(step, from, message))
}

export function onVoteRequest(step: Step, from: ReplicaId, request: VoteRequest, isHandover: boolean = false): void {
  const { state, now, effects } = step
  const base = state.parameters.timers.timeoutMsBase
  const leaderIsAlive =
    (state.leader !== null && (state.role === 'leader' || now.monotonicMs - state.heardLeaderMs < base)) ||
    isBound(step)
  // Thesis §4.2.3: whoever hears a leader lets nobody depose it. A candidate that is stuck behind this with a higher term
  // deposes the leader by answering its heartbeats.
  if (leaderIsAlive && !isHandover && (state.parameters.raft.checkQuorum || leasesAreOn(state) || request.preVote)) {
    effects.note({ kind: request.preVote ? 'pre-vote-refused' : 'vote-ignored' })
    if (request.preVote) refuse(step, from, request)
    return
  }
  const upToDate = state.log.isUpToDate(request.lastIndex, request.lastTerm)
  if (request.preVote) {
    if (request.term > state.term && upToDate && hasVoice(state)) grant(step, from, request)
    else refuse(step, from, request)
    return
  }
  if (request.term < state.term) return refuse(step, from, request)
  const freeToVote = request.term > state.term || state.votedFor === 0 || state.votedFor === from
  const voteFor = freeToVote && upToDate && hasVoice(state)
  if (request.term > state.term) becomeFollower(step, request.term, null, voteFor ? from : 0)
  else if (voteFor && state.votedFor !== from) setHardState(step, state.term, from)
  if (!voteFor) return refuse(step, from, request)
  armElection(step)
  grant(step, from, request)
}

/**
 * Does the leader that is heard here want this candidate? Believed only of the very next term; by the leader itself only of the one that
 * it hands over to.
 */
function isHandover({ state }: Step, from: ReplicaId, { term }: TransferVoteRequest): boolean {
  if (term !== state.term + 1) return false
  return state.role !== 'leader' || state.transfer?.to === from
}

/** Waits for the vote to be durable, as everything does that is sent (C1). */
function grant({ effects }: Step, to: ReplicaId, { term, preVote }: VoteRequest): void {
  effects.send(to, { kind: 'vote-answer', term, preVote, granted: true })
}

function refuse({ state, effects }: Step, to: ReplicaId, { preVote }: VoteRequest): void {
  effects.send(to, { kind: 'vote-answer', term: state.term, preVote, granted: false })
}

export function onVoteAnswer(step: Step, from: ReplicaId, answer: VoteAnswer): void {
  const { state } = step
  if (!answer.granted && answer.term > state.term) return becomeFollower(step, answer.term, null, 0)
  // A late answer, of another election or of the pre-vote before it, counts for nothing (C2, C7).
  const wanted = answer.preVote ? 'pre-candidate' : 'candidate'
  if (state.role !== wanted || !state.membership.isVoter(from)) return
  if (answer.granted) {
    if (answer.term !== state.term + (answer.preVote ? 1 : 0)) return
    state.granted.add(from)
  } else state.refused.add(from)
  countVotes(step)
}

/** Also called when the replica's own vote has become durable: before that it does not count. */
export function countVotes(step: Step): void {
  const { state } = step
  if (state.role !== 'pre-candidate' && state.role !== 'candidate') return
  if (state.granted.size < state.membership.quorum) return
  if (state.role === 'pre-candidate') return beginElection(step, 'candidate')
  if (state.durable >= state.hardStatePersisted) becomeLeader(step)
}

function becomeLeader(step: Step): void {
  const { state, now, effects } = step
  state.role = 'leader'
  state.leader = state.self
  state.progress.clear()
  for (const member of state.membership.all) {
    if (member === state.self) continue
    const { originIndex, log } = state
    state.progress.set(member, new Progress(originIndex, log.lastIndex + 1, log.firstIndex))
  }
  state.round++
  state.confirmedRound = state.round
  state.rounds = []
  state.leaseSinceMs = null
  state.leaseForfeited = false
  state.reads = []
  state.lingering = false
  state.committedAtHeartbeat = state.commitIndex
  state.heardLeaderMs = now.monotonicMs
  effects.disarm(timer.election)
  effects.disarm(timer.forward)
  state.forwarding = false
  armHeartbeat(step)
  armQuorum(step)
  effects.note({ kind: 'leader-elected', detail: { term: state.term } })
  // §8: a no-op of its own term is the first entry that a leader may count as committed.
  state.termStartIndex = state.log.lastIndex + 1
  appendAsLeader(step, emptyPayload)
  sendToAll(step)
  proposeWaiting(step)
}

/** Any message of a higher term, and every loss of leadership, ends here. `votedFor` is for a vote that is given in the same breath. */
export function becomeFollower(
  step: Step,
  term: number,
  leader: ReplicaId | null,
  votedFor: number,
  reason: string = 'higher-term',
): void {
  const { state, effects } = step
  const wasLeader = state.role === 'leader'
  if (wasLeader) effects.note({ kind: 'stepped-down', detail: { reason, term: state.term } })
  if (term > state.term || leader !== state.leader) failAsked(step)
  if (term > state.term) setHardState(step, term, votedFor)
  state.role = 'follower'
  state.leader = leader
  if (!wasLeader) return
  effects.disarm(timer.heartbeat)
  effects.disarm(timer.quorum)
  effects.disarm(timer.linger)
  effects.disarm(timer.news)
  state.newsArmed = false
  state.lingering = false
  if (state.transfer !== null) effects.disarm(timer.transfer)
  state.transfer = null
  state.progress.clear()
  failReads(step, 'not-leader')
  armElection(step)
  watchForwarded(step)
}

/** Hands waiting requests to the leader, if one is known, and looks after them. */
export function forwardWaiting(step: Step): void {
  const { state } = step
  if (state.role === 'leader') return
  if (state.leader !== null) state.ports.pool.forward(state.leader)
  watchForwarded(step)
}

/** A timer that runs already runs on: new requests must not put off those that wait. */
function watchForwarded({ state, effects }: Step): void {
  if (state.forwarding || state.role === 'leader' || state.ports.pool.oldestWaitingSinceMs() === null) return
  state.forwarding = true
  effects.arm(timer.forward, Math.ceil(state.parameters.timers.timeoutMsBase / 2))
}

/** What has waited for half a timeout and was not executed may have been lost on its way: it is handed on again. */
export function onForwardTimer(step: Step): void {
  const { state, now } = step
  state.forwarding = false
  const { pool } = state.ports
  const sinceMs = pool.oldestWaitingSinceMs()
  if (state.role === 'leader' || sinceMs === null) return
  if (now.monotonicMs - sinceMs >= state.parameters.timers.timeoutMsBase / 2) pool.forwardAgain(forwardedAgainBytesMax)
  forwardWaiting(step)
}

/** Check-quorum: a leader that has not heard a quorum for a timeout leads nobody; one whose disk hangs should not lead (C40). */
export function onQuorumTimer(step: Step): void {
  const { state, now } = step
  if (state.role !== 'leader') return
  if (state.durable < state.persistedAtCheck) return stepDown(step, 'storage-hangs')
  const sinceMs = now.monotonicMs - state.parameters.timers.timeoutMsBase
  let heard = state.membership.isVoter(state.self) ? 1 : 0
  for (const voter of state.membership.voters) {
    const heardMs = counted(state, voter)?.heardMs ?? null
    if (heardMs !== null && heardMs >= sinceMs) heard++
  }
  if (heard >= state.membership.quorum || !state.parameters.raft.checkQuorum) {
    return armQuorum(step)
  }
  stepDown(step, 'no-quorum')
}

function armQuorum({ state, effects }: Step): void {
  state.persistedAtCheck = state.lastPersisted
  effects.arm(timer.quorum, state.parameters.timers.timeoutMsBase)
}

export function stepDown(step: Step, reason: string): void {
  becomeFollower(step, step.state.term, null, 0, reason)
}

export function onHeartbeatTimer(step: Step): void {
  if (step.state.role !== 'leader') return
  armHeartbeat(step)
  beginRoundForLease(step)
  sendHeartbeats(step)
}

function armHeartbeat({ state, now, effects }: Step): void {
  const { heartbeatMs } = state.parameters.timers
  state.heartbeatDueMs = now.monotonicMs + heartbeatMs
  effects.arm(timer.heartbeat, heartbeatMs)
}
