// Decisions that others have made are taken over with their proofs (kernel/catching-up.ts). A proof is executed in any state, and lets nobody vote
// in a view below the one it asked for (B10).

import { considerCatchUp, onDecidedFetched, pauseFetching } from '../../kernel/catching-up.ts'
import { equalBytes } from '../../wire/equal-bytes.ts'
import type { Block } from '../../kernel/block.ts'
import type { Digest } from '../../kernel/crypto-ports.ts'
import type { DecisionProof } from '../../kernel/proof.ts'
import type { FetchResult } from '../../kernel/protocol.ts'
import { slotAt } from './agreement.ts'
import { handOver, record } from './decisions.ts'
import { isEmptyDigest } from './payloads.ts'
import type { Slot } from './slot.ts'
import { inWindow, type PbftState, type Step } from './state.ts'

export function catchUp(step: Step): void {
  // The others' commits may bring it in a moment, to whoever takes part in the view.
  considerCatchUp(step, step.state.active)
}

export function onBlocksFetched(step: Step, result: FetchResult): void {
  onDecidedFetched(step, result, (blocks) => {
    for (const { block, proof } of blocks) takeOver(step, block, proof)
  })
}

/** A state that came is told of by 'restored'. */
export function onStateFetched(step: Step): void {
  step.state.stateWanted = 0
  step.state.servedNothing = false
  pauseFetching(step)
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
