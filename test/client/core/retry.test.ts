// How long a client waits for an answer before it says the same again.

import { describe, expect, it } from 'vitest'
import { notSent, RetryTimes } from '../../../src/client/core/retry.ts'
import type { Random } from '../../../src/kernel/random.ts'

/** Without what is added by chance. */
const random = { below: () => 0 } as unknown as Random

function times(): RetryTimes {
  return new RetryTimes({ retryMsMin: 1_000, retryMsMax: 8_000 }, random)
}

describe('the patience of a client', () => {
  it('is what it was given, as long as answers come in half of that', () => {
    const one = times()
    expect(one.patienceMs(250, 0)).toBe(250)
    for (let answer = 0; answer < 100; answer++) one.answered(125)
    expect(one.patienceMs(250, 0)).toBe(250)
  })

  it('is twice the time that answers take, of which the newest counts for an eighth', () => {
    const one = times()
    for (let answer = 0; answer < 100; answer++) one.answered(400)
    expect(one.patienceMs(250, 0)).toBeCloseTo(800, 0)
    one.answered(1_200)
    expect(one.patienceMs(250, 0)).toBeCloseTo(1_000, 0)
    for (let answer = 0; answer < 20; answer++) one.answered(10)
    expect(one.patienceMs(250, 0)).toBe(250)
  })

  it('does not feed on itself: what is measured ends at the most that is allowed', () => {
    const one = times()
    for (let answer = 0; answer < 100; answer++) one.answered(one.patienceMs(250, 0, 1_000) + 1_000)
    expect(one.patienceMs(250, 0, 1_000)).toBe(1_000)
    expect(one.patienceMs(250, 4_096, 1_000)).toBe(1_001)
  })

  it('has time for what is under way, 4 MiB a second', () => {
    expect(times().patienceMs(250, 8 * 1024 * 1024)).toBe(250 + 2_048)
    expect(times().patienceMs(250, 4_095)).toBe(250)
  })

  it('is never above the longest pause, whatever was measured', () => {
    const one = times()
    one.answered(1_000_000)
    expect(one.patienceMs(250, 0)).toBe(2_000)
    for (let answer = 0; answer < 100; answer++) one.answered(1_000_000)
    expect(one.patienceMs(250, 0)).toBe(8_000)
    expect(one.patienceMs(250, Number.MAX_SAFE_INTEGER)).toBe(8_000)
    for (let answer = 0; answer < 40; answer++) one.answered(10)
    expect(one.patienceMs(250, 0)).toBe(250)
  })

  it('is where the pauses begin that double with each silence', () => {
    const one = times()
    for (let answer = 0; answer < 200; answer++) one.answered(700)
    const item = { ...notSent }
    const pauses = [0, 0, 0, 0].map(() => {
      one.sent(item, null, 0, 1_024 * 1_024)
      return Math.round(item.dueMs)
    })
    expect(pauses).toEqual([1_656, 3_312, 6_624, 8_000])
  })
})
