// A request pool whose requests are words, so that tests can read blocks.

import { encode, decode } from '../../../src/wire/codec.ts'
import { emptyPayload, payloadEnvelopesCodec } from '../../../src/kernel/block.ts'
import type { ReplicaId } from '../../../src/kernel/ids.ts'
import type { Batch, BatchLimits, RequestPool } from '../../../src/kernel/request-pool.ts'

export function payloadOf(...envelopes: string[]): Uint8Array {
  return encode(
    payloadEnvelopesCodec,
    envelopes.map((text) => new TextEncoder().encode(text)),
  )
}

export function textsOf(payload: Uint8Array): string[] {
  const envelopes = decode(payloadEnvelopesCodec, payload)
  if (!envelopes.ok) throw envelopes.error
  return envelopes.value.map((bytes) => new TextDecoder().decode(bytes))
}

export class TestPool implements RequestPool {
  readonly forwarded: { to: ReplicaId; texts: string[] }[] = []
  /** What each handing on was bounded by, where it was, and each that said so once more. */
  readonly boundsOfForwards: number[] = []
  readonly boundsOfForwardsAgain: number[] = []
  readonly nowMs: () => number
  /** Said of each batch that is taken. */
  handedOnBy: readonly ReplicaId[] = []
  #waiting: { text: string; sinceMs: number; forwardedTo: Set<ReplicaId> }[] = []
  #taken: { text: string; sinceMs: number }[] = []

  constructor(nowMs: () => number) {
    this.nowMs = nowMs
  }

  add(...texts: string[]): void {
    for (const text of texts) this.#waiting.push({ text, sinceMs: this.nowMs(), forwardedTo: new Set() })
  }

  get texts(): string[] {
    return this.#waiting.map((request) => request.text)
  }

  get waitingOperations(): number {
    return this.#waiting.length
  }

  get waitingBytes(): number {
    return this.#waiting.reduce((sum, request) => sum + request.text.length, 0)
  }

  take({ operationsMax }: BatchLimits): Batch | null {
    const taken = this.#waiting.splice(0, operationsMax)
    if (taken.length === 0) return null
    this.#taken.push(...taken)
    const payload = payloadOf(...taken.map((request) => request.text))
    return { payload, envelopes: taken.length, operations: taken.length, forwardedBy: this.handedOnBy }
  }

  oldestWaitingSinceMs(): number | null {
    const since = [...this.#waiting, ...this.#taken].map((request) => request.sinceMs)
    return since.length === 0 ? null : Math.min(...since)
  }

  forward(to: ReplicaId, bytesMax = Infinity): void {
    if (bytesMax < Infinity) this.boundsOfForwards.push(bytesMax)
    const fresh = this.#waiting.filter((request) => !request.forwardedTo.has(to))
    for (const request of fresh) request.forwardedTo.add(to)
    if (fresh.length > 0) this.forwarded.push({ to, texts: fresh.map((request) => request.text) })
  }

  forwardAgain(bytesMax = Infinity): void {
    this.boundsOfForwardsAgain.push(bytesMax)
    for (const request of this.#waiting) request.forwardedTo.clear()
  }

  proposed(payload: Uint8Array): number {
    const texts = textsOf(payload)
    for (const text of texts) {
      const at = this.#waiting.findIndex((request) => request.text === text)
      if (at >= 0) this.#taken.push(this.#waiting.splice(at, 1)[0]!)
    }
    return texts.length
  }

  putBack(payload: Uint8Array): void {
    for (const text of textsOf(payload)) {
      const at = this.#taken.findIndex((request) => request.text === text)
      if (at >= 0) this.#waiting.push({ ...this.#taken.splice(at, 1)[0]!, forwardedTo: new Set() })
    }
  }

  executed(payload: Uint8Array): void {
    if (payload.length === emptyPayload.length) return
    const done = new Set(textsOf(payload))
    this.#waiting = this.#waiting.filter((request) => !done.has(request.text))
    this.#taken = this.#taken.filter((request) => !done.has(request.text))
  }
}
