// What the replica is waiting for, in words (architecture.md §2 rule 7).

import type { Awaited, Leadership, Now, ProtocolStatus } from '../../kernel/protocol.ts'
import type { ReplicaId } from '../../kernel/ids.ts'
import { slowLinksInWords } from '../../kernel/round-trips.ts'
import { decidedByOthers, isStateWanted } from '../../kernel/catching-up.ts'
import { leaderNow } from './node-header.ts'
import { nextLeader } from './requests.ts'
import { hasVoice, type HotstuffState } from './state.ts'
import { roundTripsPerTimeout } from './views.ts'

/** Without the words: a host asks for it often. */
export function leadershipOf(state: HotstuffState): Leadership {
  return { view: state.view, leader: nextLeader(state) }
}

export function statusOf(state: HotstuffState, now: Now): ProtocolStatus {
  const { decidedHeight, executedHeight, viewDueMs } = state
  const why = 'gives the view up when it has brought nothing until then'
  return {
    protocol: 'hotstuff',
    ...leadershipOf(state),
    role: roleOf(state),
    phase: phaseOf(state),
    decidedHeight,
    executedHeight,
    awaited: awaitedOf(state),
    timers: viewDueMs === null ? [] : [{ name: 'view', dueMs: Math.max(0, viewDueMs - now.monotonicMs), why }],
  }
}

function roleOf(state: HotstuffState): string {
  if (state.abstains)
    return 'abstaining: its log was lost, and with it what it had promised; it follows without a vote in this epoch'
  if (!hasVoice(state)) return 'learner'
  return leaderNow(state) === state.self ? 'leader' : 'voter'
}

function phaseOf(state: HotstuffState): string {
  const { decidedHeight, executedHeight, view, high, tree, timeout, lacking, parameters } = state
  if (state.stalled) return 'the disk is full: follows without voting until there is room'
  const fetched = [state.fetchingBlocks ? 'decided blocks' : null, isStateWanted(state) ? 'a state' : null]
  const what = fetched.filter((one) => one !== null).join(' and ')
  if (what !== '') return `fetches ${what}: others have decided ${decidedByOthers(state)}, and it ${decidedHeight}`
  if (decidedHeight - executedHeight >= parameters.flow.executionLagBlocksMax)
    return `waits for its own executor, ${decidedHeight - executedHeight} blocks behind`
  if (lacking.size > 0) return `asks for ${lacking.size} blocks of the chain that it has not got`
  if (timeout?.view === view) return `has given up view ${view}, whose leader is replica ${leaderNow(state)}`
  const doing = leaderNow(state) === state.self ? 'leads' : `follows replica ${leaderNow(state)}`
  const underWay = rests(state) ? 'and nothing is under way' : `${tree.size} blocks are under way`
  return `${doing} on the certificate of view ${high.view}, ${underWay}${slowLinksInWords(state, roundTripsPerTimeout)}`
}

/** The blocks that end a chain stay there for good, and nothing waits for them. */
function rests({ tree, ports }: HotstuffState): boolean {
  return ports.pool.oldestWaitingSinceMs() === null && [...tree.all()].every(({ isEmpty }) => isEmpty)
}

function awaitedOf(state: HotstuffState): Awaited[] {
  const { view, timeout, timeoutsOf, votes } = state
  if (timeout?.view === view) {
    const have = [...timeoutsOf].filter(([, one]) => one.view >= view).map(([replica]) => replica)
    return [awaitedFrom(state, `replicas that give up view ${view}`, have)]
  }
  if (state.viewDueMs === null) return []
  if (state.firsts.of(view).length === 0) {
    return [{ what: `the proposal of view ${view}`, quorum: 1, have: [], missing: [leaderNow(state)] }]
  }
  const have = [...votes].filter(([, { vote }]) => vote.view === view).map(([replica]) => replica)
  return have.length === 0 ? [] : [awaitedFrom(state, `votes of view ${view}`, have)]
}

function awaitedFrom({ membership }: HotstuffState, what: string, have: readonly ReplicaId[]): Awaited {
  const { voters, quorum } = membership
  return {
    what,
    quorum,
    have: voters.filter((voter) => have.includes(voter)),
    missing: voters.filter((voter) => !have.includes(voter)),
  }
}
