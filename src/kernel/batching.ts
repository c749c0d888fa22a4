// How a leader gathers what waits into blocks, whichever protocol it leads: full blocks at once, and the rest when nothing is in flight or has
// lingered.

import type { Parameters } from './parameters.ts'
import type { RequestPool } from './request-pool.ts'

export const lingerTimer = 'linger'

/** What the batching of a leader needs to know, and to do. */
export interface Batching {
  readonly state: {
    lingering: boolean
    readonly parameters: Parameters
    readonly ports: { readonly pool: RequestPool }
  }
  readonly effects: { arm(timer: string, afterMs: number): void; disarm(timer: string): void }
  /** It leads, and pipeline and executor allow one more. */
  mayPropose(): boolean
  /** Blocks are under way: others may come while one lingers. */
  isUnderWay(): boolean
  /** Takes a block from the pool and proposes it. False: there was none. */
  proposeOne(): boolean
}

export function proposeBatches(batching: Batching): void {
  const { state, effects } = batching
  const { batch } = state.parameters
  const { pool } = state.ports
  while (pool.waitingOperations > 0 && batching.mayPropose()) {
    const full = pool.waitingOperations >= batch.operationsMax || pool.waitingBytes >= batch.bytesMax
    if (!full && batch.lingerMs > 0 && batching.isUnderWay()) {
      if (!state.lingering) effects.arm(lingerTimer, batch.lingerMs)
      state.lingering = true
      break
    }
    if (!batching.proposeOne()) break
  }
  if (state.lingering && pool.waitingOperations === 0) {
    state.lingering = false
    effects.disarm(lingerTimer)
  }
}

/** The batch has waited long enough for others to join it. */
export function proposeLingered(batching: Batching): void {
  const { state } = batching
  if (!state.lingering) return
  state.lingering = false
  if (batching.mayPropose() && batching.proposeOne()) proposeBatches(batching)
}
