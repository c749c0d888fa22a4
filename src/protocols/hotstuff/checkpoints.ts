// What lies below a checkpoint leaves the log; and a state that was fetched becomes the place from which the chain goes on.

import type { Checkpoint } from '../../kernel/checkpoint.ts'
import { broken } from '../../kernel/invariant.ts'
import { moveRoot, rootOf } from './decisions.ts'
import { persist, type HotstuffState, type Step } from './state.ts'
import { enterAfter } from './views.ts'

export function onCertified({ state }: Step, checkpoint: Checkpoint): void {
  if (checkpoint.header.height > (state.certified?.header.height ?? 0)) state.certified = checkpoint
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

/** A state was fetched: everything up to it is decided. View, votes and certificates stay. */
export function onRestored(step: Step, checkpoint: Checkpoint): void {
  const { state } = step
  const { height } = checkpoint.header
  state.servedNothing = false
  onCertified(step, checkpoint)
  state.stableHeight = Math.max(state.stableHeight, height)
  state.ledger.release(height)
  if (height > state.decidedHeight) {
    beginAbove(step, checkpoint)
    // The pool has forgotten what was under way.
    for (const node of state.tree.all()) node.held = false
    enterAfter(step, state.high)
  }
  release(step)
}

/** Its proof names the node that the chain goes on from. */
export function beginAbove(step: Step, { header, proof }: Checkpoint): void {
  const { state } = step
  if (proof.kind !== 'hotstuff') broken(`a checkpoint of ${proof.kind}`)
  const { height } = header
  state.decidedHeight = height
  state.executedHeight = Math.max(state.executedHeight, height)
  state.certifiedHeight = Math.max(state.certifiedHeight, height)
  moveRoot(step, rootOf(state, proof))
  for (const certificate of proof.certificates) {
    const kept = state.certificates.remember(certificate)
    if (kept.view > state.high.view) state.high = kept
  }
}

/** What was promised in records that go is written anew, in short, so that the log can be cut before the rest. */
function release(step: Step): void {
  const { state, effects } = step
  const keep = firstNeeded(state) ?? Infinity
  if (state.promisesPersisted > 0 && state.promisesPersisted < keep) writePromises(step)
  if (state.timeoutPersisted > 0 && state.timeoutPersisted < keep && state.timeout !== null) {
    state.timeoutPersisted = persist(step, { kind: 'timeout', timeout: state.timeout })
  }
  if (state.timeoutsPersisted > 0 && state.timeoutsPersisted < keep && state.timeouts !== null) {
    state.timeoutsPersisted = persist(step, { kind: 'timeouts', timeouts: state.timeouts, certificate: state.high })
  }
  // A certificate has come since, and leads into a later view.
  if (state.timeouts === null && state.timeoutsPersisted > 0) {
    writePromises(step)
    state.timeoutsPersisted = 0
  }
  const written = [state.promisesPersisted, state.timeoutPersisted, state.timeoutsPersisted].filter((one) => one > 0)
  const first = Math.min(keep, ...written)
  if (first === Infinity) return
  effects.release(first)
  effects.note({ kind: 'log-cut', detail: { below: first } })
}

function writePromises(step: Step): void {
  const { votedView, high: certificate, lock, certifiedHeight } = step.state
  step.state.promisesPersisted = persist(step, { kind: 'promises', votedView, certificate, lock, certifiedHeight })
}

/** Of nodes and decisions. */
function firstNeeded({ ledger, tree }: HotstuffState): number | null {
  let first = ledger.firstPersisted(payloadDistanceMax)
  for (const { persisted } of tree.all()) {
    if (persisted !== null && (first === null || persisted < first)) first = persisted
  }
  return first
}

/** A payload stands before its decision by no more than a chain of undecided blocks. */
const payloadDistanceMax = 1024
