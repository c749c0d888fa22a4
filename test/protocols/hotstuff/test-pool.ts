// A request pool whose requests are words, each executed once: copies that are handed on are known, as the real pool knows them.

import { emptyPayload } from '../../../src/kernel/block.ts'
import type { ReplicaId } from '../../../src/kernel/ids.ts'
import type { Batch, BatchLimits, RequestPool } from '../../../src/kernel/request-pool.ts'
import { payloadOf, textsOf } from '../raft/test-pool.ts'

interface Request {
  sinceMs: number
  taken: boolean
  forwardedTo: Set<ReplicaId>
}

export class HandingPool implements RequestPool {
  /** What each handing on was bounded by, where it was, and each that said so once more. */
  readonly boundsOfForwards: number[] = []
  readonly boundsOfForwardsAgain: number[] = []
  readonly #nowMs: () => number
  readonly #hand: (to: ReplicaId, texts: string[]) => void
  readonly #known = new Map<string, Request>()
  readonly #elsewhere = new Set<string>()
  readonly #executed = new Set<string>()

  constructor(nowMs: () => number, hand: (to: ReplicaId, texts: string[]) => void) {
    this.#nowMs = nowMs
    this.#hand = hand
  }

  add(...texts: string[]): void {
    for (const text of texts) {
      if (this.#known.has(text) || this.#executed.has(text)) continue
      const taken = this.#elsewhere.has(text)
      this.#known.set(text, { sinceMs: this.#nowMs(), taken, forwardedTo: new Set() })
    }
  }

  get waitingOperations(): number {
    return this.#waiting.length
  }

  get waitingBytes(): number {
    return this.#waiting.reduce((sum, [text]) => sum + text.length, 0)
  }

  take({ operationsMax }: BatchLimits): Batch | null {
    const taken = this.#waiting.slice(0, operationsMax)
    if (taken.length === 0) return null
    for (const [, request] of taken) request.taken = true
    const payload = payloadOf(...taken.map(([text]) => text))
    return { payload, envelopes: taken.length, operations: taken.length, forwardedBy: [] }
  }

  oldestWaitingSinceMs(): number | null {
    const since = [...this.#known.values()].map((request) => request.sinceMs)
    return since.length === 0 ? null : Math.min(...since)
  }

  forward(to: ReplicaId, bytesMax = Infinity): void {
    if (bytesMax < Infinity) this.boundsOfForwards.push(bytesMax)
    const fresh = this.#waiting.filter(([, request]) => !request.forwardedTo.has(to))
    for (const [, request] of fresh) request.forwardedTo.add(to)
    const texts = fresh.map(([text]) => text)
    if (texts.length > 0) this.#hand(to, texts)
  }

  forwardAgain(bytesMax = Infinity): void {
    this.boundsOfForwardsAgain.push(bytesMax)
    for (const request of this.#known.values()) request.forwardedTo.clear()
  }

  proposed(payload: Uint8Array): number {
    const texts = textsOf(payload)
    for (const text of texts) {
      const request = this.#known.get(text)
      if (request === undefined) this.#elsewhere.add(text)
      else request.taken = true
    }
    return texts.length
  }

  putBack(payload: Uint8Array): void {
    for (const text of textsOf(payload)) {
      this.#elsewhere.delete(text)
      const request = this.#known.get(text)
      if (request !== undefined) request.taken = false
    }
  }

  executed(payload: Uint8Array): void {
    if (payload.length === emptyPayload.length) return
    for (const text of textsOf(payload)) {
      this.#known.delete(text)
      this.#elsewhere.delete(text)
      this.#executed.add(text)
    }
  }

  get #waiting(): [string, Request][] {
    return [...this.#known].filter(([, request]) => !request.taken)
  }
}
