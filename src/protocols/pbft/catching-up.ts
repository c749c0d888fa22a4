// Whoever lags behind what others have decided fetches it: blocks with their proofs, or a state where those are gone. A proof is executed in any
// state, and lets nobody vote in a view below the one it asked for (B10).

import type { Block } from '../../kernel/block.ts'
import type { Height, ReplicaId } from '../../kernel/ids.ts'
import type { DecisionProof } from '../../kernel/proof.ts'
import type { FetchResult, Wanted } from '../../kernel/protocol.ts'
import { handOver, record } from './decisions.ts'
import { isEmptyDigest } from './payloads.ts'
import type { PbftState, Step } from './state.ts'

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
  if (target <= decidedHeight || state.fetching?.kind === 'decided') return
  // What the others' commits bring in a moment need not be fetched.
  const isPatient = state.active && target <= decidedHeight + parameters.flow.pipelineBlocksMax
  if (isPatient && now.monotonicMs - state.lastDecidedMs < parameters.timers.retransmitMs) return
  if (decidedHeight - executedHeight >= parameters.flow.executionLagBlocksMax) return
  const ahead = [...state.claims].filter(([, claim]) => claim.decidedHeight > decidedHeight)
  const serving = ahead.filter(([, claim]) => claim.servesFrom <= decidedHeight + 1).map(([replica]) => replica)
  if (serving.length > 0) {
    const fromHeight = decidedHeight + 1
    const toHeight = Math.min(target, decidedHeight + blocksWantedMax)
    return obtain(step, { kind: 'decided', fromHeight, toHeight }, serving)
  }
  // Nobody has said where it can be had: the next status asks.
  if (state.fetching !== null || ahead.length === 0) return
  const holders = ahead.map(([replica]) => replica)
  obtain(step, { kind: 'state', minimumHeight: decidedHeight + 1 }, holders)
  effects.note({ kind: 'state-wanted', detail: { height: decidedHeight + 1 } })
}

function obtain(
  { state, now, effects }: Step,
  wanted: Wanted & { kind: 'decided' | 'state' },
  from: readonly ReplicaId[],
): void {
  state.fetching = { kind: wanted.kind, sinceMs: now.monotonicMs }
  effects.fetch(wanted, from)
}

export function onDecidedFetched(step: Step, result: FetchResult): void {
  const { state, effects } = step
  if (state.fetching?.kind === 'decided') state.fetching = null
  if (result.kind !== 'decided') return
  const before = state.decidedHeight
  for (const { block, proof } of result.blocks) takeOver(step, block, proof)
  if (state.decidedHeight > before) effects.note({ kind: 'catch-up', detail: { blocks: state.decidedHeight - before } })
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
  const slot = state.slots.get(height)
  const stored = slot?.stored(header.payloadDigest) ?? null
  const isKnown = stored !== null || isEmptyDigest(state, header.payloadDigest)
  const decided = record(step, header, digest, view, commits, isKnown ? null : payload, stored?.persisted ?? null)
  if (slot !== undefined) {
    slot.decision = { view, header, digest, commits }
    if (!isKnown) slot.store({ payloadDigest: header.payloadDigest, payload: null, persisted: decided })
    slot.forgetPayloads()
  }
  handOver(step, block, proof)
}
