// What is durable and decided leaves memory beyond a limit, oldest first, and is read back when it is asked for. The log is checked against
// a list that forgets nothing.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RaftLog } from '../../../src/protocols/raft/log.ts'
import type { Entry } from '../../../src/protocols/raft/messages.ts'
import { logMemoryBytesMax } from '../../../src/protocols/raft/payload-memory.ts'
import type { RaftRecord } from '../../../src/protocols/raft/records.ts'
import { Bench, entryOf } from './bench.ts'

const mebibyte = 1024 * 1024
/** Room for three of the entries below. */
const bytesMax = 900

/** A log over records that can be read back, and the list of what it should hold. */
class Checked {
  readonly records = new Map<number, RaftRecord>()
  readonly log: RaftLog
  readonly model: { entry: Entry; persisted: number }[] = []
  base = { index: 0, term: 0 }
  persisted = 0
  durable = 0

  constructor() {
    this.log = new RaftLog(0, (sequence) => this.records.get(sequence), bytesMax)
  }

  get lastIndex(): number {
    return this.base.index + this.model.length
  }

  write(keepIndex: number, count: number): void {
    const entries = Array.from({ length: count }, (_, at) => entryOf(this.persisted + 1, keepIndex + at + 1, `${at}`))
    this.persisted++
    this.records.set(this.persisted, { kind: 'entries', firstIndex: keepIndex + 1, entries })
    const truncated = this.log.replaceFrom(keepIndex, entries, this.persisted)
    expect(truncated.count).toBe(this.lastIndex - keepIndex)
    this.model.length = keepIndex - this.base.index
    for (const entry of entries) this.model.push({ entry, persisted: this.persisted })
  }

  rebase(index: number, term: number): void {
    const matches = this.log.termAt(index) === term
    this.log.rebase({ index, term })
    if (matches) this.model.splice(0, index - this.base.index)
    else this.model.length = 0
    this.base = { index, term }
  }

  check(): void {
    const { log, model, base } = this
    expect([log.baseIndex, log.lastIndex]).toEqual([base.index, base.index + model.length])
    expect(log.termAt(base.index)).toBe(base.term)
    expect(log.firstPersisted).toBe(model[0]?.persisted ?? null)
    expect(log.bytes).toBe(model.reduce((sum, { entry }) => sum + entry.block.payload.length, 0))
    let held = 0
    for (let at = 0; at < model.length; at++) {
      const index = base.index + at + 1
      expect(log.termAt(index)).toBe(model[at]!.entry.term)
      expect(log.at(index)).toEqual(model[at]!.entry)
      if (log.isInMemory(index)) held += model[at]!.entry.block.payload.length + 256
    }
    expect(log.bytesInMemory).toBe(held)
  }
}

const step = fc.oneof(
  fc.record({ kind: fc.constant('write' as const), at: fc.nat(6), count: fc.integer({ min: 1, max: 4 }) }),
  fc.record({ kind: fc.constant('durable' as const), back: fc.nat(3) }),
  fc.record({ kind: fc.constant('shrink' as const), upTo: fc.nat(40) }),
  fc.record({ kind: fc.constant('rebase' as const), ahead: fc.nat(4), other: fc.boolean() }),
)

describe('the memory of a log', () => {
  it('gives every entry as it was written, whatever is truncated, cut, durable or out of memory', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const checked = new Checked()
        const { log } = checked
        for (const one of steps) {
          if (one.kind === 'write') checked.write(Math.max(checked.base.index, checked.lastIndex - one.at), one.count)
          else if (one.kind === 'durable') log.durable(checked.persisted - one.back)
          else if (one.kind === 'shrink') {
            log.shrink(one.upTo)
            const bound = Math.min(one.upTo, log.durableIndex, log.lastIndex)
            if (log.bytesInMemory > bytesMax) expect(bound < log.firstIndex || !log.isInMemory(bound)).toBe(true)
          } else {
            const index = checked.base.index + one.ahead
            checked.rebase(index, one.other ? 999 : (log.termAt(index) ?? 999))
          }
          checked.check()
        }
      }),
      { numRuns: 300 },
    )
  })

  it('keeps what is not durable, or above the index given', () => {
    const checked = new Checked()
    for (let at = 0; at < 10; at++) checked.write(at, 1)
    checked.log.shrink(10)
    expect(checked.log.isInMemory(1)).toBe(true)
    checked.log.durable(5)
    checked.log.shrink(3)
    expect([3, 4].map((index) => checked.log.isInMemory(index))).toEqual([false, true])
    checked.log.shrink(10)
    expect([5, 6].map((index) => checked.log.isInMemory(index))).toEqual([false, true])
    checked.log.durable(10)
    checked.log.shrink(10)
    expect([7, 8].map((index) => checked.log.isInMemory(index))).toEqual([false, true])
  })

  it('holds the end of a log that is read back, and no more than its limit at any time', () => {
    const log = new RaftLog(0)
    const payload = new Uint8Array(mebibyte)
    let most = 0
    for (let height = 1; height <= 256; height++) {
      const { term, block } = entryOf(1, height)
      log.recover(height, [{ term, block: { ...block, payload } }], height)
      most = Math.max(most, log.bytesInMemory)
    }
    expect(log.bytes).toBe(256 * mebibyte)
    expect(most).toBeLessThanOrEqual(logMemoryBytesMax)
    expect([192, 256].map((index) => log.isInMemory(index))).toEqual([false, true])
  })

  it('does not keep a frame alive for a small part of it', () => {
    const log = new RaftLog(0)
    const frame = new Uint8Array(mebibyte)
    const { term, block } = entryOf(1, 1)
    const payloadDigest = frame.subarray(8, 40)
    log.replaceFrom(
      0,
      [{ term, block: { header: { ...block.header, payloadDigest }, payload: frame.subarray(0, 4) } }],
      1,
    )
    const kept = log.at(1).block
    expect(kept.payload.buffer.byteLength).toBe(4)
    expect(kept.header.payloadDigest.buffer.byteLength).toBe(32)
  })

  it('stops where the disk gives something else back', () => {
    const checked = new Checked()
    for (let at = 0; at < 10; at++) checked.write(at, 1)
    checked.log.durable(10)
    checked.log.shrink(10)
    checked.records.set(1, checked.records.get(2)!)
    expect(() => checked.log.at(1)).toThrow('does not hold entry 1')
  })
})

describe('records that are read back', () => {
  it('must reach back to where the log was cut', () => {
    const log = new RaftLog(0)
    log.recover(7, [entryOf(1, 7)], 1)
    expect(log.hasBase).toBe(false)
    // Of a cut before that: another one must follow.
    log.recoverBase({ index: 4, term: 1 }, false)
    expect(log.hasBase).toBe(false)
    log.recoverBase({ index: 6, term: 1 }, false)
    expect(log.hasBase).toBe(true)
    expect([log.baseIndex, log.lastIndex, log.lastTerm]).toEqual([6, 7, 1])
  })

  it('cannot name a base that contradicts them', () => {
    const log = new RaftLog(0)
    log.recover(1, [entryOf(1, 1), entryOf(2, 2)], 1)
    expect(() => log.recoverBase({ index: 2, term: 1 }, false)).toThrow('is not there')
  })

  it('that say what was truncated by a checkpoint begin behind it', () => {
    const log = new RaftLog(0)
    log.recover(5, [entryOf(1, 5), entryOf(1, 6)], 1)
    log.recoverBase({ index: 5, term: 2 }, true)
    expect([log.baseIndex, log.lastIndex, log.lastTerm, log.durableIndex]).toEqual([5, 5, 2, 5])
  })
})

/** 70 MiB: six blocks more than the memory takes. */
function longLog(): Entry[] {
  return Array.from({ length: 70 }, (_, at) => {
    // Strings of one byte a letter: the payload is a little larger.
    return entryOf(1, at + 1, `${at}`.padEnd(mebibyte, '.'))
  })
}

describe('a replica whose log is larger than its memory', () => {
  it('hands to the executor no more of what it must read back than may wait there, and goes on as that is done', () => {
    const bench = new Bench({ voters: 1, parameters: { flow: { executionLagBlocksMax: 2 } } })
    const replica = bench.givenLog(1, longLog(), 1, 1, 1).replica(1)
    replica.autoExecute = false
    bench.start()
    expect(replica.status.role).toBe('leader')
    expect(replica.decided).toHaveLength(2)
    replica.autoExecute = true
    replica.execute()
    expect(replica.decided).toHaveLength(71)
    expect(replica.recalled).toBeGreaterThan(0)
  })

  it('serves followers from its disk', () => {
    const bench = new Bench({ voters: 2, learners: 1 })
    const log = longLog()
    bench.givenLog(1, log, 1, 0, 1).givenLog(2, log, 1, 0, 1)
    bench.start().isolate(3).elect(1)
    // Nothing is decided by it any more: what it reads back, it sends.
    expect(bench.replica(1).status.decidedHeight).toBe(71)
    bench.replica(1).recalled = 0
    bench.heal().elapse(3000)
    expect(bench.replica(3).status.decidedHeight).toBe(71)
    expect(bench.replica(1).recalled).toBeGreaterThan(0)
  })
})
