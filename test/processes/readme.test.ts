// The README's first command as a person types it: four processes agree within a minute, and Ctrl-C leaves nothing behind.

import { spawn } from 'node:child_process'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const root = fileURLToPath(new URL('../../', import.meta.url))
const command = /```sh\nnpm ci && (npx quorate up .*)\n```/.exec(readFileSync(`${root}README.md`, 'utf8'))![1]!

const listenState = '0A'

it('shows agreement within 60 s, and Ctrl-C leaves no process, port, lock or folder', async () => {
  const foldersBefore = folders()
  // A group of its own, as a terminal makes one: Ctrl-C goes to all of it.
  const shell = spawn('sh', ['-c', command], { cwd: root, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  const ended = new Promise<void>((resolve) => shell.on('close', () => resolve()))
  try {
    const agreed = new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no agreement within 60 s: ${said}`)), 60_000)
      shell.stdout.setEncoding('utf8').on('data', (text: string) => {
        said += text
        if (!said.includes('Ctrl-C ends it')) return
        clearTimeout(timer)
        resolve()
      })
    })
    await agreed
    expect(said).toContain('All 4 agree.')
    const replicas = [...said.matchAll(/process (\d+)/g)].map((match) => Number(match[1]))
    expect(replicas).toHaveLength(4)
    const ports = replicas.flatMap((pid) => listening(pid))
    expect(ports.length).toBeGreaterThanOrEqual(8)
    process.kill(-shell.pid!, 'SIGINT')
    await ended
    for (const pid of replicas) expect(() => process.kill(pid, 0)).toThrow('ESRCH')
    const open = listening(null)
    expect(ports.filter((port) => open.includes(port))).toEqual([])
    // The network's folder, locks included, was a temporary one.
    expect(folders().filter((name) => !foldersBefore.includes(name))).toEqual([])
  } finally {
    try {
      process.kill(-shell.pid!, 'SIGKILL')
    } catch {
      // It has ended, as it should.
    }
  }
}, 120_000)

function folders(): string[] {
  return readdirSync(tmpdir()).filter((name) => name.startsWith('quorate-up-'))
}

/** TCP ports that a process listens at, or anybody: Linux says so in /proc. */
function listening(pid: number | null): number[] {
  const sockets = pid === null ? null : socketsOf(pid)
  return ['tcp', 'tcp6'].flatMap((table) =>
    readFileSync(`/proc/net/${table}`, 'utf8')
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/))
      .filter((fields) => fields[3] === listenState && (sockets === null || sockets.has(fields[9]!)))
      .map((fields) => Number.parseInt(fields[1]!.split(':')[1]!, 16)),
  )
}

/** Numbers of the sockets that a process holds. */
function socketsOf(pid: number): Set<string> {
  const links = readdirSync(`/proc/${pid}/fd`).map((name) => readlinkSync(`/proc/${pid}/fd/${name}`))
  return new Set(links.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []))
}
