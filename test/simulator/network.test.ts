// The network may only do what its model and its faults say, and counts what it did.

import { describe, expect, it } from 'vitest'
import { createRandom } from '../../src/kernel/random.ts'
import { HistoryHash } from '../../src/simulator/history-hash.ts'
import { calmNetwork, Network, type NetworkModel } from '../../src/simulator/network.ts'
import type { Coverage } from '../../src/simulator/report.ts'
import { Scheduler } from '../../src/simulator/scheduler.ts'

interface Arrival {
  atUs: number
  from: number
  number: number
}

function bench(model: Partial<NetworkModel> = {}) {
  const scheduler = new Scheduler()
  const coverage: Coverage = {}
  const network = new Network(scheduler, createRandom(1), new HistoryHash(), coverage)
  network.model = { ...calmNetwork, ...model }
  const arrived: Arrival[] = []
  const receive = (from: number, bytes: Uint8Array): void =>
    void arrived.push({ atUs: scheduler.nowUs, from, number: bytes[0]! * 256 + bytes[1]! })
  for (const address of [1, 2, 3]) network.attach(address, receive)
  const send = (number: number, from = 1, to = 2): void =>
    network.send(from, to, Uint8Array.of(number >> 8, number & 255), scheduler.nowUs)
  const run = (forUs = 1e9): number[] => {
    const untilUs = scheduler.nowUs + forUs
    while (scheduler.step(untilUs));
    return arrived.splice(0).map((one) => one.number)
  }
  return { network, scheduler, coverage, arrived, send, run }
}

const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index)

describe('blocks', () => {
  it('hold in one direction only, lose what is sent, and count it', () => {
    const { network, coverage, send, run } = bench()
    network.block(1, 2)
    send(1)
    send(2, 2, 1)
    send(3, 1, 3)
    expect(run().sort()).toEqual([2, 3])
    expect(coverage).toEqual({ 'messages-lost': 1 })
    expect(network).toMatchObject({ framesSent: 3, bytesSent: 6 })
  })

  it('are counted: the link is free when each has been lifted, and one lift too many owes nothing', () => {
    const { network, send, run } = bench()
    network.block(1, 2)
    network.block(1, 2)
    network.unblock(1, 2)
    expect(network.isBlocked(1, 2)).toBe(true)
    send(1)
    expect(run()).toEqual([])
    network.unblock(1, 2)
    network.unblock(1, 2)
    send(2)
    expect(run()).toEqual([2])
    network.block(1, 2)
    expect(network.isBlocked(1, 2)).toBe(true)
  })

  it('do not touch what is already under way, and end all at once when the network heals', () => {
    const { network, send, run } = bench()
    send(1)
    network.block(1, 2)
    network.block(1, 2)
    expect(run()).toEqual([1])
    network.healAll()
    send(2)
    expect(run()).toEqual([2])
  })
})

describe('a clog', () => {
  it('holds one direction until its end, and lets everything go', () => {
    const { network, send, run } = bench()
    network.clog(1, 2, 50_000)
    network.clog(1, 2, 20_000)
    for (const number of range(20)) send(number)
    send(99, 2, 1)
    expect(run(50_000)).toEqual([99])
    expect(run()).toEqual(range(20))
  })

  it('ends when the network heals', () => {
    const { network, send, run } = bench()
    network.clog(1, 2, 50_000)
    network.healAll()
    send(1)
    expect(run(10_000)).toEqual([1])
  })
})

describe('order', () => {
  it('is kept on an ordered link, however slow some messages are', () => {
    const { send, run } = bench({ slowPerMille: 500 })
    for (const number of range(500)) send(number)
    expect(run()).toEqual(range(500))
  })

  it('is not kept on another, and nothing is lost for it', () => {
    const { send, run } = bench({ slowPerMille: 500, ordered: false })
    for (const number of range(500)) send(number)
    const numbers = run()
    expect(numbers).not.toEqual(range(500))
    expect(numbers.sort((left, right) => left - right)).toEqual(range(500))
  })
})

describe('loss and duplication', () => {
  it('are counted: what arrives is what was sent, less the lost, plus the doubled', () => {
    const { coverage, send, run } = bench({ lossPerMille: 200, duplicatePerMille: 300 })
    for (const number of range(2000)) send(number)
    const numbers = run()
    const lost = coverage['messages-lost']!
    const doubled = coverage['messages-duplicated']!
    expect(new Set(numbers).size).toBe(2000 - lost)
    expect(numbers.length).toBe(2000 - lost + doubled)
    expect(lost).toBeGreaterThan(300)
    expect(lost).toBeLessThan(500)
    expect(doubled).toBeGreaterThan(380)
    expect(doubled).toBeLessThan(580)
  })

  it('do not happen on a calm network, which keeps to its delays', () => {
    const { arrived, coverage, scheduler, send } = bench()
    for (const number of range(500)) send(number)
    while (scheduler.step(1e9));
    expect(arrived).toHaveLength(500)
    for (const { atUs } of arrived) expect(atUs).toBeGreaterThanOrEqual(calmNetwork.delayUsMin)
    for (const { atUs } of arrived) expect(atUs).toBeLessThan(2 * calmNetwork.delayUsTypical)
    expect(coverage).toEqual({})
  })

  it('can be total', () => {
    const { coverage, send, run } = bench({ lossPerMille: 1000 })
    for (const number of range(10)) send(number)
    expect(run()).toEqual([])
    expect(coverage).toEqual({ 'messages-lost': 10 })
  })
})

describe('a round trip', () => {
  it('is measured from what has arrived both ways, smoothed, and costs no randomness', () => {
    const { network, send, run } = bench({ delayUsMin: 1_000, delayUsTypical: 1_000 })
    expect(network.roundTripMs(1, 2)).toBeNull()
    send(1)
    run()
    expect(network.roundTripMs(1, 2)).toBeNull()
    send(2, 2, 1)
    // It is under way.
    expect(network.roundTripMs(1, 2)).toBeNull()
    run()
    expect(network.roundTripMs(1, 2)).toBe(2)
    expect(network.roundTripMs(2, 1)).toBe(2)
    expect(network.roundTripMs(1, 3)).toBeNull()
    network.model = { ...network.model, delayUsMin: 9_000, delayUsTypical: 9_000 }
    send(3)
    run()
    expect(network.roundTripMs(1, 2)).toBe(3)
  })

  it('to a liar is what the liar makes of it', () => {
    const { network, send, run } = bench({ delayUsMin: 1_000, delayUsTypical: 1_000 })
    for (const other of [2, 3]) {
      send(1, 1, other)
      send(2, other, 1)
    }
    run()
    network.answersPings(2, 'late')
    network.answersPings(3, 'early')
    expect(network.roundTripMs(1, 2)).toBeGreaterThan(10_000)
    expect(network.roundTripMs(1, 3)).toBe(0)
    // Of its own links it measures what there is.
    expect(network.roundTripMs(2, 1)).toBe(2)
  })
})
