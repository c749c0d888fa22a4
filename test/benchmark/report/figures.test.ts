// Goal: figures are those that a person works out from the raw results. Method: small reports, and sums in the head.

import { describe, expect, it } from 'vitest'
import { ceilingsOf } from '../../../src/benchmark/report/ceiling.ts'
import { columnsFor, peerRatio, shownNumber, shownSpread } from '../../../src/benchmark/report/columns.ts'
import { compare, comparisonRows } from '../../../src/benchmark/report/compare.ts'
import { figuresOf, spread, spreadOf, type Figure } from '../../../src/benchmark/report/figures.ts'
import { costsOf } from '../../../src/benchmark/report/profile-section.ts'
import { cpuShares } from '../../../src/benchmark/report/cpu-breakdown.ts'
import { sectionsOf } from '../../../src/benchmark/report/sections.ts'
import { closed, contenders, measuredRound, smallReport } from './small-report.ts'

const counters = {
  fsyncs: 10,
  framesSent: 4,
  bytesSent: null,
  messagesSent: { prepare: 3 },
  signaturesMade: 1,
  signaturesChecked: 2,
  eventLoopDelayP99Ms: 7,
}

describe('a figure', () => {
  const figures = figuresOf(smallReport(contenders))

  it('holds what belongs together, by run', () => {
    expect(figures.map(({ setup, runs }) => [setup.system, runs.map(({ run }) => run)])).toEqual([
      ['pbft', [1, 2]],
      ['etcd', [1, 2]],
    ])
    expect(spread(figures[0]!, (one) => one.operationsPerSecond)).toEqual({ median: 3500, least: 3000, most: 4000 })
  })

  it('works out latency from the histogram, and CPU for 1,000 operations with the busiest replica first', () => {
    const [{ measured }] = figuresOf(smallReport([measuredRound('pbft', 1, 2000)]))[0]!.runs as [Figure['runs'][number]]
    expect(measured.p50Ms).toBeCloseTo(0.1, 3)
    expect(measured.p999Ms).toBeCloseTo(0.1, 3)
    expect(measured.replicaCpuSeconds).toEqual([0.3, 0.2, 0.1])
    expect(measured.generatorCpuSeconds).toBe(0.05)
  })

  it('counts of all replicas for 1,000 operations, and nothing where one does not tell', () => {
    const of = (all: (typeof counters | null)[]) =>
      figuresOf(smallReport([measuredRound('pbft', 1, 2000, {}, { counters: all })]))[0]!.runs[0]!.measured
    const measured = of([counters, { ...counters, eventLoopDelayP99Ms: 9 }])
    expect(measured.counts).toEqual({
      fsyncs: 10,
      framesSent: 4,
      bytesSent: null,
      signaturesMade: 1,
      signaturesChecked: 2,
    })
    expect([measured.messages, measured.eventLoopDelayP99Ms]).toEqual([{ prepare: 3 }, 9])
    expect(of([counters, null])).toMatchObject({ counts: { fsyncs: null }, messages: null, eventLoopDelayP99Ms: 7 })
    expect(of([])).toMatchObject({ counts: { fsyncs: null }, eventLoopDelayP99Ms: null })
  })

  it('leaves profiled rounds out, and the second of two results in one start', () => {
    const twice = measuredRound('pbft', 1, 2000, { points: [closed(256), closed(256)] })
    twice.results[1]!.operations = 9
    const [figure] = figuresOf(smallReport([twice, measuredRound('pbft', 2, 9, { profile: true })]))
    expect(figure!.runs.map(({ measured }) => measured.operationsPerSecond)).toEqual([1000])
  })

  it('has no figures of what never ended', () => {
    const nothing = { operations: 0, failed: 10, latency: { significantBits: 8, counts: [] } }
    const [figure] = figuresOf(smallReport([measuredRound('pbft', 1, 0, {}, nothing)]))
    expect(figure!.runs[0]!.measured).toMatchObject({ operationsPerSecond: 0, failedShare: 1, p50Ms: null })
  })
})

describe('a spread', () => {
  it('has the middle, or the mean of the two in the middle', () => {
    expect(spreadOf([5, 1, 30])).toEqual({ median: 5, least: 1, most: 30 })
    expect(spreadOf([4, 1, 2, 30])).toEqual({ median: 3, least: 1, most: 30 })
    expect(spreadOf([])).toBeNull()
  })

  it('is shown with three digits, and its range where there is one', () => {
    expect([1234.5, 12.345, 0.012345, 0, 1e-9].map(shownNumber)).toEqual(['1,235', '12.3', '0.0123', '0', '0'])
    expect(shownSpread({ median: 2, least: 1, most: 3 })).toBe('2 (1 to 3)')
    expect([shownSpread({ median: 2, least: 2, most: 2 }), shownSpread(null)]).toEqual(['2', '–'])
  })
})

describe('a ratio to a peer', () => {
  it('is worked out run by run', () => {
    const [pbft, etcd] = figuresOf(smallReport(contenders))
    const all = [pbft!, etcd!]
    expect(peerRatio(pbft!, all, 'etcd')).toEqual({ median: 2.5, least: 2, most: 3 })
    expect(peerRatio(etcd!, all, 'etcd')).toBeNull()
  })

  it('is of the same point and setup, and of as many replicas where there are', () => {
    const ratioTo = (...others: ReturnType<typeof measuredRound>[]): number | undefined => {
      const figures = figuresOf(smallReport([measuredRound('raft', 1, 4000), ...others]))
      return peerRatio(figures[0]!, figures, 'etcd')?.median
    }
    expect(ratioTo(measuredRound('etcd', 1, 2000, { points: [closed(1)] }))).toBeUndefined()
    expect(ratioTo(measuredRound('etcd', 1, 2000, { fsync: false }))).toBeUndefined()
    expect(ratioTo(measuredRound('etcd', 2, 2000))).toBeUndefined()
    expect(ratioTo(measuredRound('etcd', 1, 1000, { replicas: 5 }), measuredRound('etcd', 1, 2000))).toBe(2)
    expect(ratioTo(measuredRound('etcd', 1, 1000, { replicas: 5 }))).toBe(4)
  })
})

describe('columns', () => {
  const titles = (cores: number): string[] =>
    columnsFor(figuresOf(smallReport([measuredRound('pbft', 1, 6000, {}, { counters: [counters] })])), cores).map(
      ({ title }) => title,
    )

  it('put what an operation costs before latency where processes wait for cores', () => {
    expect(titles(4).slice(0, 3)).toEqual(['ops/s', 'CPU busiest', 'CPU replicas'])
    expect(titles(5).slice(0, 3)).toEqual(['ops/s', 'p50 ms', 'p90 ms'])
  })

  it('say what the load generator had of all CPU', () => {
    const figures = figuresOf(smallReport([measuredRound('pbft', 1, 2000)]))
    const share = columnsFor(figures, 2)
      .find(({ title }) => title === 'client %')!
      .spread(figures[0]!)
    // 0.1 s beside 0.2, 0.6 and 0.4.
    expect(share!.median).toBeCloseTo(100 / 13, 9)
  })

  it('leave out what nobody tells', () => {
    expect(titles(2)).toContain('fsyncs')
    expect(titles(2)).not.toContain('bytes')
  })
})

describe('sections', () => {
  const rounds = [
    measuredRound('raft', 1, 2000, { points: [256, 1, 4].map((outstanding) => closed(outstanding)) }),
    measuredRound('raft', 1, 2000, { points: [closed(256, { operationBytes: 16 }), closed(256, { clients: 16 })] }),
    measuredRound('raft', 1, 2000, { replicas: 7 }),
    measuredRound('raft', 1, 2000, { fsync: false }),
    measuredRound('raft', 1, 2000, { roundTripMs: 10 }),
    measuredRound('raft', 1, 2000, { points: [closed(256, { kind: 'get' })] }),
    measuredRound('raft', 1, 2000, { points: [closed(16, { kind: 'transaction', transactionPuts: 100 })] }),
    measuredRound('raft', 1, 2000, { points: [closed(256, { load: { loop: 'open', percent: 50 } })] }),
    measuredRound('raft', 1, 2000, { points: [closed(256, { failure: 'slow-replica' })] }),
    measuredRound('raft', 1, 2000, { points: [closed(4, { operationBytes: 16 })] }),
  ]
  const sections = sectionsOf(figuresOf(smallReport(rounds)))
  const rows = (name: string): string[] => {
    const section = sections.find((one) => one.name === name)!
    return section.figures.map((figure) => section.label(figure))
  }

  it('show each factor with its base point, from the least to the most', () => {
    expect(rows('outstanding')).toEqual([1, 4, 256].map((outstanding) => `put 128 B, ${outstanding} outstanding`))
    expect(rows('bytes')).toEqual(['16 B', '128 B'])
    expect(rows('clients')).toEqual(['1 client', '16 clients'])
    expect(rows('replicas')).toEqual(['3 replicas', '7 replicas'])
  })

  it('show each other kind of work alone', () => {
    expect(rows('fsync')).toEqual(['put 128 B, 256 outstanding'])
    expect(rows('round-trip')).toEqual(['10 ms, put 128 B, 256 outstanding'])
    expect(rows('reads')).toEqual(['read 128 B, 256 outstanding'])
    expect(rows('transactions')).toEqual(['100 puts of 128 B, 16 outstanding'])
    expect(rows('open-loop')).toEqual(['put 128 B, at 50% (100/s)'])
    expect(rows('failures')).toEqual(['slow-replica'])
    expect(rows('other')).toEqual(['3 replicas, put 16 B, 4 outstanding'])
  })

  it('leave out factors that were not varied', () => {
    expect(sectionsOf(figuresOf(smallReport(contenders))).map(({ name }) => name)).toEqual(['outstanding'])
    expect(sectionsOf([])).toEqual([])
  })
})

describe('a ceiling', () => {
  it('is what the cores would do if they did nothing but verify', () => {
    const many = { points: [closed(256, { clients: 256 })] }
    const report = smallReport([measuredRound('pbft', 1, 3000, many)])
    const [ceiling] = ceilingsOf(report, figuresOf(report))
    // 256 × 4 signatures of 1/9,000 s for 256 operations, on two cores.
    expect(ceiling!.operationsPerSecond).toBeCloseTo(4500, 6)
    expect(ceiling!.reached.median).toBe(1500)
    const fewer = smallReport([measuredRound('pbft', 1, 3000, { points: [closed(256, { clients: 16 })] })])
    expect(ceilingsOf(fewer, figuresOf(fewer))[0]!.operationsPerSecond).toBeCloseTo(72_000, 6)
    // More clients than operations: each of these is signed alone.
    const idle = smallReport([measuredRound('pbft', 1, 3000, { points: [closed(16, { clients: 256 })] })])
    expect(ceilingsOf(idle, figuresOf(idle))[0]!.operationsPerSecond).toBeCloseTo(4500, 6)
  })

  it.each([
    ['one client', 'pbft', closed(256)],
    ['no signatures', 'raft', closed(256, { clients: 16 })],
    ['a peer', 'etcd', closed(256, { clients: 16 })],
    ['reads', 'pbft', closed(256, { clients: 16, kind: 'get' })],
    ['an open loop', 'pbft', closed(256, { clients: 16, load: { loop: 'open', percent: 50 } })],
  ] as const)('is not known of %s', (_name, system, point) => {
    const report = smallReport([measuredRound(system, 1, 3000, { points: [point] })])
    expect(ceilingsOf(report, figuresOf(report))).toEqual([])
  })
})

describe('what a process costs', () => {
  it('is what the kernel counted, shared out as its profile says', () => {
    const shares = cpuShares({ ...zeros, links: 3, log: 1 }, 0.8)
    const round = measuredRound('pbft', 1, 2000, { profile: true })
    const profiles = [
      { process: 'replica-2', shares, flameGraph: 'a.svg' },
      { process: 'load generator', shares, flameGraph: 'b.svg' },
    ]
    const [replica, generator] = costsOf({ ...round, profiles })
    // 0.6 s and 0.1 s for 2,000 operations.
    expect([replica!.microseconds, generator!.microseconds]).toEqual([300, 50])
    const of = (name: string): number => replica!.byCategory.find(({ category }) => category === name)!.microseconds
    expect(of('links')).toBeCloseTo(180, 9)
    expect(of('other threads')).toBeCloseTo(60, 9)
  })
})

describe('a comparison', () => {
  it('has the points of both, then and now, with the ratio of their medians', () => {
    const before = smallReport(contenders)
    const now = smallReport([measuredRound('pbft', 1, 14_000), measuredRound('raft', 1, 5)])
    const [one, ...more] = compare(before, now)
    expect(more).toEqual([])
    expect(one!.throughput).toMatchObject({ before: { median: 3500 }, now: { median: 7000 }, ratio: 2 })
    expect(comparisonRows(before, now).map((row) => row.slice(0, 5))).toEqual([
      ['machine', 'verifies in a CPU second', '9,000 (8,000 to 10,000)', '9,000 (8,000 to 10,000)', '1'],
      ['pbft', '4 replicas, put 128 B, 256 outstanding', '3,500 (3,000 to 4,000)', '7,000', '2'],
    ])
  })
})

const zeros = {
  links: 0,
  signatures: 0,
  hashing: 0,
  log: 0,
  execution: 0,
  client: 0,
  protocol: 0,
  encoding: 0,
  'garbage collection': 0,
  other: 0,
}
