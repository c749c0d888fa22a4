// How a leader makes entries: from what waits in the pool, as far as the pipeline and the executor allow.

import { proposeBatches, proposeLingered, type Batching } from '../../kernel/batching.ts'
import { emptyPayload, payloadDigest } from '../../kernel/block.ts'
import type { ReplicaId } from '../../kernel/ids.ts'
import type { Truncated } from './log.ts'
import type { Entry } from './messages.ts'
import { sendToAll } from './sending.ts'
import { storeEntries, type RaftState, type Step } from './state.ts'

/** Appends a block to the leader's own log. It counts as the leader's own copy when it is durable, and not before (C12). */
export function appendAsLeader(step: Step, payload: Uint8Array): void {
  const { state, now } = step
  const previousIndex = state.log.lastIndex
  const header = {
    epoch: state.epoch,
    height: previousIndex + 1,
    timestamp: Math.max(state.lastTimestamp, Math.floor(now.wallMs)),
    payloadDigest: payloadDigest(state.ports.hasher, payload),
  }
  const entry: Entry = { term: state.term, block: { header, payload } }
  storeEntries(step, previousIndex, [entry])
}

export function proposeWaiting(step: Step): void {
  proposeBatches(batchingOf(step))
}

export function onLingerTimer(step: Step): void {
  proposeLingered(batchingOf(step))
}

function batchingOf(step: Step): Batching {
  const { state, effects } = step
  return {
    state,
    effects,
    mayPropose: () => mayPropose(state),
    isUnderWay: () => state.log.lastIndex > state.commitIndex,
    proposeOne: () => proposeOne(step),
  }
}

/** Each block leaves in an append of its own, so that a block costs 2(n−1) messages, not fewer and not more. */
function proposeOne(step: Step): boolean {
  const taken = step.state.ports.pool.take(step.state.parameters.batch)
  if (taken === null) return false
  appendAsLeader(step, taken.payload)
  noteWaiting(step.state, taken.forwardedBy)
  sendToAll(step)
  return true
}

/** Whoever handed on what is in the newest block has clients that wait for it. */
function noteWaiting({ progress, log }: RaftState, forwarders: readonly ReplicaId[]): void {
  for (const forwarder of forwarders) {
    const waiting = progress.get(forwarder)
    if (waiting !== undefined) waiting.awaitedIndex = log.lastIndex
  }
}

/** C42: where nothing is committed nothing more is taken, and the pool, which is bounded, refuses. */
function mayPropose({
  role,
  stalled,
  transfer,
  log,
  commitIndex,
  decidedHeight,
  executedHeight,
  parameters,
}: RaftState): boolean {
  const { pipelineBlocksMax, executionLagBlocksMax } = parameters.flow
  return (
    role === 'leader' &&
    !stalled &&
    transfer === null &&
    log.lastIndex - commitIndex < pipelineBlocksMax &&
    decidedHeight - executedHeight < executionLagBlocksMax
  )
}

/** The requests of blocks that were taken away. What this replica has not in memory it has not taken from its pool either. */
export function putBack({ state }: Step, { entries }: Truncated): void {
  for (const { block } of entries) {
    const isUndecided = block.header.height > state.commitIndex
    if (isUndecided && block.payload.length > emptyPayload.length) state.ports.pool.putBack(block.payload)
  }
}
