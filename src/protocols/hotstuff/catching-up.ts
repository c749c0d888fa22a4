// Whoever lags behind what others have decided fetches it: blocks with their proofs, or a state where those are gone. A certificate is no
// proof: its node may have been orphaned (R1).

import type { Block } from '../../kernel/block.ts'
import type { DecisionProof } from '../../kernel/proof.ts'
import type { FetchResult } from '../../kernel/protocol.ts'
import { onCertificate } from './chain.ts'
import { decidedByOthers, isStateWanted } from './claims.ts'
import { handOver, record, rootOf } from './decisions.ts'
import type { Step } from './state.ts'

/** Blocks asked for at once; whoever serves them sends as many as fit. */
export const blocksWantedMax = 1024

export function considerCatchUp(step: Step): void {
  const { state, now, effects } = step
  const { decidedHeight, executedHeight, parameters } = state
  const target = decidedByOthers(state)
  if (target <= decidedHeight) {
    state.lagAtFetch = Infinity
    return
  }
  if (state.fetchingBlocks || now.monotonicMs < state.fetchAfterMs) return
  // What the next certificates bring in a moment need not be fetched.
  const isPatient = target <= decidedHeight + parameters.flow.pipelineBlocksMax
  if (isPatient && now.monotonicMs - state.lastDecidedMs < parameters.timers.retransmitMs) return
  if (decidedHeight - executedHeight >= parameters.flow.executionLagBlocksMax) return
  const ahead = [...state.claims].filter(([, claim]) => claim.decidedHeight > decidedHeight)
  const serving = ahead.filter(([, claim]) => claim.servesFrom <= decidedHeight + 1).map(([replica]) => replica)
  // Who serves block by block while the others go on as fast serves nothing.
  const gains = target - decidedHeight < state.lagAtFetch
  if (serving.length > 0 && !state.servedNothing && gains) {
    state.lagAtFetch = target - decidedHeight
    state.fetchingBlocks = true
    const toHeight = Math.min(target, decidedHeight + blocksWantedMax)
    return effects.fetch({ kind: 'decided', fromHeight: decidedHeight + 1, toHeight }, serving)
  }
  // A state is looked for until it has come, and there may never be one: blocks are asked for again meanwhile.
  state.servedNothing = false
  state.lagAtFetch = Infinity
  if (isStateWanted(state) || ahead.length === 0) return
  state.stateWanted = decidedHeight + 1
  // Everybody is named, since nobody is later: who is ahead may be one liar, and the others have not been heard yet.
  const holders = new Set([...ahead.map(([replica]) => replica), ...state.membership.all])
  holders.delete(state.self)
  effects.fetch({ kind: 'state', minimumHeight: state.stateWanted }, [...holders])
  effects.note({ kind: 'state-wanted', detail: { height: state.stateWanted } })
}

export function onDecidedFetched(step: Step, result: FetchResult): void {
  const { state, now, effects } = step
  const before = state.decidedHeight
  state.servedNothing = result.kind !== 'decided' || result.blocks.length === 0
  if (result.kind === 'decided') {
    for (const { block, proof } of result.blocks) takeOver(step, block, proof)
    follow(step, result.blocks.at(-1)?.proof)
  }
  state.fetchingBlocks = false
  if (state.decidedHeight > before) effects.note({ kind: 'catch-up', detail: { blocks: state.decidedHeight - before } })
  else state.fetchAfterMs = now.monotonicMs + state.parameters.timers.retransmitMs
}

/** The last one's certificates were verified with it, and lead into the views of those who are ahead. */
function follow(step: Step, proof: DecisionProof | undefined): void {
  if (proof?.kind !== 'hotstuff') return
  for (const certificate of proof.certificates) onCertificate(step, certificate, null)
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
