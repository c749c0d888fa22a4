// One operation or read of the application on its way, and how it can end.

import type { Certainty } from '../../kernel/outcome.ts'
import type { Height } from '../../kernel/ids.ts'

export type ClientFailureCode =
  | 'ERR_OVERLOADED' // too much waits already
  | 'ERR_DEADLINE' // no answer in time
  | 'ERR_ABORTED' // the caller's signal
  | 'ERR_CLOSED' // the client was closed
  | 'ERR_INVALID_COMMAND' // the state machine's validate, the same on every replica
  | 'ERR_OPERATION_FAILED' // apply threw, and all replicas undid it
  | 'ERR_REPLY_EVICTED' // executed most likely, and its result is no longer known
  | 'ERR_SESSION_EXPIRED' // the session was evicted while the operation was under way
  | 'ERR_SEQUENCE_REUSED' // its number stands for something else
  | 'ERR_INVALID_QUERY'
  | 'ERR_MALFORMED' // refused for its bytes alone

export interface ClientFailure {
  code: ClientFailureCode
  /** Did the operation, or may it still, happen? */
  certainty: Certainty
  /** One sentence, with the next step. */
  message: string
  /** ERR_OVERLOADED: when to try again. */
  retryAfterMs?: number
}

export type Settled =
  | { ok: true; result: Uint8Array; height: Height; index: number }
  | { ok: false; failure: ClientFailure }

export interface ClientOperation {
  readonly command: Uint8Array
  /** Called once; null from then on. What nobody waits for any more stays under way, for its number's sake. */
  settle: ((settled: Settled) => void) | null
}

export function settle(operation: ClientOperation, settled: Settled): void {
  const callback = operation.settle
  operation.settle = null
  callback?.(settled)
}

export function fail(operation: ClientOperation, failure: ClientFailure): void {
  settle(operation, { ok: false, failure })
}
