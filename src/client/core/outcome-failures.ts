// What an agreed outcome means for the caller, and for the session.

import { refusalCertainty, type Outcome, type RefusalCode } from '../../kernel/outcome.ts'
import type { ClientFailure, ClientFailureCode } from './operation.ts'

export type Meaning =
  | { kind: 'result'; result: Uint8Array }
  | { kind: 'failure'; failure: ClientFailure }
  /** This attempt did nothing; the same envelope goes out again. */
  | { kind: 'again' }
  /** Nothing more can be had from this session. */
  | { kind: 'session-lost' }

const failureOf: Partial<Record<RefusalCode, { code: ClientFailureCode; message: string }>> = {
  InvalidCommand: {
    code: 'ERR_INVALID_COMMAND',
    message: "the state machine's validate refuses the command: correct it",
  },
  MalformedEnvelope: { code: 'ERR_MALFORMED', message: 'the replicas cannot read the envelope: use the same release' },
  MalformedPayload: { code: 'ERR_MALFORMED', message: 'the replicas cannot read the payload: use the same release' },
  SequenceReused: {
    code: 'ERR_SEQUENCE_REUSED',
    message: 'another operation has consumed its number: use one client for one session',
  },
  ReplyEvicted: {
    code: 'ERR_REPLY_EVICTED',
    message: 'it was executed most likely, and its result is no longer kept: read the state to find out',
  },
  InvalidQuery: { code: 'ERR_INVALID_QUERY', message: 'the state machine refuses the query: correct it' },
}

export function meaningOf(outcome: Outcome): Meaning {
  switch (outcome.kind) {
    case 'executed':
      return { kind: 'result', result: outcome.result }
    case 'operation-failed':
      return failure('ERR_OPERATION_FAILED', 'definite', "the state machine's apply threw, and was undone everywhere")
    case 'cancelled':
      return failure('ERR_SEQUENCE_REUSED', 'definite', 'it was cancelled before it was executed')
    // The reply of no operation: it says nothing about what became of this one.
    case 'opened':
    case 'closed':
      return { kind: 'session-lost' }
    case 'refused':
      return refused(outcome.code)
  }
}

function refused(code: RefusalCode): Meaning {
  // In another block it may be executed, so the client sends it again.
  if (code === 'OutOfOrder' || code === 'BlockOverLimit') return { kind: 'again' }
  const known = failureOf[code]
  if (known === undefined) return { kind: 'session-lost' }
  return failure(known.code, refusalCertainty[code], known.message)
}

function failure(code: ClientFailureCode, certainty: ClientFailure['certainty'], message: string): Meaning {
  return { kind: 'failure', failure: { code, certainty, message } }
}
