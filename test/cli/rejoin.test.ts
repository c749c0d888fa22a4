// Goal: whoever finds a replica that does not start at three in the morning is told what to do, and can do it. Method: the built command
// as a process, on directories damaged in every way that it names.

import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createLocalNetwork } from '../../src/cli/setup/local-network.ts'
import { buildCli, type BuiltCli, type Running } from './built-cli.ts'

let cli: BuiltCli
beforeAll(() => {
  cli = buildCli()
}, 120_000)
afterAll(() => cli.remove())

async function networkIn(name: string): Promise<string> {
  const dir = join(cli.folder, name)
  await createLocalNetwork({ dir, name: 'local', protocol: 'raft', replicas: 3, host: '127.0.0.1' })
  return dir
}

/** The first line that contains the words. */
function said(running: Running, words: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    running.process.stdout!.on('data', (chunk: Buffer) => {
      text += chunk.toString()
      const line = text.split('\n').find((one) => one.includes(words))
      if (line !== undefined) resolve(line)
    })
    void running.ended.then(({ out, error }) => reject(new Error(`ended without ${words}: ${out}${error}`)))
  })
}

async function stop(running: Running): Promise<void> {
  running.process.kill('SIGTERM')
  expect((await running.ended).code).toBe(130)
}

const segment = 'data/log/log-0000000001'

describe('quorate start', () => {
  it('names the next step for each log that it refuses', async () => {
    const dir = await networkIn('refused')
    const one = join(dir, 'replica-1')
    const two = join(dir, 'replica-2')
    cpSync(join(one, 'data'), join(dir, 'kept'), { recursive: true })
    const damages: [string, RegExp, () => void][] = [
      ['ERR_DATA_DIRECTORY_MISSING', /start with --rejoin/, () => rmSync(join(one, 'data'), { recursive: true })],
      ['ERR_DATA_DIRECTORY_MISSING', /start with --rejoin/, () => rmSync(join(one, 'data/log'), { recursive: true })],
      [
        'ERR_LOG_EMPTY_DIRECTORY',
        /start with --rejoin/,
        () => readdirSync(join(one, 'data/log')).forEach((name) => rmSync(join(one, 'data/log', name))),
      ],
      ['ERR_LOG_CORRUPT', /start with --rejoin/, () => flip(join(one, segment))],
      ['ERR_LOG_CORRUPT', /start with --rejoin/, () => rmSync(join(one, 'data/log/identity'))],
      [
        'ERR_LOG_FOREIGN_DIRECTORY',
        /name the directory of replica 1/,
        () => (
          rmSync(join(one, 'data'), { recursive: true }),
          cpSync(join(two, 'data'), join(one, 'data'), { recursive: true })
        ),
      ],
    ]
    for (const [code, next, damage] of damages) {
      rmSync(join(one, 'data'), { recursive: true, force: true })
      cpSync(join(dir, 'kept'), join(one, 'data'), { recursive: true })
      damage()
      const { code: exit, out, error } = await cli.run('start', '--dir', one)
      expect([exit, out]).toEqual([1, ''])
      expect(error).toMatch(next)
      expect(error).toMatch(new RegExp(`\\(${code}\\)\\n$`))
    }
    // The word does not open what belongs to somebody else.
    const foreign = await cli.run('start', '--dir', one, '--rejoin')
    expect(foreign).toMatchObject({ code: 1, error: expect.stringContaining('ERR_LOG_FOREIGN_DIRECTORY') })
  }, 60_000)

  it('rejoins at the word, says so, keeps what was there, and status shows that it has no vote', async () => {
    const dir = await networkIn('rejoined')
    const others = [1, 2].map((id) => cli.start('start', '--dir', join(dir, `replica-${id}`)))
    await Promise.all(others.map((one) => said(one, 'leads in view')))
    const three = join(dir, 'replica-3')
    flip(join(three, segment))
    const damaged = readFileSync(join(three, segment))
    const rejoined = cli.start('start', '--dir', three, '--rejoin')
    expect(await said(rejoined, 'rejoined')).toMatch(
      /rejoined without a vote \(log-0000000001 is corrupt at byte 0: its header is bad\); what was there is kept in .*\/replica-3\/data\/log\.set-aside-1$/,
    )
    await said(rejoined, 'leads in view')
    expect(readFileSync(join(three, 'data/log.set-aside-1/log-0000000001'))).toEqual(damaged)
    const status = await cli.run('status', '--dir', dir)
    expect(status.code).toBe(0)
    expect(status.out).toMatch(
      /^replica 3 follows without a vote, because it has lost promises that it made: .*epochs/m,
    )
    const json = JSON.parse((await cli.run('status', '--dir', dir, '--json')).out) as { replicas: { voice: string }[] }
    expect(json.replicas.map(({ voice }) => voice)).toEqual(['votes', 'votes', 'abstains'])
    await stop(rejoined)
    const again = cli.start('start', '--dir', three, '--rejoin')
    expect(await said(again, 'nothing')).toMatch(/the log is sound, and nothing was changed$/)
    expect(existsSync(join(three, 'data/log.set-aside-2'))).toBe(false)
    await Promise.all([...others, again].map((one) => stop(one)))
  }, 60_000)

  it('names the replicas of the network whose folder it is given', async () => {
    const dir = await networkIn('whole')
    const { code, error } = await cli.run('start', '--dir', dir)
    expect(code).toBe(1)
    const folders = [1, 2, 3].map((id) => join(dir, `replica-${id}`)).join(', ')
    expect(error).toBe(
      `${dir} is the folder of a network: name one of its replicas: ${folders} (ERR_KEY_FILE_NOT_FOUND)\n`,
    )
  }, 60_000)
})

describe('quorate init --member', () => {
  it('makes the data directory of one replica, once, and it starts', async () => {
    const dir = await networkIn('member')
    const one = join(dir, 'replica-1')
    rmSync(join(one, 'data'), { recursive: true })
    const made = await cli.run('init', '--member', one)
    expect(made).toMatchObject({
      code: 0,
      out: expect.stringContaining(`Replica 1 (replica-1) has its data directory: ${one}/data`),
    })
    const twice = await cli.run('init', '--member', one)
    expect(twice).toMatchObject({ code: 1, error: expect.stringContaining('ERR_DATA_DIRECTORY_NOT_EMPTY') })
    expect((await cli.run('init', '--member', one, '--replicas', '3')).code).toBe(2)
    expect((await cli.run('init', '--dir', join(dir, 'new'), '--network', 'x')).code).toBe(2)
    const running = cli.start('start', '--dir', one)
    await said(running, 'listens at')
    await stop(running)
  }, 60_000)
})

function flip(file: string): void {
  const bytes = readFileSync(file)
  bytes[3]! ^= 1
  writeFileSync(file, bytes)
}
