// What the replica is waiting for, in words (architecture.md §2 rule 7).

import type { Awaited, Leadership, Now, ProtocolStatus } from '../../kernel/protocol.ts'
import type { ReplicaId } from '../../kernel/ids.ts'
import { slowLinksInWords } from '../../kernel/round-trips.ts'
import { knownSlots } from './agreement.ts'
import { decidedByOthers, isStateWanted } from '../../kernel/catching-up.ts'
import { leaderOf, requestDueMs } from './requests.ts'
import { hasVoice, high, isPrimary, primaryOf, roundTripsPerTimeout, type PbftState } from './state.ts'
import { wishers } from './suspicion.ts'
import { askers } from './view-changes.ts'
import { votersFor } from './votes.ts'

/** Without the words: a host asks for it often. */
export function leadershipOf(state: PbftState): Leadership {
  return { view: state.view, leader: leaderOf(state) }
}

export function statusOf(state: PbftState, now: Now): ProtocolStatus {
  return {
    protocol: 'pbft',
    ...leadershipOf(state),
    role: roleOf(state),
    phase: phaseOf(state),
    decidedHeight: state.decidedHeight,
    executedHeight: state.executedHeight,
    awaited: awaitedOf(state),
    timers: timersOf(state, now),
  }
}

function roleOf(state: PbftState): string {
  if (state.abstains)
    return 'abstaining: its log was lost, and with it what it had promised; it follows without a vote in this epoch'
  if (!hasVoice(state)) return 'learner'
  return isPrimary(state) ? 'primary' : 'backup'
}

function phaseOf(state: PbftState): string {
  const { decidedHeight, executedHeight, view } = state
  if (state.stalled) return 'the disk is full: follows without voting until there is room'
  if (!state.active) return `asks for view ${view}, whose primary is replica ${primaryOf(state, view)}`
  const fetched = [state.fetchingBlocks ? 'decided blocks' : null, isStateWanted(state) ? 'a state' : null]
  const what = fetched.filter((one) => one !== null).join(' and ')
  if (what !== '') return `fetches ${what}: others have decided ${decidedByOthers(state)}, and it ${decidedHeight}`
  if (decidedHeight - executedHeight >= state.parameters.flow.executionLagBlocksMax)
    return `waits for its own executor, ${decidedHeight - executedHeight} blocks behind`
  if (isPrimary(state) && state.nextHeight > high(state))
    return `leads, and waits for a checkpoint above ${state.low}: its window ends at ${high(state)}`
  const underWay = knownSlots(state).filter(({ proposal, decision }) => proposal !== null && decision === null).length
  const doing = isPrimary(state) ? 'leads' : `follows replica ${primaryOf(state, view)}`
  return `${doing}, ${underWay === 0 ? 'and nothing is under way' : `${underWay} blocks are under way`}${slowLinksInWords(state, roundTripsPerTimeout)}`
}

function awaitedOf(state: PbftState): Awaited[] {
  const awaited: Awaited[] = []
  if (!state.active) {
    awaited.push(awaitedFrom(state, `view changes to view ${state.view}`, askers(state)))
    for (const pending of state.pending.values()) {
      const senders = pending.newView.cited.map(({ sender }) => sender)
      const missing = senders.filter((sender) => !pending.cited.has(sender))
      const have = senders.filter((sender) => pending.cited.has(sender))
      awaited.push({ what: `what the new view ${pending.newView.view} cites`, quorum: senders.length, have, missing })
    }
    return awaited
  }
  const slot = knownSlots(state).find(({ proposal, decision }) => proposal !== null && decision === null)
  if (slot?.proposal != null) awaited.push(...awaitedOfSlot(state, slot.height))
  if (state.wished || state.wishes.size > 0) {
    const { oneCorrect: quorum } = state.membership
    const wishing = wishers(state)
    awaited.push({
      ...awaitedFrom(state, `wishes for another primary than replica ${primaryOf(state, state.view)}`, wishing),
      quorum,
    })
  }
  return awaited
}

function awaitedOfSlot(state: PbftState, height: number): Awaited[] {
  const slot = state.slots.get(height)!
  const { digest, accepted } = slot.proposal!
  if (!accepted)
    return [{ what: `the payload of block ${height}`, quorum: 1, have: [], missing: [primaryOf(state, state.view)] }]
  if (slot.prepared !== null && slot.prepared.view === state.view) {
    return [awaitedFrom(state, `commits of block ${height}`, votersFor(slot.commits, digest))]
  }
  const prepared = [...votersFor(slot.prepares, digest), primaryOf(state, state.view)]
  return [awaitedFrom(state, `prepares of block ${height}`, prepared)]
}

function awaitedFrom({ membership }: PbftState, what: string, have: readonly ReplicaId[]): Awaited {
  const { voters, quorum } = membership
  return {
    what,
    quorum,
    have: voters.filter((voter) => have.includes(voter)),
    missing: voters.filter((voter) => !have.includes(voter)),
  }
}

function timersOf(state: PbftState, now: Now): ProtocolStatus['timers'] {
  const left = (dueMs: number): number => Math.max(0, dueMs - now.monotonicMs)
  if (state.newViewDueMs !== null) {
    const why = `asks for view ${state.view + 1} when this one's new view has not come until then`
    return [{ name: 'new-view', dueMs: left(state.newViewDueMs), why }]
  }
  const dueMs = requestDueMs(state)
  if (dueMs === null) return []
  return [{ name: 'request', dueMs: left(dueMs), why: 'asks for another primary when a request still waits then' }]
}
