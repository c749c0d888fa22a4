// Closed and open loops in virtual time, over clients that answer when they are told to.

import { describe, expect, it } from 'vitest'
import { drainMsMax, restMs, runClosedLoop } from '../../src/benchmark/load/closed-loop.ts'
import { openLoopOutstandingMax, runOpenLoop } from '../../src/benchmark/load/open-loop.ts'
import { keysMax, prepareOperations, Puts } from '../../src/benchmark/load/operations.ts'
import type { SystemClient } from '../../src/benchmark/system.ts'
import { FakeClient, VirtualClock } from './virtual-clock.ts'

const operations = new Puts(16, 1)

describe('a closed loop', () => {
  it('keeps as many under way as it is told, and begins nothing when the time is over', async () => {
    const clock = new VirtualClock()
    const clients = [new FakeClient(clock, () => 30), new FakeClient(clock, () => 30)]
    const outcome = await clock.until(runClosedLoop({ clients, operations, clock, seconds: 1, outstanding: 7 }))
    expect(clients.map(({ outstandingMost }) => outstandingMost)).toEqual([4, 3])
    // Those that begin at 0, 30, … 990 ms.
    expect(outcome).toMatchObject({ operations: 7 * 34, failed: 0, seconds: 1.02 })
    expect(outcome.latency.percentile(0.5)! / 1000).toBeCloseTo(30, 0)
  })

  it('counts when operations ended, in steps of the time asked for', async () => {
    const clock = new VirtualClock()
    const client = new FakeClient(clock, (atMs) => (atMs < 500 ? 50 : 400))
    const { timeline, operations: ended } = await clock.until(
      runClosedLoop({ clients: [client], operations, clock, seconds: 1, outstanding: 1 }),
    )
    expect(timeline).toEqual([1, 2, 2, 2, 2, 1, 0, 0, 0, 1])
    expect(ended).toBe(12)
  })

  it('rests after what has failed, and counts it as nothing else', async () => {
    const clock = new VirtualClock()
    const client = new FakeClient(clock, () => 'fails')
    const outcome = await clock.until(
      runClosedLoop({ clients: [client], operations, clock, seconds: 1, outstanding: 1 }),
    )
    expect(outcome).toMatchObject({ operations: 0, failed: 1000 / restMs })
    expect(outcome.latency.count).toBe(0)
  })

  it('gives up what is never answered, and then takes no notice of it', async () => {
    const clock = new VirtualClock()
    const late = drainMsMax + 2_000
    const clients = [new FakeClient(clock, () => 'never'), new FakeClient(clock, () => late)]
    const outcome = await clock.until(runClosedLoop({ clients, operations, clock, seconds: 1, outstanding: 3 }))
    expect(outcome).toMatchObject({ operations: 0, failed: 3, seconds: 1 })
    expect(clock.nowMs()).toBe(1_000 + drainMsMax)
    await clock.until(new Promise<void>((resolve) => clock.after(late, resolve)))
    expect(outcome.latency.count).toBe(0)
    expect(clients[1]!.begunMs).toHaveLength(1)
  })
})

describe('an open loop', () => {
  it('begins on schedule whatever becomes of earlier ones, over all clients in turn', async () => {
    const clock = new VirtualClock()
    const clients = [new FakeClient(clock, () => 700), new FakeClient(clock, () => 1)]
    const outcome = await clock.until(runOpenLoop({ clients, operations, clock, seconds: 1, perSecond: 100 }))
    expect(outcome).toMatchObject({ operations: 100, failed: 0 })
    expect(clients[0]!.begunMs).toEqual(Array.from({ length: 50 }, (_, number) => number * 20))
    expect(clients[1]!.begunMs).toEqual(Array.from({ length: 50 }, (_, number) => number * 20 + 10))
    expect(outcome.seconds).toBeCloseTo(1.68, 5)
  })

  it('counts from when an operation should have begun', async () => {
    const clock = new VirtualClock()
    // The machine stands still for 400 ms: what was due meanwhile begins late.
    const late = {
      ...bound(clock),
      after: (ms: number, callback: () => void) => clock.after(ms < 5_000 ? 400 : ms, callback),
    }
    const client = new FakeClient(clock, () => 0)
    const outcome = await clock.until(
      runOpenLoop({ clients: [client], operations, clock: late, seconds: 0.4, perSecond: 10 }),
    )
    expect(client.begunMs).toEqual([0, 400, 400, 400])
    expect(outcome.latency.percentile(0.5)! / 1000).toBeCloseTo(100, -1)
    expect(outcome.latency.percentile(1)! / 1000).toBeCloseTo(300, -1)
  })

  it('has at most so many under way: what is due beyond has failed, and is not begun', async () => {
    const clock = new VirtualClock()
    const client = new FakeClient(clock, () => 5_000)
    const outcome = await clock.until(
      runOpenLoop({ clients: [client], operations, clock, seconds: 1, perSecond: openLoopOutstandingMax + 100 }),
    )
    expect(client.outstandingMost).toBe(openLoopOutstandingMax)
    expect(outcome).toMatchObject({ operations: openLoopOutstandingMax, failed: 100 })
  })

  it('gives up what is never answered', async () => {
    const clock = new VirtualClock()
    const client = new FakeClient(clock, (atMs) => (atMs < 500 ? 'never' : 1))
    const outcome = await clock.until(runOpenLoop({ clients: [client], operations, clock, seconds: 1, perSecond: 10 }))
    expect(outcome).toMatchObject({ operations: 5, failed: 5, seconds: 1 })
  })

  it('counts what fails', async () => {
    const clock = new VirtualClock()
    const client = new FakeClient(clock, (atMs) => (atMs < 500 ? 'fails' : 1))
    const outcome = await clock.until(runOpenLoop({ clients: [client], operations, clock, seconds: 1, perSecond: 10 }))
    expect(outcome).toMatchObject({ operations: 5, failed: 5 })
  })
})

describe('operations', () => {
  it('go to all keys in turn, which are of one size and depend on the seed alone', async () => {
    const seen: Uint8Array[] = []
    const client = { put: (key: Uint8Array) => Promise.resolve(seen.push(key)) } as unknown as SystemClient
    for (let number = 0; number < keysMax; number++) await operations.begin(client, number)
    const names = seen.map((key) => new TextDecoder().decode(key))
    expect(new Set(names).size).toBe(keysMax)
    expect(new Set(names.map(({ length }) => length))).toEqual(new Set([16]))
    expect(new Puts(16, 1).keys).toEqual(operations.keys)
    expect(new Puts(16, 2).keys).not.toEqual(operations.keys)
  })

  it.each([16, 20_000, 65_536])('go to all keys, fewer of them where values have %i bytes', async (bytes) => {
    const puts = new Puts(bytes, 1)
    const seen = new Set<Uint8Array>()
    const client = { put: (key: Uint8Array) => Promise.resolve(seen.add(key)) } as unknown as SystemClient
    for (let number = 0; number < puts.keys.length; number++) await puts.begin(client, number)
    expect(seen.size).toBe(puts.keys.length)
    expect(puts.keys.length * bytes).toBeLessThanOrEqual(8 * 1024 * 1024)
    expect(puts.keys.length).toBeGreaterThanOrEqual(128)
  })

  it('put no key twice in one transaction', async () => {
    const sizes: number[] = []
    const putAll = (entries: readonly (readonly [Uint8Array, Uint8Array])[]) =>
      Promise.resolve(sizes.push(new Set(entries.map(([key]) => key)).size))
    const transactions = prepareOperations(operations, {
      kind: 'transaction',
      operationBytes: 16,
      transactionPuts: 100,
    })
    await transactions.begin({ putAll } as unknown as SystemClient, 77)
    expect(sizes).toEqual([100])
  })

  it('read what was put', async () => {
    const keys: Uint8Array[] = []
    const client = { get: (key: Uint8Array) => Promise.resolve(keys.push(key)) } as unknown as SystemClient
    await prepareOperations(operations, { kind: 'get', operationBytes: 16 }).begin(client, 3)
    expect(operations.keys).toContain(keys[0])
  })
})

function bound(clock: VirtualClock): { nowMs: () => number } {
  return { nowMs: () => clock.nowMs() }
}
