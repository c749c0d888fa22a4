// Goal: what a server claims is a manifest costs no more memory than a bound while it is taken in, and only one with the right root is
// handed on. Method: pages by hand; memory as the engine counts it, after a collection.

import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { MerkleTree } from '../../../src/execution/merkle.ts'
import { manifestBytesMax, snapshotChunksMax, type ManifestEntry } from '../../../src/kernel/manifest.ts'
import { pageBytesMax, pageEntriesMax } from '../../../src/replica/checkpoints/limits.ts'
import { ManifestIntake } from '../../../src/replica/checkpoints/manifest-intake.ts'
import { entryBytes } from '../../../src/replica/checkpoints/transfer-messages.ts'
import { simulatedHasher } from '../../../src/simulator/simulated-suite.ts'

describe('a manifest', () => {
  const root = new Uint8Array(32)
  const entry = (index: number, idBytes: number): ManifestEntry => ({
    part: 4,
    id: new Uint8Array(idBytes).fill(index),
    digest: new Uint8Array(32).fill(index >> 3),
    size: 1,
  })

  it('of another length in the middle is a lie', () => {
    const intake = new ManifestIntake(simulatedHasher, root)
    const page = Array.from({ length: pageEntriesMax }, (_, index) => entry(index, 4))
    expect(intake.add(3000, page)).toEqual({ kind: 'more' })
    expect(intake.add(3001, page)).toEqual({ kind: 'lie', reason: 'a manifest of another length' })
  })

  it('that is larger than any is given up', () => {
    const intake = new ManifestIntake(simulatedHasher, root)
    const page = Array.from({ length: Math.floor(pageBytesMax / 2089) }, (_, index) => entry(index, 2048))
    let pages = 0
    for (; pages < 1000 && intake.add(snapshotChunksMax, page).kind === 'more'; pages++);
    expect(pages).toBe(Math.floor(manifestBytesMax / (page.length * 2089)))
    expect(intake.heldBytes).toBeLessThanOrEqual(manifestBytesMax + 4 * (snapshotChunksMax + 1))
  })

  it('takes no more memory than its bytes, and four for each entry that it announces', () => {
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    const memory = (): number => {
      collect()
      const { heapUsed, arrayBuffers } = process.memoryUsage()
      return heapUsed + arrayBuffers
    }
    const before = memory()
    const intake = new ManifestIntake(simulatedHasher, root)
    const total = 200 * pageEntriesMax
    for (let count = 0; count < total - pageEntriesMax; count += pageEntriesMax) {
      // Each of its own, as they come off the wire.
      const page = Array.from({ length: pageEntriesMax }, (_, index) => entry(index, 4))
      expect(intake.add(total, page)).toEqual({ kind: 'more' })
    }
    expect(intake.heldBytes).toBe(intake.length * (41 + 4) + 4 * (total + 1))
    // An entry as an object takes more than 200.
    expect(memory() - before).toBeLessThan(1.2 * intake.heldBytes)
  })

  it('that is whole is what came', () => {
    const entries = Array.from({ length: pageEntriesMax + 3 }, (_, index) => entry(index, index % 100))
    const tree = new MerkleTree(simulatedHasher, 'state-node')
    const intake = new ManifestIntake(simulatedHasher, tree.root(entries.map(({ digest }) => digest)))
    let taken: ReturnType<ManifestIntake['add']> = { kind: 'more' }
    while (taken.kind === 'more') taken = intake.add(entries.length, nextPage(entries, intake.length))
    expect(taken.kind).toBe('whole')
    if (taken.kind === 'whole') expect([...taken.entries]).toEqual(entries)
  })
})

/** As a server makes it. */
function nextPage(entries: readonly ManifestEntry[], first: number): ManifestEntry[] {
  const page: ManifestEntry[] = []
  for (let size = 0; page.length < pageEntriesMax && first + page.length < entries.length;) {
    const entry = entries[first + page.length]!
    size += entryBytes(entry)
    if (size > pageBytesMax) break
    page.push(entry)
  }
  return page
}
