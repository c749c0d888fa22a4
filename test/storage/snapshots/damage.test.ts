// Whatever a disk does to the files: no wrong bytes, nothing thrown, and what is damaged is asked for again.

import { describe, expect, it } from 'vitest'
import { createRandom } from '../../../src/kernel/random.ts'
import {
  checkpointFile,
  encodePackHead,
  manifestFile,
  packFile,
  packHeadBytes,
  packRecordBytes,
} from '../../../src/storage/snapshots/format.ts'
import { MemoryDirectory } from '../node/memory-directory.ts'
import {
  checkpointOf,
  chunkOf,
  crc32,
  entriesOf,
  headerOf,
  readState,
  SnapshotBench,
  type State,
} from './snapshot-bench.ts'

const first: State = { a: 'one', b: 'two', c: 'three, q'.repeat(20) }
const second: State = { a: 'one', b: 'two, changed', c: 'three, q'.repeat(20), d: 'new' }

/** Two stable snapshots, in files that can be changed at will. */
function written(limits = {}): SnapshotBench {
  const bench = new SnapshotBench(createRandom('damage'), limits)
  bench.open()
  bench.save(10, first)
  bench.save(20, second)
  return bench
}

function filesOf(bench: SnapshotBench): Map<string, Uint8Array> {
  const { disk } = bench
  return new Map(
    disk.list().map((name) => {
      const read = disk.read(name, 0, disk.size(name))
      return [name, read.ok ? read.bytes.slice() : new Uint8Array(0)]
    }),
  )
}

describe('a flipped bit', () => {
  const bench = written()
  const files = filesOf(bench)
  const states = new Map([
    [10, first],
    [20, second],
  ])
  for (const [name, bytes] of files) {
    it(`anywhere in ${name} gives no wrong bytes, and leaves what it does not touch`, () => {
      let damaged = 0
      for (let at = 0; at < bytes.length; at++) {
        const spoilt = bytes.slice()
        spoilt[at]! ^= 1 << (at % 8)
        const store = bench.tryOpen(new MemoryDirectory(new Map([...files, [name, spoilt]])))
        // The version of a pack is protected by its checksum as all else.
        if (!store.ok) throw new Error(`${at}: ${store.message}`)
        for (const { checkpoint, entries } of [...store.stable]) {
          for (const [chunk, contents] of Object.entries(readState(store, entries))) {
            if (contents === null) damaged++
            else expect(contents).toBe(states.get(checkpoint.header.height)![chunk])
          }
        }
        if (!name.startsWith('pack')) expect(store.stable.length).toBeGreaterThanOrEqual(1)
      }
      expect(damaged > 0).toBe(name.startsWith('pack'))
    })
  }

  it('in the header of a record loses that chunk, and none behind it', () => {
    const spoilt = files.get(packFile(1))!.slice()
    spoilt[packHeadBytes + 20]! ^= 1
    const store = bench.tryOpen(new MemoryDirectory(new Map([...files, [packFile(1), spoilt]])))
    if (!store.ok) throw new Error(store.message)
    expect(store.stable).toEqual([])
    const [damaged] = store.damaged
    expect(readState(store, damaged!.entries)).toEqual({ ...second, a: null })
  })
})

describe('a file that is cut', () => {
  it('anywhere gives no wrong bytes', () => {
    const bench = written()
    const files = filesOf(bench)
    for (const [name, bytes] of files) {
      for (let length = 0; length < bytes.length; length++) {
        const store = bench.tryOpen(new MemoryDirectory(new Map([...files, [name, bytes.subarray(0, length)]])))
        if (!store.ok) throw new Error(store.message)
        for (const { entries } of store.stable) {
          for (const contents of Object.values(readState(store, entries))) expect(contents).not.toBeNull()
        }
      }
    }
  })
})

describe('a damaged chunk', () => {
  it('is forgotten, asked for again, and then its snapshots are whole again', () => {
    const bench = written()
    const store = bench.store!
    const { entry, bytes } = chunkOf('a', 'one')
    bench.disk.rot({ name: packFile(1), offset: packHeadBytes + packRecordBytes }, 1, true)
    expect(store.has(entry.digest)).toBe(true)
    expect(store.read(entry)).toBeNull()
    expect([store.has(entry.digest), store.stable.length, store.damaged.length]).toEqual([false, 0, 2])
    const { checkpoint, entries } = store.damaged[0]!
    const writer = store.begin(checkpoint.header, entries)
    expect([...writer.missing]).toEqual([entry])
    writer.add(entry, bytes)
    const answers: unknown[] = []
    writer.finish((error) => answers.push(error))
    bench.run()
    expect(answers).toEqual([null])
    for (const again of [store, bench.open()]) {
      expect(again.stable.map(({ entries }) => readState(again, entries))).toEqual([second, first])
    }
  })

  it('keeps its snapshot from being certified until it is mended', () => {
    const bench = new SnapshotBench()
    const store = bench.open()
    const state: State = { a: 'one' }
    const { entry, bytes } = chunkOf('a', 'one')
    const answers: unknown[] = []
    const write = (): void => {
      const writer = store.begin(headerOf(10, state), [entry])
      writer.add(entry, bytes)
      writer.finish((error) => answers.push(error))
      bench.run()
      store.certify(checkpointOf(10, state), (error) => answers.push(error?.code ?? null))
      bench.run()
    }
    const writer = store.begin(headerOf(10, state), [entry])
    writer.add(entry, bytes)
    writer.finish((error) => answers.push(error))
    bench.run()
    bench.disk.rot({ name: packFile(1), offset: packHeadBytes + packRecordBytes }, 1, true)
    store.read(entry)
    store.certify(checkpointOf(10, state), (error) => answers.push(error?.code))
    bench.run()
    expect(store.stable).toEqual([])
    write()
    expect(answers).toEqual([null, 'ERR_SNAPSHOT_UNKNOWN', null, null])
    expect(readState(store, store.stable[0]!.entries)).toEqual(state)
  })

  it('that was only read badly is read again', () => {
    const bench = written()
    const place = { name: packFile(1), offset: packHeadBytes + packRecordBytes }
    bench.disk.rotOneRead(place, 1, 0)
    const { entry, bytes } = chunkOf('a', 'one')
    expect(bench.store!.read(entry)).toEqual(bytes)
    expect(bench.disk.readsRotted).toBe(1)
    expect(bench.stableHeights()).toEqual([20, 10])
  })

  it('is not taken from another place, wherever the disk wrote it', () => {
    const bench = written()
    const size = packRecordBytes + 3
    const from = { name: packFile(1), offset: packHeadBytes, length: size }
    // The records of chunks a and b are of one length: now the one of a stands in the place of b.
    bench.disk.misdirect(from, { name: packFile(1), offset: packHeadBytes + size }, true)
    const store = bench.open()
    expect([store.has(chunkOf('a', 'one').entry.digest), store.has(chunkOf('b', 'two').entry.digest)]).toEqual([
      false,
      false,
    ])
    expect(store.has(chunkOf('c', first['c']!).entry.digest)).toBe(true)
  })

  it('is not to blame for an entry that lies', () => {
    const bench = written()
    const store = bench.store!
    const { entry } = chunkOf('a', 'one')
    expect(store.read({ ...entry, id: Uint8Array.of(1) })).toBeNull()
    expect(store.has(entry.digest)).toBe(true)
  })
})

describe('a manifest or a certificate', () => {
  it('that is read badly once is read again', () => {
    const bench = written()
    for (const name of [manifestFile(20), checkpointFile(20)]) {
      for (const offset of [10, bench.disk.size(name) - 5]) {
        bench.disk.rotOneRead({ name, offset }, 1, 0)
        bench.open()
        expect(bench.stableHeights()).toEqual([20, 10])
        expect(bench.disk.readsRotted).toBeGreaterThan(0)
        bench.run()
        bench.disk.kill()
      }
    }
  })

  it('of another network is refused', () => {
    const bench = written()
    const options = { ...bench.options(), network: new Uint8Array(32) }
    const other = new SnapshotBench()
    other.options = () => options
    expect(other.tryOpen()).toMatchObject({ ok: false, code: 'ERR_SNAPSHOT_FOREIGN_DIRECTORY' })
  })

  it('does not stand for another of its height', () => {
    const bench = written()
    const files = filesOf(bench)
    const other = new SnapshotBench()
    other.open()
    other.save(10, first)
    other.save(20, { other: 'state' })
    const store = bench.tryOpen(
      new MemoryDirectory(new Map([...files, [checkpointFile(20), filesOf(other).get(checkpointFile(20))!]])),
    )
    if (!store.ok) throw new Error(store.message)
    expect(store.stable.map(({ checkpoint }) => checkpoint.header.height)).toEqual([10])
    expect(store.uncertified).toEqual([headerOf(20, second)])
  })
})

describe('another format version', () => {
  it('is refused', () => {
    const bench = written()
    const pack = filesOf(bench).get(packFile(1))!.slice()
    pack.set(encodePackHead({ version: 2, pack: 1 }, crc32))
    const store = bench.tryOpen(new MemoryDirectory(new Map([...filesOf(bench), [packFile(1), pack]])))
    expect(store).toMatchObject({ ok: false, code: 'ERR_SNAPSHOT_FORMAT_VERSION' })
  })
})

describe('files of others', () => {
  it('are let alone', () => {
    const bench = written()
    bench.disk.open('notes')
    bench.disk.open('pack-1')
    bench.open()
    bench.save(30, { e: 'f' })
    bench.save(40, { e: 'g' })
    expect(bench.disk.list()).toEqual(expect.arrayContaining(['notes', 'pack-1']))
    expect([...entriesOf(first)].length).toBe(3)
  })
})
