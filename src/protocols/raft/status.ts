// What the replica is waiting for, in words (architecture.md §2 rule 7).

import type { Awaited, Leadership, Now, ProtocolStatus } from '../../kernel/protocol.ts'
import { leaseEndMs } from './lease.ts'
import { counted, timer, type RaftState } from './state.ts'

/** Without the words: a host asks for it often. */
export function leadershipOf({ term, leader }: RaftState): Leadership {
  return { view: term, leader }
}

export function statusOf(state: RaftState, now: Now): ProtocolStatus {
  const dueMs = Math.max(0, state.electionDueMs - now.monotonicMs)
  const heartbeatDueMs = Math.max(0, state.heartbeatDueMs - now.monotonicMs)
  return {
    protocol: 'raft',
    ...leadershipOf(state),
    role: roleOf(state),
    phase: phaseOf(state),
    decidedHeight: state.decidedHeight,
    executedHeight: state.executedHeight,
    awaited: awaitedOf(state),
    timers:
      state.role === 'leader'
        ? [
            { name: 'heartbeat', dueMs: heartbeatDueMs, why: 'followers elect another leader when they hear nothing' },
            ...leaseTimer(state, now),
            ...transferTimer(state, now),
          ]
        : [{ name: 'election', dueMs, why: 'asks for votes when no leader is heard until then' }],
  }
}

function roleOf({ membership, self, abstains, role }: RaftState): string {
  if (abstains)
    return 'abstaining: its log was lost, and with it what it had promised; it follows without a vote in this epoch'
  return membership.isVoter(self) ? role : 'learner'
}

function leaseTimer(state: RaftState, now: Now): ProtocolStatus['timers'] {
  const endMs = leaseEndMs(state)
  if (endMs === null || endMs <= now.monotonicMs) return []
  return [{ name: 'lease', dueMs: endMs - now.monotonicMs, why: 'answers reads without asking a quorum until then' }]
}

function transferTimer({ transfer }: RaftState, now: Now): ProtocolStatus['timers'] {
  if (transfer === null) return []
  const dueMs = Math.max(0, transfer.dueMs - now.monotonicMs)
  return [{ name: timer.transfer, dueMs, why: 'leads on when leadership has not moved until then' }]
}

function phaseOf(state: RaftState): string {
  if (state.decidedHeight < state.log.baseIndex)
    return `fetches a state of height ${state.log.baseIndex} or more: its log begins behind it, and its newest checkpoint is older`
  if (state.wantedState !== null)
    return `fetches a state of height ${state.wantedState} or more: its leader no longer has the blocks it lacks`
  if (state.stalled) return 'the disk is full: follows without voting until there is room'
  switch (state.role) {
    case 'leader':
      if (state.transfer !== null) return `leads, proposes nothing, and hands over to replica ${state.transfer.to}`
      if (state.decidedHeight - state.executedHeight >= state.parameters.flow.executionLagBlocksMax)
        return `leads, and waits for its own executor, ${state.decidedHeight - state.executedHeight} blocks behind`
      if (state.commitIndex < state.termStartIndex)
        return 'leads, and waits for a quorum to store the first entry of its term'
      if (state.log.lastIndex > state.commitIndex)
        return `leads, ${state.log.lastIndex - state.commitIndex} blocks are under way`
      return 'leads, and nothing is under way'
    case 'candidate':
      return `asks for votes in term ${state.term}${refusals(state)}`
    case 'pre-candidate':
      return `asks whether it would be elected in term ${state.term + 1}${refusals(state)}`
    case 'follower':
      return state.leader === null ? 'knows no leader' : `follows replica ${state.leader}`
  }
}

function refusals({ refused }: RaftState): string {
  return refused.size === 0 ? '' : `, refused by ${[...refused].join(', ')}`
}

function awaitedOf(state: RaftState): Awaited[] {
  const { voters, quorum } = state.membership
  const split = (what: string, has: (voter: (typeof voters)[number]) => boolean): Awaited => ({
    what,
    quorum,
    have: voters.filter((voter) => has(voter)),
    missing: voters.filter((voter) => !has(voter)),
  })
  if (state.role === 'candidate' || state.role === 'pre-candidate') {
    return [split(state.role === 'candidate' ? 'votes' : 'pre-votes', (voter) => state.granted.has(voter))]
  }
  if (state.role !== 'leader') return askedOf(state)
  const awaited: Awaited[] = []
  if (state.transfer !== null) {
    const missing = [state.transfer.to]
    awaited.push({ what: 'an election that the next leader begins', quorum: 1, have: [], missing })
  }
  if (state.log.lastIndex > state.commitIndex) {
    const next = state.commitIndex + 1
    const stored = (voter: (typeof voters)[number]): boolean =>
      (voter === state.self ? state.log.durableIndex : (counted(state, voter)?.matchIndex ?? 0)) >= next
    awaited.push(split(`block ${next} on disk`, stored))
  }
  if (state.reads.length > 0) {
    const answered = (voter: (typeof voters)[number]): boolean =>
      voter === state.self || (counted(state, voter)?.round ?? 0) >= state.round
    awaited.push(split(`confirmation that it still leads, for ${state.reads.length} reads`, answered))
  }
  return awaited
}

/** A follower's reads wait for one replica. */
function askedOf({ asking, toAsk, leader }: RaftState): Awaited[] {
  const reads = (asking?.reads.length ?? 0) + toAsk.length
  if (reads === 0 || leader === null) return []
  return [{ what: `the leader's read index, for ${reads} reads`, quorum: 1, have: [], missing: [leader] }]
}
