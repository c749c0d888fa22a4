/**
 * Reads the chunks of a snapshot, once and in their order, holding one of them at a time: the executor's own come first, and are
 * decoded here; the application's follow, and are handed on as the state machine asks for them.
 */

import { decode } from '../wire/codec.ts'
import { readCounters, type ExecutorCounters } from './executor-state.ts'
import { openingFloorsCodec, type OpeningFloor } from './opening-floors.ts'
import { sessionRecordCodec, type SessionRecord } from './session.ts'
import type { RestoredChunk } from './state-chunks.ts'
import { stateParts, type RestoredPartChunk } from './state-parts.ts'

/** The executor's own state, as a snapshot holds it. */
export interface RestoredState {
  counters: ExecutorCounters
  floors: OpeningFloor[]
  sessions: SessionRecord[]
}

export class SnapshotReader {
  readonly #chunks: Iterator<RestoredPartChunk>
  /** The first of the application: where it begins is seen when it has been read. */
  #first: RestoredPartChunk | null = null
  #lastPart = 0
  #problem: string | null = null
  #isHandedOut = false

  constructor(chunks: Iterable<RestoredPartChunk>) {
    this.#chunks = chunks[Symbol.iterator]()
  }

  /** A text says why the chunks are no snapshot. */
  own(): RestoredState | string {
    let counters: ExecutorCounters | null = null
    const floors: OpeningFloor[] = []
    const sessions: SessionRecord[] = []
    for (let chunk = this.#next(); chunk !== null; chunk = this.#next()) {
      const { part, id, bytes } = chunk
      if (part === 'application') {
        this.#first = chunk
        break
      }
      if (part === 'sessions') {
        const session = decode(sessionRecordCodec, bytes)
        if (!session.ok) return `session ${id}: ${session.error.message}`
        sessions.push(detached(session.value))
      } else if (part === 'executor') {
        counters = readCounters(bytes)
        if (counters === null) return `${id} are no counters`
      } else if (part === 'clients' && id !== 'registry') {
        const decoded = decode(openingFloorsCodec, bytes)
        if (!decoded.ok) return `floors: ${decoded.error.message}`
        for (const { client, floor } of decoded.value) floors.push({ client: client.slice(), floor })
      } else if (bytes.length > 0) {
        return `${part} are not empty`
      }
    }
    if (this.#problem !== null) return this.#problem
    return counters === null ? 'no counters' : { counters, floors, sessions }
  }

  /** To be gone through once, after `own`. It ends early at a chunk that is none; `end` says so. */
  application(): Iterable<RestoredChunk> {
    const next = (): IteratorResult<RestoredChunk> => this.#nextOfApplication()
    return {
      [Symbol.iterator]: () => {
        if (this.#isHandedOut) throw new TypeError('the chunks of a snapshot can be gone through only once')
        this.#isHandedOut = true
        // Without `return`: whoever breaks off leaves the rest to be checked.
        return { next }
      },
    }
  }

  /** Goes through what the machine has left. Null, or why the chunks are no snapshot. */
  end(): string | null {
    while (this.#nextOfApplication().done !== true);
    return this.#problem
  }

  #nextOfApplication(): IteratorResult<RestoredChunk> {
    const chunk = this.#first ?? this.#next()
    this.#first = null
    return chunk === null
      ? { done: true, value: undefined }
      : { done: false, value: { id: chunk.id, bytes: chunk.bytes } }
  }

  /** Null at the end, and at a chunk that is none or not in its order. */
  #next(): RestoredPartChunk | null {
    if (this.#problem !== null) return null
    const next = this.#chunks.next()
    if (next.done === true) return null
    const { part, id } = next.value
    const at = stateParts.indexOf(part)
    if (at < 0) this.#problem = `no part of the state is called ${String(part)}`
    else if (at < this.#lastPart) this.#problem = `chunk ${JSON.stringify(id)} of the ${part} comes too late`
    this.#lastPart = at
    return this.#problem === null ? next.value : null
  }
}

/** Decoded values are views of the chunk, which need not live as long as the session. */
function detached(session: SessionRecord): SessionRecord {
  const replies = session.replies.map((reply) => ({
    ...reply,
    digest: reply.digest?.slice() ?? null,
    outcome: reply.outcome.slice(),
  }))
  return { ...session, client: session.client.slice(), nonce: session.nonce.slice(), replies }
}
