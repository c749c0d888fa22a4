// Goal: waits of one length share one timer, end when their time is up and not otherwise, and leave no timer behind.

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Deadlines } from '../../src/client/deadlines.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

describe('deadlines', () => {
  it('of one length share a timer, and end in the order they began', () => {
    const deadlines = new Deadlines()
    const ended: string[] = []
    deadlines.add(100, () => ended.push('first'))
    vi.advanceTimersByTime(30)
    deadlines.add(100, () => ended.push('second'))
    expect(vi.getTimerCount()).toBe(1)
    vi.advanceTimersByTime(70)
    expect(ended).toEqual(['first'])
    vi.advanceTimersByTime(29)
    expect(ended).toEqual(['first'])
    vi.advanceTimersByTime(2)
    expect(ended).toEqual(['first', 'second'])
    expect(vi.getTimerCount()).toBe(0)
  })

  it('of another length do not wait for those', () => {
    const deadlines = new Deadlines()
    const ended: number[] = []
    for (const lengthMs of [300, 20, 100]) deadlines.add(lengthMs, () => ended.push(lengthMs))
    vi.advanceTimersByTime(301)
    expect(ended).toEqual([20, 100, 300])
  })

  it('that do not matter any more are not called, and leave no timer', () => {
    const deadlines = new Deadlines()
    const expire = vi.fn()
    const one = deadlines.add(100, expire)
    const other = deadlines.add(100, expire)
    deadlines.remove(one)
    expect(vi.getTimerCount()).toBe(1)
    deadlines.remove(other)
    deadlines.remove(other)
    expect(vi.getTimerCount()).toBe(0)
    vi.advanceTimersByTime(200)
    expect(expire).not.toHaveBeenCalled()
  })

  it('may begin and end while one ends', () => {
    const deadlines = new Deadlines()
    const ended: string[] = []
    const last = deadlines.add(100, () => {
      ended.push('first')
      deadlines.remove(second)
      later = deadlines.add(100, () => ended.push('later'))
    })
    const second = deadlines.add(100, () => ended.push('second'))
    let later: typeof last | null = null
    vi.advanceTimersByTime(101)
    expect(ended).toEqual(['first'])
    expect(later).not.toBeNull()
    vi.advanceTimersByTime(101)
    expect(ended).toEqual(['first', 'later'])
    expect(vi.getTimerCount()).toBe(0)
  })

  it('keep no more of what has ended than waits, and a little', () => {
    const deadlines = new Deadlines()
    const oldest = deadlines.add(1_000, () => {})
    for (let count = 0; count < 10_000; count++) deadlines.remove(deadlines.add(1_000, () => {}))
    expect(oldest.queue.length).toBeLessThan(100)
  })
})
