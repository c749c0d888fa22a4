// Timeouts follow the round trips that the links measure (docs/decisions/0018): slow links cost no views, and fast ones leave the timeout as it is.

import { describe, expect, it } from 'vitest'
import { Bench, timeoutMs } from './bench.ts'
import { slowly } from './slowly.ts'

const cappedMs = 20_000
/** Pace timers look at the links so often. */
const lookMs = timeoutMs / 8

/** A client that asks for one thing after the other, of everybody; it returns how many views ended meanwhile. */
function viewsLost(bench: Bench, elapse: (durationMs: number) => void, requests: number, waitMs: number): number {
  const before = Math.max(...bench.replicas.map(({ status }) => status.view))
  for (let request = 0; request < requests; request++) {
    for (const replica of bench.replicas) replica.propose(`${bench.nowMs}`)
    elapse(waitMs)
  }
  return Math.max(...bench.replicas.map(({ status }) => status.view)) - before
}

describe('links whose round trip is longer than the timeout', () => {
  const roundTripMs = 2_200

  it('cost one view after the other where nobody measures them, and none where they are measured', () => {
    const blind = new Bench().start()
    expect(
      viewsLost(
        blind,
        slowly(blind, () => roundTripMs / 2),
        10,
        12_000,
      ),
    ).toBeGreaterThanOrEqual(10)

    const seeing = new Bench().start()
    seeing.roundTripMs = () => roundTripMs
    const elapse = slowly(seeing, () => roundTripMs / 2)
    expect(viewsLost(seeing, elapse, 10, 12_000)).toBe(0)
    expect(seeing.replica(4).texts).toHaveLength(10)
    for (const replica of seeing.replicas) expect(replica.noted('wish')).toEqual([])
  })

  it('cost few views when they become slow under way, and when they are fast again a dead primary is noticed as soon as ever', () => {
    const bench = new Bench().start()
    let presentMs = 20
    bench.roundTripMs = () => presentMs
    const elapse = slowly(bench, () => presentMs / 2)
    expect(viewsLost(bench, elapse, 5, 1_000)).toBe(0)
    presentMs = roundTripMs
    expect(viewsLost(bench, elapse, 10, 12_000)).toBeLessThanOrEqual(1)
    presentMs = 20
    expect(viewsLost(bench, elapse, 5, 1_000)).toBe(0)

    const primary = bench.replicas.find(({ id, status }) => status.leader === id)!
    primary.crash()
    const alive = bench.replicas.filter(({ isUp }) => isUp)
    for (const replica of alive) replica.propose('after its death')
    elapse(2 * timeoutMs)
    for (const replica of alive) expect(replica.texts).toContain('after its death')
  })

  it('leave each look at the pace in peace, also before any votes were seen', () => {
    const bench = new Bench({ parameters: { timers: { timeoutMsMax: 60_000 } } }).start()
    bench.roundTripMs = () => 4_000
    // Of the wishes alone: no request timer ends so soon.
    expect(
      viewsLost(
        bench,
        slowly(bench, () => 2_000),
        1,
        11_000,
      ),
    ).toBe(0)
    for (const replica of bench.replicas) expect(replica.noted('wish')).toEqual([])
  })
})

describe('the base of the view timeout', () => {
  /** When replica 4 blames a primary from whom nothing comes, with these round trips to replicas 1, 2, 3 and so on. */
  function blamedAfterMs(roundTrips: readonly (number | null)[], voters = roundTrips.length + 1): number {
    const bench = new Bench({ voters, parameters: { timers: { timeoutMsMax: cappedMs } } }).start()
    bench.roundTripMs = (_, to) => roundTrips[to - 1] ?? null
    const last = bench.replica(voters)
    bench.isolate(1).isolate(voters)
    bench.elapse(lookMs)
    last.propose('a')
    const askedMs = bench.nowMs
    while (last.noted('view-change-asked').length === 0) bench.elapse(10)
    return bench.nowMs - askedMs
  }

  it.each([
    ['is that of the network file on fast links', [1, 1, 1], timeoutMs],
    ['and where nothing is measured', [null, null, null], timeoutMs],
    ['is six round trips on slow ones', [500, 500, 500], 3_000],
    ['never more than the cap', [60_000, 60_000, 60_000], cappedMs],
    ['is that of a quorum: whoever answers later is not waited for', [300, 500, 60_000], 3_000],
    ['or who does not answer at all', [null, 500, 300], 3_000],
    ['is not that of the nearest alone', [0, 500, 500], 3_000],
    ['stays where fewer than a quorum are measured', [null, 60_000, null], timeoutMs],
    ['among seven, two of whom answer late', [60_000, 300, 60_000, 400, 500, 200], 3_000],
    ['among seven, two of whom answer at once', [0, 400, 0, 500, 600, 700], 3_000],
    ['and never below that of the network file, whoever answers at once', [0, 0, 0, 0, 300, 300], timeoutMs],
  ])('%s: %j', (_, roundTrips, expectedMs) => {
    const blamedMs = blamedAfterMs(roundTrips)
    expect(blamedMs).toBeGreaterThanOrEqual(expectedMs)
    expect(blamedMs).toBeLessThanOrEqual(expectedMs + 10)
  })

  it('doubles with each view that fails, and begins anew with a decision', () => {
    const bench = new Bench({ voters: 7 }).start()
    bench.roundTripMs = () => 500
    bench.elapse(lookMs)
    for (const id of [1, 2]) bench.replica(id).crash()
    const alive = bench.replicas.filter(({ isUp }) => isUp)
    const startMs = bench.nowMs
    const reached = (view: number): number => {
      while (alive[0]!.status.view < view) bench.elapse(10)
      return bench.nowMs - startMs
    }
    for (const replica of alive) replica.propose('a')
    expect(reached(1)).toBe(3_000)
    expect(reached(2)).toBe(3_000 + 6_000)
    bench.settle()
    for (const { texts } of alive) expect(texts).toEqual(['a'])
    bench.replica(3).crash()
    const left = alive.slice(1)
    for (const replica of left) replica.propose('b')
    bench.elapse(2_990)
    expect(left.flatMap(({ status }) => status.view)).toEqual([2, 2, 2, 2])
    bench.elapse(10)
    expect(left.flatMap(({ status }) => status.view)).toEqual([3, 3, 3, 3])
  })

  it('stays when too few are left that are measured: they are as far away as before when they come back', () => {
    const bench = new Bench().start()
    const last = bench.replica(4)
    bench.roundTripMs = () => 500
    bench.elapse(lookMs)
    bench.roundTripMs = () => null
    bench.isolate(4)
    last.propose('a')
    bench.elapse(2_990)
    expect(last.noted('view-change-asked')).toEqual([])
    bench.elapse(10)
    expect(last.noted('view-change-asked')).toHaveLength(1)
  })

  it('that rises or falls while somebody waits counts from the beginning of the wait', () => {
    for (const [beforeMs, afterMs] of [
      [1_000, 10],
      [10, 500],
      [1_000, 500],
    ] as const) {
      const bench = new Bench().start()
      const last = bench.replica(4)
      bench.roundTripMs = () => beforeMs
      bench.isolate(4)
      bench.elapse(lookMs)
      last.propose('a')
      bench.roundTripMs = () => afterMs
      const dueMs = Math.max(timeoutMs, 6 * afterMs)
      bench.elapse(dueMs - 10)
      expect(last.noted('view-change-asked')).toEqual([])
      bench.elapse(10)
      expect(last.noted('view-change-asked')).toHaveLength(1)
    }
  })

  it('that has risen is said, and why', () => {
    const bench = new Bench().start()
    bench.roundTripMs = () => 40
    bench.elapse(lookMs)
    expect(bench.replica(1).status.phase).toBe('leads, and nothing is under way')
    bench.roundTripMs = () => 400
    bench.elapse(lookMs)
    expect(bench.replica(1).status.phase).toBe(
      'leads, and nothing is under way; a quorum is 400 ms there and back, so a view has 2400 ms',
    )
    bench.roundTripMs = () => 60_000
    // Looks are as far apart as the timeout is long.
    bench.elapse(2400 / 8)
    expect(bench.replica(1).status.phase).toMatch(/a view has 20000 ms$/)
    for (const replica of bench.replicas) expect(replica.noted('links-slow')).toHaveLength(1)
  })
})
