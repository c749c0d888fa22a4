// Goal: a report is one document that shows what was measured, fetches nothing, runs nothing, and shows strangers' words as words.

import { describe, expect, it } from 'vitest'
import { cpuCategories } from '../../../src/benchmark/report/cpu-categories.ts'
import type { CpuBreakdown } from '../../../src/benchmark/report/cpu-breakdown.ts'
import { figuresOf } from '../../../src/benchmark/report/figures.ts'
import { htmlReport } from '../../../src/benchmark/report/html.ts'
import { plotsOf } from '../../../src/benchmark/report/plots.ts'
import { sectionsOf } from '../../../src/benchmark/report/sections.ts'
import type { Plot } from '../../../src/benchmark/plot/line-plot.ts'
import type { RoundReport } from '../../../src/benchmark/report/report.ts'
import { closed, contenders, measuredRound, smallReport } from './small-report.ts'

const shares = Object.fromEntries([...cpuCategories, 'other threads'].map((name) => [name, 0.1])) as CpuBreakdown

function plots(...rounds: RoundReport[]): Plot[] {
  return sectionsOf(figuresOf(smallReport(rounds))).flatMap(plotsOf)
}

describe('a document', () => {
  const signers = measuredRound('pbft', 1, 3000, { points: [closed(256, { clients: 16 })] })
  const profiles = [{ process: 'replica-1', shares, flameGraph: 'flame-1.svg' }]
  const profiled = { ...measuredRound('pbft', 1, 2000, { profile: true }), profiles }
  const failed = { ...measuredRound('pbft', 3, 1), failure: 'it hung' }
  const report = smallReport([...contenders, signers, profiled, failed])
  const text = htmlReport(report, smallReport(contenders))

  it('shows the machine, its yardsticks, medians with ranges, and ratios to the peer', () => {
    expect(text).toContain('a CPU, 2 cores, 1000 MB')
    expect(text).toContain('<td>9,000 (8,000 to 10,000)</td>')
    expect(text).toContain('<td>2.5 (2 to 3)</td><td>3,000 (0.5 to 4,000)</td>')
  })

  it('shows ceilings, costs by category with flame graphs, rounds that failed, and the earlier report', () => {
    expect(text).toContain('<td>72,000</td><td>1,500</td><td>2%</td>')
    expect(text).toContain('<a href="flame-1.svg">replica-1</a>')
    expect(text).toContain('<td>it hung</td>')
    expect(text).toContain('Beside the report of 2026-01-02T03:04:05.000Z')
    expect(htmlReport(report)).not.toContain('Beside the report')
  })

  it('greys latency where processes wait for cores, and says so', () => {
    expect(text).toContain('Processes are more than the 2 cores')
    expect(text).toContain('<td class="crowded">0.1')
    const roomy = htmlReport({ ...report, machine: { ...report.machine, cores: 64 } })
    expect(roomy).not.toContain('class="crowded"')
  })

  it('fetches and runs nothing', () => {
    expect(text).toContain(`content="default-src 'none'`)
    expect(text).not.toMatch(/<script|<img|<iframe|src=|@import|url\(|\son\w+=/)
    expect(text.replaceAll('http://www.w3.org/2000/svg', '')).not.toMatch(/https?:/)
  })

  it('says when it did not come to its end', () => {
    expect(htmlReport({ ...report, state: 'interrupted' })).toContain('did not come to its end: interrupted.')
    const ended = htmlReport({ ...report, state: 'failed', failure: 'no <space>' })
    expect(ended).toContain('did not come to its end: failed, no &lt;space')
  })

  it('shows what a system says of itself', () => {
    const checked = { ...measuredRound('etcd', 2, 1), check: 'PASS: 150 writes/s\nFAIL: <slow>' }
    expect(htmlReport(smallReport([checked]))).toContain(
      '<h2>etcd, 3 replicas, by its own check</h2><pre>PASS: 150 writes/s\nFAIL: &lt;slow',
    )
    expect(text).not.toContain('by its own check')
  })

  it('has no heading over nothing', () => {
    const plain = htmlReport(smallReport(contenders))
    expect(plain).not.toContain('did not come to their end')
    expect(plain).not.toContain('Independent signers')
    expect(text).toContain('Rounds that did not come to their end')
    expect(text).toContain('Independent signers')
  })

  it("shows strangers' words as words", () => {
    const bad = '"><script>alert(1)</script>'
    const round = measuredRound(bad, 1, 6000)
    const failing = { ...measuredRound(bad, 3, 6000, { points: [closed(1, { failure: bad as never })] }), check: bad }
    const hostile = smallReport(
      [
        { ...round, failure: bad, profiles: [{ process: bad, shares, flameGraph: bad }] },
        measuredRound(bad, 2, 6000),
        failing,
      ],
      {
        state: 'failed',
        failure: bad,
        machine: { cpuModel: bad, cores: 2, memoryMegabytes: 1, kernel: bad, node: bad, platform: bad },
        quorate: { version: bad, commit: bad },
        startedAt: bad,
        systems: [{ name: bad, version: bad }],
      },
    )
    expect(htmlReport(hostile, hostile)).not.toContain('<script')
  })
})

describe('plots', () => {
  it('draw throughput and latency of one load after another, whatever order they were measured in', () => {
    const loads = { points: [256, 1, 16].map((outstanding) => closed(outstanding)) }
    const round = measuredRound('pbft', 1, 6000, loads)
    for (const [index, operations] of [6000, 200, 2000].entries()) round.results[index]!.operations = operations
    const [p50, p99, percentiles, cpu] = plots(round)
    expect(p50!.lines).toMatchObject([{ name: 'pbft', points: [{ x: 100 }, { x: 1000 }, { x: 3000 }] }])
    expect([p50!.yName, p99!.yName]).toEqual(['p50 ms', 'p99 ms'])
    expect(percentiles!.lines[0]!.points.map(({ x }) => x)).toEqual([1, 2, 4, 10, 20, 100, 200])
    // 0.6, 0.4 and 0.2 s for 6,000 operations; nobody told of the fourth.
    expect(cpu!.lines[0]!.points.map(({ y }) => Math.round(y))).toEqual([100, 67, 33, 0])
  })

  it('draw what varies along the bottom', () => {
    const sizes = { points: [closed(256), closed(256, { operationBytes: 16 }), closed(256, { operationBytes: 1024 })] }
    const bySize = plots(measuredRound('raft', 1, 6000, sizes)).find(({ title }) => title.includes('bytes'))
    expect(bySize!.lines[0]!.points.map(({ x }) => x)).toEqual([16, 128, 1024])
    const grown = [3, 7, 13].map((replicas) => measuredRound('raft', 1, 6000, { replicas }))
    expect(
      plots(...grown)
        .map(({ title }) => title)
        .slice(-2),
    ).toEqual(['Throughput by replicas', 'CPU of a replica'])
  })

  it('draw throughput over time where something failed, half a second at a time', () => {
    const failing = { points: [closed(256, { failure: 'leader-killed' })] }
    const timeline = [10, 10, 10, 10, 10, 0, 0, 0, 0, 5, 99]
    const [over] = plots(measuredRound('raft', 1, 60, failing, { seconds: 15, timeline }))
    expect(over!.title).toContain('leader-killed after 5 s')
    expect(over!.lines[0]!.points).toEqual([
      { x: 0.5, y: 100 },
      { x: 1, y: 10 },
    ])
  })

  it('are left out where they had one dot', () => {
    expect(plots(...contenders).map(({ title }) => title)).not.toContain('Throughput and latency (p50)')
  })
})
