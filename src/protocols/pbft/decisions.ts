// Decided blocks leave in order; the quorum's commits go to disk with what comes next.

import { emptyPayload, type Block, type BlockHeader } from '../../kernel/block.ts'
import type { DecisionProof, SignatureSet } from '../../kernel/proof.ts'
import type { View } from '../../kernel/ids.ts'
import { isEmptyDigest, payloadOf, wantPayload } from './payloads.ts'
import type { PbftState, Step } from './state.ts'

/** As far as the application keeps up, and nothing is missing. */
export function decideReady(step: Step): void {
  while (mayDecide(step.state) && (decideRecovered(step) || decideNext(step)));
}

function mayDecide({ decidedHeight, executedHeight, parameters }: PbftState): boolean {
  return decidedHeight - executedHeight < parameters.flow.executionLagBlocksMax
}

/** What the log shows as decided in an earlier life. */
function decideRecovered(step: Step): boolean {
  const { state } = step
  const height = state.decidedHeight + 1
  if (!state.ledger.has(height)) return false
  const { block, proof } = state.ledger.read(height)
  handOver(step, block, proof)
  return true
}

function decideNext(step: Step): boolean {
  const { state } = step
  const slot = state.slots.get(state.decidedHeight + 1)
  if (slot === undefined || slot.decision === null) return false
  const { view, header, digest, commits } = slot.decision
  const payload = payloadOf(state, slot, header.payloadDigest)
  if (payload === null) {
    wantPayload(
      step,
      slot,
      header.payloadDigest,
      commits.map(({ replica }) => replica),
    )
    return false
  }
  // First to the application: a quorum that wrote certificates before it said its commits can decide this again, so that what follows from
  // it promises nothing. A signature on a checkpoint does, and leaves when the record is durable (docs/decisions/0016).
  handOver(step, { header, payload }, { kind: 'pbft', view, blockDigest: digest, commits })
  const stored = slot.stored(header.payloadDigest)
  const isEmpty = isEmptyDigest(state, header.payloadDigest)
  const decided = record(
    step,
    header,
    view,
    commits,
    stored !== null || isEmpty ? null : payload,
    stored?.persisted ?? null,
  )
  if (stored === null && !isEmpty) slot.store({ payloadDigest: header.payloadDigest, payload, persisted: decided })
  slot.forgetPayloads()
  return true
}

/** Returns the record's number. `written`: null where an earlier record, `at`, has the payload, or it is empty. */
export function record(
  step: Step,
  header: BlockHeader,
  view: View,
  commits: SignatureSet,
  written: Uint8Array | null,
  at: number | null,
): number {
  const decided = step.effects.persistSoon({ kind: 'decided', header, view, commits, payload: written })
  step.state.ledger.add(header.height, { decided, payload: written === null ? at : decided })
  return decided
}

export function handOver({ state, now, effects }: Step, block: Block, proof: DecisionProof): void {
  state.decidedHeight = block.header.height
  state.nextHeight = Math.max(state.nextHeight, state.decidedHeight + 1)
  state.lastDecidedMs = now.monotonicMs
  state.lastTimestamp = Math.max(state.lastTimestamp, block.header.timestamp)
  if (block.payload.length === emptyPayload.length)
    effects.note({ kind: 'null-block', detail: { height: block.header.height } })
  effects.decide(block, proof)
}
