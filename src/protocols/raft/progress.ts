// What a leader knows of one follower (etcd's term for it: its progress).

import type { RaftParameters } from '../../kernel/parameters.ts'

/** A message on its way that has not been answered. */
interface Inflight {
  lastIndex: number
  bytes: number
  sentMs: number
}

/** What may be sent now. The first entry goes whatever its size, where nothing else is on its way. */
export interface Room {
  entries: number
  bytes: number
  firstAlways: boolean
}

export class Progress {
  /** Proven: the follower's log equals ours up to here. Never falls within a term. */
  matchIndex: number
  /** The first entry to send next. */
  nextIndex: number
  /**
   * Probing: one message at a time, until the place where the logs agree is found. Replicating: a pipeline. Offered: the leader no longer
   * has what the follower needs next; it gets heartbeats until it has fetched a state.
   */
  mode: 'probing' | 'replicating' | 'offered' = 'probing'
  /** When the probe under way was sent; null when none is. */
  probeSentMs: number | null = null
  readonly inflight: Inflight[] = []
  inflightBytes = 0
  /** When it was last told to fetch a state. */
  offeredMs: number | null = null
  /** It has said that it abstains: it is replicated to, and counts for nothing. */
  abstains = false
  /** When the follower last answered in this term; null: not yet. */
  heardMs: number | null = null
  /** Has answered nothing since something was lost: it gets heartbeats, and no entries until it answers one. */
  silent = false
  /** Since when it is connected and caught up, where its priority is above the leader's. */
  fitSinceMs: number | null = null
  /** The latest round of leadership confirmation that it has answered. */
  round = 0
  /** How far a message on its way, or one that arrived, lets the follower commit. */
  commitTold: number
  /** Somebody waits there for the news that this much is committed. */
  awaitedIndex: number

  readonly #originIndex: number
  /** The first entry that the leader still has. */
  #firstIndex: number

  /** `originIndex` stands before the first entry of all logs of the epoch: nothing less can match. */
  constructor(originIndex: number, nextIndex: number, firstIndex: number = originIndex + 1) {
    this.#originIndex = originIndex
    this.#firstIndex = firstIndex
    this.matchIndex = originIndex
    this.commitTold = originIndex
    this.awaitedIndex = originIndex
    this.nextIndex = nextIndex
  }

  /** What the pipeline still takes, in entries and in bytes that have not been acknowledged. */
  room({ inflightEntriesMax, inflightBytesMax }: RaftParameters): Room {
    return {
      entries: inflightEntriesMax - (this.nextIndex - 1 - this.matchIndex),
      bytes: inflightBytesMax - this.inflightBytes,
      firstAlways: this.inflight.length === 0,
    }
  }

  sent(lastIndex: number, bytes: number, nowMs: number): void {
    this.inflight.push({ lastIndex, bytes, sentMs: nowMs })
    this.inflightBytes += bytes
    this.nextIndex = lastIndex + 1
  }

  /**
   * An answer to an append proves agreement up to `index`, whenever it was sent: within a term nothing that matched is ever truncated.
   * It ends a probe only where it proves the entry on which the probe stands: an answer to an earlier message does not (C18).
   */
  matched(index: number): boolean {
    const advanced = index > this.matchIndex
    if (advanced) this.matchIndex = index
    if (this.mode !== 'replicating' && index >= this.nextIndex - 1) {
      this.mode = 'replicating'
      this.probeSentMs = null
      this.nextIndex = this.matchIndex + 1
    }
    this.nextIndex = Math.max(this.nextIndex, this.matchIndex + 1)
    while (this.inflight.length > 0 && this.inflight[0]!.lastIndex <= this.matchIndex) {
      this.inflightBytes -= this.inflight.shift()!.bytes
    }
    return advanced
  }

  /** Back to one message at a time, from an index that is never below what is proven. */
  probeFrom(nextIndex: number): void {
    this.mode = 'probing'
    this.probeSentMs = null
    this.inflight.length = 0
    this.inflightBytes = 0
    this.nextIndex = Math.max(nextIndex, this.matchIndex + 1, this.#firstIndex)
  }

  /** It lacks the entry below the leader's first. */
  offer(): void {
    this.probeFrom(this.#firstIndex)
    this.mode = 'offered'
  }

  /** The leader's log was cut: what lies before is to be had no longer. */
  logBegins(firstIndex: number): void {
    this.#firstIndex = firstIndex
    if (this.nextIndex >= firstIndex) return
    if (this.mode === 'offered') this.nextIndex = firstIndex
    else this.probeFrom(firstIndex)
  }

  /** It has lost its log. Only of one that abstains is that believed: what others have on disk they keep. */
  forget(): void {
    this.matchIndex = this.#originIndex
    this.commitTold = this.#originIndex
  }

  /** What was on its way is given up for lost. A probe is made again where it stood, a pipeline begins again behind what is proven. */
  giveUp(): void {
    const sinceMs = this.unansweredSinceMs()
    this.silent = this.heardMs === null || (sinceMs !== null && this.heardMs <= sinceMs)
    if (this.mode !== 'replicating') this.probeSentMs = null
    else this.probeFrom(this.matchIndex + 1)
  }

  /** Since when something has gone unanswered; null when nothing has. */
  unansweredSinceMs(): number | null {
    return this.mode !== 'replicating' ? this.probeSentMs : (this.inflight[0]?.sentMs ?? null)
  }

  /** It waits for the news of a commit, and is told at once. */
  get awaits(): boolean {
    return this.awaitedIndex > this.commitTold
  }

  told(commit: number, proven: number): void {
    this.commitTold = Math.max(this.commitTold, Math.min(commit, proven))
  }
}
