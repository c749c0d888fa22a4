/**
 * Bounds the memory of all stored replies together. A session keeps the replies of its last W numbers, up to a number of bytes; when
 * all sessions together keep too much, the replies that were executed first go first, whosever they are. What goes depends on the
 * order of execution alone, so that every replica forgets the same.
 */

import type { Session, StoredReply } from './session.ts'

export interface ReplyLimits {
  /** Bytes that one session's replies are counted with. */
  sessionBytesMax: number
  /** Bytes that all replies are counted with. */
  totalBytesMax: number
}

/** Part of what is agreed on: a change here is a change of the state. */
export const replyLimits: ReplyLimits = { sessionBytesMax: 4 * 1024 * 1024, totalBytesMax: 256 * 1024 * 1024 }

/** What a reply is counted with beside its outcome: about what its record takes. */
export const replyOverheadBytes = 128

/** A record in the list of all of them, in order of execution. */
export interface KeptReply extends StoredReply {
  readonly session: Session
  older: KeptReply | null
  newer: KeptReply | null
}

export class ReplyMemory {
  readonly #limits: ReplyLimits
  #oldest: KeptReply | null = null
  #newest: KeptReply | null = null
  #bytes = 0

  constructor(limits: ReplyLimits = replyLimits) {
    this.#limits = limits
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Appends to the session's replies what was executed later than all that is kept. Tells which other sessions are to lose a reply. */
  add(session: Session, reply: StoredReply, loses: (session: Session) => void): void {
    const { firstNumber, count, digest, height, index, outcome } = reply
    const older = this.#newest
    const kept: KeptReply = { firstNumber, count, digest, height, index, outcome, session, older, newer: null }
    if (older === null) this.#oldest = kept
    else older.newer = kept
    this.#newest = kept
    session.replies.push(kept)
    session.replyBytes += cost(kept)
    this.#bytes += cost(kept)
    // The reply just added stays, whatever its size: an operation's first answer is never "evicted".
    while (session.replyBytes > this.#limits.sessionBytesMax && session.replies.length > 1) this.dropFirst(session)
    while (this.#bytes > this.#limits.totalBytesMax && this.#oldest !== kept) {
      const losing = this.#oldest!.session
      loses(losing)
      this.dropFirst(losing)
    }
  }

  /** Forgets a session's first reply. */
  dropFirst(session: Session): void {
    const reply = session.replies.shift() as KeptReply
    if (reply.older === null) this.#oldest = reply.newer
    else reply.older.newer = reply.newer
    if (reply.newer === null) this.#newest = reply.older
    else reply.newer.older = reply.older
    // One that has grown old in memory, and still led to the next, would let the collector take that for needed, and so on: each reply
    // would be moved twice and grow old itself.
    reply.older = null
    reply.newer = null
    session.replyBytes -= cost(reply)
    this.#bytes -= cost(reply)
  }

  dropAll(session: Session): void {
    while (session.replies.length > 0) this.dropFirst(session)
  }
}

function cost(reply: StoredReply): number {
  return reply.outcome.length + replyOverheadBytes
}
