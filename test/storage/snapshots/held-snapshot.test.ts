// Goal: what a snapshot holds is let go of once, and nothing else. Method: the index alone, and its counts of references.

import { expect, it } from 'vitest'
import { ChunkIndex } from '../../../src/storage/snapshots/chunk-index.ts'
import { emptySnapshot, holdMore, release } from '../../../src/storage/snapshots/held-snapshot.ts'
import { entriesPerStep } from '../../../src/storage/snapshots/limits.ts'
import { packManifest } from '../../../src/storage/snapshots/packed-manifest.ts'
import { entriesOf, headerOf } from './snapshot-bench.ts'

it('a snapshot that is half held lets go of that half', () => {
  const index = new ChunkIndex()
  const held = (count: number, prefix: string) => {
    const state = Object.fromEntries(Array.from({ length: count }, (_, at) => [`${prefix} ${at}`, '']))
    return emptySnapshot(headerOf(10, state), packManifest(entriesOf(state)))
  }
  const small = held(2, 'small')
  expect(holdMore(index, small)).toBe(false)
  const large = held(entriesPerStep + 1, 'large')
  expect(holdMore(index, large)).toBe(true)
  expect(index.size).toBe(2 + entriesPerStep)
  release(index, large)
  expect([...small.records].map((record) => index.references(record))).toEqual([1, 1])
  expect(index.size).toBe(2)
  release(index, small)
  expect(index.size).toBe(0)
})
