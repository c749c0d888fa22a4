// Goal: a protocol's timer never fires before its time by the clock that the protocol is told, though Node's timers do; and once.
// Method: the real clock. Lengths with a fraction, which Node cuts off: without the rule nearly every timer is early.

import { afterEach, expect, it } from 'vitest'
import { NodeTimers } from '../../src/replica/node-timers.ts'

const lengthsMs = Array.from({ length: 40 }, (_, index) => 1.9 + index / 2)

let timers: NodeTimers
afterEach(() => timers.stop())

it('fires none before its time, and each once', async () => {
  const dueMs = new Map<string, number>()
  const early: string[] = []
  const fired: string[] = []
  await new Promise<void>((resolve) => {
    timers = new NodeTimers((name) => {
      if (performance.now() < dueMs.get(name)!) early.push(name)
      fired.push(name)
      if (fired.length === lengthsMs.length) setTimeout(resolve, 10)
    })
    for (const lengthMs of lengthsMs) {
      const name = `${lengthMs} ms`
      dueMs.set(name, performance.now() + lengthMs)
      timers.arm(name, lengthMs)
    }
  })
  expect(early).toEqual([])
  expect(fired.toSorted()).toEqual([...dueMs.keys()].toSorted())
})

it('fires neither what was disarmed, nor what was armed anew at its old time, nor anything after the stop', async () => {
  const fired: string[] = []
  timers = new NodeTimers((name) => fired.push(name))
  timers.arm('disarmed', 5.5)
  timers.arm('again', 5.5)
  timers.arm('stopped', 30.5)
  timers.disarm('disarmed')
  timers.arm('again', 15.5)
  await new Promise<void>((resolve) => {
    setTimeout(resolve, 25)
  })
  timers.stop()
  timers.arm('after', 1)
  await new Promise<void>((resolve) => {
    setTimeout(resolve, 20)
  })
  expect(fired).toEqual(['again'])
})
