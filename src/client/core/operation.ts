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

export type Settle = (settled: Settled) => void

/**
 * A class, and made by its constructor, as is all here that lives as long as an operation: what is written as a literal, V8 takes for
 * long-lived once a hundred in a row have been (they are, where more than a hundred are under way), makes in the old space from then on, and
 * whatever such dead ones point to is kept until everything is collected. That was half of a client's time.
 */
export class ClientOperation {
  command: Uint8Array
  /** Of the command, which itself is let go of when it has left. */
  readonly bytes: number
  /** Called once; null from then on. What nobody waits for any more stays under way, for its number's sake. */
  settle: Settle | null
  /** Null where it was not let in. */
  room: Room | null = null

  constructor(command: Uint8Array, settled: Settle) {
    this.command = command
    this.bytes = command.length
    this.settle = settled
  }
}

export function settle(operation: ClientOperation, settled: Settled): void {
  const callback = operation.settle
  if (callback === null) return
  operation.settle = null
  operation.room?.leave(operation)
  callback(settled)
}

export function fail(operation: ClientOperation, failure: ClientFailure): void {
  settle(operation, { ok: false, failure })
}

export interface RoomLimits {
  /** Operations and reads that wait or are under way. */
  operationsMax: number
  bytesMax: number
}

/** For operations and reads that somebody waits for. */
export class Room {
  readonly #limits: RoomLimits
  #operations = 0
  #bytes = 0

  constructor(limits: RoomLimits) {
    this.#limits = limits
  }

  get operations(): number {
    return this.#operations
  }

  /** False: there is none. */
  enter(operation: ClientOperation): boolean {
    const { operationsMax, bytesMax } = this.#limits
    if (this.#operations >= operationsMax || this.#bytes + operation.bytes > bytesMax) return false
    this.#operations++
    this.#bytes += operation.bytes
    operation.room = this
    return true
  }

  leave({ bytes }: ClientOperation): void {
    this.#operations--
    this.#bytes -= bytes
  }
}

/** It has not left, and never will. */
export function refuse(
  operation: ClientOperation,
  code: ClientFailureCode,
  message: string,
  retryAfterMs?: number,
): false {
  const failure: ClientFailure = { code, certainty: 'definite', message }
  fail(operation, retryAfterMs === undefined ? failure : { ...failure, retryAfterMs })
  return false
}
