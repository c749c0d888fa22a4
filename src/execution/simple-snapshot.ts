// Snapshots for machines with little state: all of it as one string of bytes, cut in equal parts.

import type { RestoredChunk, StateChunk } from './state-chunks.ts'

/** The state is encoded as a whole at each checkpoint; beyond this size that pause is too long. */
export const simpleSnapshotBytesMax: number = 16 * 1024 * 1024
const partBytes = 64 * 1024
const idDigits = 4

export interface SimpleSnapshot {
  snapshot(): Iterable<StateChunk>
  restore(chunks: Iterable<RestoredChunk>): void
}

/**
 * `toBytes` writes the state in canonical form: equal states give equal bytes (sort what has no order of its own). `fromBytes` reads
 * it into a fresh machine. The bytes are kept until the next snapshot, so that parts that did not change are not hashed again.
 */
export function simpleSnapshot(toBytes: () => Uint8Array, fromBytes: (bytes: Uint8Array) => void): SimpleSnapshot {
  let last: readonly StateChunk[] = []
  let versions = 0
  return {
    snapshot: () => {
      const bytes = toBytes()
      if (bytes.length > simpleSnapshotBytesMax) {
        throw new RangeError(`a state of ${bytes.length} bytes: simpleSnapshot takes ${simpleSnapshotBytesMax}`)
      }
      // A copy, since the machine may go on writing into the buffer it gave.
      const frozen = bytes.slice()
      versions++
      last = Array.from({ length: Math.ceil(frozen.length / partBytes) }, (_, index) => {
        const part = frozen.subarray(index * partBytes, (index + 1) * partBytes)
        const before = last[index]
        const same = before !== undefined && equal(before.bytes(), part)
        return { id: partId(index), version: same ? before.version : versions, bytes: () => part }
      })
      return last
    },
    restore: (chunks) => {
      const parts: Uint8Array[] = []
      let size = 0
      for (const { id, bytes } of chunks) {
        if (id !== partId(parts.length)) throw new RangeError(`chunk ${JSON.stringify(id)} is not the next part`)
        size += bytes.length
        if (size > simpleSnapshotBytesMax) throw new RangeError(`more than ${simpleSnapshotBytesMax} bytes`)
        parts.push(bytes)
      }
      const whole = new Uint8Array(size)
      let offset = 0
      for (const part of parts) {
        whole.set(part, offset)
        offset += part.length
      }
      last = []
      fromBytes(whole)
    },
  }
}

function partId(index: number): string {
  return `part/${String(index).padStart(idDigits, '0')}`
}

function equal(left: Uint8Array, right: Uint8Array): boolean {
  if (left.length !== right.length) return false
  for (let index = 0; index < left.length; index++) {
    if (left[index] !== right[index]) return false
  }
  return true
}
