// Questions about how a replica is: answered by it alone, or by null when it is gone.

import type { ReplicaId } from '../../kernel/ids.ts'

type Answer = (report: Uint8Array | null) => void

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
