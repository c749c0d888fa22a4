// The waiting requests, as a protocol sees them. The pool itself is replica/pool.

import type { ReplicaId } from './ids.ts'

export interface BatchLimits {
  operationsMax: number
  bytesMax: number
}

export interface Batch {
  /** Encoded list of envelopes (kernel/block.ts). */
  payload: Uint8Array
  envelopes: number
  operations: number
  /** Members that handed on some of it: whoever waits for that waits there. */
  forwardedBy: readonly ReplicaId[]
}

export interface RequestPool {
  /** Operations that wait and are in no block that was taken. */
  readonly waitingOperations: number
  readonly waitingBytes: number
  /** Takes the oldest waiting envelopes, in order, as one payload; null if none waits. They stay known until executed or put back. */
  take(limits: BatchLimits): Batch | null
  /**
   * Monotonic time since which the oldest request has waited that is in no *decided* block, taken ones included; null if there is none.
   * Decided ones wait for the application, which is no leader's fault.
   */
  oldestWaitingSinceMs(): number | null
  /** Sends waiting envelopes to a replica that can order them, the oldest first, up to so many bytes. Each envelope goes to one replica at most once per call of `forwardAgain`. */
  forward(to: ReplicaId, bytesMax?: number): void
  /** Forgets what was forwarded to whom: the next `forward` sends all again, or the oldest that have so many bytes together. */
  forwardAgain(bytesMax?: number): void
  /**
   * A block in flight holds these envelopes, whoever proposed it: neither they nor copies that come later are taken until they are
   * put back or executed. A leader calls it for the blocks it builds on, before it takes. Returns how many operations they have.
   */
  proposed(payload: Uint8Array): number
  /** Gives back the envelopes of a block that was truncated, orphaned or nulled. Those executed meanwhile are dropped. */
  putBack(payload: Uint8Array): void
}
