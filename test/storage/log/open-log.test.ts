// Opening a log that an earlier life left behind after its disk had failed: what is believed is on disk, whatever the page cache shows.

import { describe, expect, it } from 'vitest'
import { createRandom } from '../../../src/kernel/random.ts'
import { noteFile, segmentFile } from '../../../src/storage/log/format.ts'
import { LogBench, text } from './log-bench.ts'

const seeds = Array.from({ length: 30 }, (_, seed) => seed)

function bench(seed: number | string, limits = {}): LogBench {
  const made = new LogBench(createRandom(`open log ${seed}`), limits)
  made.initialize()
  return made
}

function write(made: LogBench, records: readonly string[]): void {
  for (const record of records) {
    made.log!.append(text(record))
    made.log!.flush()
    made.run()
  }
}

describe('a log whose sync failed in an earlier life (C37)', () => {
  it('keeps through a power loss what the next life has found and believed', () => {
    for (const seed of seeds) {
      const made = bench(seed)
      made.open()
      write(made, ['a'])
      made.log!.append(text('b'))
      made.disk.syncing = 'fails'
      made.log!.flush()
      made.run()
      expect(made.failure).toMatchObject({ code: 'ERR_DISK_IO' })
      made.disk.heal()
      made.disk.kill()
      // The page cache shows it, so it is part of the log that this life speaks for.
      made.open()
      expect(made.texts()).toEqual(['a', 'b'])
      made.disk.crash()
      made.open()
      expect(made.texts()).toEqual(['a', 'b'])
    }
  })

  it('keeps it also where a new segment had begun', () => {
    for (const seed of seeds) {
      const made = bench(seed, { segmentBytesMax: 100 })
      made.open()
      write(made, ['a', 'b', 'c', 'd'])
      const before = made.disk.list().length
      made.disk.syncing = 'fails'
      write(made, ['e'])
      made.disk.heal()
      made.disk.kill()
      made.open()
      const found = made.texts()
      made.disk.crash()
      made.open()
      expect(made.texts()).toEqual(found)
      expect(made.disk.list().length).toBeGreaterThanOrEqual(before)
    }
  })

  it('removes nothing on the word of a note that a power loss may take back', () => {
    for (const seed of seeds) {
      const made = bench(seed, { segmentBytesMax: 80 })
      made.open()
      write(made, ['a', 'b', 'c', 'd'])
      made.disk.syncing = 'fails'
      made.log!.cut(made.log!.durable, () => {})
      made.run()
      expect(made.failure).toMatchObject({ code: 'ERR_DISK_IO' })
      made.disk.heal()
      made.disk.kill()
      made.beginOpen()
      // Power is lost somewhere on the way.
      made.run(seed % 8)
      made.disk.crash()
      expect(made.recover()).toMatchObject({ ok: true })
    }
  })

  it('writes again only what stands above the note', () => {
    const made = bench('little')
    made.open()
    write(made, ['a'.repeat(5000), 'b'])
    made.disk.kill()
    const before = made.disk.bytesWritten
    made.open()
    expect(made.disk.bytesWritten - before).toBeLessThan(500)
  })
})

describe('a disk that gives back something else the second time', () => {
  it('is not trusted with writing it over what may be sound', () => {
    const made = bench('changing')
    made.open()
    write(made, ['a'])
    made.log!.append(text('b'))
    made.log!.flush()
    // Written, and neither synced nor noted.
    made.run(1)
    made.disk.kill()
    const last = made.disk.size(segmentFile(1)) - 1
    made.disk.rotOneRead({ name: segmentFile(1), offset: last }, 0x01, 1)
    const read = (): unknown => made.disk.read(segmentFile(1), 0, 10_000)
    const before = made.disk.size(segmentFile(1))
    made.beginOpen()
    made.run()
    expect(made.disk.readsRotted).toBe(1)
    expect(made.log).toBeNull()
    expect(made.failure).toMatchObject({ code: 'ERR_DISK_IO' })
    expect(read()).toMatchObject({ ok: true, bytes: { length: before } })
    made.disk.kill()
    made.open()
    expect(made.texts()).toEqual(['a', 'b'])
  })

  it('is noticed when the note is read again', () => {
    const made = bench('changing note')
    made.open()
    write(made, ['a'])
    made.disk.kill()
    const recovered = made.recover()
    const slot = recovered.ok ? recovered.noteCounter % 2 : 0
    made.disk.rotOneRead({ name: noteFile, offset: slot * 52 }, 0x01, 1)
    made.beginOpen()
    expect(made.failure).toMatchObject({ code: 'ERR_DISK_IO' })
  })

  it('is noticed by whoever reads the records', () => {
    const made = bench('changing records')
    made.open()
    write(made, ['a', 'b', 'c'])
    made.disk.rotOneRead({ name: segmentFile(1), offset: made.disk.size(segmentFile(1)) - 1 }, 0x01, 0)
    expect(() => made.texts()).toThrow(/no longer gives back/)
    expect(made.texts()).toEqual(['a', 'b', 'c'])
  })
})
