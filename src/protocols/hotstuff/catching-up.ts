// Decisions that others have made are taken over with their proofs (kernel/catching-up.ts). A certificate is no proof: its node may have been
// orphaned (R1).

import { considerCatchUp, onDecidedFetched } from '../../kernel/catching-up.ts'
import type { Block } from '../../kernel/block.ts'
import type { DecisionProof } from '../../kernel/proof.ts'
import type { FetchResult } from '../../kernel/protocol.ts'
import { onCertificate } from './chain.ts'
import { handOver, record, rootOf } from './decisions.ts'
import type { Step } from './state.ts'

export function catchUp(step: Step): void {
  // The next certificates may bring it in a moment.
  considerCatchUp(step, true)
}

export function onBlocksFetched(step: Step, result: FetchResult): void {
  onDecidedFetched(step, result, (blocks) => {
    for (const { block, proof } of blocks) takeOver(step, block, proof)
    follow(step, blocks.at(-1)?.proof)
  })
}

/** The last one's certificates were verified with it, and lead into the views of those who are ahead. */
function follow(step: Step, proof: DecisionProof | undefined): void {
  if (proof?.kind !== 'hotstuff') return
  const { certificates } = step.state
  for (const certificate of proof.certificates) onCertificate(step, certificates.remember(certificate), null)
}

/** The host has verified the proof, and that the payload is the one in the header. */
function takeOver(step: Step, block: Block, proof: DecisionProof): void {
  const { state } = step
  const { height } = block.header
  if (proof.kind !== 'hotstuff' || height !== state.decidedHeight + 1 || state.ledger.has(height)) return
  if (height - 1 - state.executedHeight >= state.parameters.flow.executionLagBlocksMax) return
  const node = state.tree.get(rootOf(state, proof).digest)
  record(step, block, proof, node?.persisted ?? null)
  handOver(step, block, proof)
  for (const certificate of proof.certificates) state.certificates.remember(certificate)
}
