// Nothing leaves before what was persisted before it is durable; what named an earlier persist may overtake (architecture.md §4).

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EffectQueue } from '../../../src/replica/driver/effect-queue.ts'

describe('the queue of effects', () => {
  it('lets an effect go at once when nothing is unsaved', () => {
    const queue = new EffectQueue(5)
    const done: string[] = []
    queue.add(() => done.push('a'))
    expect(done).toEqual(['a'])
  })

  it('holds an effect until everything persisted before it is durable', () => {
    const queue = new EffectQueue(0)
    const done: string[] = []
    queue.persisted(1)
    queue.add(() => done.push('a'))
    queue.persisted(2)
    queue.add(() => done.push('b'))
    queue.release(1)
    expect(done).toEqual(['a'])
    queue.release(2)
    expect(done).toEqual(['a', 'b'])
  })

  it('holds nothing for a record that was persisted soon, but what is to wait for all', () => {
    const queue = new EffectQueue(0)
    const done: string[] = []
    queue.persisted(1)
    queue.persistedSoon(2)
    queue.add(() => done.push('waits for 1'))
    expect(queue.addAfterAll(() => done.push('waits for 2'))).toBe(true)
    queue.add(() => done.push('waits behind it'))
    queue.release(1)
    expect(done).toEqual(['waits for 1'])
    queue.release(2)
    expect(done).toEqual(['waits for 1', 'waits for 2', 'waits behind it'])
    queue.persisted(3)
    expect(queue.addAfterAll(() => done.push('waits for 3'))).toBe(false)
    expect(done).toHaveLength(3)
    queue.release(3)
    expect(done.at(-1)).toBe('waits for 3')
  })

  it('lets an effect overtake that named an earlier persist, and holds it for that one', () => {
    const queue = new EffectQueue(0)
    const done: string[] = []
    queue.persisted(1)
    queue.persisted(2)
    queue.add(() => done.push('waits for 2'))
    queue.add(() => done.push('waits for 1'), 1)
    queue.add(() => done.push('waits for nothing'), 0)
    expect(done).toEqual(['waits for nothing'])
    queue.release(1)
    expect(done).toEqual(['waits for nothing', 'waits for 1'])
    queue.release(2)
    expect(done).toEqual(['waits for nothing', 'waits for 1', 'waits for 2'])
  })

  it('refuses an effect that names a persist which does not exist yet', () => {
    expect(() => new EffectQueue(3).add(() => {}, 4)).toThrow(RangeError)
  })

  it('ignores a durable mark that lies behind the last one', () => {
    const queue = new EffectQueue(0)
    queue.persisted(2)
    queue.release(2)
    queue.release(1)
    expect(queue.durable).toBe(2)
  })

  it('keeps the order and the barriers for any interleaving, effects of effects included', () => {
    const action = fc.constantFrom('persist', 'effect', 'nested', 'durable')
    fc.assert(
      fc.property(fc.array(action, { maxLength: 80 }), (actions) => {
        const queue = new EffectQueue(0)
        const done: number[] = []
        const barriers: number[] = []
        let persisted = 0
        let durable = 0
        const effect = (nested: boolean): void => {
          const number = barriers.push(persisted) - 1
          queue.add(() => {
            expect(barriers[number]).toBeLessThanOrEqual(durable)
            done.push(number)
            if (nested) effect(false)
          })
        }
        for (const step of actions) {
          if (step === 'persist') queue.persisted(++persisted)
          else if (step === 'durable') {
            durable = Math.min(persisted, durable + 2)
            queue.release(durable)
          } else effect(step === 'nested')
        }
        durable = persisted
        queue.release(durable)
        expect(queue.waiting).toBe(0)
        expect(done).toEqual([...done].sort((left, right) => left - right))
        expect(done.length).toBe(barriers.length)
      }),
    )
  })
})
