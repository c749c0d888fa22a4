// Goal: whoever benchmarks has a report, however it ended. Method: the built command, real processes for a second or two, since what is measured is
// not what is tested.

import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { PlannedRound } from '../../src/benchmark/plan/plan.ts'
import { parseReport } from '../../src/benchmark/report/read-report.ts'
import type { Report } from '../../src/benchmark/report/report.ts'
import { buildCli, childrenOf, isAlive, type BuiltCli } from '../cli/built-cli.ts'

let cli: BuiltCli
beforeAll(() => {
  cli = buildCli()
}, 240_000)
afterAll(() => cli.remove())

const inFolder = (name: string): string => join(cli.folder, name)

function readReport(out: string): Report {
  return parseReport(readFileSync(join(inFolder(out), 'report.json'), 'utf8'), out)
}

/** As that of a report, in one start after another with a warm-up that warms nothing up: how long it takes is part of a plan. */
function repeatable(name: string, report: Report, starts: readonly Partial<PlannedRound>[]): PlannedRound[] {
  const [first] = report.rounds
  const warmUp = [{ kind: 'put' as const, outstanding: 4, seconds: 0.1 }]
  const rounds = starts.map((changes) => ({ ...first!, plan: { ...first!.plan, warmUp, ...changes } }))
  writeFileSync(inFolder(name), JSON.stringify({ ...report, rounds }))
  return rounds.map(({ plan }) => plan)
}

describe('bench', () => {
  let first: Report

  it('says what it will do, does it, and keeps a report', async () => {
    const args = ['--quick', '--protocols', 'raft', '--peers', 'none', '--seconds', '1', '--outstanding', '4']
    const { code, out } = await cli.run('bench', ...args, '--out', 'first')
    expect(out).toMatch(/^raft: 1 starts in 1 run, 1 points, about [0-9]+ s\n/)
    expect(out).toMatch(/raft +put 128 B, 4 outstanding/)
    expect(code).toBe(0)
    first = readReport('first')
    const { state, rounds, yardsticks, systems } = first
    expect([state, rounds.length, yardsticks.length, systems.length]).toEqual(['complete', 1, 2, 1])
    expect(rounds[0]!.results[0]!.operations).toBeGreaterThan(0)
    expect(readdirSync(inFolder('first')).sort()).toEqual(['report.html', 'report.json'])
  })

  it('repeats a report, with profiles where its plan has them', async () => {
    const plans = repeatable('again.json', first, [{ profile: true }])
    const { code, out } = await cli.run('bench', '--repeat', 'again.json', '--out', 'again', '--json')
    expect(code).toBe(0)
    const events = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { kind?: string; event?: string })
    expect(events.map(({ kind, event }) => kind ?? event)).toEqual([
      'yardstick',
      ...['round', 'started', 'measured', 'ended'],
      'yardstick',
      'report',
    ])
    const { rounds } = readReport('again')
    expect(rounds.map(({ plan }) => plan)).toEqual(plans)
    const profiled = ['load generator', 'replica-1', 'replica-2', 'replica-3']
    expect(rounds[0]!.profiles.map(({ process }) => process)).toEqual(profiled)
    expect(readdirSync(inFolder('again')).sort()).toEqual([
      ...profiled.map((name) => `flame-raft-3-${name.replace(' ', '-')}.svg`),
      'report.html',
      'report.json',
    ])
    expect(readFileSync(join(inFolder('again'), 'report.html'), 'utf8')).toContain('Beside the report of')
  })

  it('is interrupted: ends its processes, removes their files, keeps what was measured, and says so', async () => {
    const [point] = first.rounds[0]!.plan.points
    const points = [point!, { ...point!, seconds: 60 }]
    repeatable('cut.json', first, [{ points }, { points }])
    const running = cli.start('bench', '--repeat', 'cut.json', '--out', 'cut', '--json')
    const says = (word: string): Promise<void> =>
      new Promise((resolve) => {
        let said = ''
        running.process.stdout!.on('data', (text: string) => {
          said += text
          if (said.includes(word)) resolve()
        })
      })
    const measured = says('"measured"')
    // Before that it has had other children, which looked at the machine.
    await says('"started"')
    const [round] = await childrenOf(running.process.pid!, 1)
    const replicas = await childrenOf(round!, 3)
    await measured
    running.process.kill('SIGINT')
    const { code, out } = await running.ended
    expect(code).toBe(130)
    expect([round!, ...replicas].filter(isAlive)).toEqual([])
    expect(out).toContain('"event":"report","state":"interrupted"')
    const { state, rounds } = readReport('cut')
    expect([state, rounds[0]!.results.length, rounds[0]!.failure]).toEqual(['interrupted', 1, 'it was interrupted'])
    expect(rounds.at(-1)!.failure).toBe('not run')
    expect(existsSync(join(inFolder('cut'), 'report.html'))).toBe(true)
    expect(readdirSync(cli.folder).filter((name) => name.startsWith('.quorate'))).toEqual([])
  })
})
