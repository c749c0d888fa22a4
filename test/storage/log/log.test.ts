// The log keeps what it reported durable, through any crash; tells a torn tail from corruption; and fails for good.

import fc from 'fast-check'
import { crc32 as zlibCrc32 } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { createRandom } from '../../../src/kernel/random.ts'
import { crc32 } from '../../../src/storage/log/crc32.ts'
import {
  encodeSegmentHeader,
  identityFile,
  noteFile,
  noteSlotBytes,
  recordHeaderBytes,
  segmentFile,
  segmentHeaderBytes,
} from '../../../src/storage/log/format.ts'
import type { Directory } from '../../../src/storage/log/file-port.ts'
import { initializeLog } from '../../../src/storage/log/initialize.ts'
import { recoverLog } from '../../../src/storage/log/recovery.ts'
import { identity, LogBench, text } from './log-bench.ts'

function written(records: readonly string[], limits = {}): LogBench {
  const bench = new LogBench(createRandom('written'), limits)
  bench.initialize()
  const log = bench.open()
  for (const record of records) {
    log.append(text(record))
    log.flush()
    bench.run()
  }
  return bench
}

describe('the checksum', () => {
  it('is that of zlib, whole and continued', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(200), (bytes, cut) => {
        expect(crc32(bytes)).toBe(zlibCrc32(bytes))
        expect(crc32(bytes.subarray(cut), crc32(bytes.subarray(0, cut)))).toBe(zlibCrc32(bytes))
      }),
    )
  })
})

describe('the log', () => {
  it('gives back what was written, in order, over several segments and starts', () => {
    const bench = written(['a', 'b', 'c'], { segmentBytesMax: 80 })
    expect(bench.disk.list().length).toBeGreaterThan(3)
    bench.open()
    expect(bench.texts()).toEqual(['a', 'b', 'c'])
  })

  it('starts no group for a record that nobody waits for: it goes with the next, when hurried, or when the log is closed', () => {
    const bench = written([])
    const log = bench.open()
    const { groups } = log
    const flushed = (): number => {
      log.flush()
      bench.run()
      return log.groups - groups
    }
    log.hurry()
    expect(flushed()).toBe(0)
    const soon = log.appendSoon(text('a'))
    expect(flushed()).toBe(0)
    expect(log.durable).toBeLessThan(soon)
    log.append(text('b'))
    expect(flushed()).toBe(1)
    expect(log.durable).toBe(soon + 1)
    log.appendSoon(text('c'))
    log.hurry()
    expect(flushed()).toBe(2)
    // The group after that one has nobody who waits, either.
    log.appendSoon(text('d'))
    expect(flushed()).toBe(2)
    log.close()
    bench.run()
    bench.open()
    expect(bench.texts()).toEqual(['a', 'b', 'c', 'd'])
  })

  it('finds single records again, over several segments, and none that was cut or is not on disk', () => {
    const bench = written(['a', 'b', 'c', 'd'], { segmentBytesMax: 80 })
    const log = bench.open()
    const sequences = [...log.records()].map(({ sequence }) => sequence)
    const read = (sequence: number) => log.read(sequence)
    for (const [index, sequence] of [...sequences.entries()].reverse()) {
      expect(read(sequence)).toEqual(text(['a', 'b', 'c', 'd'][index]!))
    }
    const unwritten = log.append(text('not yet'))
    expect([read(unwritten), read(unwritten + 1)]).toEqual([null, null])
    log.flush()
    bench.run()
    expect(read(unwritten)).toEqual(text('not yet'))
    const before = log.bytes
    log.cut(sequences[2]!, () => {})
    bench.run()
    // What the next start reads: all segments that are left, and nothing else.
    const sizes = bench.disk.list().map((name) => (name.startsWith('log-') ? bench.disk.size(name) : 0))
    expect([log.bytes, log.bytes < before]).toEqual([sizes.reduce((sum, size) => sum + size, 0), true])
    expect([read(sequences[0]!), read(sequences[3]!)]).toEqual([null, text('d')])
  })

  it('gives no record back that the disk has changed', () => {
    const bench = written(['a', 'bcdef'])
    const log = bench.open()
    const [, second] = [...log.records()].map(({ sequence }) => sequence)
    const file = bench.disk.open(segmentFile(1))
    file.write(bench.disk.size(segmentFile(1)) - recordHeaderBytes - 8 - 2, text('X'), () => {})
    bench.run()
    expect(log.read(second!)).toBe(null)
  })

  it.each([true, false])(
    'gives no other record for one that the disk has put in its place, read before: %s',
    (before) => {
      const bench = written(['a', 'b', 'c'])
      const log = bench.open()
      const [first, second, third] = [...log.records()].map(({ sequence }) => sequence)
      if (before) for (const sequence of [first!, second!, third!]) expect(log.read(sequence)).not.toBeNull()
      const record = recordHeaderBytes + 1
      const at = bench.disk.size(segmentFile(1)) - (recordHeaderBytes + 8) - 3 * record
      const other = bench.disk.read(segmentFile(1), at + record, record)
      if (!other.ok) throw new Error('unreadable')
      bench.disk.open(segmentFile(1)).write(at, other.bytes, () => {})
      bench.run()
      expect(log.read(first!)).toBeNull()
      // What lies behind it is found where it was, if that was known.
      expect(log.read(third!)).toEqual(before ? text('c') : null)
    },
  )

  it('gives no record back that is written, and not on disk yet', () => {
    const bench = written(['a'])
    const log = bench.open()
    const sequence = log.append(text('b'))
    log.flush()
    bench.run(1)
    expect([log.durable < sequence, log.read(sequence)]).toEqual([true, null])
    bench.run()
    expect(log.read(sequence)).toEqual(text('b'))
  })

  it('counts its starts, for ever', () => {
    const bench = new LogBench()
    bench.initialize()
    expect([bench.open().incarnation, bench.open().incarnation, bench.open().incarnation]).toEqual([1, 2, 3])
  })

  it('commits in groups: one sync of records and note for all that waits', () => {
    const bench = new LogBench()
    bench.initialize()
    const log = bench.open()
    const { groups, syncs } = log
    const before = bench.disk.syncs
    const first = log.append(text('first'))
    log.flush()
    let last = first
    for (let record = 0; record < 100; record++) {
      last = log.append(text('later'))
      log.flush()
    }
    bench.run()
    expect(bench.durable).toEqual([first, last])
    expect(log.groups - groups).toBe(2)
    expect(log.syncs - syncs).toBe(4)
    expect(log.syncs - syncs).toBe(bench.disk.syncs - before)
  })

  it('reports nothing durable before its sync has answered (C14)', () => {
    const bench = new LogBench()
    bench.initialize()
    const log = bench.open()
    const before = bench.disk.syncs
    log.append(text('a'))
    log.flush()
    while (bench.disk.syncs === before) {
      expect(bench.durable).toEqual([])
      bench.run(1)
    }
  })

  it('fails for good when a sync fails: nothing is retried, nothing more is durable (C37)', () => {
    const bench = new LogBench()
    bench.initialize()
    const log = bench.open()
    log.append(text('a'))
    bench.disk.failNext('sync', { code: 'ERR_DISK_IO', message: 'EIO' })
    log.flush()
    bench.run()
    log.append(text('b'))
    log.flush()
    bench.run()
    expect(bench.failure).toMatchObject({ code: 'ERR_DISK_IO' })
    expect(bench.durable).toEqual([])
  })

  it('keeps what does not fit on a full disk, and goes on when a probe succeeds', () => {
    const bench = new LogBench()
    bench.initialize()
    const log = bench.open()
    const first = log.append(text('a'))
    bench.disk.failNext('write', { code: 'ERR_DISK_FULL', message: 'ENOSPC' })
    log.flush()
    bench.run()
    expect(bench.fullError).toMatchObject({ code: 'ERR_DISK_FULL' })
    expect(log.backedUp).toBe(true)
    const second = log.append(text('b'))
    log.flush()
    bench.run()
    expect(bench.durable).toEqual([])
    log.probe()
    bench.run()
    log.flush()
    bench.run()
    expect(bench.durable).toEqual([first, second])
    bench.open()
    expect(bench.texts()).toEqual(['a', 'b'])
  })

  it('tries the header of a new segment again where it did not fit, and not the group in the old segment', () => {
    const bench = written(['a', 'b'], { segmentBytesMax: 60 })
    const log = bench.log!
    const segments = (): string[] => bench.disk.list().filter((name) => name.startsWith('log-'))
    const before = segments().length
    const third = log.append(text('c'))
    bench.disk.failNext('write', { code: 'ERR_DISK_FULL', message: 'ENOSPC' })
    log.flush()
    bench.run()
    expect(bench.fullError).toMatchObject({ code: 'ERR_DISK_FULL' })
    log.probe()
    bench.run()
    expect(bench.durable.at(-1)).toBe(third)
    expect(segments().length).toBe(before + 1)
    expect(bench.disk.size(segments().sort().at(-1)!)).toBeGreaterThan(segmentHeaderBytes)
    bench.open()
    expect(bench.texts()).toEqual(['a', 'b', 'c'])
  })

  it('reports a group when the note of the group before is on disk too: the note is never two groups behind', () => {
    const bench = new LogBench()
    let hangs = false
    const open = bench.disk.open.bind(bench.disk)
    bench.disk.open = (name) => {
      const file = open(name)
      return name === noteFile ? { ...file, sync: (done) => (hangs ? undefined : file.sync(done)) } : file
    }
    bench.initialize()
    const log = bench.open()
    hangs = true
    log.append(text('a'))
    log.flush()
    bench.run()
    expect(bench.durable).toEqual([])
  })

  it('says when too much waits, and refuses a record above the limit', () => {
    const bench = new LogBench(createRandom(1), { waitingBytesMax: 100, recordBytesMax: 64 })
    bench.initialize()
    const log = bench.open()
    expect(log.backedUp).toBe(false)
    log.append(new Uint8Array(60))
    log.append(new Uint8Array(60))
    expect(log.backedUp).toBe(true)
    expect(() => log.append(new Uint8Array(65))).toThrow(RangeError)
  })

  it('removes whole segments below a cut, and nothing else', () => {
    const bench = written(['a', 'b', 'c', 'd'], { segmentBytesMax: 60 })
    const log = bench.log!
    const { syncs } = log
    const before = bench.disk.syncs
    let cut = false
    log.cut(4, () => (cut = true))
    bench.run()
    expect(cut).toBe(true)
    // The note, and the directory.
    expect([log.syncs - syncs, bench.disk.syncs - before]).toEqual([2, 2])
    log.append(text('e'))
    log.flush()
    bench.run()
    // A new segment and its name, and then the group with its note.
    expect([log.syncs - syncs, bench.disk.syncs - before]).toEqual([6, 6])
    bench.open()
    expect(bench.texts()).toEqual(['c', 'd', 'e'])
  })

  it('names the first segment that is left in both notes before a cut removes others: either may rot', () => {
    for (const slot of [0, 1]) {
      const bench = written(['a', 'b', 'c', 'd'], { segmentBytesMax: 60 })
      bench.log!.cut(4, () => {})
      bench.run()
      const whole = bench.recover()
      tamper(bench, noteFile, (bytes) => {
        bytes[slot * noteSlotBytes + 9]! ^= 1
        return bytes
      })
      expect(bench.recover(), `slot ${slot}`).toMatchObject({ ok: true, firstSegment: whole.ok && whole.firstSegment })
    }
  })
})

describe('opening', () => {
  it('refuses an empty, a foreign and a half-made directory in one sentence', () => {
    const empty = new LogBench()
    expect(empty.recover()).toMatchObject({ ok: false, code: 'ERR_LOG_EMPTY_DIRECTORY' })
    const bench = written(['a'])
    const stranger = { network: new Uint8Array(32), replica: 3 }
    expect(bench.recover(stranger)).toMatchObject({ ok: false, code: 'ERR_LOG_FOREIGN_DIRECTORY' })
    expect(bench.recover({ ...identity, replica: 4 })).toMatchObject({ ok: false, code: 'ERR_LOG_FOREIGN_DIRECTORY' })
    const half = new LogBench()
    initializeLog({ directory: half.disk, crc32, ...identity, voice: 'votes' }, () => {})
    half.run(2)
    expect(half.recover()).toMatchObject({ ok: false, code: 'ERR_LOG_CORRUPT' })
    const other = new LogBench()
    other.disk.open('letters')
    expect(other.recover()).toMatchObject({ ok: false, code: 'ERR_LOG_FOREIGN_DIRECTORY' })
  })

  it('refuses a directory of another network where a single byte of it differs', () => {
    const network = identity.network.slice()
    network[31]! ^= 1
    expect(written(['a']).recover({ ...identity, network })).toMatchObject({ code: 'ERR_LOG_FOREIGN_DIRECTORY' })
  })

  it('refuses a segment of another format as such, and not as a damaged one', () => {
    const bench = written(['a'])
    const header = encodeSegmentHeader({ version: 9, segment: 1, firstSequence: 1, chain: 0 }, crc32)
    bench.disk.open(segmentFile(1)).write(0, header, () => {})
    bench.run()
    expect(bench.recover()).toMatchObject({ ok: false, code: 'ERR_LOG_FORMAT_VERSION' })
  })

  it.each([identityFile, segmentFile(1)])(
    'calls a disk that does not give %s back unreadable, and not the log corrupt',
    (name) => {
      const { disk } = written(['a'])
      const directory: Directory = {
        list: () => disk.list(),
        size: (file) => disk.size(file),
        read: (file, offset, length) =>
          file === name
            ? { ok: false, error: { code: 'ERR_DISK_IO', message: 'EIO' } }
            : disk.read(file, offset, length),
        open: (file) => disk.open(file),
        remove: (file, done) => disk.remove(file, done),
        sync: (done) => disk.sync(done),
      }
      const recovery = recoverLog({ directory, crc32, expected: identity })
      let step = recovery.next()
      while (step.done !== true) step = recovery.next()
      expect(step.value).toMatchObject({
        ok: false,
        code: 'ERR_LOG_UNREADABLE',
        message: expect.stringContaining(`${name} cannot be read (EIO)`),
      })
    },
  )

  it('does not make a log where something is', () => {
    const bench = written(['a'])
    initializeLog({ directory: bench.disk, crc32, ...identity, voice: 'votes' }, (error) => {
      expect(error).toMatchObject({ code: 'ERR_LOG_NOT_EMPTY' })
    })
    expect.assertions(1)
  })
})

/** Changes a file behind the log's back, for sure. */
function tamper(bench: LogBench, name: string, change: (bytes: Uint8Array) => Uint8Array): void {
  const before = bench.disk.read(name, 0, 1 << 20)
  if (!before.ok) throw new Error(before.error.message)
  const after = change(Uint8Array.from(before.bytes))
  const file = bench.disk.open(name)
  file.truncate(0, () => {})
  bench.run()
  file.write(0, after, () => {})
  bench.run()
  file.sync(() => {})
  bench.run()
}

describe('a small log cut at every byte and with every bit flipped (C38, C39, B40)', () => {
  const records = ['first', 'second', 'third']
  const name = segmentFile(1)
  // The note stands after the group of 'third' here: an idle log is noted to its end.
  const size = written(records).disk.size(name)

  it('is refused when anything below the noted end is missing', () => {
    for (let length = 0; length < size; length++) {
      const bench = written(records)
      tamper(bench, name, (bytes) => bytes.subarray(0, length))
      expect(bench.recover(), `cut to ${length}`).toMatchObject({ ok: false, code: 'ERR_LOG_CORRUPT' })
    }
  })

  it('is refused when any bit below the noted end has flipped', () => {
    for (let bit = 0; bit < size * 8; bit++) {
      const bench = written(records)
      tamper(bench, name, (bytes) => {
        bytes[bit >> 3]! ^= 1 << (bit & 7)
        return bytes
      })
      const recovered = bench.recover()
      expect(recovered.ok, `bit ${bit}`).toBe(false)
      if (!recovered.ok) expect(['ERR_LOG_CORRUPT', 'ERR_LOG_FORMAT_VERSION']).toContain(recovered.code)
    }
  })

  it('is cut cleanly to whole records when bytes above the noted end are torn off', () => {
    const note = noted(written(records).disk, 0)
    for (let length = segmentHeaderBytes; length < size; length++) {
      const bench = written(records)
      tamper(bench, 'synced', () => note)
      tamper(bench, name, (bytes) => bytes.subarray(0, length))
      bench.open()
      expect(records.slice(0, bench.texts().length)).toEqual(bench.texts())
      expect(bench.texts().length).toBeLessThan(records.length)
    }
  })

  it('is refused when a flip above the noted end has a record behind it that was written after its sync', () => {
    const note = noted(written(records).disk, 0)
    const bench = written(records)
    tamper(bench, 'synced', () => note)
    tamper(bench, name, (bytes) => {
      const at = indexOf(bytes, text('first'))
      bytes[at]! ^= 1
      return bytes
    })
    expect(bench.recover()).toMatchObject({ ok: false, code: 'ERR_LOG_CORRUPT' })
  })

  it('survives a torn note, and refuses when no note is left', () => {
    const bench = written(records)
    for (const slot of [0, 1]) {
      const torn = written(records)
      tamper(torn, 'synced', (bytes) => {
        bytes[slot * noteSlotBytes]! ^= 1
        return bytes
      })
      torn.open()
      expect(torn.texts()).toEqual(records)
    }
    tamper(bench, 'synced', (bytes) => bytes.fill(0))
    expect(bench.recover()).toMatchObject({ ok: false, code: 'ERR_LOG_CORRUPT' })
  })

  /** The note as it was when the log was made: it vouches for no record. */
  function noted(disk: LogBench['disk'], _counter: number): Uint8Array {
    const fresh = new LogBench()
    fresh.initialize()
    const read = fresh.disk.read('synced', 0, 2 * noteSlotBytes)
    expect(disk.size('synced')).toBe(2 * noteSlotBytes)
    return read.ok ? read.bytes : new Uint8Array(0)
  }

  function indexOf(bytes: Uint8Array, wanted: Uint8Array): number {
    for (let at = 0; at < bytes.length; at++) if (wanted.every((byte, index) => bytes[at + index] === byte)) return at
    throw new Error('not in the file')
  }
})

describe('crashes', () => {
  it('lose nothing that was reported durable, at every step of writing, rolling, cutting and opening (C12, C13)', () => {
    for (let crashAt = 0; crashAt < 140; crashAt++) {
      for (let seed = 0; seed < 4; seed++) {
        const bench = new LogBench(createRandom(`crash ${crashAt} ${seed}`), { segmentBytesMax: 150 })
        bench.initialize()
        survive(bench, crashAt)
      }
    }
  })

  function survive(bench: LogBench, crashAt: number): void {
    const appended = new Map<number, string>()
    let durable = 0
    let cutBelow = 0
    let left = crashAt
    const run = (): boolean => {
      while (left > 0 && bench.scheduler.step(Infinity)) left--
      durable = Math.max(durable, bench.durable.at(-1) ?? 0)
      return left > 0
    }
    expect(bench.beginOpen()).toBeNull()
    if (run()) {
      for (let number = 0; number < 12; number++) {
        const record = `record ${number}`
        appended.set(bench.log!.append(text(record)), record)
        bench.log!.flush()
        if (number === 8) bench.log!.cut((cutBelow = 6), () => {})
        if (!run()) break
      }
    }
    bench.disk.crash()
    // Twice: a record that one recovery has shown must not be lost by the next crash.
    let shown: string[] = []
    for (const again of [false, true]) {
      const log = bench.open()
      const found = new Map([...log.records()].map((record) => [record.sequence, String.fromCharCode(...record.bytes)]))
      for (const [sequence, record] of appended) {
        if (sequence <= durable && sequence >= cutBelow) expect(found.get(sequence)).toBe(record)
        if (found.has(sequence)) expect(found.get(sequence)).toBe(record)
      }
      const sequences = [...found.keys()]
      expect(sequences).toEqual([...sequences].sort((left, right) => left - right))
      for (const sequence of sequences) expect(appended.has(sequence)).toBe(true)
      if (again) expect([...found.values()]).toEqual(shown)
      shown = [...found.values()]
      bench.disk.crash()
    }
  }

  it('never confuse what is appended after a cut tail with what was cut', () => {
    for (let seed = 0; seed < 200; seed++) {
      const bench = new LogBench(createRandom(seed))
      bench.initialize()
      let log = bench.open()
      log.append(text('kept'))
      log.flush()
      bench.run()
      for (let round = 0; round < 3; round++) {
        for (let number = 0; number < 5; number++) log.append(text(`lost in round ${round}`))
        log.flush()
        bench.run(1)
        bench.disk.crash()
        log = bench.open()
        const texts = bench.texts()
        expect(texts[0]).toBe('kept')
        log.append(text(`after ${round}`))
        log.flush()
        bench.run()
        bench.open()
        expect(bench.texts()).toEqual([...texts, `after ${round}`])
        log = bench.log!
      }
    }
  })
})
