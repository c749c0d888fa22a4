// Goal: of the checkpoints that pass by, some become snapshots, whole and certified, in bounded slices; nothing else becomes stable.
// Method: the taker alone, over a store in memory whose answers the test lets go.

import { describe, expect, it } from 'vitest'
import type { Checkpoint } from '../../../src/kernel/checkpoint.ts'
import type { CheckpointState } from '../../../src/execution/executor.ts'
import { stateParts } from '../../../src/execution/state-parts.ts'
import { SnapshotTaker, type SnapshotPolicy } from '../../../src/replica/core/snapshot-taker.ts'
import { entryOf, MemoryStore, type Chunk } from '../checkpoints/memory-store.ts'
import { latin1 } from '../../../src/wire/latin1.ts'

function chunk(name: string, bytes = 100): Chunk {
  return { part: 4, id: new TextEncoder().encode(name), bytes: new Uint8Array(bytes).fill(name.charCodeAt(0)) }
}

function stateAt(height: number, chunks: readonly Chunk[]): CheckpointState {
  const digested = chunks.map((one) => {
    const { digest, size } = entryOf(one)
    return { part: stateParts[one.part]!, id: latin1(one.id), version: 1, bytes: () => one.bytes, digest, size }
  })
  return { header: { height } as CheckpointState['header'], chunks: digested }
}

const certificate = (height: number): Checkpoint => ({ header: { height } }) as Checkpoint

class Bench {
  readonly store = new MemoryStore()
  readonly stable: number[] = []
  readonly failed: string[] = []
  wakes = 0
  readonly taker: SnapshotTaker

  constructor(policy: Partial<SnapshotPolicy> = {}, stableHeight = 0) {
    this.taker = new SnapshotTaker(
      {
        store: this.store,
        policy: { logBytesMin: 1_000, writtenPercentMin: 50, sliceBytesMax: 1_000_000, ...policy },
        wake: () => this.wakes++,
        stable: ({ header }) => this.stable.push(header.height),
        failed: (reason) => this.failed.push(reason),
      },
      stableHeight,
    )
  }

  /** Turns, and what the disk answers between them, until nothing moves any more. */
  settle(): void {
    for (let before = -1; before !== this.wakes;) {
      before = this.wakes
      while (this.taker.work());
      for (const answer of this.store.later.splice(0)) answer()
    }
    this.taker.work()
  }
}

describe('the taker of snapshots', () => {
  it('makes stable what is written and certified, whichever comes first', () => {
    const bench = new Bench()
    bench.taker.offer(stateAt(8, [chunk('a'), chunk('b')]), 1_000)
    bench.settle()
    expect(bench.stable).toEqual([])
    bench.taker.certified(certificate(8))
    bench.settle()
    bench.taker.certified(certificate(16))
    bench.taker.offer(stateAt(16, [chunk('a'), chunk('c')]), 2_000)
    bench.settle()
    expect(bench.stable).toEqual([8, 16])
    expect(bench.taker.stableHeight).toBe(16)
    // What both have in common was written once.
    expect(bench.store.added).toBe(3)
  })

  it('keeps the certificate of what is being written, however many newer ones come meanwhile', () => {
    const bench = new Bench({ sliceBytesMax: 1 })
    bench.taker.offer(stateAt(8, [chunk('a'), chunk('b')]), 1_000)
    for (let height = 8; height <= 80; height += 8) bench.taker.certified(certificate(height))
    bench.settle()
    expect(bench.stable).toEqual([8])
  })

  it('makes nothing stable under a certificate of another height', () => {
    const bench = new Bench()
    bench.taker.offer(stateAt(8, [chunk('a')]), 1_000)
    bench.taker.certified(certificate(4))
    bench.taker.certified(certificate(12))
    bench.settle()
    expect([bench.stable, bench.store.stable]).toEqual([[], []])
  })

  it('waits until the log has grown, by a least amount and in proportion to what the last one wrote', () => {
    const bench = new Bench()
    bench.taker.offer(stateAt(8, [chunk('a', 10_000)]), 999)
    expect(bench.taker.isWriting).toBe(false)
    bench.taker.offer(stateAt(8, [chunk('a', 10_000)]), 1_000)
    expect(bench.taker.isWriting).toBe(true)
    bench.settle()
    bench.taker.offer(stateAt(16, [chunk('b')]), 5_999)
    expect(bench.taker.isWriting).toBe(false)
    bench.taker.offer(stateAt(24, [chunk('b')]), 6_000)
    expect(bench.taker.isWriting).toBe(true)
  })

  it('writes in slices, and pauses when the disk has enough', () => {
    const bench = new Bench({ sliceBytesMax: 150 })
    bench.store.bytesAtOnce = 300
    const chunks = Array.from({ length: 10 }, (_, index) => chunk(String.fromCharCode(97 + index)))
    bench.taker.offer(stateAt(8, chunks), 1_000)
    expect([bench.taker.work(), bench.store.added]).toEqual([true, 2])
    expect([bench.taker.work(), bench.store.added]).toEqual([false, 3])
    // Nothing more while the disk is behind.
    expect([bench.taker.work(), bench.store.added]).toEqual([false, 3])
    bench.taker.certified(certificate(8))
    bench.settle()
    expect([bench.stable, bench.store.added, bench.store.addedWhilePausedMax]).toEqual([[8], 10, 0])
  })

  it('begins in slices: no turn looks at more chunks than one may, and nothing is written before the store is prepared', () => {
    const bench = new Bench()
    bench.store.stepsToPrepare = 3
    let looked = 0
    const { header, chunks } = stateAt(
      8,
      Array.from({ length: 5_000 }, (_, index) => chunk(`run ${index}`, 1)),
    )
    const watched = chunks.map((one) => Object.defineProperty({ ...one }, 'id', { get: () => (looked++, one.id) }))
    const turns: { looked: number; added: number }[] = []
    const turn = <Value>(act: () => Value): Value => {
      const before = looked
      const result = act()
      turns.push({ looked: looked - before, added: bench.store.added })
      return result
    }
    turn(() => bench.taker.offer({ header, chunks: watched }, 1_000))
    while (turn(() => bench.taker.work()));
    // Looked at once for the manifest, and once when they are written.
    expect(turns.slice(0, 6).map((one) => one.looked)).toEqual([2_048, 2_048, 904, 0, 0, 0])
    expect(Math.max(...turns.map((one) => one.looked))).toBe(2_048)
    expect(looked).toBe(10_000)
    expect(turns.slice(0, 6).map((one) => one.added)).toEqual([0, 0, 0, 0, 0, 0])
    bench.taker.certified(certificate(8))
    bench.settle()
    expect(bench.stable).toEqual([8])
    expect(bench.store.stable[0]!.entries.length).toBe(5_000)
  })

  it('gives way in the middle of a beginning, and leaves nothing begun', () => {
    const chunks = Array.from({ length: 5_000 }, (_, index) => chunk(`run ${index}`, 1))
    for (let turns = 0; turns < 8; turns++) {
      const bench = new Bench()
      bench.store.stepsToPrepare = 3
      bench.taker.offer(stateAt(8, chunks), 1_000)
      for (let turn = 0; turn < turns; turn++) bench.taker.work()
      bench.taker.giveUp()
      expect([bench.taker.isWriting, bench.taker.work()]).toEqual([false, false])
      bench.store.stepsToPrepare = 0
      // Throws where another is still open.
      bench.taker.offer(stateAt(16, [chunk('a')]), 20_000)
      bench.taker.certified(certificate(16))
      bench.settle()
      expect(bench.stable).toEqual([16])
    }
  })

  it('says why one could not be written, and writes the next', () => {
    const bench = new Bench()
    bench.store.errors.push(new Error('the disk is full'))
    bench.taker.offer(stateAt(8, [chunk('a')]), 1_000)
    bench.taker.certified(certificate(8))
    bench.settle()
    expect([bench.failed, bench.stable]).toEqual([['the disk is full'], []])
    bench.taker.offer(stateAt(16, [chunk('a')]), 2_000)
    bench.taker.certified(certificate(16))
    bench.settle()
    expect(bench.stable).toEqual([16])
  })

  it('writes one at a time, and none that is not newer than what is stable', () => {
    const bench = new Bench({}, 8)
    bench.taker.offer(stateAt(8, [chunk('a')]), 5_000)
    expect(bench.store.begun).toBe(0)
    bench.taker.offer(stateAt(16, [chunk('a')]), 5_000)
    bench.taker.offer(stateAt(24, [chunk('b')]), 9_000)
    expect(bench.store.begun).toBe(1)
  })

  it('gives way to a state that comes from others', () => {
    const bench = new Bench({ sliceBytesMax: 1 })
    bench.taker.offer(stateAt(8, [chunk('a'), chunk('b')]), 1_000)
    bench.taker.work()
    bench.taker.giveUp()
    expect(bench.taker.isWriting).toBe(false)
    bench.taker.restored(100)
    bench.taker.certified(certificate(8))
    bench.taker.offer(stateAt(96, [chunk('a')]), 9_000)
    bench.settle()
    expect([bench.taker.stableHeight, bench.taker.isWriting, bench.stable]).toEqual([100, false, []])
  })
})
