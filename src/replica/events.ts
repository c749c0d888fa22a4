// What a replica tells its application as it happens. Whoever listens cannot hurt the replica.

import type { Height, ReplicaId, View } from '../kernel/ids.ts'
import type { ProtocolEvent } from '../kernel/protocol.ts'

export interface ReplicaEventMap {
  /** Somebody else leads, or nobody does. Where leaders take turns each block has another: then it is told of the first, once. */
  leader: { leader: ReplicaId | null; view: View }
  /** The last height executed in a turn. */
  executed: { height: Height }
  /** A state that came from others was taken over: what lies between was not executed here. */
  restored: { height: Height }
  peer: { replica: ReplicaId; connected: boolean; reason: string }
  /** What the protocol notes: for traces and operators. */
  protocol: ProtocolEvent
  /** Something was dropped that a peer sent. */
  dropped: { from: ReplicaId; reason: string }
  /** The disk is full, or has room again. */
  storage: { stalled: boolean; message: string }
  /** A member does not let this replica in: it says that it has seen a newer start of it, or another with the same number. */
  refused: { by: ReplicaId; reason: string; incarnation: number; message: string }
  /** A member has signed two statements that contradict each other. `isKept`: the proof is in the data directory, or on its way there. */
  accused: { replica: ReplicaId; domain: string; about: string; isKept: boolean }
  /** For good. */
  failed: { cause: unknown }
}

export type ReplicaEventName = keyof ReplicaEventMap

export class ReplicaEvents {
  readonly #listeners = new Map<ReplicaEventName, Set<(detail: never) => void>>()
  readonly #warned = new Set<ReplicaEventName>()

  /** Returns what ends the listening. */
  on<Name extends ReplicaEventName>(name: Name, listener: (detail: ReplicaEventMap[Name]) => void): () => void {
    const listeners = this.#listeners.get(name) ?? new Set()
    this.#listeners.set(name, listeners)
    listeners.add(listener)
    return () => void listeners.delete(listener)
  }

  /** Called by the replica. */
  emit<Name extends ReplicaEventName>(name: Name, detail: ReplicaEventMap[Name]): void {
    const listeners = this.#listeners.get(name)
    if (listeners === undefined || listeners.size === 0) return
    // Whoever is added while they are told hears of the next.
    for (const listener of [...listeners]) {
      try {
        // One that is async answers with a promise, whatever its type says.
        const answer = (listener as (detail: ReplicaEventMap[Name]) => unknown)(detail)
        if (answer instanceof Promise) answer.catch((error: unknown) => this.#threw(name, error))
      } catch (error) {
        this.#threw(name, error)
      }
    }
  }

  /** Said once for each event: some happen a thousand times a second. */
  #threw(name: ReplicaEventName, error: unknown): void {
    if (this.#warned.has(name)) return
    this.#warned.add(name)
    const reason = error instanceof Error ? error.message : typeof error
    process.emitWarning(`a listener for ${name} threw: ${reason}`, { code: 'QUORATE_LISTENER' })
  }
}
