// What a fetched state is compared with.

import { expect } from 'vitest'
import { toHex } from '../../../src/kernel/hex.ts'
import type { ManifestEntry } from '../../../src/kernel/manifest.ts'
import { entryOf, type Chunk } from './memory-store.ts'
import type { World } from './transfer-world.ts'
import { equalBytes } from '../../../src/wire/equal-bytes.ts'

/** The newest snapshot here is this one, whole. */
export function expectState(world: World, height: number, chunks: readonly Chunk[]): void {
  const newest = world.store.stable[0]
  expect(newest?.checkpoint.header.height).toBe(height)
  // Byte by byte in the matcher takes seconds.
  const entries = [...newest!.entries]
  const text = (entry: ManifestEntry): string =>
    [entry.part, toHex(entry.id), toHex(entry.digest), entry.size].join(' ')
  expect(entries.map(text)).toEqual(chunks.map((chunk) => text(entryOf(chunk))))
  for (const [index, entry] of entries.entries()) {
    const bytes = world.store.read(entry)
    expect(bytes !== null && equalBytes(bytes, chunks[index]!.bytes), `chunk ${index}`).toBe(true)
  }
}
