/**
 * What members ask of this server and have not been answered: a short queue for each, served in turn, so that one who asks for much
 * waits for itself and for nobody else. Turns are counted in bytes: who was given a large chunk lets the others have as much.
 */

import type { Digest } from '../../kernel/crypto-ports.ts'
import type { Height, ReplicaId } from '../../kernel/ids.ts'
import { chunkKey } from './chunk-ledger.ts'
import { waitingChunksMax, waitingRequestsMax } from './limits.ts'
import type { TransferRequest } from './transfer-messages.ts'

/** One answer that is owed. */
export type Owed =
  | Exclude<TransferRequest, { kind: 'chunks' }>
  | { kind: 'chunk'; request: number; height: Height; digest: Digest }

interface Queue {
  readonly requests: Owed[]
  /** By the chunk's key: asked for again, it is owed to the later request only. */
  readonly chunks: Map<string, Owed>
  /** Bytes that it was given, since it began to wait, above what others had then. */
  given: number
}

export class RequestQueues {
  readonly #queues = new Map<ReplicaId, Queue>()

  /** False: so much waits already that this is dropped, or a part of it. */
  add(from: ReplicaId, request: TransferRequest): boolean {
    const queue = this.#queue(from)
    if (request.kind !== 'chunks') {
      if (queue.requests.length >= waitingRequestsMax) return false
      queue.requests.push(request)
      return true
    }
    for (const digest of request.digests) {
      const key = chunkKey(digest)
      if (!queue.chunks.has(key) && queue.chunks.size >= waitingChunksMax) return false
      queue.chunks.set(key, { kind: 'chunk', request: request.request, height: request.height, digest })
    }
    return true
  }

  get empty(): boolean {
    return this.#queues.size === 0
  }

  /** Of the member who has been given least. */
  next(): { to: ReplicaId; owed: Owed } | null {
    let least: ReplicaId | null = null
    for (const [replica, { given }] of this.#queues) {
      if (least === null || given < this.#queues.get(least)!.given) least = replica
    }
    if (least === null) return null
    const queue = this.#queues.get(least)!
    const owed = queue.requests.shift() ?? this.#chunk(queue)
    return { to: least, owed }
  }

  /** The rest of this request is answered with what was said. */
  forget(to: ReplicaId, request: number): void {
    const chunks = this.#queues.get(to)?.chunks
    for (const [key, owed] of chunks ?? []) if (owed.request === request) chunks!.delete(key)
  }

  /** What the answer to it took. */
  gave(to: ReplicaId, bytes: number): void {
    const queue = this.#queues.get(to)
    if (queue === undefined) return
    queue.given += bytes
    if (queue.requests.length + queue.chunks.size === 0) this.#queues.delete(to)
  }

  #chunk(queue: Queue): Owed {
    const [key, owed] = queue.chunks.entries().next().value!
    queue.chunks.delete(key)
    return owed
  }

  /** Whoever begins to wait stands where those stand who wait already: neither before them for ever, nor behind. */
  #queue(from: ReplicaId): Queue {
    let queue = this.#queues.get(from)
    if (queue === undefined) {
      const given = Math.min(...[...this.#queues.values()].map((other) => other.given))
      queue = { requests: [], chunks: new Map(), given: given === Infinity ? 0 : given }
      this.#queues.set(from, queue)
    }
    return queue
  }
}
