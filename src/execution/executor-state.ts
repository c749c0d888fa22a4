/**
 * The executor's own state as chunks: counters, permissions and the client registry (both empty until they are built, and inside the
 * root already), sessions with their replies. A chunk is written when it changed, and kept until it changes again: what a snapshot
 * holds is frozen because it is bytes.
 */

import { digestBytes, type Digest } from '../kernel/crypto-ports.ts'
import type { EpochNumber, Height, TimestampMs } from '../kernel/ids.ts'
import { decode, encode } from '../wire/codec.ts'
import { fixedBytes, struct, u53, type Codec } from '../wire/codec.ts'
import { openingFloorsCodec, type OpeningFloor } from './opening-floors.ts'
import { sessionKey, sessionRecordCodec, type SessionRecord } from './session.ts'
import type { SessionTable } from './session-table.ts'
import type { RestoredChunk } from './state-chunks.ts'
import { stateParts, type PartChunk, type StatePart } from './state-root.ts'

/** Where execution stands at the height whose root covers it. */
export interface ExecutorCounters {
  epoch: EpochNumber
  height: Height
  /** Digest of the executed header below this height. */
  parent: Digest
  time: TimestampMs
}

const countersCodec: Codec<ExecutorCounters> = struct<ExecutorCounters>({
  epoch: u53,
  height: u53,
  parent: fixedBytes(digestBytes),
  time: u53,
})

const nothing = new Uint8Array(0)
/** Client floors in one chunk. */
const floorsPerChunk = 16_384

/** A chunk of a snapshot on its way into an executor. */
export interface RestoredPartChunk extends RestoredChunk {
  readonly part: StatePart
}

/** Everything but the application, in canonical order and frozen. */
export function executorChunks(counters: ExecutorCounters, sessions: SessionTable): PartChunk[] {
  const countersBytes = encode(countersCodec, counters)
  const chunks: PartChunk[] = [
    { part: 'executor', id: 'counters', version: counters.height, bytes: () => countersBytes },
    { part: 'permissions', id: 'permissions', version: 0, bytes: () => nothing },
    { part: 'clients', id: 'registry', version: 0, bytes: () => nothing },
  ]
  const floors = sessions.floors.records()
  for (let first = 0; first < floors.length; first += floorsPerChunk) {
    const bytes = encode(openingFloorsCodec, floors.slice(first, first + floorsPerChunk))
    chunks.push({ part: 'clients', id: `floors/${first}`, version: sessions.floors.version, bytes: () => bytes })
  }
  for (const session of sessions.sessions()) {
    session.encoded ??= encode(sessionRecordCodec, session)
    const { encoded } = session
    chunks.push({ part: 'sessions', id: sessionKey(session.id), version: session.version, bytes: () => encoded })
  }
  return chunks
}

export interface RestoredState {
  counters: ExecutorCounters
  floors: OpeningFloor[]
  sessions: SessionRecord[]
  application: RestoredChunk[]
}

/** Reads the chunks of a snapshot, which come in canonical order; a text says why they are none. */
export function readChunks(chunks: Iterable<RestoredPartChunk>): RestoredState | string {
  let counters: ExecutorCounters | null = null
  const floors: OpeningFloor[] = []
  const sessions: SessionRecord[] = []
  const application: RestoredChunk[] = []
  for (const { part, id, bytes } of chunks) {
    if (!stateParts.includes(part)) return `no part of the state is called ${String(part)}`
    if (part === 'application') {
      application.push({ id, bytes })
    } else if (part === 'sessions') {
      const session = decode(sessionRecordCodec, bytes)
      if (!session.ok) return `session ${id}: ${session.error.message}`
      sessions.push(detached(session.value))
    } else if (part === 'executor') {
      const decoded = decode(countersCodec, bytes)
      if (!decoded.ok) return `counters: ${decoded.error.message}`
      counters = decoded.value
    } else if (part === 'clients' && id !== 'registry') {
      const decoded = decode(openingFloorsCodec, bytes)
      if (!decoded.ok) return `floors: ${decoded.error.message}`
      for (const { client, floor } of decoded.value) floors.push({ client: client.slice(), floor })
    } else if (bytes.length > 0) {
      return `${part} are not empty`
    }
  }
  return counters === null ? 'no counters' : { counters, floors, sessions, application }
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
