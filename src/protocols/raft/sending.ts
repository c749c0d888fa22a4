// What a leader sends: pipelined appends, probes, heartbeats, and again what was lost (Raft §5.3).

import type { ReplicaId } from '../../kernel/ids.ts'
import { messageEntriesMax, type Append, type Entry, type Heartbeat } from './messages.ts'
import type { Progress, Room } from './progress.ts'
import { timer, type RaftState, type Step } from './state.ts'

/** Entries of one message, payloads together; one entry goes even when it is larger. */
const messageBytesMax = 1024 * 1024
const entryOverheadBytes = 80

/** How much later than its leader a follower may decide, where nobody waits there and nothing more is ordered. */
export const newsMs = 5

/** A probe is sent alone, and takes what one message takes. */
const probeRoom: Room = { entries: messageEntriesMax, bytes: messageBytesMax, firstAlways: true }

interface Portion {
  entries: Entry[]
  bytes: number
}

/** To every follower what its pipeline takes. In a steady state that is the same for all, and is encoded once. */
export function sendToAll(step: Step): void {
  broadcastCommon(step)
  for (const [follower, progress] of step.state.progress) sendTo(step, follower, progress)
}

function broadcastCommon(step: Step): void {
  const { state, now, effects } = step
  while (state.progress.size > 0) {
    const room = commonRoom(state)
    if (room === null) return
    const nextIndex = state.progress.values().next().value!.nextIndex
    const portion = collect(state, nextIndex, room)
    if (portion.entries.length === 0) return
    const lastIndex = nextIndex - 1 + portion.entries.length
    effects.broadcast(appendBehind(state, nextIndex - 1, portion.entries), state.hardStatePersisted)
    for (const progress of state.progress.values()) {
      progress.sent(lastIndex, portion.bytes, now.monotonicMs)
      progress.told(state.commitIndex, lastIndex)
    }
  }
}

/** What all pipelines take, where all stand at the same entry; null where they do not. */
function commonRoom(state: RaftState): Room | null {
  let nextIndex = 0
  const room: Room = { ...probeRoom }
  for (const progress of state.progress.values()) {
    if (progress.mode !== 'replicating' || (nextIndex > 0 && progress.nextIndex !== nextIndex)) return null
    nextIndex = progress.nextIndex
    const own = progress.room(state.parameters.raft)
    room.entries = Math.min(room.entries, own.entries)
    room.bytes = Math.min(room.bytes, own.bytes)
    room.firstAlways &&= own.firstAlways
  }
  return room
}

/** Fills one follower's pipeline, or sends it a probe unless one is under way. */
export function sendTo(step: Step, follower: ReplicaId, progress: Progress): void {
  const { state, now } = step
  if (progress.mode === 'offered') return
  if (progress.mode === 'probing') {
    if (progress.probeSentMs !== null || progress.silent) return
    progress.probeSentMs = now.monotonicMs
    return sendPortion(step, follower, progress, collect(state, progress.nextIndex, probeRoom))
  }
  for (;;) {
    const portion = collect(state, progress.nextIndex, progress.room(state.parameters.raft))
    if (portion.entries.length === 0) return
    sendPortion(step, follower, progress, portion)
    progress.sent(progress.nextIndex - 1 + portion.entries.length, portion.bytes, now.monotonicMs)
  }
}

/**
 * Names the persist of the term's hard state instead of waiting for the entries' own (README.md, proof 1): the leader's disk and the
 * followers' work at the same time (thesis §10.2.1).
 */
function sendPortion({ state, effects }: Step, follower: ReplicaId, progress: Progress, { entries }: Portion): void {
  const previousIndex = progress.nextIndex - 1
  effects.send(follower, appendBehind(state, previousIndex, entries), state.hardStatePersisted)
  progress.told(state.commitIndex, previousIndex + entries.length)
}

function appendBehind(state: RaftState, previousIndex: number, entries: Entry[]): Append {
  const { term, commitIndex: commit, round } = state
  const previousTerm = state.log.knownTermAt(previousIndex)
  return { kind: 'append', term, previousIndex, previousTerm, commit, round, entries }
}

function collect({ log }: RaftState, fromIndex: number, room: Room): Portion {
  const entries: Entry[] = []
  const entriesMax = Math.min(room.entries, messageEntriesMax)
  const bytesMax = Math.min(room.bytes, messageBytesMax)
  let bytes = 0
  for (let index = fromIndex; index <= log.lastIndex && entries.length < entriesMax; index++) {
    const entry = log.at(index)
    const size = entryOverheadBytes + entry.block.payload.length
    if (bytes + size > bytesMax && !(room.firstAlways && entries.length === 0)) break
    entries.push(entry)
    bytes += size
  }
  return { entries, bytes }
}

/** At every heartbeat: says that the leader is there, and sends again what was lost. Whoever is down costs small messages only. */
export function sendHeartbeats(step: Step): void {
  const { state, now } = step
  const { retransmitMs } = state.parameters.timers
  for (const [follower, progress] of state.progress) {
    const unansweredSinceMs = progress.unansweredSinceMs()
    if (unansweredSinceMs !== null && now.monotonicMs - unansweredSinceMs >= retransmitMs) progress.giveUp()
    if (progress.mode === 'probing') sendTo(step, follower, progress)
    heartbeat(step, follower, progress)
  }
}

export function heartbeatAll(step: Step): void {
  for (const [follower, progress] of step.state.progress) heartbeat(step, follower, progress)
}

/**
 * The commit index rides on the next append. Where none is coming, a follower at which somebody waits for it is told at once; the others a
 * little later, since mostly an append comes until then: news of a lone entry were four messages of its nine.
 */
export function flushCommit(step: Step, follower: ReplicaId, progress: Progress): void {
  const { state, effects } = step
  if (!lacksNews(state, progress)) return
  if (progress.awaits) return heartbeat(step, follower, progress)
  if (state.newsArmed) return
  state.newsArmed = true
  effects.arm(timer.news, newsMs)
}

export function onNewsTimer(step: Step): void {
  const { state } = step
  state.newsArmed = false
  for (const [follower, progress] of state.progress) if (lacksNews(state, progress)) heartbeat(step, follower, progress)
}

function lacksNews({ log, commitIndex, ports }: RaftState, { matchIndex, commitTold }: Progress): boolean {
  if (log.lastIndex > commitIndex || ports.pool.waitingOperations > 0) return false
  return matchIndex >= commitIndex && commitTold < commitIndex
}

/**
 * Stands on what the follower is known to have: it can be proven there without a probe, and nothing more is committed by it. A log that
 * was cut begins later: then it stands on the entry below the first, which every log has once it has caught up.
 */
function heartbeat({ state, effects }: Step, follower: ReplicaId, progress: Progress): void {
  const { term, commitIndex: commit, round } = state
  const previousIndex = Math.max(progress.matchIndex, state.log.baseIndex)
  const previousTerm = state.log.knownTermAt(previousIndex)
  const message: Heartbeat = { kind: 'heartbeat', term, previousIndex, previousTerm, commit, round }
  effects.send(follower, message, state.hardStatePersisted)
  progress.told(commit, progress.matchIndex)
}

/** The follower needs entries that are gone, and answers: it is told to fetch a state, and told again when that may have been lost. */
export function offerState({ state, now, effects }: Step, follower: ReplicaId, progress: Progress): void {
  const { offeredMs } = progress
  if (offeredMs !== null && now.monotonicMs - offeredMs < state.parameters.timers.retransmitMs) return
  progress.offeredMs = now.monotonicMs
  const { term, commitIndex: commit, round, log } = state
  const [previousIndex, previousTerm] = [log.baseIndex, log.knownTermAt(log.baseIndex)]
  effects.send(follower, { kind: 'offer', term, previousIndex, previousTerm, commit, round }, state.hardStatePersisted)
}
