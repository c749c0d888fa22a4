// Reads on their way, and the questions in which they have left.

import type { Consistency } from '../../kernel/client-messages.ts'
import type { Height, ReplicaId } from '../../kernel/ids.ts'
import { fail, type ClientFailure, type ClientOperation } from './operation.ts'
import type { ReadAgreement } from './read-agreement.ts'
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
export interface Question {
  /** Its nonce. */
  readonly name: string
  readonly reads: Map<number, Read>
  readonly sentMs: number
  /** What each replica says it must have executed; its first word counts. */
  readonly stated: Map<ReplicaId, Height>
  /** Who will not answer. */
  readonly refusedBy: Set<ReplicaId>
}

export interface Read extends Attempts {
  readonly id: number
  readonly operation: ClientOperation
  readonly consistency: Consistency
  way: ReadRule['kind']
  /** The one in which it left last: answers to others are not its. */
  question: Question | null
  /** Those in which it left before, the latest ones: an answer to one of them is one to it. */
  readonly earlier: string[]
  agreement: ReadAgreement | null
}

export class Reads {
  readonly #reads = new Map<number, Read>()
  readonly #byOperation = new Map<ClientOperation, Read>()

  add(id: number, operation: ClientOperation, consistency: Consistency, way: ReadRule['kind']): void {
    const read: Read = { id, operation, consistency, way, question: null, earlier: [], agreement: null, ...notSent }
    this.#reads.set(id, read)
    this.#byOperation.set(operation, read)
  }

  find(id: number): Read | undefined {
    return this.#reads.get(id)
  }

  of(operation: ClientOperation): Read | undefined {
    return this.#byOperation.get(operation)
  }

  all(): Iterable<Read> {
    return this.#reads.values()
  }

  remove(read: Read): void {
    this.#reads.delete(read.id)
    this.#byOperation.delete(read.operation)
  }

  failAll(failure: ClientFailure): void {
    for (const read of [...this.#reads.values()]) {
      this.remove(read)
      fail(read.operation, failure)
    }
  }
}
