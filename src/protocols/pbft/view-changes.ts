// Asking for another view (PBFT §4.4).

import { equalBytes } from '../../wire/equal-bytes.ts'
import type { ReplicaId, View } from '../../kernel/ids.ts'
import { knownSlots } from './agreement.ts'
import { viewMax, type ViewChange } from './messages.ts'
import { hasVoice, persist, timer, type KnownViewChange, type PbftState, type Step } from './state.ts'
import { signViewChange, viewChangeDigest } from './statements.ts'

/** From here on the replica takes part in no earlier view. Signed once, persisted, and sent again byte for byte. */
export function askForView(step: Step, view: View): void {
  const { state, effects } = step
  if (!hasVoice(state) || state.stalled || view <= (state.asked?.viewChange.view ?? 0) || view > viewMax) return
  const prepared = knownSlots(state).flatMap((slot) => (slot.prepared === null ? [] : [slot.prepared]))
  const { self: sender, checkpoint } = state
  const viewChange = signViewChange(state, { view, sender, checkpoint, prepared })
  const persisted = persist(step, { kind: 'view-change', viewChange })
  leaveFor(step, view)
  state.failedViews++
  state.asked = { viewChange, digest: viewChangeDigest(state, viewChange), persisted }
  state.viewChanges.set(sender, state.asked)
  effects.note({ kind: 'view-change-asked', detail: { view } })
  if (prepared.length > 0)
    effects.note({ kind: 'view-change-with-prepared', detail: { view, prepared: prepared.length } })
  effects.broadcast(viewChange)
}

/**
 * What was said in earlier views counts no longer, and the timers of the view that is left end. Requests in what it proposed wait again: nobody
 * else may have got the proposal, and who should take them must be told of them.
 */
export function leaveFor({ state, effects }: Step, view: View): void {
  state.view = view
  state.active = false
  state.newViewDueMs = null
  state.wishes.clear()
  state.wished = false
  state.pace.slow = 0
  state.lingering = false
  state.requestArmed = false
  state.forwardArmed = false
  state.judged.clear()
  for (const [primary, { newView }] of state.pending) if (newView.view < view) state.pending.delete(primary)
  for (const name of [timer.request, timer.linger, timer.heartbeat, timer.newView]) effects.disarm(name)
  for (const slot of state.slots.values()) {
    const { proposal, decision } = slot
    const isDecided = proposal !== null && decision !== null && equalBytes(decision.digest, proposal.digest)
    if (proposal?.payload != null && !isDecided) state.ports.pool.putBack(proposal.payload)
    slot.prepares = new Map()
    slot.commits = new Map()
  }
}

export function keep(state: PbftState, viewChange: ViewChange): KnownViewChange {
  return { viewChange, digest: viewChangeDigest(state, viewChange), persisted: null }
}

/** Who asks for this very view. */
export function askers({ viewChanges, view }: PbftState): ReplicaId[] {
  return [...viewChanges.values()].flatMap(({ viewChange }) => (viewChange.view === view ? [viewChange.sender] : []))
}
