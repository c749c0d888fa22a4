// Goal: how long a server is waited for, and how much is asked of it, follows what it does, within bounds.

import { describe, expect, it } from 'vitest'
import { replicaId } from '../../../src/kernel/ids.ts'
import {
  lateRequestsMax,
  requestMsInitial,
  requestMsMax,
  requestMsMin,
  timeoutsMax,
  windowBytesMax,
  windowBytesMin,
} from '../../../src/replica/checkpoints/limits.ts'
import { Supplier } from '../../../src/replica/checkpoints/supplier.ts'

function setting(): Supplier {
  return new Supplier(replicaId(2))
}

function late(number: number) {
  return { number, entries: new Map(), sentMs: 0 }
}

/** The most that may be asked beside one byte that is on its way. */
function windowOf(supplier: Supplier): number {
  supplier.asked(1)
  let bytes = windowBytesMax
  while (!supplier.hasRoom(bytes)) bytes--
  supplier.settled(1)
  return bytes + 1
}

describe('a server is waited for', () => {
  it('as its answers take, within bounds', () => {
    const supplier = setting()
    expect(supplier.timeoutMs).toBe(requestMsInitial)
    for (let times = 0; times < 50; times++) supplier.answered(1)
    expect(supplier.timeoutMs).toBe(requestMsMin)
    for (let times = 0; times < 50; times++) supplier.answered(1000)
    expect(supplier.timeoutMs).toBeGreaterThan(1999)
    expect(supplier.timeoutMs).toBeLessThan(2500)
    for (let times = 0; times < 50; times++) supplier.answered(60_000)
    expect(supplier.timeoutMs).toBe(requestMsMax)
  })

  it('twice as long after each timeout, until it answers', () => {
    const supplier = setting()
    const waits = [1, 2].map((number) => {
      supplier.timedOut(late(number))
      return supplier.timeoutMs
    })
    expect(waits).toEqual([2 * requestMsInitial, 4 * requestMsInitial])
    supplier.answered(1)
    expect(supplier.timeoutMs).toBe(requestMsMin)
  })

  it('three times in a row', () => {
    const supplier = setting()
    const spent = Array.from({ length: timeoutsMax }, (_, number) => supplier.timedOut(late(number)))
    expect(spent).toEqual([false, false, true])
  })

  it('and its late requests are remembered, the last four', () => {
    const supplier = setting()
    for (let number = 0; number < 10; number++) supplier.timedOut(late(number))
    expect([...supplier.late.keys()]).toEqual([6, 7, 8, 9].slice(-lateRequestsMax))
  })
})

describe('a server is asked for', () => {
  it('more while it keeps up, less when it is silent, within bounds', () => {
    const supplier = setting()
    expect(windowOf(supplier)).toBe(windowBytesMax / 4)
    supplier.keepsUp()
    expect(windowOf(supplier)).toBe(windowBytesMax / 2)
    for (let times = 0; times < 5; times++) supplier.keepsUp()
    expect(windowOf(supplier)).toBe(windowBytesMax)
    supplier.timedOut(late(1))
    expect(windowOf(supplier)).toBe(windowBytesMax / 2)
    for (let times = 0; times < 9; times++) supplier.timedOut(late(times))
    expect(windowOf(supplier)).toBe(windowBytesMin)
  })
})
