// What callers get when an operation of theirs fails: a code for programs, one sentence with the next step for people, and, where an
// operation was at stake, whether it certainly did not happen.

import type { Certainty } from './outcome.ts'
import type { ErrorCode } from './error-codes.ts'

export interface QuorateErrorDetails {
  /** `definite`: it did not happen and never will. `indefinite`: it may have happened, or may happen yet. */
  certainty?: Certainty
  /** When to try again. */
  retryAfterMs?: number
  cause?: unknown
}

export class QuorateError extends Error {
  readonly code: ErrorCode
  readonly certainty: Certainty | null
  readonly retryAfterMs: number | null

  constructor(code: ErrorCode, message: string, details: QuorateErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.name = 'QuorateError'
    this.code = code
    this.certainty = details.certainty ?? null
    this.retryAfterMs = details.retryAfterMs ?? null
  }
}
