/**
 * What has come of an envelope, told again without ordering it again: whoever has executed it says what execution in any later block would
 * say, at the place where it was executed first, so that replies of different replicas are equal.
 *
 * An envelope is settled when nobody who asks honestly could learn more by having it ordered: each of its numbers is consumed, and its reply
 * is either kept or acknowledged. What was evicted, or stands for other bytes, is refused in the order, with a leaf that proves it.
 */

import type { CancelEnvelope, Envelope, OperationsEnvelope } from '../kernel/envelope.ts'
import { equalBytes } from '../wire/equal-bytes.ts'
import type { OpeningReply, OperationReply } from './executed-block.ts'
import { encodeOutcome } from './outcomes.ts'
import type { ResultsHasher } from './results.ts'
import { storedReply, type Session, type StoredReply } from './session.ts'
import type { SessionTable } from './session-table.ts'

export type StoredReplies = readonly (OperationReply | OpeningReply)[]

/** Null: it is not settled. Empty: it is, and the client has said that it has all of it. */
export function settledReplies(
  envelope: Envelope,
  sessions: SessionTable,
  results: ResultsHasher,
): StoredReplies | null {
  if (envelope.kind === 'open') {
    const { client, nonce } = envelope
    const session = sessions.opened(client, nonce)
    return session === undefined ? null : [openingReply(session)]
  }
  if (envelope.kind !== 'operations' && envelope.kind !== 'cancel') return null
  const session = sessions.find(envelope.session)
  if (session === undefined || !equalBytes(session.client, envelope.client)) return null
  const count = envelope.kind === 'cancel' ? envelope.count : envelope.operations.length
  const last = envelope.firstNumber + count - 1
  if (envelope.firstNumber < 1 || count < 1) return null
  const replies: OperationReply[] = []
  for (let number = Math.max(envelope.firstNumber, session.acknowledgedNumber + 1); number <= last; number++) {
    const stored = storedReply(session, number)
    if (stored === null || !isOf(envelope, number, stored, results)) return null
    const { height, index, outcome } = stored
    replies.push({ kind: 'operation', session: session.id, number, height, index, fresh: false, outcome })
  }
  return replies
}

/** As the opening itself was answered, and each copy of it is (block-execution.ts). */
function openingReply({ id, client, nonce }: Session): OpeningReply {
  const outcome = encodeOutcome({ kind: 'opened', session: id })
  return { kind: 'opening', client, nonce, height: id.height, index: id.index, outcome }
}

/** A cancelled number stands for whatever was meant by it, and a cancel is answered by whatever was executed. */
function isOf(
  envelope: OperationsEnvelope | CancelEnvelope,
  number: number,
  { digest }: StoredReply,
  results: ResultsHasher,
): boolean {
  if (digest === null || envelope.kind === 'cancel') return true
  return equalBytes(digest, results.operationDigest(envelope.operations[number - envelope.firstNumber]!))
}
