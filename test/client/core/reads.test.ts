// Goal: reads under way are found by their numbers, in their order, whichever have ended; and what has ended is not kept. Method: a Map beside it.

import { describe, expect, it } from 'vitest'
import { Read, Reads } from '../../../src/client/core/reads.ts'
import { createRandom } from '../../../src/kernel/random.ts'

const read = (id: number): Read => new Read(id, new Uint8Array(9), () => {}, 'linearizable', 'one')

describe('reads under way', () => {
  it('are those that were added and not removed', () => {
    const random = createRandom('reads')
    const reads = new Reads()
    const model = new Map<number, Read>()
    let nextId = 1
    for (let step = 0; step < 20_000; step++) {
      if (random.below(100) < 50 + (step % 4000 < 2000 ? 5 : -5)) {
        const one = read(nextId)
        nextId += random.between(1, 3)
        reads.add(one)
        model.set(one.id, one)
      } else {
        const [oldest] = model.values()
        const one = random.chance(2, 3) ? oldest : (model.get(random.below(nextId)) ?? oldest)
        if (one === undefined) continue
        reads.remove(one)
        reads.remove(one)
        model.delete(one.id)
      }
      const id = random.below(nextId + 2)
      expect(reads.find(id)).toBe(model.get(id))
    }
    expect(reads.all().filter(({ isOver }) => !isOver)).toEqual([...model.values()])
  })

  it('are all that is kept, and a little', () => {
    const reads = new Reads()
    const first = read(1)
    reads.add(first)
    for (let id = 2; id < 10_000; id++) {
      const one = read(id)
      reads.add(one)
      reads.remove(one)
      expect(one.query.length).toBe(0)
    }
    expect(reads.all().length).toBeLessThan(100)
    expect(reads.find(1)).toBe(first)
  })

  it('fail together, once each', () => {
    const failed: string[] = []
    const reads = new Reads()
    for (let id = 1; id <= 200; id++) {
      reads.add(
        new Read(id, new Uint8Array(0), (one) => void failed.push(one.ok ? 'ok' : one.failure.code), 'local', 'one'),
      )
    }
    reads.remove(reads.find(7)!)
    reads.failAll({ code: 'ERR_CLOSED', certainty: 'definite', message: '' })
    reads.failAll({ code: 'ERR_CLOSED', certainty: 'definite', message: '' })
    expect(failed).toEqual(Array.from({ length: 199 }, () => 'ERR_CLOSED'))
    expect(reads.all().filter(({ isOver }) => !isOver)).toEqual([])
  })
})
