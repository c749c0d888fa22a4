// What the others leave of a machine's cores: measured over the last second or so, and not taken from what was long ago.

import { describe, expect, it } from 'vitest'
import { CoresLeft, sampleMsMax, sampleMsMin, timesOfSystem, type CoreTimes } from '../../src/replica/cores-left.ts'

class Machine {
  nowMs = 0
  samples = 0
  readonly times: Omit<CoreTimes, 'atMs'>

  constructor(cores: number) {
    this.times = { cores, busyMs: 5_000, ownMs: 1_000 }
  }

  /** So long, in which we and the others used so many cores. */
  passes(ms: number, own: number, others: number): void {
    this.nowMs += ms
    this.times.ownMs += ms * own
    this.times.busyMs += ms * (own + others)
  }

  cores(): CoresLeft {
    return new CoresLeft(
      () => this.nowMs,
      () => {
        this.samples++
        return { ...this.times }
      },
    )
  }
}

describe('cores that are left', () => {
  it('are all, until something is known', () => {
    expect(new Machine(4).cores().left).toBe(4)
  })

  it('are those that others do not use, whatever this process uses', () => {
    const machine = new Machine(2)
    const cores = machine.cores()
    machine.passes(sampleMsMin, 0.5, 1.25)
    expect(cores.left).toBe(0.75)
    machine.passes(sampleMsMin, 1.75, 0.25)
    expect(cores.left).toBe(1.75)
  })

  it('are looked at once a second, however often they are asked for', () => {
    const machine = new Machine(2)
    const cores = machine.cores()
    machine.passes(sampleMsMin - 1, 0, 2)
    for (let count = 0; count < 100; count++) expect(cores.left).toBe(2)
    expect(machine.samples).toBe(1)
    machine.passes(1, 0, 2)
    for (let count = 0; count < 100; count++) expect(cores.left).toBe(0)
    expect(machine.samples).toBe(2)
  })

  it('are all again, when nobody has asked for long: what was then is over', () => {
    const machine = new Machine(2)
    const cores = machine.cores()
    machine.passes(sampleMsMax + 1, 0, 2)
    expect(cores.left).toBe(2)
    machine.passes(sampleMsMin, 0, 2)
    expect(cores.left).toBe(0)
  })

  it('are never fewer than none, nor more than all, where clocks of the system disagree', () => {
    const machine = new Machine(2)
    const cores = machine.cores()
    machine.passes(sampleMsMin, 0, 3)
    expect(cores.left).toBe(0)
    machine.passes(sampleMsMin, 1, -2)
    expect(cores.left).toBe(2)
  })

  it('suffice for threads from one and a half on', () => {
    const machine = new Machine(2)
    const cores = machine.cores()
    machine.passes(sampleMsMin, 0.5, 0.5)
    expect(cores.sufficeForThreads).toBe(true)
    machine.passes(sampleMsMin, 0.5, 0.625)
    expect(cores.sufficeForThreads).toBe(false)
  })

  it('suffice where the system does not say what it has', () => {
    let nowMs = 0
    const cores = new CoresLeft(
      () => nowMs,
      () => timesOfSystem([]),
    )
    expect(cores.sufficeForThreads).toBe(true)
    nowMs = sampleMsMin
    expect(cores.sufficeForThreads).toBe(true)
  })

  it('of this machine are at most what it has', () => {
    const left = new CoresLeft().left
    expect(left).toBeGreaterThan(0)
  })
})
