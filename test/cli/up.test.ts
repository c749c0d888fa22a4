// `up` and `start` as processes: however they are ended, nothing stays behind.

import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createLocalNetwork } from '../../src/cli/setup/local-network.ts'
import { buildCli, childrenOf, isAlive, type BuiltCli, type Running } from './built-cli.ts'

let cli: BuiltCli
beforeAll(() => {
  cli = buildCli()
}, 60_000)
afterAll(() => cli.remove())

async function said(running: Running, text: string): Promise<void> {
  let all = ''
  await new Promise<void>((resolve, reject) => {
    running.process.stdout!.on('data', (piece: string) => {
      all += piece
      if (all.includes(text)) resolve()
    })
    running.process.on('close', () => reject(new Error(`it ended without ${text}: ${all}`)))
  })
}

async function allGone(pids: readonly number[]): Promise<void> {
  await expect.poll(() => pids.some((pid) => isAlive(pid)), { timeout: 15_000 }).toBe(false)
}

describe('quorate up', () => {
  it('--once ends with what it has shown, and mentions no end that it brought about itself', async () => {
    const { code, out, error } = await cli.run('up', '--once')
    expect({ code, error }).toEqual({ code: 0, error: '' })
    expect(out).toContain('All 3 agree.')
    expect(out).not.toContain('ended')
    const dir = /each a process, in (.+)$/m.exec(out)![1]!
    expect(existsSync(join(dir, '..'))).toBe(false)
  }, 60_000)

  it.each(['pbft', 'hotstuff'])(
    'with %s runs four that agree, whom status shows at rest',
    async (protocol) => {
      const dir = join(cli.folder, protocol)
      const running = cli.start('up', '--protocol', protocol, '--dir', dir)
      await said(running, 'All 4 agree.')
      expect(await cli.run('put', 'colour', 'green', '--dir', dir)).toMatchObject({ code: 0, error: '' })
      expect(await cli.run('get', 'colour', '--dir', dir)).toEqual({ code: 0, out: 'green\n', error: '' })
      const resting = /^[1-4] \(replica-[1-4]\) .*, and nothing is under way$/gm
      await expect
        .poll(async () => (await cli.run('status', '--dir', dir)).out.match(resting), { timeout: 15_000 })
        .toHaveLength(4)
      running.process.kill('SIGINT')
      expect((await running.ended).code).toBe(130)
    },
    60_000,
  )

  it('takes its children along when it is told to stop before anything is agreed on', async () => {
    const running = cli.start('up')
    await said(running, 'Starting')
    const children = await childrenOf(running.process.pid!, 3)
    running.process.kill('SIGINT')
    const { code, out } = await running.ended
    expect(code).toBe(130)
    expect(existsSync(join(/each a process, in (.+)$/m.exec(out)![1]!, '..'))).toBe(false)
    await allGone(children)
  }, 60_000)

  it('killed, its children end by themselves, and the network can be run again', async () => {
    const dir = join(cli.folder, 'killed')
    const running = cli.start('up', '--dir', dir)
    await said(running, 'All 3 agree.')
    const children = await childrenOf(running.process.pid!, 3)
    running.process.kill('SIGKILL')
    await running.ended
    await allGone(children)
    const again = await cli.run('up', '--dir', dir, '--once')
    expect({ code: again.code, error: again.error }).toEqual({ code: 0, error: '' })
  }, 60_000)

  it('does not wait for the agreement of a child that dies at once', async () => {
    const dir = join(cli.folder, 'dying')
    await createLocalNetwork({ dir, name: 'local', protocol: 'raft', replicas: 3, host: '127.0.0.1' })
    rmSync(join(dir, 'replica-2', 'data'), { recursive: true })
    const { code, out, error } = await cli.run('up', '--dir', dir)
    expect(code).toBe(1)
    expect(out).toContain('replica 2')
    expect(error).toContain('ended before')
  }, 60_000)
})

describe('quorate start', () => {
  it('says in one sentence with a code what is wrong with a log, and does not blame itself', async () => {
    const dir = join(cli.folder, 'damaged')
    await createLocalNetwork({ dir, name: 'damaged', protocol: 'raft', replicas: 3, host: '127.0.0.1' })
    rmSync(join(dir, 'replica-1/data/log'), { recursive: true })
    const missing = await cli.run('start', '--dir', join(dir, 'replica-1'))
    expect(missing).toMatchObject({ code: 1, out: '' })
    expect(missing.error).toMatch(/^.* does not exist or holds no log: .* \(ERR_DATA_DIRECTORY_MISSING\)\n$/)
    const segment = join(dir, 'replica-2/data/log/log-0000000001')
    const bytes = readFileSync(segment)
    bytes[3] = bytes[3]! ^ 1
    writeFileSync(segment, bytes)
    const corrupt = await cli.run('start', '--dir', join(dir, 'replica-2'), '--json')
    expect(corrupt).toMatchObject({ code: 1, error: '' })
    expect(JSON.parse(corrupt.out)).toMatchObject({ ok: false, code: 'ERR_LOG_CORRUPT' })
    // Another replica's directory.
    rmSync(join(dir, 'replica-1/data'), { recursive: true })
    cpSync(join(dir, 'replica-3/data'), join(dir, 'replica-1/data'), { recursive: true })
    const foreign = await cli.run('start', '--dir', join(dir, 'replica-1'))
    expect(foreign.error).toMatch(/belongs to replica 3.*\(ERR_LOG_FOREIGN_DIRECTORY\)\n$/)
  }, 60_000)

  it('ends in order when nobody reads what it says', async () => {
    const dir = join(cli.folder, 'unread')
    await createLocalNetwork({ dir, name: 'local', protocol: 'raft', replicas: 3, host: '127.0.0.1' })
    const running = cli.start('start', '--dir', join(dir, 'replica-1'))
    await said(running, 'listens at')
    running.process.stdout!.destroy()
    running.process.kill('SIGTERM')
    expect((await running.ended).code).toBe(130)
  }, 60_000)
})
