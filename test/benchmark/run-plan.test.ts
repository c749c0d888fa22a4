// Goal: rounds run as planned, and what each came to is kept however others end. Method: a small plan whose rounds are processes that measure nothing.

import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { PlannedPoint, PlannedRound } from '../../src/benchmark/plan/plan.ts'
import type { Round } from '../../src/benchmark/round.ts'
import type { RoundCommand } from '../../src/benchmark/run-round.ts'
import { runPlan, type BenchmarkEvent, type PlanRun, type RunPlanOptions } from '../../src/benchmark/run-plan.ts'
import { fakeRound, point, result } from './fake-round.ts'

let dir: string
beforeAll(() => void (dir = mkdtempSync(join(tmpdir(), 'quorate-run-plan-'))))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

const planned = point as PlannedPoint
const open: PlannedPoint = { ...planned, load: { loop: 'open', percent: 50 } }

function round(system: string, run: number, changes: Partial<PlannedRound> = {}): PlannedRound {
  return { run, system, replicas: 3, fsync: true, roundTripMs: 0, profile: false, points: [planned], ...changes }
}

/** Measures nothing, and says that each point had so many operations in its two seconds. */
const measures = (operations: number): string => `
  say({ kind: 'started', version: round.system + ' 1', processes: ['replica-1', 'replica-2', 'replica-3'] })
  for (const point of round.points) say({ kind: 'measured', result: { ...${JSON.stringify(result())}, point, operations: ${operations} } })`

const yardstick = { verifies: 8000, hashMegabytes: 500, syncMs: { median: 1, p99: 2 } }

interface Ran extends PlanRun {
  events: BenchmarkEvent[]
  asked: Round[]
}

async function run(
  rounds: readonly PlannedRound[],
  program: (round: Round) => string = () => measures(2000),
  options: Partial<RunPlanOptions> = {},
): Promise<Ran> {
  const events: BenchmarkEvent[] = []
  const asked: Round[] = []
  const done = await runPlan({
    plan: { rounds },
    dir,
    memoryDir: dir,
    command: (one): RoundCommand => {
      asked.push(one)
      return fakeRound(program(one), one)
    },
    delayed: () => ({ wrapped: (command) => command, remove: () => {} }),
    yardstick: () => yardstick,
    signal: new AbortController().signal,
    isLate: () => false,
    onEvent: (event) => void events.push(event),
    keep: () => {},
    onProgress: () => {},
    ...options,
  })
  return { ...done, events, asked }
}

describe('a plan', () => {
  it('runs one round after another, with the machine measured before each run and at the end', async () => {
    const { events, rounds, state, versions, yardsticks } = await run([round('a', 1), round('b', 1), round('a', 2)])
    expect(events.map(({ kind }) => kind)).toEqual([
      'yardstick',
      ...['round', 'started', 'measured', 'ended'],
      ...['round', 'started', 'measured', 'ended'],
      'yardstick',
      ...['round', 'started', 'measured', 'ended'],
      'yardstick',
    ])
    expect(yardsticks).toHaveLength(3)
    expect(state).toBe('complete')
    expect(rounds.map(({ failure, results, processes }) => [failure, results.length, processes.length])).toEqual([
      [null, 1, 3],
      [null, 1, 3],
      [null, 1, 3],
    ])
    expect([...versions]).toEqual([
      ['a', 'a 1'],
      ['b', 'b 1'],
    ])
  })

  it('gives each round an empty folder of its own, in memory where nothing waits for a disk, and leaves none', async () => {
    const memoryDir = mkdtempSync(join(dir, 'memory-'))
    const program = ({ setup }: Round): string =>
      `if (require('node:fs').readdirSync(${JSON.stringify(setup.dir)}).length > 0) process.exit(1);${measures(1)}`
    const { asked, rounds } = await run([round('a', 1), round('b', 2, { fsync: false })], program, { memoryDir })
    expect(rounds.map(({ failure }) => failure)).toEqual([null, null])
    expect(asked[0]!.setup).toMatchObject({ replicas: 3, fsync: true })
    expect(asked[1]!.setup.dir.startsWith(memoryDir)).toBe(true)
    expect(asked.map(({ setup }) => existsSync(setup.dir))).toEqual([false, false])
    expect(asked.map(({ seed }) => seed)).toEqual([1, 2])
  })

  it('goes on after a round that failed, and keeps what it had measured', async () => {
    const program = ({ system }: Round): string => `${measures(5)};process.exitCode = ${system === 'a' ? 1 : 0}`
    const { rounds, state } = await run([round('a', 1), round('b', 1)], program)
    expect(rounds.map(({ failure, results }) => [failure, results.length])).toEqual([
      ['its process ended with code 1', 1],
      [null, 1],
    ])
    expect(state).toBe('complete')
  })

  it('notices points that were left out', async () => {
    const { rounds } = await run(
      [round('a', 1, { points: [planned, planned] })],
      () => `say({ kind: 'measured', result: ${JSON.stringify(result())} })`,
    )
    expect(rounds[0]!.failure).toBe('it left out 1 of its points')
  })

  it('says why a round without a disk cannot be', async () => {
    const { rounds, asked } = await run([round('a', 1, { fsync: false })], undefined, { memoryDir: null })
    expect(rounds[0]!.failure).toContain('/dev/shm')
    expect(asked).toEqual([])
  })

  it('warms a start up as planned, and keeps what a system says of itself', async () => {
    const warmUp = [{ kind: 'put' as const, outstanding: 1, seconds: 3 }]
    const program = `say({ kind: 'started', version: '1', processes: [] }); say({ kind: 'checked', words: 'PASS' })`
    const { rounds, asked } = await run([round('a', 1, { points: [], warmUp, check: true })], () => program)
    expect(rounds[0]).toMatchObject({ failure: null, results: [], check: 'PASS' })
    expect(asked[0]).toMatchObject({ warmUp, check: true })
    expect((await run([round('a', 1)])).asked[0]).toMatchObject({ warmUp: [], check: false })
  })

  it('runs a round with delays in a network of its own, and ends that', async () => {
    const networks: string[] = []
    const delayed: RunPlanOptions['delayed'] = (roundTripMs) => {
      networks.push(`made ${roundTripMs}`)
      return {
        wrapped: (command) => ({ ...command, environment: { DELAYED: 'yes' } }),
        remove: () => void networks.push('removed'),
      }
    }
    const program = `if (process.env.DELAYED !== 'yes') process.exit(1);${measures(1)}`
    const { rounds } = await run([round('a', 1, { roundTripMs: 10 })], () => program, { delayed })
    expect([rounds[0]!.failure, networks]).toEqual([null, ['made 10', 'removed']])
  })

  it('goes on after a round whose network could not be made, and leaves no folder', async () => {
    const delayed: RunPlanOptions['delayed'] = () => {
      throw new Error('--round-trip-ms needs root')
    }
    const { rounds, state, failure, asked } = await run([round('a', 1, { roundTripMs: 1 }), round('b', 1)], undefined, {
      delayed,
    })
    expect([state, failure]).toEqual(['complete', null])
    expect(rounds.map((one) => [one.failure, one.results.length])).toEqual([
      ['--round-trip-ms needs root', 0],
      [null, 1],
    ])
    expect(asked.map(({ system }) => system)).toEqual(['b'])
    expect(readdirSync(dir).filter((name) => name.startsWith('.quorate'))).toEqual([])
  })

  it.each<[string, () => Partial<RunPlanOptions>]>([
    [
      'the yardstick',
      () => {
        let left = 1
        return {
          yardstick: () => {
            if (left-- > 0) return yardstick
            throw new Error('no space is left'.padEnd(2000, '.'))
          },
        }
      },
    ],
    [
      'keeping what there is',
      () => ({
        onProgress: () => {
          throw new Error('no space is left'.padEnd(2000, '.'))
        },
      }),
    ],
  ])('keeps what was measured when %s fails, and says what it was', async (_name, options) => {
    const { rounds, state, failure } = await run([round('a', 1), round('b', 2)], undefined, options())
    expect([state, failure?.slice(0, 16), failure?.length]).toEqual(['failed', 'no space is left', 500])
    expect(rounds.map((one) => [one.failure, one.results.length])).toEqual([
      [null, 1],
      ['not run', 0],
    ])
  })

  it('keeps what there is after each round', async () => {
    const kept: number[] = []
    const onProgress = ({ rounds }: PlanRun): void => void kept.push(rounds.flatMap(({ results }) => results).length)
    await run([round('a', 1), round('b', 1)], undefined, { onProgress })
    expect(kept).toEqual([1, 2])
  })
})

describe('an open loop', () => {
  it('has a share of the most that its closed loop reached in the first run, in every run', async () => {
    const rounds = [1, 2].flatMap((number) => [
      round('a', number),
      round('b', number),
      round('a', number, { points: [open] }),
    ])
    let started = 0
    const { asked } = await run(rounds, ({ system }) => measures(system === 'b' ? 50_000 : 2000 * ++started))
    const rates = asked.flatMap(({ points }) =>
      points.flatMap(({ load }) => (load.loop === 'open' ? load.perSecond : [])),
    )
    // 2,000 operations in two seconds, of which half.
    expect(rates).toEqual([500, 500])
  })

  it('begins one operation a second at least', async () => {
    const { asked } = await run([round('a', 1), round('a', 1, { points: [open] })], () => measures(1))
    expect(asked[1]!.points[0]!.load).toEqual({ loop: 'open', perSecond: 1 })
  })

  it.each([
    ['another size', { points: [{ ...planned, operationBytes: 1 }] }],
    ['other clients', { points: [{ ...planned, clients: 2 }] }],
    ['reads', { points: [{ ...planned, kind: 'get' as const }] }],
    ['a failure', { points: [{ ...planned, failure: 'slow-replica' as const }] }],
    ['other replicas', { replicas: 5 }],
    ['no disk', { fsync: false }],
    ['delays', { roundTripMs: 1 }],
    ['profilers', { profile: true }],
    ['an open loop', { points: [open] }],
  ])('is not run where all that was measured has %s', async (_name, changes) => {
    const { rounds } = await run([round('a', 1, changes), round('a', 1, { points: [open] })])
    expect(rounds[1]!.failure).toBe('its closed loop has reached nothing that an open one could take a share of')
  })
})

describe('a plan that is cut short', () => {
  it('begins no other round when time is up', async () => {
    let asked = 0
    const { rounds, state } = await run([round('a', 1), round('b', 1)], undefined, { isLate: () => asked++ > 0 })
    expect([state, ...rounds.map(({ failure }) => failure)]).toEqual(['late', null, 'not run'])
  })

  it('ends the round under way when it is interrupted, and leaves no folder', async () => {
    const controller = new AbortController()
    const program = (): string => `${measures(3)};setInterval(() => {}, 1000)`
    const { rounds, state, asked } = await run([round('a', 1), round('b', 1)], program, {
      signal: controller.signal,
      onEvent: ({ kind }) => {
        if (kind === 'measured') controller.abort()
      },
    })
    expect(state).toBe('interrupted')
    expect(rounds.map(({ failure, results }) => [failure, results.length])).toEqual([
      ['it was interrupted', 1],
      ['not run', 0],
    ])
    expect(existsSync(asked[0]!.setup.dir)).toBe(false)
    expect(readdirSync(dir).filter((name) => name.startsWith('.quorate'))).toEqual([])
  })
})
