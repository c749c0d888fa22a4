// What the simulated disk does to those who use it: each fault by itself, without a log.

import { describe, expect, it } from 'vitest'
import { createRandom } from '../../../src/kernel/random.ts'
import type { FileError, WritableFile } from '../../../src/storage/log/file-port.ts'
import { Scheduler } from '../../../src/simulator/scheduler.ts'
import { SimulatedDisk } from '../../../src/simulator/disk/simulated-disk.ts'

class Bench {
  readonly scheduler = new Scheduler()
  readonly disk: SimulatedDisk
  answers: (FileError | null)[] = []
  answeredUs = 0

  constructor(seed: string = 'bench') {
    this.disk = new SimulatedDisk({
      random: createRandom(seed),
      faultRandom: createRandom(`faults of ${seed}`),
      latency: { writeUs: 10, syncUsMin: 50, syncUsMax: 50 },
      schedule: (delayUs, run) => void this.scheduler.after(delayUs, run),
    })
  }

  readonly done = (error: FileError | null): void => {
    this.answers.push(error)
    this.answeredUs = this.scheduler.nowUs
  }

  /** A file with these bytes, synced, its name included. */
  synced(name: string, bytes: readonly number[]): WritableFile {
    const file = this.disk.open(name)
    file.write(0, Uint8Array.from(bytes), this.done)
    file.sync(this.done)
    this.disk.sync(this.done)
    this.run()
    return file
  }

  /** Lets everything answer, and gives the answers. */
  run(): (FileError | null)[] {
    // Not to the end of time: what is asked for afterwards has a moment, too.
    while (this.scheduler.step(this.scheduler.nowUs + 1_000_000));
    return this.answers.splice(0)
  }

  bytes(name: string): number[] {
    const read = this.disk.read(name, 0, 1000)
    return read.ok ? [...read.bytes] : []
  }
}

const isError = (code: string) => expect.objectContaining({ code })

describe('a failing sync', () => {
  it('leaves what was written readable until the crash, and no later sync saves it (fsyncgate)', () => {
    let gone = 0
    for (let seed = 0; seed < 40; seed++) {
      const bench = new Bench(`forgotten ${seed}`)
      const file = bench.synced('file', [1, 1])
      file.write(0, Uint8Array.of(2, 2), bench.done)
      bench.disk.syncing = 'fails'
      file.sync(bench.done)
      expect(bench.run()).toEqual([null, isError('ERR_DISK_IO')])
      bench.disk.syncing = 'answers'
      bench.disk.kill()
      file.sync(bench.done)
      expect(bench.run()).toEqual([null])
      expect(bench.bytes('file')).toEqual([2, 2])
      bench.disk.crash()
      const left = bench.bytes('file')
      expect([
        [1, 1],
        [2, 2],
      ]).toContainEqual(left)
      if (left[0] === 1) gone++
    }
    expect(gone).toBeGreaterThan(5)
    expect(gone).toBeLessThan(35)
  })

  it('does not stand in the way of bytes that are written again', () => {
    for (let seed = 0; seed < 20; seed++) {
      const bench = new Bench(`again ${seed}`)
      const file = bench.synced('file', [1, 1])
      file.write(0, Uint8Array.of(2, 2), bench.done)
      bench.disk.failNext('sync', { code: 'ERR_DISK_IO', message: 'EIO' })
      file.sync(bench.done)
      bench.run()
      file.write(0, Uint8Array.of(2, 2), bench.done)
      file.sync(bench.done)
      bench.run()
      bench.disk.crash()
      expect(bench.bytes('file')).toEqual([2, 2])
    }
  })

  it('does not forget a name or a length: those are in the journal', () => {
    for (let seed = 0; seed < 20; seed++) {
      const bench = new Bench(`names ${seed}`)
      const file = bench.synced('old', [1, 2, 3])
      file.truncate(1, bench.done)
      bench.run()
      bench.disk.open('new').write(0, Uint8Array.of(9), bench.done)
      bench.disk.syncing = 'fails'
      file.sync(bench.done)
      bench.disk.sync(bench.done)
      expect(bench.run()).toEqual([null, isError('ERR_DISK_IO'), isError('ERR_DISK_IO')])
      bench.disk.syncing = 'answers'
      file.sync(bench.done)
      bench.disk.sync(bench.done)
      bench.run()
      bench.disk.crash()
      expect(bench.bytes('old')).toEqual([1])
      expect(bench.disk.list()).toContain('new')
    }
  })
})

describe('a hanging sync', () => {
  it('never answers, not even when later ones do', () => {
    const bench = new Bench()
    const file = bench.synced('file', [1])
    bench.disk.syncing = 'hangs'
    file.sync(bench.done)
    bench.disk.sync(bench.done)
    expect(bench.run()).toEqual([])
    expect(bench.disk.requestsHung).toBe(2)
    bench.disk.heal()
    file.sync(bench.done)
    expect(bench.run()).toEqual([null])
  })
})

describe('a full disk', () => {
  it('takes what stands in its place and nothing that grows, until there is room', () => {
    const bench = new Bench()
    const file = bench.synced('file', [1, 1])
    bench.disk.full = true
    file.write(0, Uint8Array.of(2, 2), bench.done)
    expect(bench.run()).toEqual([null])
    file.write(2, Uint8Array.of(3, 3), bench.done)
    expect(bench.run()).toEqual([isError('ERR_DISK_FULL')])
    expect(bench.disk.size('file')).toBeLessThan(4)
    bench.disk.full = false
    file.write(2, Uint8Array.of(3, 3), bench.done)
    expect(bench.run()).toEqual([null])
    expect(bench.bytes('file')).toEqual([2, 2, 3, 3])
  })

  it('may keep the first bytes of what did not fit', () => {
    const sizes = new Set<number>()
    for (let seed = 0; seed < 30; seed++) {
      const bench = new Bench(`full ${seed}`)
      const file = bench.synced('file', [1])
      bench.disk.full = true
      file.write(1, Uint8Array.of(2, 2, 2), bench.done)
      bench.run()
      sizes.add(bench.disk.size('file'))
    }
    expect([...sizes].sort()).toEqual([1, 2, 3])
  })
})

describe('a slow disk', () => {
  it('answers later by its factor', () => {
    const bench = new Bench()
    const file = bench.synced('file', [1])
    const before = bench.scheduler.nowUs
    bench.disk.slowness = 100
    file.sync(bench.done)
    bench.run()
    expect(bench.answeredUs - before).toBe(5000)
  })
})

describe('rot', () => {
  it('on one read flips bits for that read only, after those it spares', () => {
    const bench = new Bench()
    bench.synced('file', [1, 2, 3])
    bench.disk.rotOneRead({ name: 'file', offset: 1 }, 0x80, 1)
    expect(bench.bytes('file')).toEqual([1, 2, 3])
    expect([...(bench.disk.read('file', 2, 1) as { bytes: Uint8Array }).bytes]).toEqual([3])
    expect(bench.bytes('file')).toEqual([1, 0x82, 3])
    expect(bench.disk.readsRotted).toBe(1)
    expect(bench.bytes('file')).toEqual([1, 2, 3])
  })

  it('on the platter stays; behind the page cache it shows after the next crash', () => {
    const bench = new Bench()
    bench.synced('file', [1, 2, 3])
    bench.disk.rot({ name: 'file', offset: 0 }, 0x10, true)
    bench.disk.rot({ name: 'file', offset: 2 }, 0x10, false)
    expect(bench.bytes('file')).toEqual([0x11, 2, 3])
    bench.disk.crash()
    expect(bench.bytes('file')).toEqual([0x11, 2, 0x13])
  })

  it('does not show through what the page cache has still to write', () => {
    const bench = new Bench()
    const file = bench.synced('file', [1, 2, 3])
    file.write(1, Uint8Array.of(7), bench.done)
    bench.run()
    bench.disk.rot({ name: 'file', offset: 1 }, 0x10, true)
    bench.disk.rot({ name: 'file', offset: 2 }, 0x10, true)
    expect(bench.bytes('file')).toEqual([1, 7, 0x13])
    file.sync(bench.done)
    bench.run()
    bench.disk.crash()
    expect(bench.bytes('file')).toEqual([1, 7, 0x13])
  })
})

describe('a misdirected write', () => {
  it('stands elsewhere, and not in its place', () => {
    const bench = new Bench()
    bench.synced('one', [1, 2, 3, 4])
    bench.synced('two', [9, 9, 9])
    bench.disk.misdirect({ name: 'one', offset: 1, length: 2 }, { name: 'two', offset: 0 }, false)
    expect(bench.bytes('one')).toEqual([1, 2, 3, 4])
    bench.disk.crash()
    expect(bench.bytes('one')).toEqual([1, 0, 0, 4])
    expect(bench.bytes('two')).toEqual([2, 3, 9])
  })
})

describe('a directory', () => {
  it('is empty when it was wiped', () => {
    const bench = new Bench()
    bench.synced('file', [1])
    bench.disk.wipe()
    expect(bench.disk.list()).toEqual([])
    bench.disk.crash()
    expect(bench.disk.list()).toEqual([])
  })

  it('that is wiped takes along the read of it that was to go wrong', () => {
    const bench = new Bench()
    bench.synced('file', [1])
    bench.disk.rotOneRead({ name: 'file', offset: 0 }, 0x80, 0)
    bench.disk.wipe()
    bench.synced('file', [1])
    expect(bench.bytes('file')).toEqual([1])
    expect(bench.disk.readsRotted).toBe(0)
  })

  it('is what it was when the backup was made, again and again', () => {
    const bench = new Bench()
    const file = bench.synced('file', [1])
    const image = bench.disk.backup()
    for (const value of [2, 3]) {
      file.write(0, Uint8Array.of(value), bench.done)
      bench.synced(`later ${value}`, [value])
      bench.disk.restore(image)
      expect(bench.disk.list()).toEqual(['file'])
      expect(bench.bytes('file')).toEqual([1])
      bench.disk.open('file').write(0, Uint8Array.of(7), bench.done)
    }
  })

  it('answers nothing that a killed process had asked for, and keeps what it wrote', () => {
    const bench = new Bench()
    const file = bench.synced('file', [1])
    file.write(0, Uint8Array.of(2), bench.done)
    bench.disk.kill()
    expect(bench.run()).toEqual([])
    expect(bench.bytes('file')).toEqual([2])
  })
})
