/**
 * What has come of an envelope, told again without ordering it again: whoever has executed it says what execution would say as long as its session
 * lives, at the place where it was executed first, so that replies of different replicas are equal.
 *
 * An envelope is settled when nobody who asks honestly could learn more by having it ordered: each of its numbers is consumed, and its reply
 * is either kept or acknowledged. What was evicted, or stands for other bytes, is refused in the order, with a leaf that proves it.
 */

import {
  isSensible,
  numbersOf,
  type CancelEnvelope,
  type Envelope,
  type OperationsEnvelope,
} from '../kernel/envelope.ts'
import { equalBytes } from '../wire/equal-bytes.ts'
import type { OpeningReply, OperationReply } from './executed-block.ts'
import { encodeOutcome } from './outcomes.ts'
import type { ResultsHasher } from './results.ts'
import { storedReply, type Session } from './session.ts'
import type { SessionTable } from './session-table.ts'

export type StoredReplies = readonly (OperationReply | OpeningReply)[]

export function isSettled(envelope: Envelope, sessions: SessionTable, results: ResultsHasher): boolean {
  if (envelope.kind === 'open') return sessions.opened(envelope.client, envelope.nonce) !== undefined
  if (envelope.kind !== 'operations' && envelope.kind !== 'cancel') return false
  const session = sessions.find(envelope.session)
  if (session === undefined || !equalBytes(session.client, envelope.client) || !isSensible(envelope)) return false
  const { from, to } = unacknowledged(envelope, session)
  if (to > session.lastNumber) return false
  // Replies are kept without gaps up to the last number.
  const keptFrom = session.replies[0]?.firstNumber ?? session.lastNumber + 1
  if (from <= to && from < keptFrom) return false
  return envelope.kind === 'cancel' || standsFor(envelope, session, from, to, results)
}

/** Null: it is not settled. Empty: it is, and the client has said that it has all of it. */
export function settledReplies(
  envelope: Envelope,
  sessions: SessionTable,
  results: ResultsHasher,
): StoredReplies | null {
  if (!isSettled(envelope, sessions, results)) return null
  if (envelope.kind === 'open') return [openingReply(sessions.opened(envelope.client, envelope.nonce)!)]
  if (envelope.kind !== 'operations' && envelope.kind !== 'cancel') return null
  const session = sessions.find(envelope.session)!
  const replies: OperationReply[] = []
  const { from, to } = unacknowledged(envelope, session)
  const { id, client } = session
  for (let number = from; number <= to; number++) {
    const { height, index, outcome } = storedReply(session, number)!
    replies.push({ kind: 'operation', client, session: id, number, height, index, fresh: false, outcome })
  }
  return replies
}

/** The numbers of an envelope of which its client has not said that it has the replies. */
function unacknowledged(
  envelope: OperationsEnvelope | CancelEnvelope,
  { acknowledgedNumber }: Session,
): { from: number; to: number } {
  const [first, count] = numbersOf(envelope)
  return { from: Math.max(first, acknowledgedNumber + 1), to: first + count - 1 }
}

/** As the opening itself was answered, and each copy of it is (block-execution.ts). */
function openingReply({ id, client, nonce }: Session): OpeningReply {
  const outcome = encodeOutcome({ kind: 'opened', session: id })
  return { kind: 'opening', client, nonce, height: id.height, index: id.index, outcome }
}

/** Each number was consumed by this operation; or it was cancelled, and stands for whatever was meant by it. */
function standsFor(
  { firstNumber, operations }: OperationsEnvelope,
  session: Session,
  from: number,
  to: number,
  results: ResultsHasher,
): boolean {
  for (let number = from; number <= to; number++) {
    const { digest } = storedReply(session, number)!
    if (digest === null) continue
    if (!equalBytes(digest, results.operationDigest(operations[number - firstNumber]!))) return false
  }
  return true
}
