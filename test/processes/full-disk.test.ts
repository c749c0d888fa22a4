// Goal: a replica whose disk is full stops voting and goes on in place when there is room. Method: real processes; the data directory of
// one lies on a file system of 2 MiB, in a mount namespace of its own, which a filler fills and leaves. Where the system allows no
// such namespace it says so, and tries nothing.

import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { cpSync, existsSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { createLocalNetwork } from '../../src/cli/setup/local-network.ts'
import { networks, whileOneIsAway } from '../networks.ts'
import { buildCli, type BuiltCli } from '../cli/built-cli.ts'

/** Why such a file system cannot be had here, in the system's words; null if it can. */
function whyNot(): string | null {
  const tried = spawnSync('unshare', ['-rm', 'sh', '-c', 'mount -t tmpfs -o size=1m tmpfs /tmp'], { encoding: 'utf8' })
  return tried.status === 0 ? null : (tried.error?.message ?? tried.stderr)
}

const fillerBytes = 1_700_000
let cli: BuiltCli | null = null
const children: ChildProcess[] = []
afterAll(async () => {
  for (const child of children) {
    const gone = new Promise((resolve) => child.once('exit', resolve))
    if (child.exitCode === null && child.signalCode === null && child.kill('SIGKILL')) await gone
  }
  cli?.remove()
})

describe('a replica on a full disk', () => {
  it.each(networks)(
    'of $protocol stops voting, and votes again in place when there is room; the others go on',
    async ({ protocol, replicas }) => {
      const reason = whyNot()
      if (reason !== null) return process.emitWarning(`not tried, because there is no file system to fill: ${reason}`)
      cli ??= buildCli()
      const main = join(cli.folder, 'dist/cli/main.js')
      const dir = join(cli.folder, `network-${protocol}`)
      await createLocalNetwork({
        dir,
        name: 'full',
        protocol,
        replicas,
        parameters: whileOneIsAway(protocol),
        host: '127.0.0.1',
      })
      const said: string[] = []
      const data = join(dir, 'replica-1/data')
      cpSync(data, `${data}-made`, { recursive: true })
      const script = `mount -t tmpfs -o size=2m tmpfs "$1" && cp -a "$1-made/." "$1" && exec "$2" "$3" start --dir "$4"`
      const small = spawn('unshare', [
        '-rm',
        'sh',
        '-c',
        script,
        'sh',
        data,
        process.execPath,
        main,
        join(dir, 'replica-1'),
      ])
      children.push(small)
      small.stdout.on('data', (text: Buffer) => said.push(text.toString()))
      for (let id = 2; id <= replicas; id++) {
        children.push(
          spawn(process.execPath, [main, 'start', '--dir', join(dir, `replica-${id}`)], { stdio: 'ignore' }),
        )
      }
      const quorate = async (...args: string[]): Promise<string> => {
        // A client of its own each time, which opens a session first: on a busy machine that and a silent leader's turns take longer than ten seconds.
        const { code, out, error } = await cli!.run(...args, '--dir', dir, '--timeout', '60')
        expect({ code, error }, args.join(' ').slice(0, 40)).toEqual({ code: 0, error: '' })
        return out
      }
      const isSaid = (words: string): Promise<void> =>
        expect.poll(() => said.join('').includes(words), { timeout: 30_000, interval: 50 }).toBe(true)
      await isSaid('leads in view')
      await quorate('put', 'before', 'it')

      // What its process sees at the place of the data directory.
      const filler = join(`/proc/${small.pid}/root`, data, 'filler')
      // All but some hundred KiB, which the log has to fill.
      writeFileSync(filler, new Uint8Array(fillerBytes))
      for (let number = 1; number < 40 && !said.join('').includes('stopped voting'); number++) {
        await quorate('put', `k${number}`, 'x'.repeat(60_000))
      }
      await isSaid('ENOSPC')
      await quorate('put', 'during', 'it')
      expect(await quorate('get', 'during')).toBe('it\n')
      expect(await quorate('status')).toMatch(/^1 \(replica-1\) .*\(its disk is full\)$/m)
      expect(existsSync(filler)).toBe(true)

      truncateSync(filler, 0)
      await isSaid('votes again')
      await quorate('put', 'after', 'it')
      await expect
        .poll(() => quorate('status', '--json'), { timeout: 30_000, interval: 300 })
        .toMatch(new RegExp(Array.from({ length: replicas }, () => '"behind":0\\D').join('.*')))
      small.kill('SIGTERM')
      await new Promise((resolve) => small.once('exit', resolve))
      expect(said.join('')).not.toContain('failed for good')
    },
  )
})
