// Whatever operation of the disk fails, and whenever: the store fails once and for good, nobody waits for an answer that never comes, and
// a start after the power loss that follows finds what was certified, whole.

import { describe, expect, it } from 'vitest'
import { createRandom } from '../../../src/kernel/random.ts'
import { FailingDirectory, failure } from '../failing-directory.ts'
import { readState, SnapshotBench, type Answer, type State } from './snapshot-bench.ts'

const limits = { packBytesMax: 1000, groupBytesMax: 200, syncEveryBytes: 400, compactionBytesMax: 2000 }

/** Most of it changes from one to the next, so that packs become sparse and are copied. */
function stateOf(number: number): State {
  const names = Array.from({ length: 12 }, (_, index) => index)
  return Object.fromEntries(
    names.map((index) => [`chunk ${index}`, `${index} ${index % 4 === 0 ? 0 : number} `.padEnd(120, 'x')]),
  )
}

interface Life {
  bench: SnapshotBench
  directory: FailingDirectory
  failures: number
  /** The newest that was certified. */
  certified: number
  last: { finished: Answer; certified: Answer } | null
}

function live(seed: number, failing: number): Life {
  const bench = new SnapshotBench(createRandom(`operations ${seed}`), limits)
  const directory = new FailingDirectory(bench, failing)
  const life: Life = { bench, directory, failures: 0, certified: 0, last: null }
  Object.defineProperty(bench, 'failure', {
    set: () => {
      life.failures++
    },
  })
  bench.open(directory)
  for (let number = 1; number <= 6 && life.failures === 0; number++) {
    const answers = bench.beginSave(number * 10, stateOf(number))
    bench.run()
    life.last = answers
    if (answers.certified === null) life.certified = number
  }
  return life
}

describe('an operation of the disk that fails', () => {
  it.each([0, 1, 2])('ends the store once, and costs nothing that was certified, each third from %i', (seed) => {
    const whole = live(seed, -1)
    expect(whole).toMatchObject({ failures: 0, certified: 6 })
    for (let failing = seed; failing < whole.directory.operations; failing += 3) {
      const { bench, directory, failures, certified, last } = live(seed, failing)
      const where = `operation ${failing}`
      expect([directory.hasFailed, failures], where).toEqual([true, 1])
      expect([last!.finished, last!.certified === 'waiting' ? last!.finished : last!.certified], where).not.toContain(
        'waiting',
      )
      if (last!.certified !== null) expect([last!.finished, last!.certified], where).toContainEqual(failure)
      expect(bench.fullError, where).toBeNull()
      bench.disk.crash()
      const store = bench.open()
      const [newest] = store.stable
      expect(newest?.checkpoint.header.height ?? 0, where).toBeGreaterThanOrEqual(certified * 10)
      for (const { checkpoint, entries } of store.stable) {
        expect(readState(store, entries), where).toEqual(stateOf(checkpoint.header.height / 10))
      }
    }
  })

  it('is one of many: chunks, marks, packs, manifests, certificates, what is copied and what is removed', () => {
    const { bench, directory } = live(0, -1)
    expect(directory.operations).toBeGreaterThan(100)
    expect(bench.disk.list()).not.toContain('pack-0000000001')
  })
})
