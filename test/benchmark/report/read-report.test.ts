// Goal: a report comes back as it was written, and one that somebody bent is refused with the field that is wrong. Method: a small report with
// every kind of field in it, and changes to each.

import { describe, expect, it } from 'vitest'
import { parseReport } from '../../../src/benchmark/report/read-report.ts'
import { cpuCategories } from '../../../src/benchmark/report/cpu-categories.ts'
import type { CpuBreakdown } from '../../../src/benchmark/report/cpu-breakdown.ts'
import type { Report } from '../../../src/benchmark/report/report.ts'
import { closed, contenders, measuredRound, smallReport } from './small-report.ts'

const counters = {
  fsyncs: 10,
  framesSent: 4,
  bytesSent: null,
  messagesSent: { 'pre-prepare': 3 },
  signaturesMade: 1,
  signaturesChecked: 2,
  eventLoopDelayP99Ms: 7.5,
}
const shares = Object.fromEntries([...cpuCategories, 'other threads'].map((name) => [name, 0.1])) as CpuBreakdown

const points = [
  closed(16, { kind: 'transaction', transactionPuts: 100 }),
  closed(256, { load: { loop: 'open', percent: 50 } }),
  closed(256, { failure: 'lying-replica' }),
]
const warmUp = [{ kind: 'get' as const, outstanding: 256, seconds: 2.5 }]
const everything = measuredRound(
  'hotstuff/three-chain',
  1,
  5,
  { points, warmUp, check: true },
  { counters: [counters, null], timeline: [0, 7] },
)
const report = smallReport(
  [
    ...contenders,
    {
      ...everything,
      profiles: [{ process: 'replica-1', shares, flameGraph: 'flame-1.svg' }],
      check: 'PASS: a\nPASS',
      failure: 'it was interrupted',
    },
  ],
  { state: 'failed', failure: 'no space is left' },
)

/** The report as text, with the value at a path changed; undefined leaves it out. */
function changed(path: string, value: unknown): string {
  const copy = structuredClone(report) as unknown as Record<string, unknown>
  const names = path.split('.')
  const holder = names.slice(0, -1).reduce((one, name) => one[name] as Record<string, unknown>, copy)
  holder[names.at(-1)!] = value
  return JSON.stringify(copy)
}

describe('a report', () => {
  it('is read as it was written', () => {
    const plain = (value: Report): unknown => JSON.parse(JSON.stringify(value))
    expect(plain(parseReport(JSON.stringify(report), 'report.json'))).toEqual(plain(report))
  })

  it('names its file, the field, and the next step where it is refused', () => {
    expect(() => parseReport(changed('machine.cores', 0), 'a.json')).toThrow(
      'a.json is no report that can be read: machine.cores is 0, and must be a whole number from 1 to 65536: name a report.json',
    )
    expect(() => parseReport('{', 'a.json')).toThrow(
      'a.json is no report that can be read: the report is no sound JSON',
    )
  })

  it.each([
    ['another version', 'version', 2],
    ['a field that nobody knows', 'more', 1],
    ['no plan', 'rounds.0.plan', undefined],
    ['a state of its own', 'state', 'done'],
    ['a system that is a path', 'rounds.0.plan.system', '../raft'],
    ['a thousand replicas', 'rounds.0.plan.replicas', 1000],
    ['a run that is no number', 'rounds.0.plan.run', '1'],
    ['a delay below nothing', 'rounds.0.plan.roundTripMs', -1],
    ['fsync in words', 'rounds.0.plan.fsync', 'yes'],
    ['another kind of work', 'rounds.0.plan.points.0.kind', 'delete'],
    ['a loop of another kind', 'rounds.0.plan.points.0.load.loop', 'half'],
    ['a rate in a plan', 'rounds.4.plan.points.1.load', { loop: 'open', perSecond: 5 }],
    ['operations of a gigabyte', 'rounds.0.plan.points.0.operationBytes', 2 ** 30],
    ['a point of a year', 'rounds.0.plan.points.0.seconds', 31_536_000],
    ['half a client', 'rounds.0.plan.points.0.clients', 0.5],
    ['a failure of another kind', 'rounds.4.plan.points.2.failure', 'earthquake'],
    ['more results than points', 'rounds.0.results.1', report.rounds[0]!.results[0]],
    ['a result of no time', 'rounds.0.results.0.seconds', 0],
    ['fewer than no operations', 'rounds.0.results.0.operations', -1],
    ['a bucket that no histogram has', 'rounds.0.results.0.latency.counts.0', [1_000_000, 1]],
    ['a bucket of three numbers', 'rounds.0.results.0.latency.counts.0', [1, 1, 1]],
    ['a histogram of another kind', 'rounds.0.results.0.latency.significantBits', 7],
    ['CPU that is no number', 'rounds.0.results.0.cpuSeconds.generator', null],
    ['counters in words', 'rounds.4.results.0.counters.0.fsyncs', 'many'],
    ['messages with names of markup', 'rounds.4.results.0.counters.0.messagesSent', { '<b>': 1 }],
    ['a bucket of one number', 'rounds.0.results.0.latency.counts.0', [1]],
    [
      'messages of more names than there are',
      'rounds.4.results.0.counters.0.messagesSent',
      Object.fromEntries(Array.from({ length: 101 }, (_, index) => [`m${index}`, 1])),
    ],
    ['a flame graph elsewhere', 'rounds.4.profiles.0.flameGraph', 'https://example.org/a.svg'],
    ['a flame graph above', 'rounds.4.profiles.0.flameGraph', '../a.svg'],
    ['shares below nothing', 'rounds.4.profiles.0.shares.links', -0.5],
    ['a warm-up of transactions', 'rounds.4.plan.warmUp.0.kind', 'transaction'],
    ['a warm-up of a day', 'rounds.4.plan.warmUp.0.seconds', 86_400],
    ['a warm-up of nobody', 'rounds.4.plan.warmUp.0.outstanding', 0],
    ['warm-ups without end', 'rounds.4.plan.warmUp', Array.from({ length: 17 }, () => warmUp[0])],
    ['a check that is no yes or no', 'rounds.4.plan.check', 'perf'],
    ['a verdict in a novel', 'rounds.4.check', 'x'.repeat(1001)],
    ['a novel', 'rounds.4.failure', 'x'.repeat(1001)],
    ['an end in a novel', 'failure', 'x'.repeat(1001)],
    ['an end that is null', 'failure', null],
    ['a yardstick without syncs', 'yardsticks.0.syncMs', {}],
    ['rounds that are no list', 'rounds', {}],
  ])('is refused with %s', (_name, path, value) => {
    expect(() => parseReport(changed(path, value), 'a.json')).toThrow('a.json is no report that can be read')
  })
})
