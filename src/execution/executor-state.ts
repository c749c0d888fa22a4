/**
 * The executor's own state as chunks: counters, permissions and the client registry (both empty until they are built, and inside the
 * root already), sessions with their replies. A chunk is written when it changed, and kept until it changes again: what a snapshot
 * holds is frozen because it is bytes.
 */

import { digestBytes, type Digest } from '../kernel/crypto-ports.ts'
import type { EpochNumber, Height, TimestampMs } from '../kernel/ids.ts'
import { decode, encode, fixedBytes, struct, u53, type Codec } from '../wire/codec.ts'
import { openingFloorsCodec } from './opening-floors.ts'
import { sessionKey, sessionRecordCodec } from './session.ts'
import type { SessionTable } from './session-table.ts'
import type { PartChunk } from './state-parts.ts'

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

/** Null for what are no counters. */
export function readCounters(bytes: Uint8Array): ExecutorCounters | null {
  const counters = decode(countersCodec, bytes)
  return counters.ok ? { ...counters.value, parent: counters.value.parent.slice() } : null
}

const nothing = new Uint8Array(0)
/** Client floors in one chunk. */
const floorsPerChunk = 16_384

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
