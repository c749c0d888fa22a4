// Goal: whoever benchmarks knows beforehand what will be run, and what cannot be is refused before anything starts. Method: the command itself, in this
// process where it refuses, and built where its exit code or its files count. What it measures is tried in test/processes/bench.test.ts.

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseReport } from '../../src/benchmark/report/read-report.ts'
import { readRequest } from '../../src/cli/bench/request.ts'
import { benchCommand } from '../../src/cli/commands/bench.ts'
import { parseOptions, UsageError } from '../../src/cli/options.ts'
import type { Output } from '../../src/cli/output.ts'
import { buildCli, type BuiltCli } from './built-cli.ts'

const said: string[] = []
const same = (text: string): string => text
const output: Output = {
  out: (line) => void said.push(line),
  error: (line) => void said.push(line),
  progress: () => {},
  bold: same,
  red: same,
  green: same,
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
  ])('is refused, and nothing is done: %s', async (_name, args, words) => {
    const before = readdirSync('.')
    const refused = await benchCommand.run(args, output).catch((error: unknown) => error)
    expect(refused).toBeInstanceOf(UsageError)
    expect((refused as UsageError).message).toMatch(words)
    expect(said).toEqual([])
    expect(readdirSync('.')).toEqual(before)
  })

  it('refuses a report that is none', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'quorate-bent-'))
    try {
      writeFileSync(join(folder, 'bent.json'), '{"version":1}')
      const refused = benchCommand.run(['--repeat', join(folder, 'bent.json')], output)
      await expect(refused).rejects.toMatchObject({ code: 'ERR_REPORT' })
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})

describe('what was asked of bench', () => {
  const requestOf = (args: readonly string[], installed: readonly string[], hasCheckPerf: boolean) =>
    readRequest(parseOptions(benchCommand.spec, args), ['raft', 'pbft', 'hotstuff', 'etcd'], installed, hasCheckPerf)

  it("has etcd's own check at the end, where its tool is there", () => {
    const args = ['--quick', '--etcd-check-perf']
    const { plan } = requestOf(args, ['etcd'], true)
    expect(plan!.rounds.map(({ check }) => check)).toEqual([undefined, undefined, undefined, undefined, true])
    expect(() => requestOf(args, ['etcd'], false)).toThrow('apt-get install etcd-client')
    expect(() => requestOf(args, [], true)).toThrow('needs etcd among the --peers')
    expect(requestOf(['--quick'], ['etcd'], false).plan!.rounds).toHaveLength(4)
  })

  it('is warmed up for less time where it is to be quick', () => {
    const secondsOf = (args: readonly string[]): number[] =>
      requestOf(args, [], false).plan!.rounds.map(({ warmUp }) =>
        Math.round(warmUp!.reduce((sum, { seconds }) => sum + seconds, 0)),
      )
    expect(new Set(secondsOf(['--quick']))).toEqual(new Set([3]))
    expect(new Set(secondsOf([]))).toEqual(new Set([10]))
    expect(new Set(secondsOf(['--grid']))).toEqual(new Set([10]))
  })
})

describe('the built command', () => {
  let cli: BuiltCli
  beforeAll(() => (cli = buildCli()), 240_000)
  afterAll(() => cli.remove())

  it('refuses delays that this machine cannot make, before anything starts', async () => {
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
  })

  it('writes a report that names what ended it', async () => {
    // A folder in which nobody can make any.
    const args = ['--protocols', 'raft', '--peers', 'none', '--quick', '--dir', '/proc', '--out', 'none']
    const { code, out } = await cli.run('bench', ...args)
    expect(code).toBe(1)
    expect(out).toContain('ended before all was done: ENOENT')
    const text = readFileSync(join(cli.folder, 'none/report.json'), 'utf8')
    const { state, failure, rounds } = parseReport(text, 'none')
    expect([state, rounds[0]!.failure]).toEqual(['failed', 'not run'])
    expect(failure).toContain('ENOENT')
    expect(readFileSync(join(cli.folder, 'none/report.html'), 'utf8')).toContain('its end: failed, ENOENT')
  })
})
