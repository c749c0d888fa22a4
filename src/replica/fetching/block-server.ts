/**
 * Hands out payloads and decided blocks to members: in turn, so that one who asks for much waits for itself and for nobody else; a bounded
 * number in each turn of the loop, and so many bytes a second in all, because the replica has other things to do.
 */

import { decode, encode } from '../../wire/codec.ts'
import type { Digest } from '../../kernel/crypto-ports.ts'
import type { Height, ReplicaId } from '../../kernel/ids.ts'
import type { Membership } from '../../kernel/membership.ts'
import { TokenBucket } from '../checkpoints/token-bucket.ts'
import {
  fetchAnswerCodec,
  fetchRequestCodec,
  type DecidedBlock,
  type FetchAnswer,
  type FetchRequest,
} from './fetching-messages.ts'
import {
  answerBytesMax,
  answerCostMin,
  blocksAnsweredMax,
  blocksBytesPerSecond,
  requestBytesMax,
  requestsWaitingMax,
  servedAnswersAtOnce,
  servedBytesAtOnce,
} from './limits.ts'

/** What the protocol holds (Protocol.payload, Protocol.decided). */
export interface BlockSource {
  payload: (digest: Digest) => Uint8Array | null
  decided: (fromHeight: Height, bytesMax: number) => readonly DecidedBlock[]
}

export interface BlockServerOptions {
  self: ReplicaId
  membership: Membership
  source: BlockSource
  /** On channel 5. */
  send: (to: ReplicaId, body: Uint8Array) => void
  dropped: (from: ReplicaId, reason: string) => void
}

export class BlockServer {
  readonly #options: BlockServerOptions
  /** Whoever was answered last stands last. */
  readonly #waiting = new Map<ReplicaId, FetchRequest[]>()
  readonly #bucket = new TokenBucket(blocksBytesPerSecond)

  constructor(options: BlockServerOptions) {
    this.#options = options
  }

  /** A request: what came on channel 5 and is one. It is answered by `work`. */
  message(from: ReplicaId, body: Uint8Array): void {
    const { self, membership, dropped } = this.#options
    if (from === self || !membership.isMember(from)) return dropped(from, 'not a member')
    if (body.length > requestBytesMax) return dropped(from, 'too large')
    // It waits, and must not keep its frame in memory.
    const request = decode(fetchRequestCodec, body.slice())
    if (!request.ok) return dropped(from, request.error.code)
    const waiting = this.#waiting.get(from)
    if (waiting === undefined) this.#waiting.set(from, [request.value])
    else if (waiting.length < requestsWaitingMax) waiting.push(request.value)
    else dropped(from, 'too many requests')
  }

  /** Once a turn. */
  work(nowMs: number): void {
    let left = servedBytesAtOnce
    for (let answers = 0; answers < servedAnswersAtOnce && left > 0 && this.#bucket.mayTake(nowMs); answers++) {
      const next = this.#next()
      if (next === null) return
      const body = encode(fetchAnswerCodec, this.#answer(next.request))
      const cost = Math.max(answerCostMin, body.length)
      this.#bucket.take(cost)
      left -= cost
      this.#options.send(next.to, body)
    }
  }

  nextDueMs(nowMs: number): number | null {
    return this.#waiting.size === 0 ? null : this.#bucket.readyMs(nowMs)
  }

  #next(): { to: ReplicaId; request: FetchRequest } | null {
    for (const [to, waiting] of this.#waiting) {
      const request = waiting.shift()!
      this.#waiting.delete(to)
      if (waiting.length > 0) this.#waiting.set(to, waiting)
      return { to, request }
    }
    return null
  }

  #answer(request: FetchRequest): FetchAnswer {
    const { source } = this.#options
    const { number } = request
    if (request.kind === 'payload-request') return { kind: 'payload', number, payload: source.payload(request.digest) }
    const { fromHeight, toHeight } = request
    const blocks = fromHeight > toHeight ? [] : source.decided(fromHeight, answerBytesMax)
    return { kind: 'blocks', number, blocks: fitting(blocks, toHeight) }
  }
}

function fitting(blocks: readonly DecidedBlock[], toHeight: Height): DecidedBlock[] {
  let bytes = 0
  const beyond = blocks.findIndex(({ block }, index) => {
    bytes += block.payload.length
    return block.header.height > toHeight || index === blocksAnsweredMax || (index > 0 && bytes > answerBytesMax)
  })
  return blocks.slice(0, beyond === -1 ? blocks.length : beyond)
}
