// Counts equal replies for one operation: it is answered when those who say the same cannot all be faulty (architecture.md §10).

import type { ReplicaId } from '../../kernel/ids.ts'

export class ReplyCount {
  readonly #needed: number
  /** What each replica said last: bounded by the replicas, however they lie. */
  readonly #said = new Map<ReplicaId, string>()

  constructor(needed: number) {
    this.#needed = needed
  }

  /** True when this reply completes it. */
  add(from: ReplicaId, height: number, index: number, outcome: Uint8Array): boolean {
    if (this.#needed === 1) return true
    const words = `${height}.${index}.${latin1(outcome)}`
    this.#said.set(from, words)
    let equal = 0
    for (const other of this.#said.values()) if (other === words) equal++
    return equal >= this.#needed
  }
}

function latin1(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += String.fromCharCode(byte)
  return text
}
