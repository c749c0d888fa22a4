/**
 * What has come of an envelope, told again without ordering it again: whoever has executed it says what execution would say as long as its session
 * lives, at the place where it was executed first, so that replies of different replicas are equal.
 *
 * An envelope is settled when nobody who asks honestly could learn more by having it ordered: each of its numbers is consumed, and its reply
 * is either kept or acknowledged; or its session, or the time for its opening, is over. A reply that was evicted while its session lives, or a
 * number that stands for other bytes, is refused in the order, with a leaf that proves it.
 */

import {
  isSensible,
  numbersOf,
  type CancelEnvelope,
  type CloseEnvelope,
  type Envelope,
  type OpenEnvelope,
  type OperationsEnvelope,
} from '../kernel/envelope.ts'
import { equalBytes } from '../wire/equal-bytes.ts'
import type { OpeningReply, OperationReply } from './executed-block.ts'
import type { Height } from '../kernel/ids.ts'
import { latin1 } from '../wire/latin1.ts'
import { encodeOutcome, refusal } from './outcomes.ts'
import type { ResultsHasher } from './results.ts'
import { storedReply, type Session } from './session.ts'
import type { SessionTable } from './session-table.ts'

export type StoredReplies = readonly (OperationReply | OpeningReply)[]

export function isSettled(envelope: Envelope, sessions: SessionTable, results: ResultsHasher, height: Height): boolean {
  if (envelope.kind === 'read') return false
  if (envelope.kind === 'open')
    return sessions.opened(envelope.client, envelope.nonce) !== undefined || isVoid(envelope, sessions, height)
  const session = sessions.find(envelope.session)
  if (session === undefined) return envelope.session.height <= height
  if (envelope.kind === 'close' || !equalBytes(session.client, envelope.client) || !isSensible(envelope)) return false
  const { from, to } = unacknowledged(envelope, session)
  if (to > session.lastNumber) return false
  // Replies are kept without gaps up to the last number.
  const keptFrom = session.replies[0]?.firstNumber ?? session.lastNumber + 1
  if (from <= to && from < keptFrom) return false
  return envelope.kind === 'cancel' || standsFor(envelope, session, from, to, results)
}

/** In whatever block it came, it would open nothing any more. */
function isVoid({ client, referenceHeight }: OpenEnvelope, sessions: SessionTable, height: Height): boolean {
  return sessions.isExpired(referenceHeight, height) || referenceHeight <= sessions.floors.of(latin1(client))
}

/** Null: it is not settled. Empty: it is, and the client has said that it has all of it. */
export function settledReplies(
  envelope: Envelope,
  sessions: SessionTable,
  results: ResultsHasher,
  height: Height,
): StoredReplies | null {
  if (!isSettled(envelope, sessions, results, height) || envelope.kind === 'read') return null
  if (envelope.kind === 'open') return [openingReply(envelope, sessions, height)]
  const session = sessions.find(envelope.session)
  if (session === undefined || envelope.kind === 'close') return [goneReply(envelope)]
  const replies: OperationReply[] = []
  const { from, to } = unacknowledged(envelope, session)
  const { id, client } = session
  for (let number = from; number <= to; number++) {
    const stored = storedReply(session, number)!
    replies.push({
      kind: 'operation',
      client,
      session: id,
      number,
      height: stored.height,
      index: stored.index,
      fresh: false,
      outcome: stored.outcome,
    })
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

/**
 * As the opening itself was answered, and each copy of it is. A refusal names a height from which the client can open: the same for replicas that
 * are about as far, which is what they are mostly.
 */
function openingReply({ client, nonce }: OpenEnvelope, sessions: SessionTable, at: Height): OpeningReply {
  const session = sessions.opened(client, nonce)
  if (session === undefined) {
    const height = Math.max(sessions.floors.of(latin1(client)) + 1, at - (at % sessions.lifetimeHeights))
    return { kind: 'opening', client, nonce, height, index: 0, outcome: refusal('OpeningExpired') }
  }
  const { id } = session
  const outcome = encodeOutcome({ kind: 'opened', session: id })
  return { kind: 'opening', client, nonce, height: id.height, index: id.index, outcome }
}

/** At the place of the session itself, which everybody knows. */
function goneReply(envelope: OperationsEnvelope | CancelEnvelope | CloseEnvelope): OperationReply {
  const { client, session } = envelope
  const { height, index } = session
  const [number] = numbersOf(envelope)
  return { kind: 'operation', client, session, number, height, index, fresh: false, outcome: refusal('SessionExpired') }
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
