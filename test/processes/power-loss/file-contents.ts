// What a file holds, and the changes to it that a disk may keep, lose or tear.

import type { Random } from '../../../src/kernel/random.ts'

export const sectorBytes = 512

export interface Change {
  /** For a truncation the new length; for a write the place of its bytes. */
  offset: number
  bytes: Uint8Array | null
}

/** Growing bytes; a hole that was never written reads as zeros. */
export class FileContents {
  #bytes: Uint8Array
  #length: number

  constructor(bytes: Uint8Array = new Uint8Array(0)) {
    this.#bytes = bytes
    this.#length = bytes.length
  }

  get length(): number {
    return this.#length
  }

  apply({ offset, bytes }: Change): void {
    if (bytes === null) {
      this.#bytes.fill(0, Math.min(offset, this.#length), this.#length)
      this.#length = Math.min(this.#length, offset)
      return
    }
    const end = offset + bytes.length
    if (end > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(end, this.#bytes.length * 2, 1024))
      grown.set(this.view())
      this.#bytes = grown
    }
    this.#bytes.set(bytes, offset)
    this.#length = Math.max(this.#length, end)
  }

  slice(offset: number, length: number): Uint8Array {
    return this.#bytes.slice(Math.min(offset, this.#length), Math.min(offset + length, this.#length))
  }

  view(): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }
}

/** What of a change reaches the disk by itself: all of it, a prefix, or some of its sectors. A truncation is never torn. */
export function tear({ offset, bytes }: Change, random: Random): Change[] {
  if (bytes === null || bytes.length === 0) return [{ offset, bytes }]
  switch (random.pick(['whole', 'prefix', 'sectors'] as const)) {
    case 'whole':
      return [{ offset, bytes }]
    case 'prefix':
      return [{ offset, bytes: bytes.subarray(0, random.below(bytes.length)) }]
    case 'sectors':
      return sectorsOf(offset, bytes).filter(() => random.chance(1, 2))
  }
}

function sectorsOf(offset: number, bytes: Uint8Array): Change[] {
  const sectors: Change[] = []
  for (let start = 0; start < bytes.length;) {
    const end = Math.min(bytes.length, start + sectorBytes - ((offset + start) % sectorBytes))
    sectors.push({ offset: offset + start, bytes: bytes.subarray(start, end) })
    start = end
  }
  return sectors
}
