// The examples are run as their first lines say, and do what they print.

import { spawn } from 'node:child_process'
import { copyFileSync, existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createLocalNetwork, replicaFolder } from '../../src/cli/setup/local-network.ts'
import { networks } from '../networks.ts'
import { childrenOf, isAlive } from '../cli/built-cli.ts'
import { buildInto } from '../cli/shared-build.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
let folder: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'quorate-examples-'))
  buildInto(join(folder, '.tools'), 'test-replicas')
  copyFileSync(join(root, 'package.json'), join(folder, 'package.json'))
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'), 'dir')
}, 60_000)

afterAll(() => rmSync(folder, { recursive: true, force: true }))

interface Run {
  code: number | null
  out: string
  error: string
}

/** `heard` is called with all of the output so far, and with what ends the process by a signal. */
function run(
  example: string,
  args: readonly string[] = [],
  heard?: (out: string, pid: number, interrupt: () => void) => void,
): Promise<Run> {
  const child = spawn(process.execPath, [join(folder, '.tools/examples', example), ...args], { cwd: folder })
  let [out, error] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
    heard?.(out, child.pid!, () => child.kill('SIGINT'))
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => (error += text))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, out, error }))
  })
}

function folderOf(out: string): string {
  return /Three organisations in (\S+): /.exec(out)![1]!
}

describe('the counter', () => {
  it('counts, comes back from a snapshot, and refuses a fraction', async () => {
    const { code, out, error } = await run('counter.js')
    expect({ code, error }).toEqual({ code: 0, error: '' })
    expect(out).toContain('after adding 41 the counter says 41')
    expect(out).toContain('restored from a snapshot, says 41')
    expect(out).toContain('a fraction is refused: add must be a whole number')
  })
})

describe.each(networks)('the replica of the README, with $protocol', ({ protocol, replicas }) => {
  it(`counts together with the others of ${replicas}`, async () => {
    const dir = join(folder, `net-${protocol}`)
    await createLocalNetwork({ dir, name: 'embedded', protocol, replicas, host: '127.0.0.1' })
    const counted = /the counter says (\d) at height/
    const ids = Array.from({ length: replicas }, (_, index) => index + 1)
    let waiting = replicas
    const interrupts: (() => void)[] = []
    // Each ends by Ctrl-C when all have counted: one that left earlier could take the quorum along.
    const runs = ids.map((id) => {
      let seen = false
      return run('embedded.js', [replicaFolder(dir, id)], (out, _pid, interrupt) => {
        if (seen || !counted.test(out)) return
        seen = true
        interrupts.push(interrupt)
        waiting--
        if (waiting === 0) for (const one of interrupts) one()
      })
    })
    const ended = await Promise.all(runs)
    for (const { code, error } of ended) expect({ code, error }).toEqual({ code: 0, error: '' })
    expect(ended.map(({ out }) => counted.exec(out)?.[1]).sort()).toEqual(ids.map(String))
  })
})

describe('the ledger', () => {
  it('survives its leader, agrees on every balance, and leaves nothing behind', async () => {
    const { code, out, error } = await run('ledger/main.js')
    expect({ code, error }).toEqual({ code: 0, error: '' })
    for (const reason of ['not-the-issuer', 'not-yours', 'insufficient-funds'])
      expect(out).toContain(`refused, ${reason}`)
    expect(out).toMatch(/After \d+ transfers, (replica-\d), which leads, is killed outright/)
    expect(out).toMatch(/replica-\d is back, has learnt what it missed, and has made \d+ more/)
    expect(out).toMatch(/All three agree at height \d+, header [0-9a-f]{16}\./)
    expect(out).toContain('The books balance: 30000 issued, 30000 held, no account below zero.')
    const balances = [...out.matchAll(/^ {2}replica-\d\/\w+ +(\d+)$/gm)].map((match) => Number(match[1]))
    expect(balances).toHaveLength(6)
    expect(balances.reduce((sum, balance) => sum + balance, 0)).toBe(30_000)
    expect(existsSync(folderOf(out))).toBe(false)
  })

  it.each(['Three organisations in', 'which leads, is killed outright'])(
    'is over at once with Ctrl-C, with its processes and its folder: after "%s"',
    async (moment) => {
      let interrupted: Promise<number[]> | null = null
      const { code, out, error } = await run('ledger/main.js', [], (soFar, pid, interrupt) => {
        if (interrupted !== null || !soFar.includes(moment)) return
        interrupted = childrenOf(pid, 2).then((children) => {
          interrupt()
          return children
        })
      })
      expect({ code, error }).toEqual({ code: 130, error: '' })
      expect(out).toContain('Interrupted')
      expect(out).not.toContain('All three agree')
      const children = (await interrupted) ?? []
      expect(children.length).toBeGreaterThanOrEqual(2)
      expect(children.filter(isAlive)).toEqual([])
      expect(existsSync(folderOf(out))).toBe(false)
    },
  )
})
