// Which disks a run may damage, and where: only what recovery is sure to notice.

import { describe, expect, it } from 'vitest'
import { faultsTolerated } from '../../src/kernel/quorum.ts'
import { createRandom } from '../../src/kernel/random.ts'
import { checkedPlaces, DiskAtlas, soundNotes } from '../../src/simulator/disk-atlas.ts'
import { identityFile, noteFile, noteSlotBytes } from '../../src/storage/log/format.ts'
import { LogBench, text } from '../storage/log/log-bench.ts'

function written(seed: number): LogBench {
  const bench = new LogBench(createRandom(`atlas ${seed}`), { segmentBytesMax: 200 })
  bench.initialize()
  bench.open()
  for (let record = 0; record < 12; record++) {
    bench.log!.append(text(`record ${record}`))
    bench.log!.flush()
    bench.run()
  }
  return bench
}

describe('the atlas', () => {
  it.each([
    [1, 0],
    [2, 0],
    [3, 1],
    [4, 1],
    [5, 2],
  ])('of %i replicas lets %i be damaged, and those again', (replicas, damagedMax) => {
    const atlas = new DiskAtlas(faultsTolerated('crash', replicas))
    for (let replica = 1; replica <= damagedMax; replica++) atlas.damage(replica as never)
    for (let replica = 1; replica <= replicas; replica++) {
      expect(atlas.isDamaged(replica as never)).toBe(replica <= damagedMax)
      expect(atlas.mayDamage(replica as never)).toBe(replica <= damagedMax)
    }
    expect(() => atlas.damage(replicas as never)).toThrow(RangeError)
  })
})

describe('a checked place', () => {
  it('is one where no flipped bit goes unnoticed, at whatever moment the power is lost', () => {
    let places = 0
    for (let seed = 0; seed < 12; seed++) {
      const clean = written(seed)
      for (const place of checkedPlaces(clean.disk.platter)) {
        for (let at = seed % 7; at < place.length; at += 7) {
          const bench = written(seed)
          bench.log!.append(text('on its way'))
          bench.log!.flush()
          bench.run(seed % 5)
          bench.disk.rot({ name: place.name, offset: place.offset + at }, 1 << (at % 8), at % 2 === 0)
          bench.disk.crash()
          expect(bench.recover(), `seed ${seed}, ${place.name} byte ${at}`).toMatchObject({
            ok: false,
            code: 'ERR_LOG_CORRUPT',
          })
          places++
        }
      }
    }
    expect(places).toBeGreaterThan(200)
  })

  it('is the identity and what is below the older note, because the newer one may be lost', () => {
    const bench = written(1)
    const places = checkedPlaces(bench.disk.platter)
    expect(places[0]?.name).toBe(identityFile)
    const before = places.at(-1)!
    const notes = soundNotes(bench.disk.platter)
    expect(notes.length).toBe(2)
    const [first, second] = notes as [(typeof notes)[0], (typeof notes)[0]]
    const older = first.counter < second.counter ? first : second
    expect(before.length).toBe(older.endOffset)
    // With one note gone, the other one is all there is.
    const slot = (older.counter % 2) * noteSlotBytes
    bench.disk.rot({ name: noteFile, offset: slot }, 1, true)
    expect(soundNotes(bench.disk.platter)).toEqual([older === first ? second : first])
  })

  it('is not on a disk that was wiped', () => {
    const bench = written(2)
    bench.disk.wipe()
    expect(checkedPlaces(bench.disk.platter)).toEqual([])
  })
})
