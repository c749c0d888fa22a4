// Goal: what the command writes is whole, and what it cannot write is said in one line, before work is lost. Method: the built command
// as a process, beside a repository of its own.

import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildCli, childrenOf, isAlive, type BuiltCli } from './built-cli.ts'

let cli: BuiltCli
beforeAll(() => {
  cli = buildCli()
}, 120_000)
afterAll(() => cli.remove())

const inFolder = (...names: string[]): string => join(cli.folder, ...names)

interface SimResult {
  seeds: { run: number }
  failures: { seed: number; explanation: string }[]
}

async function refused(...args: readonly string[]): Promise<string> {
  const { code, out, error } = await cli.run('sim', ...args)
  expect({ code, out }).toEqual({ code: 2, out: '' })
  expect(error.trimEnd()).not.toContain('\n')
  return error
}

describe('wrong use of options together', () => {
  it.each([
    [['--replicas', '-1'], /--replicas is -1, and must be a whole number from 1/],
    [['--seed', '1', '--seeds', '1..2'], /--seed and --seeds say two things/],
    [['--seed', '1', '--seed', '2'], /--seed is given twice/],
    [['--seed', '1', '--trace', '-', '--json'], /--trace - and --json both want the screen/],
    [['--seed', '1', '--trace', 'x', '--record'], /without --record and --resume/],
    [['--seed', '1', '--trace', ''], /--trace is empty/],
    [['--seed', '1', '--resume='], /--resume is empty/],
  ])('%j', async (args, words) => {
    expect(await refused(...args)).toMatch(words)
  })
})

describe('files that cannot be written', () => {
  it('are refused before the first seed runs', async () => {
    writeFileSync(inFolder('file'), '')
    expect(await refused('--seed', '1', '--trace', inFolder('file', 'x'))).toMatch(/must be a file that can be written/)
    expect(await refused('--seed', '1', '--resume', inFolder('file', 'x'))).toMatch(/can be read and written/)
  })

  it('end the sweep and its processes when they are lost in the middle of it, in one line and without a stack', async () => {
    const path = inFolder('lost.jsonl')
    const running = cli.start('sim', '--seeds', '26..1000000', '--jobs', '2', '--resume', path)
    const children = await childrenOf(running.process.pid!, 2)
    rmSync(path)
    mkdirSync(path)
    const { code, out, error } = await running.ended
    expect({ code, out }).toEqual({ code: 1, out: '' })
    expect(error).toMatch(/^quorate sim: EISDIR[^\n]*\n$/)
    expect(children.filter(isAlive)).toEqual([])
  })
})

describe('sim --resume', () => {
  it('counts each seed once when ranges overlap, and whatever half a line was left', async () => {
    const path = inFolder('overlap.jsonl')
    await cli.run('sim', '--faults', 'none', '--seeds', '26..27', '--resume', path)
    writeFileSync(path, `${readFileSync(path, 'utf8')}{"chunk":`)
    const resumed = await cli.run('sim', '--faults', 'none', '--seeds', '25..27', '--resume', path, '--json')
    const fresh = await cli.run('sim', '--faults', 'none', '--seeds', '25..27', '--json')
    const sums = (text: string): object => ({ ...(JSON.parse(text) as object), cpuSeconds: 0 })
    expect(sums(resumed.out)).toEqual(sums(fresh.out))
  })
})

describe('sim --record', () => {
  it('is refused outside a repository', async () => {
    expect(await refused('--seed', '1', '--record')).toMatch(/run it in the repository's folder/)
  })

  it('adds a line with the commit, the sources and the result', async () => {
    const git = (...args: string[]): string => execFileSync('git', args, { cwd: cli.folder, encoding: 'utf8' }).trim()
    const author = ['-c', 'user.name=test', '-c', 'user.email=test@example.org']
    git('init', '-q')
    git('add', 'package.json')
    git(...author, 'commit', '-q', '-m', 'one')
    mkdirSync(inFolder('docs'))
    for (const seeds of ['12..12', '13..14']) {
      expect(await cli.run('sim', '--faults', 'none', '--seeds', seeds, '--record')).toMatchObject({ code: 0 })
    }
    const lines = readFileSync(inFolder('docs', 'sweeps.jsonl'), 'utf8').trimEnd().split('\n')
    const records = lines.map((line) => JSON.parse(line) as object)
    const shared = { commit: git('rev-parse', 'HEAD'), modified: false, node: process.version, protocol: 'raft' }
    expect(records).toMatchObject([
      { ...shared, seeds: { from: 12, to: 12, run: 1 }, state: 'complete', violated: 0, missed: [] },
      { ...shared, seeds: { from: 13, to: 14, run: 2 }, sources: expect.stringMatching(/^[0-9a-f]{16}$/) },
    ])
  })
})

describe('sim', () => {
  it('names the very seed at which a process died', async () => {
    const running = cli.start('sim', '--seeds', '1..1000000', '--json')
    const [worker] = await childrenOf(running.process.pid!, 1)
    await new Promise((resolve) => setTimeout(resolve, 1000))
    process.kill(worker!, 'SIGKILL')
    const { seeds, failures } = JSON.parse((await running.ended).out) as SimResult
    const { seed, explanation } = failures[0]!
    expect(seed).toBeGreaterThan(seeds.run)
    expect(seed).toBeLessThanOrEqual(seeds.run + 10)
    expect(explanation).toContain(`while it ran seed ${seed}`)
  })

  it('runs every seed twice when asked, and comes to the same', async () => {
    const { code, out } = await cli.run('sim', '--faults', 'none', '--seed', '26', '--verify-determinism', '--json')
    expect(code).toBe(0)
    expect(JSON.parse(out)).toMatchObject({ twiceEvery: 1, passed: 1, violated: 0 })
  })

  it('ends quietly when nobody reads', () => {
    const command = [process.execPath, inFolder('dist', 'cli', 'main.js'), 'sim', '--seed', '5', '--trace', '-']
    const { stderr } = spawnSync('sh', ['-c', '{ "$@"; echo "ended with $?" >&2; } | true', 'sh', ...command])
    expect(stderr.toString()).toBe('ended with 1\n')
  })

  it('writes the JSON object beside a trace in a file', async () => {
    const { code, out } = await cli.run('sim', '--seed', '5', '--trace', inFolder('t.txt'), '--json')
    expect(code).toBe(0)
    expect(JSON.parse(out)).toMatchObject({ seeds: { from: 5, to: 5, run: 1 }, passed: 1 })
    expect(readFileSync(inFolder('t.txt'), 'utf8')).toMatch(/\nhistory [0-9a-f]{16}: passed\n$/)
  })
})

describe('network check', () => {
  it.each([
    ['is not UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]), /is not UTF-8 text.* \(ERR_NETWORK_SYNTAX\)/],
    ['is too large', Buffer.alloc(3 * 1024 * 1024, 'é'), /has more than 1048576 bytes.* \(ERR_NETWORK_TOO_LARGE\)/],
  ])('refuses a file that %s', async (_name, bytes, words) => {
    writeFileSync(inFolder('network.json'), bytes)
    const { code, out, error } = await cli.run('network', 'check', inFolder('network.json'))
    expect({ code, out }).toEqual({ code: 1, out: '' })
    expect(error).toMatch(words)
  })
})
