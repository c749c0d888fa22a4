// Goal: whoever calls the command line, a person or a script, can rely on its exit code, its words and its JSON. Method: the built
// command as a process; one sentence of its contract for each test.

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { generateKeyPair, type KeyPurpose } from '../../src/crypto/node/key-file.ts'
import { buildCli, childrenOf, isAlive, type BuiltCli, type Ended } from './built-cli.ts'

let cli: BuiltCli
beforeAll(() => {
  cli = buildCli()
}, 120_000)
afterAll(() => cli.remove())

const inFolder = (name: string): string => join(cli.folder, name)

describe('quorate', () => {
  it('lists its commands, and calls it wrong use when none was named', async () => {
    const asked = await cli.run('--help')
    expect(asked).toMatchObject({ code: 0, error: '' })
    expect(asked.out).toMatch(/^ {2}sim .*\n {2}complexity .*\n {2}bench .*\n {2}init .*\n {2}keygen .*\n {2}network /m)
    expect(await cli.run()).toEqual({ ...asked, code: 2 })
  })

  it('prints the version of its package', async () => {
    const { version } = JSON.parse(readFileSync(inFolder('package.json'), 'utf8')) as { version: string }
    expect(await cli.run('--version')).toEqual({ code: 0, out: `${version}\n`, error: '' })
  })

  it.each(['sim', 'init', 'keygen', 'network', 'network check'])(
    'explains %s with its usage, examples and exit codes',
    async (command) => {
      const { code, out } = await cli.run(...command.split(' '), '--help')
      expect(code).toBe(0)
      expect(out).toContain(`Usage: quorate ${command} `)
      expect(out).toMatch(new RegExp(`Examples:\n {2}quorate ${command} `))
      expect(out).toContain('Exit codes: ')
    },
  )
})

describe('wrong use', () => {
  it.each([
    ['an unknown command', ['simm'], /no command simm; did you mean sim\?/],
    ['a command like no other', ['reticulate'], /no command reticulate \(/],
    ['an unknown option', ['sim', '--sedes', '1..2'], /no option --sedes; did you mean --seeds\?/],
    ['an option like no other', ['sim', '--frobnicate'], /no option --frobnicate \(/],
    ['an option without its value', ['sim', '--replicas'], /--replicas/],
    ['a word that is no option', ['sim', 'raft'], /raft is not an option/],
    [
      'an unknown protocol',
      ['sim', '--protocol', 'paxos'],
      /--protocol is paxos, and must be one of raft, pbft, hotstuff/,
    ],
    ['a protocol that is misspelt', ['sim', '--protocol', 'rafft'], /did you mean raft\?/],
    ['an unknown family of faults', ['sim', '--faults', 'some'], /--faults is some, and must be one of none/],
    ['a range that runs backwards', ['sim', '--seeds', '9..3'], /--seeds is 9\.\.3, and must be A\.\.B/],
    ['a range that is none', ['sim', '--seeds', '1-9'], /--seeds is 1-9/],
    ['a range that is too long', ['sim', '--seeds', '0..999999999'], /at most 10000000 seeds/],
    ['no replicas', ['sim', '--replicas', '0'], /--replicas is 0, and must be a whole number from 1 to 31/],
    ['too many replicas', ['sim', '--replicas', '32'], /from 1 to 31/],
    ['half a process', ['sim', '--jobs', '1.5'], /--jobs is 1\.5/],
    ['a timeline of many seeds', ['sim', '--seeds', '1..2', '--trace', '-'], /name its --seed/],
    ['no action on the network', ['network'], /say one of network assemble, network approve/],
    ['an option before the action', ['network', '--json'], /say one of network assemble/],
    ['an unknown action', ['network', 'chek'], /no command network chek; did you mean network check\?/],
    ['an action like no other', ['network', 'reticulate'], /no command network reticulate \(/],
    ['two files', ['network', 'check', 'a.json', 'b.json'], /say: network check FILE/],
  ])('is refused in one line, and nothing is done: %s', async (_name, args, words) => {
    const { code, out, error } = await cli.run(...args)
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(error).toMatch(words)
    expect(error.trimEnd()).not.toContain('\n')
    expect(error).toContain('--help')
  })
})

describe('sim', () => {
  it('says what it saw, and that all is well', async () => {
    const { code, out, error } = await cli.run('sim', '--seeds', '1..2')
    expect({ code, error }).toEqual({ code: 0, error: '' })
    expect(out).toMatch(/^raft, 3 replicas, faults: all\n {2}seeds +2\n {2}passed +2\n/)
    expect(out).toMatch(/no violation\n$/)
  })

  it('prints one JSON object and nothing else', async () => {
    const { code, out } = await cli.run('sim', '--seeds', '5..6', '--json')
    expect(code).toBe(0)
    expect(JSON.parse(out)).toMatchObject({
      protocol: 'raft',
      replicas: 3,
      faults: 'all',
      seeds: { from: 5, to: 6, run: 2 },
      state: 'complete',
      passed: 2,
      violated: 0,
      failures: [],
      missed: [],
    })
  })

  it.each([
    ['2', /^warning: 2 replicas survive 0 crashes, no more than 1 do/],
    ['4', /^warning: 4 replicas survive 1 crash, no more than 3 do/],
    ['1', /^warning: 1 replica survives no crash\n$/],
  ])('warns about %s replicas, and runs them', async (replicas, words) => {
    const { code, out, error } = await cli.run(
      'sim',
      '--seed',
      '26',
      '--faults',
      'none',
      '--replicas',
      replicas,
      '--json',
    )
    expect(code).toBe(0)
    expect(JSON.parse(out)).toMatchObject({ replicas: Number(replicas), passed: 1 })
    expect(error).toMatch(words)
  })

  it('has the same results however the work is shared', async () => {
    const [alone, shared] = [await twoChunks(), await sim(...twoChunksOf, '--jobs', '2')]
    expect(alone.seeds).toEqual({ from: 26, to: 32, run: 7 })
    expect(shared).toEqual(alone)
  })

  it('fails when a process that ran seeds has died, and names the seed', async () => {
    const running = cli.start('sim', '--seeds', '1..1000000', '--json')
    const [worker] = await childrenOf(running.process.pid!, 1)
    process.kill(worker!, 'SIGKILL')
    const { code, out } = await running.ended
    expect(code).toBe(1)
    const { state, violated, failures } = JSON.parse(out) as { state: string; violated: number; failures: object[] }
    expect({ state, violated }).toEqual({ state: 'incomplete', violated: 1 })
    expect(failures).toMatchObject([
      { invariant: 'simulator-crashed', explanation: expect.stringContaining('SIGKILL') },
    ])
  })
})

describe('sim --seed', () => {
  it('replays one history: the timeline is the same each time, on the screen and in a file', async () => {
    const first = await cli.run('sim', '--seed', '5', '--trace', '-')
    expect(first.code).toBe(0)
    expect(first.out.split('\n').length).toBeGreaterThan(100)
    expect(first.out).toMatch(/^ +[0-9]+\.[0-9]{3} ms {2}(replica|client|network|world)/)
    expect(first.out).toMatch(/\nhistory [0-9a-f]{16}: passed\n$/)
    const path = inFolder('seed-5.txt')
    const again = await cli.run('sim', '--seed', '5', '--trace', path)
    expect(again.out).toBe(`seed 5 passed; its timeline is in ${path}\n`)
    expect(readFileSync(path, 'utf8')).toBe(first.out)
  })

  it('runs another history for another seed, and for another number of replicas', async () => {
    const history = async (...args: string[]): Promise<string> => {
      const { out } = await cli.run('sim', '--trace', '-', ...args)
      return out.trimEnd().split('\n').at(-1)!
    }
    const base = await history('--seed', '5')
    expect(await history('--seed', '6')).not.toBe(base)
    expect(await history('--seed', '5', '--replicas', '5')).not.toBe(base)
  })

  it('is the range of one seed', async () => {
    expect((await sim('--seed', '5')).coverage).toEqual((await sim('--seeds', '5..5')).coverage)
  })
})

describe('sim, interrupted', () => {
  it('ends with 130 and its children with it, and keeps what was finished', async () => {
    const path = inFolder('interrupted.jsonl')
    const running = cli.start('sim', '--seeds', '11..1000000', '--jobs', '2', '--resume', path, '--json')
    const children = await childrenOf(running.process.pid!, 2)
    await lines(path, 3)
    running.process.kill('SIGINT')
    const { code, out } = await running.ended
    expect(code).toBe(130)
    expect(children.filter(isAlive)).toEqual([])
    const { state, seeds } = JSON.parse(out) as { state: string; seeds: { run: number } }
    expect(state).toBe('interrupted')
    expect(seeds.run).toBe(10 * ((await lines(path, 3)).length - 1))
  })
})

describe('sim --resume', () => {
  it('goes on where it stopped, and comes to what one run would have come to', async () => {
    const path = inFolder('resumed.jsonl')
    await sim('--faults', 'none', '--seeds', '26..30', '--resume', path)
    expect(await lines(path, 2)).toHaveLength(2)
    const resumed = await sim(...twoChunksOf, '--resume', path)
    expect(await lines(path, 3)).toHaveLength(3)
    expect(resumed).toEqual(await twoChunks())
    expect(await sim(...twoChunksOf, '--resume', path)).toEqual(resumed)
    expect(await lines(path, 3)).toHaveLength(3)
  })

  it.each([
    [
      'other options',
      (text: string) => text.replace('"replicas":3', '"replicas":5'),
      /belongs to a sweep with other options/,
    ],
    ['other sources', (text: string) => text.replace(/"sources":"./, '"sources":"x'), /belongs to other sources/],
    ['a file of something else', () => 'seeds: 1\n', /is no file of a sweep/],
  ])('refuses %s', async (name, change, words) => {
    const path = inFolder(`refused ${name}.jsonl`)
    await sim('--seed', '1', '--resume', path)
    writeFileSync(path, change(readFileSync(path, 'utf8')))
    const before = readFileSync(path, 'utf8')
    const { code, out, error } = await cli.run('sim', '--seed', '1', '--resume', path)
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(error).toMatch(words)
    expect(readFileSync(path, 'utf8')).toBe(before)
  })
})

describe('network check', () => {
  it('accepts a good file, for a person and for a program', async () => {
    const path = writeNetwork('good.json', 3)
    const shown = await cli.run('network', 'check', path)
    expect(shown).toMatchObject({
      code: 0,
      error: 'warning: not approved yet by org-1, org-2, org-3: each of them says quorate network approve\n',
    })
    expect(shown.out).toMatch(/^name +good\.json\nprotocol +raft\nvoters +3\n/)
    expect(shown.out).toMatch(/\napprovals +0 of 3\n$/)
    const { code, out } = await cli.run('network', 'check', path, '--json')
    expect(code).toBe(0)
    expect(JSON.parse(out)).toMatchObject({ ok: true, protocol: 'raft', voters: 3, quorum: 2, 'faults survived': 1 })
  })

  it('warns about a number of voters that buys nothing', async () => {
    const { code, error } = await cli.run('network', 'check', writeNetwork('even.json', 4))
    expect(code).toBe(0)
    expect(error).toMatch(/^warning: /)
  })

  it.each([
    ['another protocol', { protocol: 'paxos' }, 'ERR_NETWORK_PROTOCOL'],
    ['an unknown field', { colour: 'blue' }, 'ERR_NETWORK_'],
    ['no members', { members: [] }, 'ERR_NETWORK_'],
  ])('refuses a bad file with a code: %s', async (name, changes, errorCode) => {
    const path = writeNetwork(`${name}.json`, 3, changes)
    const shown = await cli.run('network', 'check', path)
    expect(shown).toMatchObject({ code: 1, out: '' })
    expect(shown.error).toContain(`${path}: `)
    expect(shown.error).toContain(`(${errorCode}`)
    const { code, out } = await cli.run('network', 'check', path, '--json')
    expect(code).toBe(1)
    expect(JSON.parse(out)).toMatchObject({ ok: false, code: expect.stringContaining(errorCode) })
  })

  it('refuses a key that no one can sign with', async () => {
    const path = writeNetwork('key.json', 3)
    writeFileSync(
      path,
      readFileSync(path, 'utf8').replace(/"consensusKey":"[0-9a-f]{64}"/, `"consensusKey":"${'00'.repeat(32)}"`),
    )
    expect(await cli.run('network', 'check', path)).toMatchObject({ code: 1, out: '' })
  })

  it('says which file is missing', async () => {
    for (const path of [inFolder('missing.json'), cli.folder]) {
      const { code, out, error } = await cli.run('network', 'check', path)
      expect({ code, out }).toEqual({ code: 1, out: '' })
      expect(error).toBe(`${path} cannot be read: name a file that exists (ERR_FILE_NOT_READ)\n`)
    }
  })
})

interface SimResult {
  seeds: { from: number; to: number; run: number }
  coverage: Record<string, number>
}

/** The result without what depends on the machine, its order of counting included. */
async function sim(...args: readonly string[]): Promise<SimResult> {
  const ended: Ended = await cli.run('sim', '--json', ...args)
  expect(ended).toMatchObject({ code: 0, error: '' })
  const { cpuSeconds: _, ...result } = JSON.parse(ended.out) as SimResult & { cpuSeconds: number }
  return result
}

/** A process is given seeds up to a multiple of ten at a time. */
const twoChunksOf = ['--faults', 'none', '--seeds', '26..32'] as const
let ofTwoChunks: Promise<SimResult> | null = null

/** What one process, in one go, comes to: run once, for all that compare with it. */
function twoChunks(): Promise<SimResult> {
  ofTwoChunks ??= sim(...twoChunksOf)
  return ofTwoChunks
}

/** Waits until the file has so many lines. */
async function lines(path: string, count: number): Promise<string[]> {
  for (;;) {
    const found = readText(path).split('\n').slice(0, -1)
    if (found.length >= count) return found
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

function writeNetwork(name: string, voters: number, changes: object = {}): string {
  const key = (purpose: KeyPurpose): string => Buffer.from(generateKeyPair(purpose).publicKey).toString('hex')
  const members = Array.from({ length: voters }, (_, index) => ({
    id: index + 1,
    name: `org-${index + 1}`,
    consensusKey: key('consensus'),
    linkKey: key('link'),
    addresses: ['/ip4/127.0.0.1/tcp/4001'],
  }))
  const path = inFolder(name)
  writeFileSync(path, JSON.stringify({ version: 1, name, protocol: 'raft', members, ...changes }))
  return path
}
