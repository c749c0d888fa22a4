// What was seen of the others' starts outlives every crash once it is reported, and damage costs at most what was not.

import { describe, expect, it } from 'vitest'
import { replicaId } from '../../../src/kernel/ids.ts'
import { membersMax } from '../../../src/kernel/limits.ts'
import { createRandom } from '../../../src/kernel/random.ts'
import { crc32 } from '../../../src/storage/log/crc32.ts'
import type { FileError } from '../../../src/storage/log/file-port.ts'
import { incarnationMax } from '../../../src/storage/log/rejoin.ts'
import { seenFile, SeenIncarnations, seenSlotBytes } from '../../../src/storage/log/seen-incarnations.ts'
import { LogBench } from './log-bench.ts'

const start = (incarnation: number, process = incarnation) => ({
  incarnation,
  process: new Uint8Array(16).fill(process),
})
const two = replicaId(2)

function bench(seed: string | number = 'seen') {
  const { disk, scheduler } = new LogBench(createRandom(seed))
  const run = (steps = Infinity): void => {
    for (let step = 0; step < steps && scheduler.step(Infinity); step++);
  }
  const open = (): SeenIncarnations => new SeenIncarnations(disk, crc32)
  const prepared = (): SeenIncarnations => {
    const seen = open()
    seen.prepare((error) => expect(error).toBeNull())
    run()
    return seen
  }
  return { disk, run, open, prepared }
}

describe('the incarnations seen', () => {
  it('are none in a new directory, and what was noted after a new start', () => {
    const { run, open, prepared } = bench()
    const seen = prepared()
    expect([seen.newest(two), seen.own]).toEqual([null, 0])
    const answers: (FileError | null)[] = []
    expect(seen.note(two, start(5), (error) => answers.push(error))).toBe(false)
    // On its way it counts already against whoever is older.
    expect(seen.newest(two)).toEqual(start(5))
    expect(answers).toEqual([])
    run()
    expect(answers).toEqual([null])
    const again = open()
    expect(again.newest(two)).toEqual(start(5))
    expect(again.note(two, start(5), () => answers.push(null))).toBe(true)
    expect(again.note(two, start(5, 9), () => {})).toBe(false)
    run()
    expect([answers.length, open().newest(two)]).toEqual([1, start(5, 9)])
  })

  it('are reported when they are on disk, and are there after a crash at any step', () => {
    for (let seed = 0; seed < 8; seed++) {
      for (let crashAt = 0; crashAt < 24; crashAt++) {
        const { disk, run, open, prepared } = bench(seed)
        let kept = 0
        prepared()
        for (let life = 1; life <= 3; life++) {
          const seen = open()
          seen.note(two, start(life), (error) => {
            if (error === null) kept = life
          })
          run(life === 3 ? crashAt : Infinity)
        }
        disk.crash()
        const found = open().newest(two)?.incarnation ?? 0
        expect(found).toBeGreaterThanOrEqual(kept)
        expect(kept).toBeGreaterThanOrEqual(2)
      }
    }
  })

  it('are those of another process where a single byte of it differs', () => {
    const { run, open, prepared } = bench()
    const seen = prepared()
    seen.note(two, start(5), () => {})
    run()
    const twin = start(5)
    twin.process[15]! ^= 1
    expect(seen.note(two, twin, () => {})).toBe(false)
    run()
    expect(open().newest(two)).toEqual(twin)
  })

  it('are written one after the other, so that one on its way endangers none that was reported', () => {
    for (let seed = 0; seed < 20; seed++) {
      for (let crashAt = 0; crashAt < 10; crashAt++) {
        const { disk, run, open, prepared } = bench(`together ${seed}`)
        const seen = prepared()
        let kept = 0
        for (let incarnation = 1; incarnation <= 3; incarnation++) {
          seen.note(two, start(incarnation), (error) => {
            if (error === null) kept = incarnation
          })
          run(1)
        }
        run(crashAt)
        disk.crash()
        expect(open().newest(two)?.incarnation ?? 0).toBeGreaterThanOrEqual(kept)
      }
    }
  })

  it('are none where a slot is sound, and is of another format or holds what none can', () => {
    const { disk, run, open, prepared } = bench()
    const seen = prepared()
    seen.note(two, start(1), () => {})
    run()
    const whole = disk.read(seenFile, seenSlotBytes, seenSlotBytes)
    if (!whole.ok) throw new Error('unreadable')
    const end = 2 + new DataView(whole.bytes.buffer, whole.bytes.byteOffset).getUint16(0, true)
    // The version, and the number of the members.
    for (const at of [2, 2 + 2 + 8 + 8]) {
      const slot = whole.bytes.slice()
      slot[at]!++
      new DataView(slot.buffer).setUint32(end, crc32(slot.subarray(0, end), 0), true)
      disk.open(seenFile).write(seenSlotBytes, slot, () => {})
      run()
      expect(open().newest(two)).toBeNull()
    }
  })

  it('are not written any more by one that was closed', () => {
    const { run, open, prepared } = bench()
    const seen = prepared()
    seen.close()
    seen.note(two, start(1), () => {
      throw new Error('answered')
    })
    run()
    expect(open().newest(two)).toBeNull()
  })

  it('fit for as many members as there can be, and the file never grows', () => {
    const { disk, run, open, prepared } = bench()
    const seen = prepared()
    expect(disk.size(seenFile)).toBe(2 * seenSlotBytes)
    for (let id = 1; id <= membersMax; id++) seen.note(replicaId(id), start(2 ** 50 + id, id), () => {})
    run()
    expect(disk.size(seenFile)).toBe(2 * seenSlotBytes)
    expect(open().newest(replicaId(membersMax))?.incarnation).toBe(2 ** 50 + membersMax)
    expect(open().newest(replicaId(1))).toEqual(start(2 ** 50 + 1, 1))
  })

  it('lose only the slot that is damaged, and with both nothing but what they held', () => {
    const { disk, run, open, prepared } = bench()
    const seen = prepared()
    for (const incarnation of [1, 2, 3]) {
      seen.note(two, start(incarnation), () => {})
      run()
    }
    const whole = disk.read(seenFile, 0, 2 * seenSlotBytes)
    if (!whole.ok) throw new Error('unreadable')
    for (let at = 0; at < seenSlotBytes; at += 7) {
      // The third lies in the odd slot.
      overwrite(seenSlotBytes + at, Uint8Array.of(whole.bytes[seenSlotBytes + at]! ^ 1))
      const found = open().newest(two)?.incarnation
      expect(found === 2 || found === 3).toBe(true)
      overwrite(0, whole.bytes)
    }
    overwrite(0, new Uint8Array(2 * seenSlotBytes).fill(255))
    expect(open().newest(two)).toBeNull()

    function overwrite(offset: number, bytes: Uint8Array): void {
      const file = disk.open(seenFile)
      file.write(offset, bytes, () => {})
      run()
    }
  })

  it('say why they cannot be kept, and are tried again in the same slot: the other is all there is', () => {
    const { disk, run, open, prepared } = bench()
    const seen = prepared()
    seen.note(two, start(1), () => {})
    run()
    const answers: (FileError | null)[] = []
    for (let time = 0; time < 2; time++) {
      disk.failNext('write', { code: 'ERR_DISK_FULL', message: 'ENOSPC' })
      expect(seen.note(two, start(2), (error) => answers.push(error))).toBe(false)
      run()
      expect(open().newest(two)).toEqual(start(1))
    }
    expect(answers).toMatchObject([{ code: 'ERR_DISK_FULL' }, { code: 'ERR_DISK_FULL' }])
    expect(seen.note(two, start(2), (error) => answers.push(error))).toBe(false)
    run()
    expect([answers.at(-1), open().newest(two)]).toEqual([null, start(2)])
  })

  it('keep what others have seen of this replica, and believe nothing that cannot be', () => {
    const { run, open, prepared } = bench()
    const seen = prepared()
    seen.noteOwn(7, () => {})
    seen.noteOwn(6, () => {})
    seen.noteOwn(incarnationMax, () => {})
    run()
    expect(open().own).toBe(7)
  })
})
