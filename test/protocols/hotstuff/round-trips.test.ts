// Timeouts follow the round trips that the links measure (docs/decisions/0018): slow links cost no views, and fast ones leave the timeout as it is.

import { describe, expect, it } from 'vitest'
import { slowly } from '../pbft/slowly.ts'
import { Bench, timeoutMs, type BenchOptions } from './bench.ts'

/** A look at the links comes with each of them. */
const retransmitMs = 250
const roundTripMs = 2_200

function givenUp(bench: Bench): number {
  return bench.replicas.reduce((sum, replica) => sum + replica.noted('view-given-up').length, 0)
}

/** A client that asks for one thing after the other, of everybody; it returns how many views were given up meanwhile. */
function viewsLost(bench: Bench, elapse: (durationMs: number) => void, requests: number, waitMs: number): number {
  const before = givenUp(bench)
  for (let request = 0; request < requests; request++) {
    for (const replica of bench.replicas) replica.propose(`${bench.nowMs}`)
    elapse(waitMs)
  }
  return givenUp(bench) - before
}

describe.each([
  ['two-chain', 'round-robin'],
  ['three-chain', 'round-robin'],
  ['two-chain', 'reputation'],
] as const)('links whose round trip is longer than the timeout (%s, %s)', (rule, leaders) => {
  const options: BenchOptions = { parameters: { hotstuff: { rule, leaders } } }

  it('cost views where nobody measures them, and none where they are measured', () => {
    const blind = new Bench(options).start()
    const inBlindness = slowly(blind, () => roundTripMs / 2)
    expect(viewsLost(blind, inBlindness, 10, 20_000)).toBeGreaterThanOrEqual(10)

    const seeing = new Bench(options).start()
    seeing.roundTripMs = () => roundTripMs
    seeing.elapse(retransmitMs)
    const elapse = slowly(seeing, () => roundTripMs / 2)
    expect(viewsLost(seeing, elapse, 10, 20_000)).toBe(0)
    for (const replica of seeing.replicas) expect(replica.texts).toHaveLength(10)
  })
})

describe('replicas that are as far from each other as the rules have it', () => {
  it.each([1, 2, 3, 4])('give no view up for a request at replica %i', (asked) => {
    // On a line, the asked one in the middle: everybody is within R/2 of it, and two of them are R apart.
    const bench = new Bench({ parameters: { timers: { timeoutMsMax: 60_000 } } }).start()
    const others = [1, 2, 3, 4].filter((id) => id !== asked)
    const places = new Map<number, number>([
      [asked, 0],
      ...others.map((id, index) => [id, [-1, 1, -1][index]!] as const),
    ])
    const delayMs = (from: number, to: number): number =>
      (Math.abs(places.get(from)! - places.get(to)!) * roundTripMs) / 2
    bench.roundTripMs = (from, to) => 2 * delayMs(from, to)
    bench.elapse(retransmitMs)
    const elapse = slowly(bench, delayMs)
    const replica = bench.replica(asked)
    for (let request = 0; request < 10; request++) {
      replica.propose(`r${request}`)
      elapse(40_000)
    }
    expect(replica.texts).toHaveLength(10)
    expect(replica.noted('view-given-up')).toEqual([])
  })
})

describe('the base of the view timeout', () => {
  it.each([
    ['is that of the network file on fast links', [1, 1, 1], timeoutMs],
    ['is four round trips on slow ones', [500, 500, 500], 2_000],
    ['is that of a quorum: whoever answers later, or never, is not waited for', [null, 500, 300], 2_000],
    ['is never more than the cap', [60_000, 60_000, 60_000], 20_000],
  ] as const)('%s', (_, roundTrips, expectedMs) => {
    const bench = new Bench().start()
    bench.roundTripMs = (_from, to) => roundTrips[to - 1] ?? null
    bench.elapse(retransmitMs).isolate(4)
    const last = bench.replica(4)
    last.propose('a')
    bench.elapse(expectedMs - 10)
    expect(last.noted('view-given-up')).toEqual([])
    bench.elapse(10)
    expect(last.noted('view-given-up')).toHaveLength(1)
  })

  it('counts from the beginning of the wait when it falls', () => {
    const bench = new Bench().start()
    bench.roundTripMs = () => 1_000
    bench.elapse(retransmitMs).isolate(4)
    const last = bench.replica(4)
    last.propose('a')
    bench.roundTripMs = () => 10
    bench.elapse(timeoutMs - 10)
    expect(last.noted('view-given-up')).toEqual([])
    bench.elapse(10)
    expect(last.noted('view-given-up')).toHaveLength(1)
  })

  it('that has risen is said, and why', () => {
    const bench = new Bench().start()
    bench.roundTripMs = () => 400
    bench.elapse(retransmitMs)
    for (const replica of bench.replicas) {
      expect(replica.status.phase).toMatch(/; a quorum is 400 ms there and back, so a view has 1600 ms$/)
      expect(replica.noted('links-slow')).toHaveLength(1)
    }
  })
})
