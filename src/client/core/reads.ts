// Reads on their way, and the questions in which they have left.

import type { Consistency } from '../../kernel/client-messages.ts'
import type { Height, ReplicaId } from '../../kernel/ids.ts'
import { ClientOperation, fail, type ClientFailure, type Settle } from './operation.ts'
import type { ReadAgreement } from './read-agreement.ts'
import type { ReplyCount } from './reply-count.ts'
import { notSent, type Attempts } from './retry.ts'

/** How a linearizable read is had. */
export type ReadRule =
  /** One replica's answer: where replicas crash and do not lie. */
  | { kind: 'one' }
  /** Statements of so many and equal answers of `repliesNeeded`; where they do not come together in time, it is ordered. */
  | { kind: 'quorum'; quorum: number }
  /** Like an operation. */
  | { kind: 'ordered' }

/** Reads of one turn in one message. */
export class Question {
  /** Its nonce. */
  readonly name: string
  /** Those that have left it since included. */
  readonly reads: readonly Read[]
  /** How many have not. */
  open: number
  readonly sentMs: number
  /** What each replica says it must have executed; its first word counts. */
  readonly stated = new Map<ReplicaId, Height>()
  /** Who will not answer. */
  readonly refusedBy = new Set<ReplicaId>()

  constructor(name: string, reads: readonly Read[], sentMs: number) {
    this.name = name
    this.reads = reads
    this.open = reads.length
    this.sentMs = sentMs
  }
}

/** An envelope of reads under way. */
export interface ReadFlight extends Attempts {
  /** Its nonces so far, the newest last: it leaves under that one. */
  readonly names: string[]
  encoded: Uint8Array
  /** Null where it has been answered, or nobody waits any more. */
  readonly reads: (Read | null)[]
  readonly counts: ReplyCount[]
  open: number
}

const nothing = new Uint8Array(0)
const noNames: readonly string[] = []

export class Read extends ClientOperation implements Attempts {
  readonly id: number
  readonly consistency: Consistency
  way: ReadRule['kind']
  isOver = false
  attempts = notSent.attempts
  silences = notSent.silences
  dueMs = notSent.dueMs
  target = notSent.target
  postponed = notSent.postponed
  /** The one in which it left last: answers to others are not its. */
  question: Question | null = null
  /** Those in which it left before, the latest ones: an answer to one of them is one to it. */
  earlier: readonly string[] = noNames
  agreement: ReadAgreement | null = null
  /** The envelope that orders it. */
  flight: ReadFlight | null = null

  constructor(id: number, query: Uint8Array, settled: Settle, consistency: Consistency, way: ReadRule['kind']) {
    super(query, settled)
    this.id = id
    this.consistency = consistency
    this.way = way
  }

  get query(): Uint8Array {
    return this.command
  }
}

/** Ended ones in the list, beside as many as are under way. */
const endedMax = 64

export class Reads {
  /** As their numbers rise, ended ones among them. A list and not a Map, for what docs/performance.md says of maps that churn. */
  #reads: Read[] = []
  #underWay = 0

  add(read: Read): void {
    this.#reads.push(read)
    this.#underWay++
  }

  find(id: number): Read | undefined {
    let from = 0
    let to = this.#reads.length
    while (from < to) {
      const middle = (from + to) >>> 1
      if (this.#reads[middle]!.id < id) from = middle + 1
      else to = middle
    }
    const read = this.#reads[from]
    return read?.id === id && !read.isOver ? read : undefined
  }

  /** In the order of their numbers; ended ones may be among them. */
  all(): readonly Read[] {
    return this.#reads
  }

  remove(read: Read): void {
    if (read.isOver) return
    read.isOver = true
    // It may stand in the list, and in its question, for a while.
    read.command = nothing
    this.#underWay--
    if (this.#reads.length > 2 * this.#underWay + endedMax) this.#reads = this.#reads.filter((one) => !one.isOver)
  }

  failAll(failure: ClientFailure): void {
    for (const read of this.#reads) {
      if (read.isOver) continue
      this.remove(read)
      fail(read, failure)
    }
  }
}
