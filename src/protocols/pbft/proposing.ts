// How a primary assigns sequence numbers: from what waits in the pool, as far as the window, the pipeline and the executor allow.

import { proposeBatches, proposeLingered, type Batching } from '../../kernel/batching.ts'
import { blockDigest, payloadDigest } from '../../kernel/block.ts'
import { accept, makeProposal, slotAt, undecidedBytes, undecidedBytesMax } from './agreement.ts'
import { high, isPrimary, type PbftState, type Step } from './state.ts'
import { signPhase } from './statements.ts'

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
    isUnderWay: () => state.nextHeight - 1 > state.decidedHeight,
    proposeOne: () => proposeOne(step),
  }
}

/** The pre-prepare is on disk before it leaves: it is the primary's prepare (R14). */
function proposeOne(step: Step): boolean {
  const { state, now, effects } = step
  const taken = state.ports.pool.take(state.parameters.batch)
  if (taken === null) return false
  const { payload } = taken
  const height = state.nextHeight++
  const timestamp = Math.max(state.lastTimestamp, Math.floor(now.wallMs))
  state.lastTimestamp = timestamp
  const header = {
    epoch: state.epoch.number,
    height,
    timestamp,
    payloadDigest: payloadDigest(state.ports.hasher, payload),
  }
  const statement = { view: state.view, height, digest: blockDigest(state.ports.hasher, header) }
  const signature = signPhase(state, 'pre-prepare', statement)
  const slot = slotAt(state, height)
  slot.proposal = makeProposal(step, statement, header, signature, payload)
  state.proposedHeight = height
  accept(step, slot)
  effects.broadcast({ kind: 'pre-prepare', view: state.view, header, payload, signature })
  return true
}

/** A primary that is behind the checkpoint of its own view has to know first what was executed there. */
export function mayPropose(state: PbftState): boolean {
  const { stalled, nextHeight, decidedHeight, executedHeight, low, parameters } = state
  const { pipelineBlocksMax, executionLagBlocksMax } = parameters.flow
  return (
    isPrimary(state) &&
    !stalled &&
    decidedHeight >= Math.max(low, state.entered?.selection.base ?? low) &&
    nextHeight <= high(state) &&
    nextHeight - 1 - decidedHeight < pipelineBlocksMax &&
    undecidedBytes(state) < undecidedBytesMax &&
    decidedHeight - executedHeight < executionLagBlocksMax
  )
}
