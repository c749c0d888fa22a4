// A disk that is full, slow, failing or silent; and what the store costs meanwhile.

import { describe, expect, it } from 'vitest'
import { createRandom } from '../../../src/kernel/random.ts'
import { packFile } from '../../../src/storage/snapshots/format.ts'
import {
  addAll,
  checkpointOf,
  chunkOf,
  entriesOf,
  headerOf,
  readState,
  SnapshotBench,
  type Answer,
  type State,
} from './snapshot-bench.ts'

const first: State = { a: 'one', b: 'two' }

function stateOf(chunks: number, bytes: number, salt = ''): State {
  return Object.fromEntries(
    Array.from({ length: chunks }, (_, index) => [`chunk ${index}`, `${salt}${index} `.repeat(bytes).slice(0, bytes)]),
  )
}

describe('a full disk', () => {
  it('at any moment is reported, loses nothing, and may be tried again', () => {
    const reported = new Set<string>()
    for (let steps = 0; steps < 40; steps++) {
      const bench = new SnapshotBench(createRandom(`full ${steps}`), { groupBytesMax: 10 })
      const store = bench.open()
      bench.save(10, { z: 'before' })
      const writer = store.begin(headerOf(20, first), entriesOf(first))
      addAll(writer, Object.entries(first))
      const answers: { finish: Answer; certify: Answer } = { finish: 'waiting', certify: 'waiting' }
      const certify = (): void => store.certify(checkpointOf(20, first), (error) => (answers.certify = error))
      const finish = (): void =>
        writer.finish((error) => {
          answers.finish = error
          if (error === null) certify()
        })
      finish()
      bench.run(steps)
      bench.disk.full = true
      bench.run()
      for (const [what, answer] of Object.entries(answers)) {
        if (answer !== null && answer !== 'waiting') reported.add(`${what} ${answer.code}`)
      }
      expect(readState(store, store.stable.at(-1)!.entries)).toEqual({ z: 'before' })
      bench.disk.full = false
      if (answers.finish !== null) finish()
      else if (answers.certify !== null) certify()
      bench.run()
      expect({ steps, ...answers, failure: bench.failure }).toEqual({
        steps,
        finish: null,
        certify: null,
        failure: null,
      })
      bench.disk.crash()
      const again = bench.open()
      expect(again.stable.map(({ entries }) => readState(again, entries))).toEqual([first, { z: 'before' }])
    }
    expect(reported).toEqual(new Set(['finish ERR_DISK_FULL', 'certify ERR_DISK_FULL']))
  })

  it('goes on by itself when it is probed', () => {
    const bench = new SnapshotBench()
    const store = bench.open()
    bench.disk.full = true
    const answers = bench.beginSave(10, first)
    bench.run()
    expect(answers.finished).toMatchObject({ code: 'ERR_DISK_FULL' })
    bench.disk.full = false
    store.probe()
    bench.run()
    expect(store.has(chunkOf('b', 'two').entry.digest)).toBe(true)
  })
})

describe('a sync that fails', () => {
  it('is final, and nothing is stable afterwards; what was can still be read', () => {
    const bench = new SnapshotBench()
    const store = bench.open()
    bench.save(10, first)
    bench.disk.failNext('sync', { code: 'ERR_DISK_IO', message: 'EIO' })
    const answers = bench.beginSave(20, { ...first, c: 'new' })
    bench.run()
    expect(answers.finished).toMatchObject({ code: 'ERR_DISK_IO' })
    expect(bench.failure).toMatchObject({ code: 'ERR_DISK_IO' })
    const later: unknown[] = []
    store.certify(checkpointOf(10, first), (error) => later.push(error?.code))
    const writer = store.begin(headerOf(30, { z: 'z' }), entriesOf({ z: 'z' }))
    const { entry, bytes } = chunkOf('z', 'z')
    writer.add(entry, bytes)
    writer.finish((error) => later.push(error?.code))
    bench.run()
    expect(later).toEqual(['ERR_DISK_IO', 'ERR_DISK_IO'])
    expect(readState(store, store.stable[0]!.entries)).toEqual(first)
  })
})

describe('a disk that does not answer', () => {
  it('stops the writer, and nothing is claimed', () => {
    const bench = new SnapshotBench(createRandom('hang'), { waitingBytesMax: 1000 })
    const store = bench.open()
    bench.disk.failNext('write', 'hang')
    const state = stateOf(10, 200)
    const writer = store.begin(headerOf(10, state), entriesOf(state))
    const taken = Object.entries(state).map(([name, contents]) => {
      const { entry, bytes } = chunkOf(name, contents)
      return writer.add(entry, bytes)
    })
    expect(taken).toEqual([true, true, true, true, false, false, false, false, false, false])
    const answers: unknown[] = []
    writer.finish((error) => answers.push(error))
    bench.run()
    expect([answers, store.stable, store.uncertified]).toEqual([[], [], []])
    store.close()
  })
})

describe('a writer', () => {
  it('is told to wait, and when to go on', () => {
    const bench = new SnapshotBench(createRandom('drain'), { waitingBytesMax: 1000, groupBytesMax: 300 })
    const store = bench.open()
    const state = stateOf(40, 200)
    const waiting = Object.entries(state)
    const writer = store.begin(headerOf(10, state), entriesOf(state))
    let drains = 0
    let most = 0
    const fill = (): void => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        const { entry, bytes } = chunkOf(...next)
        const mayGoOn = writer.add(entry, bytes)
        most = Math.max(most, store.sizes.waitingBytes)
        if (!mayGoOn) return
      }
    }
    writer.onDrain = () => {
      drains++
      fill()
    }
    fill()
    bench.run()
    expect([waiting.length, drains > 3, most]).toEqual([0, true, 1000])
    const answers: unknown[] = []
    writer.finish((error) => answers.push(error))
    bench.run()
    expect(answers).toEqual([null])
  })

  it('goes on after a crash where the last sync was', () => {
    const bench = new SnapshotBench(createRandom('resume'), {
      syncEveryBytes: 1000,
      groupBytesMax: 300,
      packBytesMax: 4000,
    })
    const state = stateOf(40, 200)
    const store = bench.open()
    const writer = store.begin(headerOf(10, state), entriesOf(state))
    addAll(writer, Object.entries(state).slice(0, 30))
    bench.run()
    bench.disk.crash()
    const again = bench.open().begin(headerOf(10, state), entriesOf(state))
    const missing = [...again.missing].length
    expect(missing).toBeLessThan(17)
    expect(missing).toBeGreaterThanOrEqual(10)
    again.abandon()
    const before = bench.disk.bytesWritten
    bench.save(10, state)
    expect(bench.disk.bytesWritten - before).toBeLessThan(missing * 252 + 6000)
  })

  it('that is abandoned makes room for another, and what it wrote stays', () => {
    const bench = new SnapshotBench()
    const store = bench.open()
    const writer = store.begin(headerOf(10, first), entriesOf(first))
    const { entry, bytes } = chunkOf('a', 'one')
    writer.add(entry, bytes)
    expect(() => store.begin(headerOf(10, first), entriesOf(first))).toThrow('finish or abandon')
    writer.abandon()
    bench.run()
    const answers: unknown[] = []
    writer.finish((error) => answers.push(error?.code))
    const next = store.begin(headerOf(10, first), entriesOf(first))
    expect([...next.missing]).toEqual([chunkOf('b', 'two').entry])
    expect(answers).toEqual(['ERR_SNAPSHOT_UNKNOWN'])
  })

  it('takes the ends that are asked for twice for one', () => {
    const bench = new SnapshotBench()
    const store = bench.open()
    const writer = store.begin(headerOf(10, first), entriesOf(first))
    addAll(writer, Object.entries(first))
    const answers: unknown[] = []
    writer.finish((error) => answers.push(error))
    writer.finish((error) => answers.push(error))
    bench.run()
    expect(answers).toEqual([null, null])
  })
})

describe('compaction', () => {
  const limits = { packBytesMax: 4000, groupBytesMax: 500, compactionBytesMax: 2500 }

  it('keeps the disk near what two snapshots take, however often the state changes', () => {
    const bench = new SnapshotBench(createRandom('compaction'), limits)
    bench.open()
    const state: Record<string, string> = { ...stateOf(60, 200) }
    const random = createRandom('changes')
    let most = 0
    for (let height = 10; height <= 1000; height += 10) {
      const changes = Object.entries(stateOf(60, 200, `${height} `)).filter(() => random.chance(1, 6))
      Object.assign(state, Object.fromEntries(changes))
      bench.save(height, state)
      bench.run()
      const bytes = bench.disk.list().reduce((sum, name) => sum + bench.disk.size(name), 0)
      most = Math.max(most, bytes)
      if (height % 170 === 0) bench.open()
    }
    const store = bench.open()
    expect(readState(store, store.stable[0]!.entries)).toEqual(state)
    const twoStates = 2 * 60 * 200
    expect(most).toBeLessThan(3 * twoStates)
  })

  it('keeps the disk small also when no snapshot is ever finished', () => {
    const bench = new SnapshotBench(createRandom('abandoned'), limits)
    const store = bench.open()
    bench.save(10, first)
    for (let height = 20; height <= 600; height += 10) {
      const state = stateOf(60, 200, `${height} `)
      const writer = store.begin(headerOf(height, state), entriesOf(state))
      addAll(writer, Object.entries(state).slice(0, 40))
      bench.run()
      writer.abandon()
    }
    const bytes = bench.disk.list().reduce((sum, name) => sum + bench.disk.size(name), 0)
    expect(bytes).toBeLessThan(3 * 60 * 200)
    const again = bench.open()
    expect(readState(again, again.stable[0]!.entries)).toEqual(first)
  })

  it('copies no more after one checkpoint than it may', () => {
    const bench = new SnapshotBench(createRandom('bounded'), limits)
    bench.open()
    const stays = Object.fromEntries(Object.entries(stateOf(240, 200)).filter((_, index) => index % 4 === 0))
    bench.save(10, stateOf(240, 200))
    bench.save(20, { ...stays, a: 'a' })
    const before = bench.disk.bytesWritten
    const packs = bench.store!.sizes.packs
    bench.save(30, { ...stays, a: 'b' })
    const copied = bench.disk.bytesWritten - before
    expect(bench.store!.sizes.packs).toBeLessThan(packs)
    // Manifest and marks beside it; 15,000 bytes are live in packs that are mostly dead.
    expect(copied).toBeGreaterThan(limits.compactionBytesMax / 2)
    expect(copied).toBeLessThan(limits.compactionBytesMax + 6000)
    bench.save(40, { ...stays, a: 'c' })
    bench.disk.crash()
    const store = bench.open()
    expect(readState(store, store.stable[1]!.entries)).toEqual({ ...stays, a: 'b' })
  })

  it('copies no damaged chunk: it is missing then', () => {
    const bench = new SnapshotBench(createRandom('rotten'), limits)
    bench.open()
    const stays = Object.fromEntries(Object.entries(stateOf(60, 200)).filter((_, index) => index % 4 === 0))
    bench.save(10, stateOf(60, 200))
    bench.save(20, { ...stays, a: 'a' })
    bench.disk.rot({ name: packFile(1), offset: 100 }, 1, true)
    bench.save(30, { ...stays, a: 'b' })
    const { entry } = chunkOf('chunk 0', stays['chunk 0']!)
    expect(bench.store!.has(entry.digest)).toBe(false)
    expect(bench.store!.stable).toEqual([])
    expect(bench.store!.damaged.length).toBe(2)
  })
})
