// How long things may take, in virtual time: an outage of an hour, the death of primaries, a primary that is slow just inside its timeout (B16, O3).

import { describe, expect, it } from 'vitest'
import { Bench, timeoutMs, type Sent } from './bench.ts'

const cappedMs = 20_000

describe('after a long time without a quorum', () => {
  it.each([
    [4, 1, 60],
    [7, 2, 10],
  ])(
    '%i replicas, %i of which stay dead, decide within f + 2 capped timeouts (%i minutes)',
    (voters, faults, minutes) => {
      const bench = new Bench({ voters }).start()
      bench.replica(1).propose('before')
      bench.settle()
      // So many are cut off that nobody can decide; the first two leaders of what comes then are among the dead.
      for (let id = 1; id <= faults + 1; id++) bench.isolate(id)
      for (const replica of bench.replicas) replica.propose('asked')
      bench.elapse(minutes * 60_000)
      for (const replica of bench.replicas) expect(replica.texts).toEqual(['before'])
      for (let id = 1; id <= faults; id++) bench.replica(id).crash()
      bench.heal()
      const healedMs = bench.nowMs
      const alive = bench.replicas.filter(({ isUp }) => isUp)
      while (!alive.every(({ texts }) => texts.includes('asked'))) {
        bench.elapse(100)
        expect(bench.nowMs - healedMs).toBeLessThanOrEqual((faults + 2) * cappedMs)
      }
    },
  )
})

describe('after the death of the primary', () => {
  it('the first block comes within two timeouts, whenever it dies', () => {
    for (let aliveMs = 0; aliveMs < 2_000; aliveMs += 130) {
      const bench = new Bench().start()
      bench.elapse(aliveMs)
      bench.replica(1).crash()
      for (const replica of bench.replicas) if (replica.isUp) replica.propose('a')
      const diedMs = bench.nowMs
      while (!bench.replicas.every(({ isUp, texts }) => !isUp || texts.length > 0)) {
        bench.elapse(10)
        expect(bench.nowMs - diedMs).toBeLessThanOrEqual(2 * timeoutMs)
      }
    }
  })
})

describe('a primary that delays each block to just inside its timeout (B16)', () => {
  const stepMs = 25
  const delayMs = 900

  /** Blocks' texts that replica 2 decides in each timeout, under a steady load, and when the first view ends. */
  function run(isSlow: boolean): { perTimeout: number[]; replacedMs: number | null } {
    // Nobody signs checkpoints here: the window has to last.
    const bench = new Bench({ parameters: { batch: { lingerMs: 0 }, pbft: { windowBlocks: 1024 } } }).start()
    const seenMs = new Map<Sent, number>()
    const isHeld = (sent: Sent): boolean => {
      if (!isSlow || sent.from !== 1 || sent.message.kind !== 'pre-prepare') return false
      if (!seenMs.has(sent)) seenMs.set(sent, bench.nowMs)
      return bench.nowMs - seenMs.get(sent)! < delayMs
    }
    const startMs = bench.nowMs
    let replacedMs: number | null = null
    const perTimeout: number[] = []
    for (let step = 1; step <= (20 * timeoutMs) / stepMs; step++) {
      for (const replica of bench.replicas) replica.propose(`r${step}`)
      bench.elapse(stepMs, (sent) => !isHeld(sent))
      if (replacedMs === null && bench.replica(2).status.view > 0) replacedMs = bench.nowMs - startMs
      if ((step * stepMs) % timeoutMs === 0) {
        const before = perTimeout.reduce((sum, count) => sum + count, 0)
        perTimeout.push(new Set(bench.replica(2).texts).size - before)
      }
    }
    return { perTimeout, replacedMs }
  }

  it('is replaced, and the next one has at least 80% of the undisturbed throughput', () => {
    const undisturbed = run(false)
    const slow = run(true)
    expect(undisturbed.replacedMs).toBeNull()
    expect(slow.replacedMs).toBeLessThanOrEqual(6 * timeoutMs)
    const last = (counts: number[]): number => counts.slice(-8).reduce((sum, count) => sum + count, 0)
    expect(last(undisturbed.perTimeout)).toBe((8 * timeoutMs) / stepMs)
    expect(last(slow.perTimeout)).toBeGreaterThanOrEqual(0.8 * last(undisturbed.perTimeout))
  })
})
