// Reads on their way: each goes to one replica at a time, and its first answer counts.

import { encode } from '../../wire/codec.ts'
import { clientRequestCodec, type Consistency } from '../../kernel/client-messages.ts'
import type { ReplicaId } from '../../kernel/ids.ts'
import { fail, type ClientFailure, type ClientOperation } from './operation.ts'
import { notSent, type Attempts } from './retry.ts'

export interface Read extends Attempts {
  readonly id: number
  readonly request: Uint8Array
  readonly operation: ClientOperation
}

export class Reads {
  readonly #reads = new Map<number, Read>()
  readonly #byOperation = new Map<ClientOperation, Read>()

  add(id: number, operation: ClientOperation, consistency: Consistency): void {
    const request = encode(clientRequestCodec, { kind: 'query', id, consistency, query: operation.command })
    const read: Read = { id, request, operation, ...notSent }
    this.#reads.set(id, read)
    this.#byOperation.set(operation, read)
  }

  find(id: number): Read | undefined {
    return this.#reads.get(id)
  }

  all(): Iterable<Read> {
    return this.#reads.values()
  }

  remove(read: Read): void {
    this.#reads.delete(read.id)
    this.#byOperation.delete(read.operation)
  }

  /** True if it was a read under way. */
  abandon(operation: ClientOperation): boolean {
    const read = this.#byOperation.get(operation)
    if (read === undefined) return false
    this.remove(read)
    return true
  }

  failAll(failure: ClientFailure): void {
    for (const read of [...this.#reads.values()]) {
      this.remove(read)
      fail(read.operation, failure)
    }
  }
}

type Answer = (report: Uint8Array | null) => void

/** Questions about how a replica is: answered by it alone, or by null when it is gone. */
export class StatusQuestions {
  readonly #limit: number
  readonly #open = new Map<number, { replica: ReplicaId; answer: Answer }>()

  constructor(limit: number) {
    this.#limit = limit
  }

  /** The oldest question makes room: whoever asks has stopped waiting for it long ago. */
  add(id: number, replica: ReplicaId, answer: Answer): void {
    for (const [oldest, question] of this.#open) {
      if (this.#open.size < this.#limit) break
      this.told(oldest, question.replica, null)
    }
    this.#open.set(id, { replica, answer })
  }

  told(id: number, from: ReplicaId, report: Uint8Array | null): void {
    const question = this.#open.get(id)
    if (question === undefined || question.replica !== from) return
    this.#open.delete(id)
    question.answer(report)
  }

  /** Null for all replicas. */
  gone(replica: ReplicaId | null): void {
    for (const [id, question] of [...this.#open]) {
      if (replica === null || question.replica === replica) this.told(id, question.replica, null)
    }
  }
}
