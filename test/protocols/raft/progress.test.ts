// What a leader believes of a follower never says more than was proven, whatever answers come in whatever order.

import fc from 'fast-check'
import { expect, it } from 'vitest'
import { Progress } from '../../../src/protocols/raft/progress.ts'

it('C18: the match index only rises, and the next index stays above it', () => {
  const event = fc.oneof(
    fc.record({ kind: fc.constant('sent' as const), count: fc.integer({ min: 1, max: 5 }) }),
    fc.record({ kind: fc.constant('matched' as const), index: fc.nat(60) }),
    fc.record({ kind: fc.constant('probe' as const), index: fc.nat(60) }),
    fc.record({ kind: fc.constant('give-up' as const) }),
  )
  fc.assert(
    fc.property(fc.array(event, { maxLength: 60 }), (events) => {
      const progress = new Progress(0, 20)
      let proven = 0
      for (const one of events) {
        if (one.kind === 'sent') {
          if (progress.mode === 'replicating') progress.sent(progress.nextIndex - 1 + one.count, 10, 0)
        } else if (one.kind === 'matched') {
          proven = Math.max(proven, one.index)
          progress.matched(one.index)
        } else if (one.kind === 'probe') progress.probeFrom(one.index)
        else progress.giveUp()
        expect(progress.matchIndex).toBe(proven)
        expect(progress.nextIndex).toBeGreaterThan(progress.matchIndex)
        expect(progress.inflightBytes).toBe(10 * progress.inflight.length)
        expect(progress.inflight.every((message) => message.lastIndex > proven)).toBe(true)
        if (progress.mode === 'probing') expect(progress.inflight).toEqual([])
      }
    }),
  )
})

it('a late answer below the probe does not end it', () => {
  const progress = new Progress(0, 11)
  progress.probeSentMs = 1
  progress.matched(5)
  expect(progress).toMatchObject({ mode: 'probing', nextIndex: 11, matchIndex: 5, probeSentMs: 1 })
  progress.matched(10)
  expect(progress).toMatchObject({ mode: 'replicating', nextIndex: 11, matchIndex: 10 })
})

it('what was lost is sent again from where it is needed: a probe where it stood, a pipeline behind what is proven', () => {
  const progress = new Progress(0, 11)
  progress.giveUp()
  expect(progress).toMatchObject({ mode: 'probing', nextIndex: 11 })
  progress.matched(10)
  progress.sent(12, 5, 0)
  progress.sent(14, 5, 0)
  progress.giveUp()
  expect(progress).toMatchObject({ mode: 'probing', nextIndex: 11, inflightBytes: 0 })
})
