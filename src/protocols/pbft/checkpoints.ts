// The watermark (PBFT §4.3): it moves when a quorum has signed a checkpoint and this replica has decided up to it. The log is cut later, when the
// snapshot is on disk.

import type { Checkpoint } from '../../kernel/checkpoint.ts'
import { persist, type PbftState, type Step } from './state.ts'

export function onCertified(step: Step, checkpoint: Checkpoint): void {
  const { state } = step
  if (checkpoint.header.height <= (state.certified?.header.height ?? state.low)) return
  state.certified = checkpoint
  adoptCertified(step)
}

/** At least `oneCorrect` correct replicas have all that was decided up to it on disk, and so has this one. */
export function adoptCertified(step: Step): void {
  const { state } = step
  const { certified } = state
  if (certified === null || certified.header.height <= state.low || certified.header.height > state.decidedHeight)
    return
  raise(step, certified)
}

function raise(step: Step, checkpoint: Checkpoint): void {
  const { state, effects } = step
  const { height } = checkpoint.header
  state.checkpointPersisted = persist(step, { kind: 'checkpoint', checkpoint })
  state.checkpoint = checkpoint
  state.low = height
  for (const slot of state.slots.values()) if (slot.height <= height) state.slots.delete(slot.height)
  state.nextHeight = Math.max(state.nextHeight, height + 1)
  state.adoptionDue = true
  effects.note({ kind: 'watermark', detail: { height } })
}

/**
 * Decided blocks stay on disk down to the stable checkpoint *before* this one: whoever finds this one's snapshot damaged can begin from that,
 * and whoever is a little behind needs no snapshot.
 */
export function onStable(step: Step, checkpoint: Checkpoint): void {
  const { state } = step
  const { height } = checkpoint.header
  if (height <= state.stableHeight) return
  state.ledger.release(state.stableHeight)
  state.stableHeight = height
  onCertified(step, checkpoint)
  release(step)
}

/** A state was fetched: everything up to it is decided. View, votes and certificates above it stay. */
export function onRestored(step: Step, checkpoint: Checkpoint): void {
  const { state } = step
  const { height } = checkpoint.header
  state.servedNothing = false
  state.decidedHeight = Math.max(state.decidedHeight, height)
  state.executedHeight = Math.max(state.executedHeight, height)
  state.committedHeight = Math.max(state.committedHeight, height)
  state.stableHeight = Math.max(state.stableHeight, height)
  state.ledger.release(height)
  if (height > (state.certified?.header.height ?? 0)) state.certified = checkpoint
  if (height > state.low) raise(step, checkpoint)
  state.nextHeight = Math.max(state.nextHeight, state.decidedHeight + 1)
  state.adoptionDue = true
  release(step)
}

/** What is still needed and lies far back is written anew, so that the log can be cut before the rest. */
function release(step: Step): void {
  const { state, effects } = step
  const needed = firstNeeded(state)
  const keep = needed ?? Infinity
  let first = keep
  const { asked, entered } = state
  if (state.checkpoint !== null && state.checkpointPersisted < keep) {
    state.checkpointPersisted = persist(step, { kind: 'checkpoint', checkpoint: state.checkpoint })
  }
  for (const known of [...(asked === null ? [] : [asked]), ...(entered?.cited ?? [])]) {
    if (known.persisted === null || known.persisted >= keep) continue
    known.persisted = persist(step, { kind: 'view-change', viewChange: known.viewChange })
  }
  if (entered !== null && entered.persisted < keep) {
    entered.persisted = persist(step, { kind: 'new-view', newView: entered.newView })
  }
  const written = [
    state.checkpointPersisted,
    asked?.persisted,
    entered?.persisted,
    ...(entered?.cited ?? []).map((one) => one.persisted),
  ]
  for (const sequence of written) if (sequence != null && sequence > 0) first = Math.min(first, sequence)
  if (first === Infinity) return
  effects.release(first)
  effects.note({ kind: 'log-cut', detail: { below: first } })
}

/** Of slots and decisions. */
function firstNeeded(state: PbftState): number | null {
  let first = state.ledger.firstPersisted(state.parameters.pbft.windowBlocks)
  for (const slot of state.slots.values()) {
    const persisted = slot.firstPersisted
    if (persisted !== null && (first === null || persisted < first)) first = persisted
  }
  return first
}
