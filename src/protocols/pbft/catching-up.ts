// Whoever lags behind what others have decided fetches it: blocks with their proofs, or a state where those are gone. A proof is executed in any
// state, and lets nobody vote in a view below the one it asked for (B10).

import { equalBytes } from '../../wire/equal-bytes.ts'
import type { Block } from '../../kernel/block.ts'
import type { Digest } from '../../kernel/crypto-ports.ts'
import type { Height } from '../../kernel/ids.ts'
import type { DecisionProof } from '../../kernel/proof.ts'
import type { FetchResult } from '../../kernel/protocol.ts'
import { slotAt } from './agreement.ts'
import { handOver, record } from './decisions.ts'
import { isEmptyDigest } from './payloads.ts'
import type { Slot } from './slot.ts'
import { inWindow, type PbftState, type Step } from './state.ts'

/** Blocks asked for at once; whoever serves them sends as many as fit. */
export const blocksWantedMax = 1024

/** The highest that one correct replica has decided, or that is certified. */
export function decidedByOthers({ membership, claims, certified, decidedHeight }: PbftState): Height {
  const heights = [...claims]
    .filter(([replica]) => membership.isVoter(replica))
    .map(([, claim]) => claim.decidedHeight)
    .sort((left, right) => right - left)
  return Math.max(decidedHeight, heights[membership.oneCorrect - 1] ?? 0, certified?.header.height ?? 0)
}

export function considerCatchUp(step: Step): void {
  const { state, now, effects } = step
  const { decidedHeight, executedHeight, parameters } = state
  const target = decidedByOthers(state)
  if (target <= decidedHeight) {
    state.lagAtFetch = Infinity
    return
  }
  if (state.fetchingBlocks || now.monotonicMs < state.fetchAfterMs) return
  // What the others' commits bring in a moment need not be fetched.
  const isPatient = state.active && target <= decidedHeight + parameters.flow.pipelineBlocksMax
  if (isPatient && now.monotonicMs - state.lastDecidedMs < parameters.timers.retransmitMs) return
  if (decidedHeight - executedHeight >= parameters.flow.executionLagBlocksMax) return
  const ahead = [...state.claims].filter(([, claim]) => claim.decidedHeight > decidedHeight)
  const serving = ahead.filter(([, claim]) => claim.servesFrom <= decidedHeight + 1).map(([replica]) => replica)
  // Who serves block by block while the others go on as fast serves nothing.
  const gains = target - decidedHeight < state.lagAtFetch
  if (serving.length > 0 && !state.servedNothing && gains) {
    state.lagAtFetch = target - decidedHeight
    const fromHeight = decidedHeight + 1
    const toHeight = Math.min(target, decidedHeight + blocksWantedMax)
    state.fetchingBlocks = true
    return effects.fetch({ kind: 'decided', fromHeight, toHeight }, serving)
  }
  // A state is looked for until it has come, and there may never be one: blocks are asked for again meanwhile.
  state.servedNothing = false
  state.lagAtFetch = Infinity
  // Nobody has said where it can be had: the next status asks.
  if (isStateWanted(state) || ahead.length === 0) return
  state.stateWanted = decidedHeight + 1
  // Everybody is named, since nobody is later: who is ahead may be one liar, and the others have not been heard yet.
  const holders = new Set([...ahead.map(([replica]) => replica), ...state.membership.all])
  holders.delete(state.self)
  effects.fetch({ kind: 'state', minimumHeight: state.stateWanted }, [...holders])
  effects.note({ kind: 'state-wanted', detail: { height: state.stateWanted } })
}

/** The host looks for one until it has it, or blocks have brought this replica as far. */
export function isStateWanted({ stateWanted, decidedHeight }: PbftState): boolean {
  return stateWanted > decidedHeight
}

export function onDecidedFetched(step: Step, result: FetchResult): void {
  const { state, effects } = step
  const before = state.decidedHeight
  state.servedNothing = result.kind !== 'decided' || result.blocks.length === 0
  if (result.kind === 'decided') for (const { block, proof } of result.blocks) takeOver(step, block, proof)
  state.fetchingBlocks = false
  if (state.decidedHeight > before) effects.note({ kind: 'catch-up', detail: { blocks: state.decidedHeight - before } })
  else pause(step)
}

/** A state that came is told of by 'restored'. */
export function onStateFetched(step: Step): void {
  step.state.stateWanted = 0
  step.state.servedNothing = false
  pause(step)
}

function pause({ state, now }: Step): void {
  state.fetchAfterMs = now.monotonicMs + state.parameters.timers.retransmitMs
}

/** The host has verified the proof, and that the payload is the one in the header. */
function takeOver(step: Step, block: Block, proof: DecisionProof): void {
  const { state } = step
  const { header, payload } = block
  const { height } = header
  const { executionLagBlocksMax } = state.parameters.flow
  if (proof.kind !== 'pbft' || height !== state.decidedHeight + 1 || state.ledger.has(height)) return
  if (height - 1 - state.executedHeight >= executionLagBlocksMax) return
  const { view, blockDigest: digest, commits } = proof
  // Kept as decided, so that nothing else is accepted there.
  const slot = inWindow(state, height) ? slotAt(state, height) : null
  const stored = slot?.stored(header.payloadDigest) ?? null
  const isKnown = stored !== null || isEmptyDigest(state, header.payloadDigest)
  const decided = record(step, header, view, commits, isKnown ? null : payload, stored?.persisted ?? null)
  if (slot !== null) {
    putBackLoser(state, slot, digest)
    slot.decision = { view, header, digest, commits }
    if (!isKnown) slot.store({ payloadDigest: header.payloadDigest, payload: null, persisted: decided })
    slot.forgetPayloads()
  }
  handOver(step, block, proof)
}

/** Something else was proposed here, and came to nothing: its requests wait again. */
function putBackLoser({ ports }: PbftState, { proposal }: Slot, digest: Digest): void {
  if (proposal?.payload != null && !equalBytes(proposal.digest, digest)) ports.pool.putBack(proposal.payload)
}
