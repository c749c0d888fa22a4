// The log in memory, against the simplest model of it: a list, and the list of what each persist held; and what leaves memory.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RaftLog } from '../../../src/protocols/raft/log.ts'
import { entryOf, logOf } from './bench.ts'

describe('what a log has on disk', () => {
  it('C13: is not what stood there before a truncation', () => {
    const log = new RaftLog(0)
    log.replaceFrom(0, logOf(1, 1, 1), 1)
    log.durable(1)
    expect(log.durableIndex).toBe(3)
    log.replaceFrom(1, [entryOf(2, 2), entryOf(2, 3)], 2)
    expect(log.durableIndex).toBe(1)
    log.durable(1)
    expect(log.durableIndex).toBe(1)
    log.durable(2)
    expect(log.durableIndex).toBe(3)
  })

  it('C13: is not what a late completion of a truncated persist would say', () => {
    const log = new RaftLog(0)
    log.replaceFrom(0, logOf(1, 1, 1), 1)
    log.replaceFrom(1, [entryOf(2, 2), entryOf(2, 3), entryOf(2, 4)], 2)
    log.durable(1)
    expect(log.durableIndex).toBe(1)
    log.durable(2)
    expect(log.durableIndex).toBe(4)
  })

  it('C13: rises only, by completions in any order', () => {
    const log = new RaftLog(0)
    log.replaceFrom(0, logOf(1), 1)
    log.replaceFrom(1, [entryOf(1, 2)], 2)
    log.durable(2)
    log.durable(1)
    expect(log.durableIndex).toBe(2)
  })

  it('C13: is no more of an older persist because a younger one was truncated', () => {
    const log = new RaftLog(0)
    log.replaceFrom(0, logOf(1, 1), 1)
    log.replaceFrom(2, [entryOf(1, 3), entryOf(1, 4)], 2)
    log.replaceFrom(3, [entryOf(2, 4)], 3)
    expect(log.durableIndex).toBe(0)
    log.durable(1)
    expect(log.durableIndex).toBe(2)
    log.durable(2)
    expect(log.durableIndex).toBe(3)
  })

  it('is at least what a checkpoint holds, and not less than before', () => {
    const log = new RaftLog(0)
    log.replaceFrom(0, logOf(1, 1, 1, 1), 1)
    log.rebase({ index: 2, term: 1 })
    expect(log.durableIndex).toBe(2)
    log.durable(1)
    log.rebase({ index: 3, term: 1 })
    expect(log.durableIndex).toBe(4)
    log.replaceFrom(4, [entryOf(1, 5)], 2)
    log.rebase({ index: 9, term: 2 })
    log.durable(2)
    expect([log.durableIndex, log.lastIndex]).toEqual([9, 9])
  })

  it('is the longest prefix whose entries were all in completed persists, whatever happens', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('write' as const), keep: fc.nat(12), count: fc.integer({ min: 1, max: 4 }) }),
      fc.record({ kind: fc.constant('durable' as const), upTo: fc.nat(30) }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const log = new RaftLog(0)
        // The model: each place knows the persist that wrote it.
        const writtenBy: number[] = []
        let persisted = 0
        let durable = 0
        for (const one of steps) {
          if (one.kind === 'write') {
            const keep = Math.min(one.keep, writtenBy.length)
            persisted++
            writtenBy.length = keep
            const entries = Array.from({ length: one.count }, (_, at) => entryOf(persisted, keep + at + 1))
            for (let at = 0; at < one.count; at++) writtenBy.push(persisted)
            log.replaceFrom(keep, entries, persisted)
          } else {
            durable = Math.max(durable, Math.min(one.upTo, persisted))
            log.durable(Math.min(one.upTo, persisted))
          }
          let expected = writtenBy.findIndex((by) => by > durable)
          if (expected < 0) expected = writtenBy.length
          expect(log.durableIndex).toBe(expected)
          expect(log.lastIndex).toBe(writtenBy.length)
        }
      }),
    )
  })
})

describe('a log', () => {
  it('is up to date by the last term first, then by length (§5.4.1)', () => {
    const log = new RaftLog(0)
    log.replaceFrom(0, logOf(1, 2, 2), 1)
    expect(log.isUpToDate(3, 2)).toBe(true)
    expect(log.isUpToDate(2, 2)).toBe(false)
    expect(log.isUpToDate(1, 3)).toBe(true)
    expect(log.isUpToDate(9, 1)).toBe(false)
  })

  it('finds where it may first agree with another', () => {
    const log = new RaftLog(0)
    log.replaceFrom(0, logOf(1, 1, 3, 3, 5), 1)
    expect(log.lastNotAbove(5, 4)).toEqual({ index: 4, term: 3 })
    expect(log.lastNotAbove(3, 2)).toEqual({ index: 2, term: 1 })
    expect(log.lastNotAbove(99, 9)).toEqual({ index: 5, term: 5 })
    expect(log.lastNotAbove(3, 0)).toEqual({ index: 0, term: 0 })
  })

  it('may begin behind any index', () => {
    const log = new RaftLog(10)
    expect([log.firstIndex, log.lastIndex, log.lastTerm, log.durableIndex]).toEqual([11, 10, 0, 10])
    log.replaceFrom(10, [entryOf(1, 11)], 1)
    expect([log.termAt(9), log.termAt(10), log.termAt(11), log.termAt(12)]).toEqual([null, 0, 1, null])
    expect(() => log.replaceFrom(9, [], 2)).toThrow('a hole')
    expect(() => log.replaceFrom(12, [], 2)).toThrow('a hole')
  })
})
