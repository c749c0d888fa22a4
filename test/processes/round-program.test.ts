// A round as a process: what it says, what it refuses, and that nothing stays behind, however it ends.

import { mkdtempSync, statfsSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LatencyHistogram } from '../../src/benchmark/latency-histogram.ts'
import type { Point, PointResult, Round, RoundLine } from '../../src/benchmark/round.ts'
import { point as fakePoint } from '../benchmark/fake-round.ts'
import { buildCli, childrenOf, isAlive, type BuiltCli, type Ended, type Running } from '../cli/built-cli.ts'

let cli: BuiltCli
beforeAll(() => {
  cli = buildCli()
}, 60_000)
afterAll(() => cli.remove())

const tmpfsType = 0x0102_1994
const point: Point = { ...fakePoint, load: { loop: 'closed', outstanding: 16 }, warmUpSeconds: 0.1, seconds: 0.4 }

function start(system: string, points: readonly Point[], replicas = 3): Running {
  const dir = mkdtempSync(join(cli.folder, 'round-'))
  const fsync = statfsSync(dir).type !== tmpfsType
  const round: Round = { system, setup: { dir, replicas, fsync }, points, seed: 1 }
  return cli.startProgram('benchmark/round-program.ts', JSON.stringify(round))
}

function linesOf({ out }: Ended): RoundLine[] {
  return out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as RoundLine)
}

function sentenceOf(ended: Ended): string {
  const [line] = linesOf(ended)
  return line?.kind === 'failed' ? line.sentence : ''
}

async function gone(pids: readonly number[]): Promise<void> {
  await expect.poll(() => pids.some((pid) => isAlive(pid)), { timeout: 15_000 }).toBe(false)
}

describe('a round', () => {
  it('measures its points on replicas of its own, counted exactly', async () => {
    const points: Point[] = [
      point,
      { ...point, kind: 'get', clients: 2, load: { loop: 'open', perSecond: 200 } },
      { ...point, failure: 'leader-killed' },
    ]
    const running = start('raft', points)
    const replicas = await childrenOf(running.process.pid!, 3)
    const ended = await running.ended
    expect({ code: ended.code, error: ended.error }).toEqual({ code: 0, error: '' })
    const [started, ...measured] = linesOf(ended)
    expect(started).toMatchObject({ kind: 'started', processes: ['replica-1', 'replica-2', 'replica-3'] })
    const results = measured.map((line) => (line as { result: PointResult }).result)
    expect(results.map((result) => result.point)).toEqual(points)
    const [puts, gets, killed] = results as [PointResult, PointResult, PointResult]
    expect([puts.failed, gets.failed]).toEqual([0, 0])
    expect(puts.operations).toBeGreaterThan(15)
    expect(gets.operations).toBe(80)
    expect(LatencyHistogram.decode(puts.latency).count).toBe(puts.operations)
    expect(puts.counters.map((counters) => counters!.fsyncs! > 0)).toEqual([true, true, true])
    expect(gets.counters.map((counters) => counters!.messagesSent!['append'] ?? 0)).toEqual([0, 0, 0])
    expect(puts.cpuSeconds.processes).toHaveLength(3)
    expect([puts.timeline, killed.timeline?.length]).toEqual([undefined, 4])
    expect(killed.counters.filter((counters) => counters === null)).toHaveLength(1)
    await gone(replicas)
  })

  it('goes on when a replica begins to lie', async () => {
    const ended = await start('pbft', [{ ...point, failure: 'lying-replica' }], 4).ended
    expect({ code: ended.code, error: ended.error }).toEqual({ code: 0, error: '' })
    const { result } = linesOf(ended)[1] as { result: PointResult }
    expect(result.operations).toBeGreaterThan(0)
    // All of them, the liar too, run until the end.
    expect(result.counters).not.toContain(null)
  })

  it('takes its replicas along, at SIGTERM and at SIGKILL', async () => {
    const signals = ['SIGTERM', 'SIGKILL'] as const
    // Side by side: a start waits more than it works.
    const codes = await Promise.all(
      signals.map(async (signal) => {
        const running = start('raft', [{ ...point, seconds: 60 }])
        const replicas = await childrenOf(running.process.pid!, 3)
        await new Promise((resolve) => running.process.stdout!.once('data', resolve))
        running.process.kill(signal)
        const { code } = await running.ended
        await gone(replicas)
        return code
      }),
    )
    expect(codes).toEqual([1, null])
  })

  it('is refused where nobody can lie, and for a system that nobody knows', async () => {
    const [lying, unknown] = await Promise.all([
      start('raft', [{ ...point, failure: 'lying-replica' }]).ended,
      start('paxos', [point]).ended,
    ])
    expect(lying.out).toContain('nobody can lie')
    expect(sentenceOf(unknown)).toContain('hotstuff/three-chain, etcd')
  })
})
