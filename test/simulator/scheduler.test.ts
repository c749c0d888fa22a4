// Virtual time runs forward, in the order of times, and of scheduling within one time.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Scheduler } from '../../src/simulator/scheduler.ts'

describe('the scheduler', () => {
  it('runs events as a stable sort by time would, without the cancelled ones', () => {
    const event = fc.record({ at: fc.nat(50), cancel: fc.boolean() })
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60 }), (events) => {
        const scheduler = new Scheduler()
        const ran: number[] = []
        const handles = events.map(({ at }, index) => scheduler.at(at, () => ran.push(index)))
        for (const [index, { cancel }] of events.entries()) if (cancel) scheduler.cancel(handles[index]!)
        while (scheduler.step(1000));
        const expected = events.map((one, index) => ({ ...one, index })).filter((one) => !one.cancel)
        expected.sort((left, right) => left.at - right.at || left.index - right.index)
        expect(ran).toEqual(expected.map((one) => one.index))
        expect(scheduler.nowUs).toBe(1000)
      }),
    )
  })

  it('stops at the time asked for, and schedules nothing into the past', () => {
    const scheduler = new Scheduler()
    const ran: string[] = []
    scheduler.at(10, () => {
      ran.push('first')
      scheduler.at(5, () => ran.push('not before now'))
    })
    scheduler.at(20, () => ran.push('later'))
    while (scheduler.step(15));
    expect(ran).toEqual(['first', 'not before now'])
    expect(scheduler.nowUs).toBe(15)
  })
})
