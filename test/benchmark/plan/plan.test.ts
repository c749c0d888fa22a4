// Goal: a plan measures what was asked, in an order that is fair, in an hour. Method: the default plan and small ones, read as lists.

import { describe, expect, it } from 'vitest'
import { patienceSeconds, planMinutesMax, planSeconds, roundSeconds } from '../../../src/benchmark/plan/estimate.ts'
import { gridPlan } from '../../../src/benchmark/plan/grid.ts'
import { defaults, factors, oneFactorPlan, type PlanRequest } from '../../../src/benchmark/plan/one-factor.ts'
import { withOwnCheck } from '../../../src/benchmark/plan/own-check.ts'
import { point as fakePoint } from '../fake-round.ts'
import { pointKey, type PlannedPoint, type PlannedRound } from '../../../src/benchmark/plan/plan.ts'

const systems = ['raft', 'pbft', 'hotstuff', 'etcd']
const usual: PlanRequest = {
  ...defaults,
  systems,
  factors: factors.filter((name) => name !== 'round-trip' && name !== 'profile'),
  replicas: [],
  roundTripsMs: [],
}
const roundsOf = (changes: Partial<PlanRequest>): readonly PlannedRound[] =>
  oneFactorPlan({ ...usual, ...changes }).rounds
const keysOf = (rounds: readonly PlannedRound[]): string[] =>
  rounds.flatMap((round) => round.points.map((point) => pointKey(round, point)))
const base = '256 128 1 0 '

describe('the default plan', () => {
  const { rounds } = oneFactorPlan(usual)

  it('takes an hour at most, and in three runs with delays between replicas and profiles as well', () => {
    expect(planSeconds({ rounds })).toBeLessThan(planMinutesMax * 60)
    const all = oneFactorPlan({ ...usual, factors, roundTripsMs: [1, 10, 50], runs: 3 })
    expect(planSeconds(all)).toBeLessThan(planMinutesMax * 60)
  })

  it('has contenders in turns, each in a start of its own', () => {
    expect(rounds.slice(0, 8).map(({ system }) => system)).toEqual([...systems, ...systems])
    for (const [index, { run }] of rounds.entries()) expect(run).toBeGreaterThanOrEqual(rounds[index - 1]?.run ?? 1)
  })

  it('measures the base point of each system in five runs, and once in each', () => {
    for (const [system, replicas] of [
      ['raft', 3],
      ['pbft', 4],
      ['hotstuff', 4],
      ['etcd', 3],
    ] as const) {
      const key = `${system} ${replicas} true 0 put ${base}`
      const starts = rounds.filter(({ points }, at) => points.some((point) => pointKey(rounds[at]!, point) === key))
      expect(starts.map(({ run }) => run)).toEqual([1, 2, 3, 4, 5])
      expect(keysOf(starts).filter((one) => one === key)).toHaveLength(5)
    }
  })

  it('varies each factor around it, and no two at a time', () => {
    const ofRaft = [...new Set(keysOf(rounds.filter(({ system }) => system === 'raft')))]
    const closed = (outstanding: number, rest = '128 1 0 '): string => `raft 3 true 0 put ${outstanding} ${rest}`
    expect(ofRaft.toSorted()).toEqual(
      [
        ...[1, 4, 16, 64, 256, 1024, 4096].map((outstanding) => closed(outstanding)),
        ...[16, 1024, 16_384, 65_536].map((bytes) => closed(256, `${bytes} 1 0 `)),
        ...[16, 256].map((clients) => closed(256, `128 ${clients} 0 `)),
        ...[1, 256].map((outstanding) => `raft 3 true 0 get ${outstanding} 128 1 0 `),
        'raft 3 true 0 transaction 16 128 1 100 ',
        ...[50, 80].map((percent) => `raft 3 true 0 put ${percent}% 128 1 0 `),
        ...[1, 256].map((outstanding) => `raft 3 false 0 put ${outstanding} 128 1 0 `),
        ...[5, 7, 13].map((replicas) => `raft ${replicas} true 0 put 256 128 1 0 `),
        'raft 3 true 0 put 256 128 1 0 leader-killed',
        'raft 3 true 0 put 256 128 1 0 slow-replica',
      ].toSorted(),
    )
  })

  it('lets replicas lie only where others do not believe everybody, and last of all in a start', () => {
    const lies = rounds.filter(({ points }) => points.some(({ failure }) => failure === 'lying-replica'))
    expect(lies.map(({ system }) => system)).toEqual(['pbft', 'hotstuff'])
    for (const { points } of rounds)
      if (points.some(({ failure }) => failure !== undefined)) expect(points).toHaveLength(1)
  })

  it('grows replicas of ours alone', () => {
    const counts = (name: string): number[] => [
      ...new Set(rounds.filter(({ system }) => system === name).map(({ replicas }) => replicas)),
    ]
    expect([counts('raft'), counts('hotstuff'), counts('etcd')]).toEqual([[3, 5, 7, 13], [4, 7, 10, 13], [3]])
  })

  it('warms each start up for ten seconds, many operations under way and then one, all systems alike', () => {
    const put = { kind: 'put' as const, outstanding: 256, seconds: 4 }
    for (const { points, warmUp } of rounds) {
      const kinds = new Set(points.map(({ kind }) => kind))
      if (kinds.size === 1) expect(warmUp).toEqual([put, { ...put, outstanding: 1, seconds: 6 }])
      else {
        expect(warmUp!.map(({ kind, outstanding, seconds }) => [kind, outstanding, seconds])).toEqual([
          ['put', 256, 2],
          ['get', 256, 2],
          ['put', 1, 3],
          ['get', 1, 3],
        ])
      }
      for (const { warmUpSeconds } of points) expect(warmUpSeconds).toBe(1)
    }
  })

  it('warms up with reads alone where nothing else is measured', () => {
    const [first] = roundsOf({ systems: ['raft'], factors: ['reads'], runs: 1, warmUpSeconds: 1 })
    expect(first!.warmUp!.map(({ kind, seconds }) => [kind, seconds])).toEqual([
      ['get', 0.4],
      ['get', 0.6],
    ])
  })
})

describe('a plan', () => {
  it('has only what was asked for', () => {
    const rounds = roundsOf({ systems: ['raft'], factors: ['outstanding'], outstanding: [1, 16], runs: 2 })
    expect(rounds.map(({ run }) => run)).toEqual([1, 2])
    expect(rounds[0]!.points.map(({ load }) => load)).toEqual(
      [1, 16].map((outstanding) => ({ loop: 'closed', outstanding })),
    )
  })

  it('has its base point where it was asked to be', () => {
    const rounds = roundsOf({
      systems: ['raft'],
      factors: ['bytes'],
      bytes: [64, 1024],
      outstanding: [8, 9],
      clients: [3],
    })
    expect([...new Set(keysOf(rounds))]).toEqual(['raft 3 true 0 put 8 64 3 0 ', 'raft 3 true 0 put 8 1024 3 0 '])
  })

  it('measures a closed loop where an open one needs it, in a start before', () => {
    const rounds = roundsOf({ systems: ['pbft'], factors: ['open-loop'], runs: 1 })
    expect(rounds.map(({ points }) => points.map(({ load }) => load.loop))).toEqual([['closed'], ['open', 'open']])
  })

  it('leaves out numbers of replicas that survive nothing', () => {
    const counts = (system: string): number[] =>
      roundsOf({ systems: [system], factors: ['replicas'], replicas: [3, 5, 7], runs: 1 }).map(
        ({ replicas }) => replicas,
      )
    expect([counts('raft'), counts('pbft')]).toEqual([
      [3, 5, 7],
      [5, 7],
    ])
  })

  it('has its base at the least number of replicas that survives a fault, wherever it was named', () => {
    const rounds = roundsOf({ systems: ['raft'], factors: ['outstanding', 'replicas'], replicas: [5, 3], runs: 1 })
    expect(rounds.map(({ replicas, points }) => [replicas, points.length > 1])).toEqual([
      [3, true],
      [5, false],
    ])
  })

  it('delays packets, keeps files in memory, and takes profiles where it was asked to', () => {
    const rounds = roundsOf({
      systems: ['raft'],
      factors: ['round-trip', 'fsync', 'profile'],
      roundTripsMs: [10],
      runs: 1,
    })
    expect(rounds.map(({ roundTripMs, fsync, profile, replicas }) => [roundTripMs, fsync, profile, replicas])).toEqual([
      [0, true, false, 3],
      [0, false, false, 3],
      [10, true, false, 3],
      ...[3, 5, 7, 13].map((replicas) => [0, true, true, replicas]),
    ])
    expect(roundsOf({ systems: ['etcd'], factors: ['profile'] })).toEqual([])
  })
})

describe('a grid', () => {
  it('has every value with every other, contenders in turns', () => {
    const request = { ...usual, outstanding: [1, 256], bytes: [16, 128], clients: [1, 2], runs: 2 }
    const { rounds } = gridPlan({
      ...request,
      factors: ['fsync', 'reads'],
      replicas: [3, 4],
      systems: ['raft', 'pbft'],
    })
    expect(rounds.slice(0, 3).map(({ system, replicas, fsync }) => [system, replicas, fsync])).toEqual([
      ['raft', 3, true],
      ['raft', 4, true],
      ['pbft', 4, true],
    ])
    expect(rounds).toHaveLength(2 * 2 * 3)
    for (const { warmUp } of rounds) expect(warmUp!.reduce((sum, { seconds }) => sum + seconds, 0)).toBe(10)
    expect(new Set(keysOf(rounds.slice(0, 1))).size).toBe(2 * 2 * 2 * 2)
  })
})

describe('a grid with delays', () => {
  it('has each of them', () => {
    const { rounds } = gridPlan({
      ...usual,
      factors: ['outstanding'],
      systems: ['raft'],
      roundTripsMs: [1, 10],
      runs: 1,
    })
    expect(rounds.map(({ roundTripMs }) => roundTripMs)).toEqual([1, 10])
  })
})

describe("a system's own check", () => {
  it('is a start of its own behind all others, in the last run', () => {
    const plan = withOwnCheck({ rounds: roundsOf({ systems: ['raft', 'etcd'], runs: 2 }) }, 'etcd')
    const checks = plan.rounds.filter(({ check }) => check === true)
    expect(checks).toEqual([plan.rounds.at(-1)])
    expect(checks[0]).toMatchObject({ system: 'etcd', replicas: 3, run: 2, fsync: true, points: [] })
  })
})

describe('an estimate', () => {
  const point = { ...fakePoint, seconds: 3 } as PlannedPoint
  const round = { run: 1, system: 'raft', replicas: 3, fsync: true, roundTripMs: 0, profile: false, points: [point] }

  it('grows with points, replicas, clients and delays', () => {
    const seconds = roundSeconds(round)
    expect(roundSeconds({ ...round, points: [point, point] })).toBeGreaterThanOrEqual(seconds + 4)
    expect(roundSeconds({ ...round, replicas: 13 })).toBeGreaterThan(seconds + 5)
    expect(roundSeconds({ ...round, points: [{ ...point, clients: 256 }] })).toBeGreaterThan(seconds + 5)
    expect(roundSeconds({ ...round, roundTripMs: 50 })).toBeGreaterThan(seconds + 1)
    const warmUp = [
      { kind: 'put' as const, outstanding: 256, seconds: 4 },
      { kind: 'put' as const, outstanding: 1, seconds: 6 },
    ]
    expect(roundSeconds({ ...round, warmUp })).toBeGreaterThanOrEqual(seconds + 10)
    // A load of a minute.
    expect(roundSeconds({ ...round, check: true })).toBeGreaterThan(seconds + 60)
    // The machine is measured in each run.
    const twice = [round, { ...round, run: 2 }]
    expect(planSeconds({ rounds: twice })).toBeGreaterThan(2 * seconds + 2)
    expect(patienceSeconds(round)).toBeGreaterThan(3 * seconds)
  })
})
