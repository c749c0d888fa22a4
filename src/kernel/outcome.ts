/**
 * How an operation came out: agreed on, bound by its results leaf, kept in its session for a retry, read by the client.
 *
 * Every failure says whether the operation certainly did not happen and never will (`definite`), or may have happened or may happen
 * yet (`indefinite`). The question is asked about the signed bytes, not about this attempt: whoever has seen a signed envelope can
 * have it ordered again. So a refusal is definite in three cases only: no copy of these bytes can ever be executed, whatever the state
 * (malformed, wrong key); the number now stands for this failure, in the session, for good; or the number stands for something else.
 */

import { oneOf, struct, union, type Codec } from '../wire/codec.ts'
import { sessionIdCodec, type SessionId } from './envelope.ts'
import { resultBytesMax } from './limits.ts'

export type Certainty = 'definite' | 'indefinite'

/**
 * | code | what was found | did it, or will it, happen? |
 * |---|---|---|
 * | MalformedPayload | the block's payload is no list of envelopes | definite: nobody can execute bytes that are none |
 * | MalformedEnvelope | no envelope, or one without operations or with impossible numbers | definite: a matter of its bytes alone |
 * | BlockOverLimit | the block holds more operations than are executed | indefinite: it may be ordered in another block |
 * | InvalidCommand | the state machine's `validate` said no; its number is consumed | definite: the number stands for this refusal |
 * | OutOfOrder | a number is missing before it; nothing was done | indefinite: it may be ordered again behind the missing one |
 * | SequenceReused | its number was consumed by another operation | definite: the number is consumed by something else |
 * | ReplyEvicted | its number is consumed, and what came of it is no longer known | indefinite: most likely it was executed |
 * | SessionExpired | no such session: evicted, closed, or never opened | indefinite: it may have been executed before |
 * | WrongClient | the session belongs to another key | definite: a session never changes its key |
 * | OpeningExpired | too old, or older than one that was closed; opens nothing | indefinite: a copy may have opened a session before |
 * | OpeningEarly | its reference height is not below this height; nothing was done | indefinite: a copy may come at a height above |
 * | ClientQuotaExceeded | the client has as many sessions as it may have | indefinite: a copy may come when there is room |
 * | SessionTableFull | there are as many sessions as there may be | indefinite: a copy may come when there is room |
 * | InvalidQuery | a query that cannot be read, or that the state machine failed to answer | definite: queries change nothing |
 */
export const refusalCertainty = {
  MalformedPayload: 'definite',
  MalformedEnvelope: 'definite',
  BlockOverLimit: 'indefinite',
  InvalidCommand: 'definite',
  OutOfOrder: 'indefinite',
  SequenceReused: 'definite',
  ReplyEvicted: 'indefinite',
  SessionExpired: 'indefinite',
  WrongClient: 'definite',
  OpeningExpired: 'indefinite',
  OpeningEarly: 'indefinite',
  ClientQuotaExceeded: 'indefinite',
  SessionTableFull: 'indefinite',
  InvalidQuery: 'definite',
} as const satisfies Record<string, Certainty>

export type RefusalCode = keyof typeof refusalCertainty

export type Outcome =
  | { kind: 'executed'; result: Uint8Array }
  /** `apply` threw, and the state machine rolled back. */
  | { kind: 'operation-failed' }
  /** A signed cancel consumed the number before the operation could. */
  | { kind: 'cancelled' }
  | { kind: 'opened'; session: SessionId }
  | { kind: 'closed' }
  | { kind: 'refused'; code: RefusalCode }

/** Null if this is no failure. Cancelled and failed operations did nothing, and their numbers stand for that. */
export function certaintyOf(outcome: Outcome): Certainty | null {
  switch (outcome.kind) {
    case 'executed':
    case 'opened':
    case 'closed':
      return null
    case 'operation-failed':
    case 'cancelled':
      return 'definite'
    case 'refused':
      return refusalCertainty[outcome.code]
  }
}

/** The order is part of the format: append, never insert. */
const refusalCodes = Object.keys(refusalCertainty) as RefusalCode[]

const executedCodec: Codec<Extract<Outcome, { kind: 'executed' }>> = {
  bytesMin: 4,
  write: (w, { result }) => w.bytes(result, resultBytesMax),
  read: (r) => ({ kind: 'executed', result: r.bytes(resultBytesMax) }),
}

export const outcomeCodec: Codec<Outcome> = union<Outcome>({
  executed: { tag: 1, whole: executedCodec },
  'operation-failed': { tag: 2, codec: struct({}) },
  cancelled: { tag: 3, codec: struct({}) },
  opened: { tag: 4, codec: struct({ session: sessionIdCodec }) },
  closed: { tag: 5, codec: struct({}) },
  refused: { tag: 6, codec: struct({ code: oneOf(refusalCodes) }) },
})
