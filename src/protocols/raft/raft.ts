/** Raft as a protocol of the house: one step takes one input. The rules stand in the files beside this one, and in README.md. */

import type { BlockHeader } from '../../kernel/block.ts'
import type { ReplicaId } from '../../kernel/ids.ts'
import type { Epoch } from '../../kernel/membership.ts'
import type { DecisionProof } from '../../kernel/proof.ts'
import type {
  Input,
  Leadership,
  Now,
  Protocol,
  ProtocolDefinition,
  ProtocolOptions,
  ProtocolStatus,
  Recovered,
} from '../../kernel/protocol.ts'
import { broken } from '../../kernel/invariant.ts'
import { onRestored, onStable, startOver } from './checkpoints.ts'
import {
  armElection,
  becomeFollower,
  campaign,
  countVotes,
  forwardWaiting,
  onElectionTimer,
  onForwardTimer,
  onHeartbeatTimer,
  onQuorumTimer,
  onVoteAnswer,
  onTransferVoteRequest,
  onVoteRequest,
  stepDown,
} from './election.ts'
import {
  describeMessage,
  raftMessageCodec,
  supersededBy,
  type Append,
  type Heartbeat,
  type LogAnswer,
  type Offer,
  type RaftMessage,
  type ReadAnswer,
  type ReadRequest,
  type TimeoutNow,
} from './messages.ts'
import { watchPriorities } from './priorities.ts'
import { onLingerTimer, proposeWaiting } from './proposals.ts'
import { failAsked, onAskTimer, onReadAnswer } from './follower-reads.ts'
import { onRead, onReadRequest } from './reads.ts'
import { raftRecordCodec, type RaftRecord } from './records.ts'
import { advanceCommit, decideCommitted, onAppend, onHeartbeat, onLogAnswer } from './replication.ts'
import { onNewsTimer } from './sending.ts'
import { createState, hasVoice, timer, type RaftEffects, type RaftState, type Step } from './state.ts'
import { leadershipOf, statusOf } from './status.ts'
import { askTarget, onTargetAnswered, onTimeoutNow, onTransferCommand, onTransferTimer } from './transfer.ts'

export const raft: ProtocolDefinition<RaftMessage, RaftRecord> = {
  name: 'raft',
  message: raftMessageCodec,
  logRecord: raftRecordCodec,
  create: (options) => new Raft(options),
  describe: describeMessage,
  supersedes: supersededBy,
  verifyDecision: isDecided,
}

/** Believed because a member said so: raft survives crashes, not lies. */
function isDecided(_epoch: Epoch, header: BlockHeader, proof: DecisionProof): boolean {
  return proof.kind === 'raft' && proof.index === header.height
}

class Raft implements Protocol<RaftMessage, RaftRecord> {
  readonly #state: RaftState

  constructor(options: ProtocolOptions) {
    this.#state = createState(options)
  }

  status(now: Now): ProtocolStatus {
    return statusOf(this.#state, now)
  }

  leadership(): Leadership {
    return leadershipOf(this.#state)
  }

  step(input: Input<RaftMessage, RaftRecord>, now: Now, effects: RaftEffects): void {
    const step: Step = { state: this.#state, now, effects }
    this.#dispatch(step, input)
    checkInvariants(this.#state)
  }

  #dispatch(step: Step, input: Input<RaftMessage, RaftRecord>): void {
    const { state } = step
    switch (input.kind) {
      case 'start':
        return start(step, input.recovered)
      case 'message':
        return onMessage(step, input.from, input.message)
      case 'timer':
        return onTimer(step, input.name)
      case 'requests':
        return onRequests(step)
      case 'durable':
        state.durable = Math.max(state.durable, input.upTo)
        state.log.durable(input.upTo)
        state.log.shrink(state.commitIndex)
        if (state.role === 'leader') advanceCommit(step)
        else countVotes(step)
        return
      case 'executed':
        state.executedHeight = Math.max(state.executedHeight, input.height)
        decideCommitted(step)
        return proposeWaiting(step)
      case 'read':
        return onRead(step, input.id)
      case 'storage-stalled':
        state.stalled = true
        if (state.role !== 'follower') stepDown(step, 'storage-stalled')
        return failAsked(step)
      case 'storage-resumed':
        state.stalled = false
        return armElection(step)
      case 'command':
        if (input.command.kind === 'transfer-leadership') onTransferCommand(step, input.command.to)
        return
      case 'stable':
        return onStable(step, input.checkpoint)
      case 'restored':
        return onRestored(step, input.checkpoint)
      case 'fetched':
        // A state that came is told of by 'restored'; one that did not is wanted again when the leader offers it again.
        if (input.wanted.kind === 'state') state.wantedState = null
        return
      case 'certified':
      case 'validated':
        return
    }
  }
}

function start(step: Step, recovered: Recovered<RaftRecord>): void {
  const { state, now } = step
  state.incarnation = recovered.incarnation
  state.abstains = recovered.abstains
  for (const { sequence, record } of recovered.records) {
    state.durable = sequence
    if (record.kind === 'hard-state') {
      state.term = record.term
      state.votedFor = record.votedFor
      state.hardStatePersisted = sequence
      state.lastPersisted = sequence
    } else if (record.kind === 'entries') {
      state.log.recover(record.firstIndex, record.entries, sequence)
      state.lastTimestamp = record.entries.at(-1)?.block.header.timestamp ?? state.lastTimestamp
    } else state.log.recoverBase(record, record.truncates)
  }
  startOver(step, recovered.checkpoint)
  state.heardLeaderMs = now.monotonicMs
  armElection(step)
  const alone = state.membership.voters.length === 1 && hasVoice(state)
  if (alone) campaign(step)
}

function onMessage(step: Step, from: ReplicaId, message: RaftMessage): void {
  const { state } = step
  // Whoever cannot persist promises nothing, and what it would answer could not leave.
  if (state.stalled) return
  switch (message.kind) {
    case 'vote-request':
      return state.membership.isVoter(from) ? onVoteRequest(step, from, message) : undefined
    case 'transfer-vote-request':
      return state.membership.isVoter(from) ? onTransferVoteRequest(step, from, message) : undefined
    case 'vote-answer':
      return onVoteAnswer(step, from, message)
    case 'append':
    case 'heartbeat':
    case 'offer':
      return onLeaderMessage(step, from, message)
    case 'abstainer-answer':
      return onAnswer(step, from, message.answer, true)
    default:
      return onAnswer(step, from, message, false)
  }
}

function onAnswer(
  step: Step,
  from: ReplicaId,
  message: LogAnswer | ReadRequest | ReadAnswer | TimeoutNow,
  abstains: boolean,
): void {
  const { term } = step.state
  if (message.term > term) return becomeFollower(step, message.term, null, 0)
  if (message.term < term) return
  switch (message.kind) {
    case 'read-request':
      return onReadRequest(step, from, message)
    case 'read-answer':
      return onReadAnswer(step, from, message)
    case 'timeout-now':
      return onTimeoutNow(step, from, message)
    default:
      onLogAnswer(step, from, message, abstains)
      return onTargetAnswered(step, from)
  }
}

function onLeaderMessage(step: Step, from: ReplicaId, message: Append | Heartbeat | Offer): void {
  const { state, now, effects } = step
  // Terms begin at 1, and voters lead: anything else was damaged, or is not ours.
  if (message.term === 0 || !state.membership.isVoter(from)) {
    return effects.note({ kind: 'malformed-append', detail: { from } })
  }
  if (message.term < state.term) {
    // Also what lets a replica that is stuck with a higher term come back: the old leader learns of it and steps down (C2, C3).
    const { round, previousIndex: rejectedIndex } = message
    return effects.send(from, { kind: 'rejection', term: state.term, round, rejectedIndex, hintIndex: 0, hintTerm: 0 })
  }
  // Two leaders of one term cannot be: a damaged or foreign message, not a state to go on from.
  if (message.term === state.term && state.leader !== null && state.leader !== from)
    return effects.note({ kind: 'second-leader', detail: { from } })
  const isNew = state.leader !== from || message.term > state.term
  if (isNew) becomeFollower(step, message.term, from, 0)
  state.leaderRound = isNew ? message.round : Math.max(state.leaderRound, message.round)
  if (isNew) state.handovers.delete(from)
  state.heardLeaderMs = now.monotonicMs
  // A leader that leads again may have forgotten what it was given then.
  if (isNew) state.ports.pool.forwardAgain()
  if (isNew) forwardWaiting(step)
  if (message.kind === 'append') onAppend(step, from, message)
  else onHeartbeat(step, from, message)
}

function onTimer(step: Step, name: string): void {
  switch (name) {
    case timer.election:
      return onElectionTimer(step)
    case timer.heartbeat:
      onHeartbeatTimer(step)
      return tendLeadership(step)
    case timer.quorum:
      return onQuorumTimer(step)
    case timer.news:
      return onNewsTimer(step)
    case timer.linger:
      return onLingerTimer(step)
    case timer.forward:
      return onForwardTimer(step)
    case timer.ask:
      return onAskTimer(step)
    case timer.transfer:
      return onTransferTimer(step)
  }
}

function tendLeadership(step: Step): void {
  const { role, transfer } = step.state
  if (role !== 'leader') return
  if (transfer === null) watchPriorities(step)
  else askTarget(step)
}

function onRequests(step: Step): void {
  if (step.state.role === 'leader') proposeWaiting(step)
  else forwardWaiting(step)
}

/** C35. Cheap enough for every step. */
function checkInvariants(state: RaftState): void {
  const { log, originIndex, stable, commitIndex, decidedHeight, executedHeight } = state
  const holds =
    (log.baseIndex <= (stable?.index ?? originIndex) || decidedHeight < log.baseIndex) &&
    (stable?.index ?? originIndex) <= executedHeight &&
    executedHeight <= decidedHeight &&
    decidedHeight <= commitIndex &&
    commitIndex <= log.lastIndex &&
    log.durableIndex <= log.lastIndex
  if (holds) return
  broken(`executed ${executedHeight}, decided ${decidedHeight}, commit ${commitIndex}, last ${log.lastIndex}`)
}
