// The store keeps the last two certified snapshots through any crash, gives no wrong bytes, and gives room back.

import { describe, expect, it } from 'vitest'
import { createRandom } from '../../../src/kernel/random.ts'
import { checkpointFile, manifestFile } from '../../../src/storage/snapshots/format.ts'
import { entriesPerStep } from '../../../src/storage/snapshots/limits.ts'
import {
  addAll,
  checkpointOf,
  chunkOf,
  entriesOf,
  headerOf,
  readState,
  SnapshotBench,
  type State,
} from './snapshot-bench.ts'

const first: State = { a: 'one', b: 'two', c: '' }
const second: State = { a: 'one', b: 'two, changed', c: '', d: 'new' }
const third: State = { a: 'changed too', d: 'new' }

describe('the snapshot store', () => {
  it('gives back what was written and certified, after a start as well', () => {
    const bench = new SnapshotBench()
    bench.open()
    bench.save(10, first)
    for (const store of [bench.store!, bench.open()]) {
      expect(store.stable.map(({ checkpoint }) => checkpoint)).toEqual([checkpointOf(10, first)])
      expect([...store.stable[0]!.entries]).toEqual(entriesOf(first))
      expect(readState(store, store.stable[0]!.entries)).toEqual(first)
    }
  })

  it('asks only for the chunks that it lacks, and writes no other', () => {
    const bench = new SnapshotBench()
    const store = bench.open()
    bench.save(10, first)
    const writer = store.begin(headerOf(20, second), entriesOf(second))
    expect([...writer.missing]).toEqual([chunkOf('b', 'two, changed').entry, chunkOf('d', 'new').entry])
    const written = bench.disk.bytesWritten
    const { entry, bytes } = chunkOf('a', 'one')
    writer.add(entry, bytes)
    bench.run()
    expect(bench.disk.bytesWritten).toBe(written)
  })

  it('prepares a snapshot of many chunks in steps, and lets go of what it holds when it is abandoned between', () => {
    const bench = new SnapshotBench()
    const store = bench.open()
    const state = Object.fromEntries(Array.from({ length: 3 * entriesPerStep - 1 }, (_, index) => [`run ${index}`, '']))
    const entries = entriesOf(state)
    const half = store.begin(headerOf(10, state), entries)
    expect(store.sizes.chunks).toBe(entriesPerStep)
    expect(half.prepare()).toBe(true)
    expect(store.sizes.chunks).toBe(2 * entriesPerStep)
    for (const early of [
      () => half.missing,
      () => half.add(entries[0]!, new Uint8Array(0)),
      () => half.finish(() => {}),
    ])
      expect(early).toThrow('call prepare until it answers false')
    half.abandon()
    expect(store.sizes.chunks).toBe(0)

    const writer = store.begin(headerOf(10, state), entries)
    let steps = 1
    for (; writer.prepare(); steps++) expect(store.sizes.chunks).toBe((steps + 1) * entriesPerStep)
    expect(steps).toBe(2)
    expect(store.sizes.chunks).toBe(entries.length)
    expect(writer.countMissing()).toBe(entries.length)
  })

  it('keeps two stable snapshots, and removes what only older ones held', () => {
    const bench = new SnapshotBench()
    bench.open()
    bench.save(10, first)
    bench.save(20, second)
    bench.save(30, third)
    expect(bench.stableHeights()).toEqual([30, 20])
    expect(
      bench.disk
        .list()
        .filter((name) => !name.startsWith('pack'))
        .sort(),
    ).toEqual([checkpointFile(20), checkpointFile(30), manifestFile(20), manifestFile(30)])
    const store = bench.open()
    expect(store.stable.map(({ entries }) => readState(store, entries))).toEqual([third, second])
  })

  it('makes nothing stable that has no certificate', () => {
    const bench = new SnapshotBench()
    const store = bench.open()
    const writer = store.begin(headerOf(10, first), entriesOf(first))
    addAll(writer, Object.entries(first))
    const answers: unknown[] = []
    writer.finish((error) => answers.push(error))
    bench.run()
    expect([answers, store.stable, store.uncertified]).toEqual([[null], [], [headerOf(10, first)]])
    const again = bench.open()
    expect([again.stable, again.uncertified]).toEqual([[], [headerOf(10, first)]])
    again.certify(checkpointOf(10, second), (error) => answers.push(error?.code))
    again.certify(checkpointOf(10, first), (error) => answers.push(error))
    bench.run()
    expect(answers).toEqual([null, 'ERR_SNAPSHOT_UNKNOWN', null])
    expect(bench.open().stable.length).toBe(1)
  })

  // Pbft n=7, seed 811 at 54efd2a: the replica fetched the same state again and again, for ever.
  it.each(['at once', 'later'] as const)(
    'keeps what was finished last, certified %s, beside greater heights that wait for certificates',
    (when) => {
      const bench = new SnapshotBench()
      const finish = (height: number, state: State, then: () => void = () => {}): void => {
        const writer = bench.store!.begin(headerOf(height, state), entriesOf(state))
        addAll(writer, Object.entries(state))
        writer.finish((error) => {
          expect(error).toBeNull()
          then()
        })
        bench.run()
      }
      bench.open()
      // Written before its log was lost: nobody will certify these any more.
      finish(36, first)
      finish(40, second)
      const store = bench.open()
      expect(store.uncertified.map(({ height }) => height)).toEqual([40, 36])
      const answers: unknown[] = []
      const certify = (): void => store.certify(checkpointOf(32, third), (error) => answers.push(error))
      finish(32, third, when === 'at once' ? certify : undefined)
      if (when === 'later') certify()
      bench.run()
      expect([answers, bench.stableHeights()]).toEqual([[null], [32]])
      expect(readState(store, store.stable[0]!.entries)).toEqual(third)
      expect(bench.open().stable).toHaveLength(1)
    },
  )

  it('finishes nothing that lacks a chunk, and takes none that is not what its digest says', () => {
    const bench = new SnapshotBench()
    const store = bench.open()
    const writer = store.begin(headerOf(10, first), entriesOf(first))
    const answers: unknown[] = []
    const wrong = new TextEncoder().encode('wrong')
    for (const entry of entriesOf(first)) writer.add(entry, wrong)
    writer.finish((error) => answers.push(error?.code))
    bench.run()
    expect(answers).toEqual(['ERR_SNAPSHOT_INCOMPLETE'])
    expect([...writer.missing].length).toBe(3)
  })
})

describe('a crash', () => {
  it('at any moment leaves what was stable, and what was certified is whole', () => {
    const states = [first, second, third, { ...third, e: 'x'.repeat(3000) }, { a: 'last' }]
    let crashes = 0
    for (let steps = 0; steps < 80; steps++) {
      for (let seed = 0; seed < 5; seed++) {
        const bench = new SnapshotBench(createRandom(`crash ${steps} ${seed}`), {
          packBytesMax: 1024,
          groupBytesMax: 64,
          syncEveryBytes: 300,
        })
        bench.open()
        let known = new Map<number, State>()
        let left = steps
        for (const [index, state] of states.entries()) {
          const height = (index + 1) * 10
          const answers = bench.beginSave(height, state)
          let done = false
          while (left > 0 && !done) {
            bench.run(1)
            left--
            done = answers.certified === null
          }
          if (!done) break
          known = new Map([...known, [height, state] as const].slice(-2))
        }
        if (left === 0) crashes++
        bench.disk.crash()
        const store = bench.open()
        const found = new Map(
          store.stable.map(({ checkpoint, entries }) => [checkpoint.header.height, readState(store, entries)]),
        )
        for (const [height, state] of found) expect(state).toEqual(states[height / 10 - 1])
        const newest = [...known].at(-1)
        if (newest !== undefined) expect(found.get(newest[0])).toEqual(newest[1])
        expect(found.size).toBeGreaterThanOrEqual(Math.min(2, known.size))
        // And it goes on from there.
        bench.save(100, { z: 'after' })
        expect(readState(bench.store!, bench.open().stable[0]!.entries)).toEqual({ z: 'after' })
      }
    }
    expect(crashes).toBeGreaterThan(300)
  })

  it('takes no certificate that a start has found after a kill', () => {
    let found = 0
    for (let steps = 0; steps < 8; steps++) {
      for (let seed = 0; seed < 10; seed++) {
        const bench = new SnapshotBench(createRandom(`found ${steps} ${seed}`))
        bench.open()
        bench.save(10, first)
        const answers = bench.beginSave(20, second)
        while (answers.finished !== null) bench.run(1)
        bench.run(steps)
        bench.disk.kill()
        bench.open()
        const heights = bench.stableHeights()
        if (heights[0] === 20) found++
        bench.run()
        bench.disk.crash()
        bench.open()
        expect(bench.stableHeights()).toEqual(heights)
      }
    }
    expect(found).toBeGreaterThan(10)
  })

  it('takes no chunk that a start has found after a kill, and that a snapshot was built upon', () => {
    const state = Object.fromEntries(
      Array.from({ length: 12 }, (_, index) => [`chunk ${index}`, `${index}`.repeat(100)]),
    )
    let found = 0
    for (let steps = 0; steps < 60; steps++) {
      for (let seed = 0; seed < 4; seed++) {
        const limits = { syncEveryBytes: 400, groupBytesMax: 150, packBytesMax: 1500 }
        const bench = new SnapshotBench(createRandom(`built ${steps} ${seed}`), limits)
        const writer = bench.open().begin(headerOf(10, state), entriesOf(state))
        addAll(writer, Object.entries(state))
        bench.run(steps)
        bench.disk.kill()
        if (bench.open().sizes.chunks > 0) found++
        bench.save(10, state)
        bench.disk.crash()
        const store = bench.open()
        expect(store.stable.map(({ entries }) => readState(store, entries))).toEqual([state])
      }
    }
    expect(found).toBeGreaterThan(50)
  })

  it('after a certificate came twice leaves what the first one was answered for', () => {
    for (let gap = 0; gap < 8; gap++) {
      for (let seed = 0; seed < 10; seed++) {
        const bench = new SnapshotBench(createRandom(`twice ${gap} ${seed}`))
        const store = bench.open()
        const writer = store.begin(headerOf(10, first), entriesOf(first))
        addAll(writer, Object.entries(first))
        writer.finish(() => {})
        bench.run()
        const answers: unknown[] = []
        store.certify(checkpointOf(10, first), (error) => answers.push(error))
        bench.run(gap)
        store.certify(checkpointOf(10, first), (error) => answers.push(error))
        while (answers.length === 0) bench.run(1)
        bench.disk.crash()
        bench.open()
        expect(bench.stableHeights()).toEqual([10])
      }
    }
  })

  it('leaves no proof behind for a pack that comes after, under the number of one that is gone', () => {
    // A pack for each chunk, and none that is worth copying.
    const bench = new SnapshotBench(createRandom('proof'), { packBytesMax: 150 })
    const kept: State = { kept: 'x'.repeat(100) }
    const junk = entriesOf({ junk: 'junk' })
    bench.open().begin(headerOf(10, {}), junk).add(junk[0]!, chunkOf('junk', 'junk').bytes)
    bench.run()
    bench.disk.kill()
    bench.open()
    bench.save(20, kept)
    // The pack of the chunk that nothing needs is made by the last of three starts, and removed by the next one.
    bench.disk.kill()
    const writer = bench.open().begin(headerOf(30, {}), junk)
    writer.add(junk[0]!, chunkOf('junk', 'junk').bytes)
    writer.finish(() => {})
    bench.run()
    bench.save(30, kept)
    const last = bench.disk
      .list()
      .filter((name) => name.startsWith('pack'))
      .sort()
      .at(-1)
    bench.disk.kill()
    bench.open()
    bench.save(40, kept)
    bench.save(50, kept)
    expect(bench.disk.list()).not.toContain(last)
    bench.disk.kill()
    const another = entriesOf({ another: 'one' })
    bench.open().begin(headerOf(60, {}), another).add(another[0]!, chunkOf('another', 'one').bytes)
    bench.run()
    bench.disk.kill()
    expect(bench.open().has(another[0]!.digest)).toBe(false)
  })
})
