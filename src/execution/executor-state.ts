/**
 * The executor's own state as chunks: counters, permissions and the client registry (both empty until they are built, and inside the
 * root already), sessions with their replies.
 */

import { digestBytes, type Digest } from '../kernel/crypto-ports.ts'
import type { EpochNumber, Height, TimestampMs } from '../kernel/ids.ts'
import { decode, encode, fixedBytes, struct, u53, type Codec } from '../wire/codec.ts'
import { openingFloorsCodec, type OpeningFloor } from './opening-floors.ts'
import { sessionKey } from './session.ts'
import type { SessionTable } from './session-table.ts'
import type { PartChunk } from './state-parts.ts'
import type { OrderedView } from './store/ordered-map.ts'

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

/**
 * Everything but the application, in canonical order and frozen. It is taken at once, without writing what may be much: bytes are
 * written as somebody goes through the chunks.
 */
export function executorChunks(counters: ExecutorCounters, table: SessionTable): Iterable<PartChunk> {
  const floors = table.floors.view()
  const floorsVersion = table.floors.version
  const sessions = table.view()
  const countersBytes = encode(countersCodec, counters)
  return {
    *[Symbol.iterator](): Generator<PartChunk> {
      yield { part: 'executor', id: 'counters', version: counters.height, bytes: () => countersBytes }
      yield { part: 'permissions', id: 'permissions', version: 0, bytes: () => nothing }
      yield { part: 'clients', id: 'registry', version: 0, bytes: () => nothing }
      yield* floorChunks(floors, floorsVersion)
      for (const encoding of sessions) {
        const { version, session } = encoding
        yield { part: 'sessions', id: sessionKey(session.id), version, bytes: () => encoding.bytes() }
      }
    },
  }
}

function* floorChunks(floors: OrderedView<OpeningFloor>, version: number): Generator<PartChunk> {
  let count = 0
  for (const [name] of floors.range('')) {
    if (count % floorsPerChunk === 0) {
      yield { part: 'clients', id: `floors/${count}`, version, bytes: () => floorBytes(floors, name) }
    }
    count++
  }
}

function floorBytes(floors: OrderedView<OpeningFloor>, from: string): Uint8Array {
  const records: OpeningFloor[] = []
  for (const [, record] of floors.range(from)) {
    if (records.push(record) === floorsPerChunk) break
  }
  return encode(openingFloorsCodec, records)
}
