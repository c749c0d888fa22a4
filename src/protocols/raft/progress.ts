// What a leader knows of one follower (etcd's term for it: its progress).

/** A message on its way that has not been answered. */
interface Inflight {
  lastIndex: number
  bytes: number
  sentMs: number
}

export class Progress {
  /** Proven: the follower's log equals ours up to here. Never falls within a term. */
  matchIndex = 0
  /** The first entry to send next. */
  nextIndex: number
  /** Probing: one message at a time, until the place where the logs agree is found. Replicating: a pipeline. */
  mode: 'probing' | 'replicating' = 'probing'
  /** When the probe under way was sent; null when none is. */
  probeSentMs: number | null = null
  readonly inflight: Inflight[] = []
  inflightBytes = 0
  /** When the follower last answered in this term; null: not yet. */
  heardMs: number | null = null
  /** The latest round of leadership confirmation that it has answered. */
  round = 0

  constructor(nextIndex: number) {
    this.nextIndex = nextIndex
  }

  sent(lastIndex: number, bytes: number, nowMs: number): void {
    this.inflight.push({ lastIndex, bytes, sentMs: nowMs })
    this.inflightBytes += bytes
    this.nextIndex = lastIndex + 1
  }

  /** An answer proves agreement up to `index`, whenever it was sent: within a term nothing that matched is ever truncated. */
  matched(index: number): boolean {
    const advanced = index > this.matchIndex
    if (advanced) this.matchIndex = index
    if (this.mode === 'probing') {
      this.mode = 'replicating'
      this.probeSentMs = null
      this.nextIndex = this.matchIndex + 1
    } else this.nextIndex = Math.max(this.nextIndex, this.matchIndex + 1)
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
    this.nextIndex = Math.max(nextIndex, this.matchIndex + 1)
  }

  /** Since when something has gone unanswered; null when nothing has. */
  unansweredSinceMs(): number | null {
    return this.mode === 'probing' ? this.probeSentMs : (this.inflight[0]?.sentMs ?? null)
  }
}
