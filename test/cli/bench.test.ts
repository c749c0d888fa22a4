// Goal: whoever benchmarks knows beforehand what will be run, and afterwards has a report, however it ended. Method: the built command; real
// processes for a second or two, since what is measured is not what is tested.

import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseReport } from '../../src/benchmark/report/read-report.ts'
import type { Report } from '../../src/benchmark/report/report.ts'
import { buildCli, childrenOf, isAlive, type BuiltCli } from './built-cli.ts'

let cli: BuiltCli
beforeAll(() => {
  cli = buildCli()
}, 240_000)
afterAll(() => cli.remove())

const inFolder = (name: string): string => join(cli.folder, name)
const onePoint = ['--peers', 'none', '--factors', 'outstanding', '--outstanding', '4', '--seconds', '1', '--runs', '1']
const patienceMs = 240_000

function readReport(out: string): Report {
  return parseReport(readFileSync(join(inFolder(out), 'report.json'), 'utf8'), out)
}

describe('bench, wrong use', () => {
  it.each([
    ['a protocol that is none', ['--protocols', 'raft,paxos'], /--protocols is paxos, and must be one of raft, pbft/],
    ['a peer that nobody knows', ['--peers', 'consul'], /--peers is consul, and must be one of/],
    ['a factor that nobody knows', ['--factors', 'outstandin'], /did you mean outstanding\?/],
    [
      'a list with a hole',
      ['--outstanding', '1,,4'],
      /--outstanding is 1,,4, and must be whole numbers from 1 to 65536/,
    ],
    ['two replicas', ['--replicas', '2'], /--replicas is 2, and must be whole numbers from 3 to 31/],
    ['more than an hour', ['--runs', '50'], /takes about [0-9]+ min, and at most 60 min are run: .*--grid/],
    ['delays without saying which', ['--factors', 'round-trip'], /--round-trip-ms/],
    [
      'nothing to measure',
      ['--protocols', 'pbft', '--peers', 'none', '--factors', 'replicas', '--replicas', '3', '--grid'],
      /nothing is left to measure/,
    ],
    ['a folder that is not there', ['--dir', 'nowhere'], /--dir is .*nowhere, and must be a folder/],
    ['a report where something is', ['--out', '.'], /which exists: name a folder to be made/],
    ['a plan beside that of a report', ['--repeat', 'a.json', '--runs', '1'], /brings its own plan: leave --runs out/],
    ['a check of etcd without it', ['--peers', 'none', '--etcd-check-perf'], /--etcd-check-perf needs etcd among/],
    ['a word', ['fast'], /fast is not an option/],
  ])(
    'is refused, and nothing is done: %s',
    async (_name, args, words) => {
      const before = readdirSync(cli.folder)
      const { code, out, error } = await cli.run('bench', ...args)
      expect({ code, out }).toEqual({ code: 2, out: '' })
      expect(error).toMatch(words)
      expect(readdirSync(cli.folder)).toEqual(before)
    },
    patienceMs,
  )

  it(
    'is refused where delays are asked for that this machine cannot make, before anything starts',
    async () => {
      const before = readdirSync(cli.folder)
      const { PATH } = process.env
      try {
        process.env['PATH'] = cli.folder
        const args = ['--protocols', 'raft', '--factors', 'round-trip', '--round-trip-ms', '1,10']
        const { code, out, error } = await cli.run('bench', ...args)
        expect({ code, out }).toEqual({ code: 2, out: '' })
        expect(error).toMatch(/--round-trip-ms needs root and .*\(they are not installed\)/)
      } finally {
        process.env['PATH'] = PATH
      }
      expect(readdirSync(cli.folder)).toEqual(before)
    },
    patienceMs,
  )

  it(
    'writes a report that names what ended it',
    async () => {
      // A folder in which nobody can make any.
      const { code, out } = await cli.run(
        'bench',
        '--protocols',
        'raft',
        ...onePoint,
        '--dir',
        '/proc',
        '--out',
        'none',
      )
      expect(code).toBe(1)
      expect(out).toContain('ended before all was done: ENOENT')
      const { state, failure, rounds } = readReport('none')
      expect([state, rounds[0]!.failure]).toEqual(['failed', 'not run'])
      expect(failure).toContain('ENOENT')
      expect(readFileSync(join(inFolder('none'), 'report.html'), 'utf8')).toContain('its end: failed, ENOENT')
    },
    patienceMs,
  )

  it(
    'refuses a report that is none',
    async () => {
      writeFileSync(inFolder('bent.json'), '{"version":1}')
      const { code, error } = await cli.run('bench', '--repeat', 'bent.json')
      expect(code).toBe(1)
      expect(error).toContain('(ERR_REPORT)')
    },
    patienceMs,
  )
})

describe('bench', () => {
  it(
    'says what it will do, does it, and keeps a report that can be repeated',
    async () => {
      const { code, out } = await cli.run(
        'bench',
        '--protocols',
        'raft',
        ...onePoint,
        '--profile',
        '--replicas',
        '3',
        '--out',
        'first',
      )
      expect(out).toMatch(/^raft: 2 starts in 1 run, 2 points, about [0-9]+ s\n/)
      expect(out).toMatch(/raft +put 128 B, 4 outstanding/)
      expect(out).toMatch(/raft, 3 replicas: CPU µs for an operation\n.*\n {2}load generator/)
      expect(code).toBe(0)
      const { state, rounds, yardsticks, systems } = readReport('first')
      expect([state, rounds.length, yardsticks.length, systems.length]).toEqual(['complete', 2, 2, 1])
      expect(rounds[0]!.results[0]!.operations).toBeGreaterThan(0)
      const profiled = ['load generator', 'replica-1', 'replica-2', 'replica-3']
      expect(rounds[1]!.profiles.map(({ process }) => process)).toEqual(profiled)
      const files = readdirSync(inFolder('first')).sort()
      expect(files).toEqual([
        ...profiled.map((name) => `flame-raft-3-${name.replace(' ', '-')}.svg`),
        'report.html',
        'report.json',
      ])
      const again = await cli.run('bench', '--repeat', 'first/report.json', '--out', 'again', '--json')
      expect(again.code).toBe(0)
      const events = again.out
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as { kind?: string; event?: string })
      expect(events.map(({ kind, event }) => kind ?? event)).toEqual([
        'yardstick',
        ...['round', 'started', 'measured', 'ended'],
        ...['round', 'started', 'measured', 'ended'],
        'yardstick',
        'report',
      ])
      expect(readReport('again').rounds.map(({ plan }) => plan)).toEqual(rounds.map(({ plan }) => plan))
      expect(readFileSync(join(inFolder('again'), 'report.html'), 'utf8')).toContain('Beside the report of')
    },
    2 * patienceMs,
  )

  it(
    'is interrupted: ends its processes, removes their files, keeps what was measured, and says so',
    async () => {
      const args = [
        'bench',
        '--protocols',
        'raft',
        ...onePoint.slice(0, 4),
        '--outstanding',
        '1,4',
        '--seconds',
        '3',
        '--runs',
        '2',
      ]
      const running = cli.start(...args, '--out', 'cut', '--json')
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
    },
    patienceMs,
  )
})
