// One process has a data directory at a time, and none is locked out by a dead one.

import { spawn, type ChildProcess } from 'node:child_process'
import * as fs from 'node:fs'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { lockDirectory, type DirectoryLock } from '../../../src/storage/node/directory-lock.ts'
import { hasEnded, ownIdentity } from '../../../src/storage/node/process-identity.ts'
import { temporaryFolders } from './temporary-folder.ts'

vi.mock('node:fs', async (original) => ({ ...(await original<typeof fs>()) }))

const folder = temporaryFolders()
const children: ChildProcess[] = []
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  vi.restoreAllMocks()
})

/** A process that runs for as long as a test. */
async function living(): Promise<ChildProcess & { pid: number }> {
  const child = spawn('sleep', ['60'], { stdio: 'ignore' })
  children.push(child)
  await new Promise((resolve) => child.once('spawn', resolve))
  return child as ChildProcess & { pid: number }
}

async function dead(): Promise<{ pid: number; startTime: number | null }> {
  const child = await living()
  const startTime = startTimeOf(child.pid)
  child.kill('SIGKILL')
  await new Promise((resolve) => child.once('exit', resolve))
  return { pid: child.pid, startTime }
}

/** By another way than the code's: the program here has no parentheses in its name. */
function startTimeOf(pid: number): number | null {
  try {
    return Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(' ')[21])
  } catch {
    return null
  }
}

const { bootId } = ownIdentity()

function lockedBy(path: string, content: unknown): void {
  writeFileSync(join(path, 'lock'), typeof content === 'string' ? content : JSON.stringify(content))
}

function taken(lock: DirectoryLock | null): asserts lock is Extract<DirectoryLock, { ok: true }> {
  expect(lock).toMatchObject({ ok: true })
}

const refused = (message: RegExp) => ({
  ok: false,
  code: 'ERR_DIRECTORY_LOCKED',
  message: expect.stringMatching(message) as unknown,
})

describe('the lock of a directory', () => {
  it('is one file that says who holds it, and is gone after its release', () => {
    const path = folder()
    const lock = lockDirectory(path)
    taken(lock)
    expect(readdirSync(path)).toEqual(['lock'])
    expect(JSON.parse(readFileSync(join(path, 'lock'), 'utf8'))).toMatchObject({ ...ownIdentity() })
    expect(fs.statSync(join(path, 'lock')).mode & 0o777).toBe(0o600)
    lock.release()
    expect(readdirSync(path)).toEqual([])
  })

  it('is refused to the process that has it', () => {
    const path = folder()
    taken(lockDirectory(path))
    expect(lockDirectory(path)).toMatchObject(refused(/lock is held by this process itself/))
    expect(readdirSync(path)).toEqual(['lock'])
  })

  it('can be had again after its release, which then harms nobody', () => {
    const path = folder()
    const first = lockDirectory(path)
    taken(first)
    first.release()
    taken(lockDirectory(path))
    first.release()
    expect(lockDirectory(path)).toMatchObject(refused(/this process/))
  })

  it('is refused while another process that has it runs, whose id is in the sentence', async () => {
    const path = folder()
    const { pid } = await living()
    const content = JSON.stringify({ pid, startTime: startTimeOf(pid), bootId })
    lockedBy(path, content)
    expect(lockDirectory(path)).toMatchObject(refused(new RegExp(`lock is held by process ${pid}, which runs: close`)))
    // Where the system does not tell, a process of that number counts as the holder.
    lockedBy(path, { pid, startTime: null, bootId: null })
    expect(lockDirectory(path)).toMatchObject(refused(/which runs/))
    expect(readdirSync(path)).toEqual(['lock'])
  })

  it('is taken over from a process that has ended', async () => {
    const path = folder()
    const { pid, startTime } = await dead()
    lockedBy(path, { pid, startTime, bootId })
    taken(lockDirectory(path))
    expect(readdirSync(path)).toEqual(['lock'])
    expect(JSON.parse(readFileSync(join(path, 'lock'), 'utf8'))).toMatchObject({ pid: process.pid })
  })

  it('is taken over from before the machine started again, and from an empty file that a loss of power left', async () => {
    const { pid } = await living()
    const startTime = startTimeOf(pid)
    // Without /proc neither a start of the machine nor one of a process can be told apart.
    const contents = bootId === null ? [''] : ['', { pid, startTime, bootId: 'another' }]
    for (const content of contents) {
      const path = folder()
      lockedBy(path, content)
      taken(lockDirectory(path))
      expect(readdirSync(path)).toEqual(['lock'])
    }
  })

  it('is taken over when its number belongs to a later process', async () => {
    const { pid } = await living()
    const startTime = startTimeOf(pid)
    expect(hasEnded({ pid, startTime: startTime === null ? null : startTime - 1, bootId })).toBe(startTime !== null)
    expect(hasEnded({ pid, startTime, bootId })).toBe(false)
  })

  it('is taken over from a zombie', async () => {
    // The child ends when the shell has become something that never waits for it.
    const parent = spawn('sh', ['-c', 'sleep 0.3 & echo $!; exec sleep 60'], { stdio: ['ignore', 'pipe', 'ignore'] })
    children.push(parent)
    const pid = Number(await new Promise<Buffer>((resolve) => parent.stdout.once('data', resolve)))
    const isZombie = (): boolean => / Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
    if (bootId === null) return
    while (!isZombie()) await new Promise((resolve) => setTimeout(resolve, 5))
    expect(hasEnded({ pid, startTime: startTimeOf(pid), bootId })).toBe(true)
  })

  it.each([
    'garbage',
    'null',
    '{}',
    '{"pid":0,"startTime":null,"bootId":null}',
    '{"pid":-1,"startTime":null,"bootId":null}',
    '{"pid":"1","startTime":null,"bootId":null}',
    '{"pid":1,"startTime":"1","bootId":null}',
    '{"pid":1,"startTime":null,"bootId":7}',
    '{"pid":1',
    '\0\0\0\0',
  ])('is refused when its file is damaged: %j', (content) => {
    const path = folder()
    lockedBy(path, content)
    expect(lockDirectory(path)).toMatchObject(refused(/lock does not say who holds it: make sure .* remove that file/))
    expect(readFileSync(join(path, 'lock'), 'utf8')).toBe(content)
    expect(readdirSync(path)).toEqual(['lock'])
  })

  it('is refused when its file cannot be read', () => {
    const path = folder()
    mkdirSync(join(path, 'lock'))
    expect(lockDirectory(path)).toMatchObject(refused(/lock does not say who holds it/))
  })

  it('answers with what is wrong with a directory in which no file can be made', () => {
    expect(lockDirectory(join(folder(), 'missing'))).toMatchObject({
      ok: false,
      code: 'ERR_DISK_IO',
      message: expect.stringMatching(/lock cannot be made \(ENOENT\)/) as unknown,
    })
  })

  it('is not removed by a release when it has come to be somebody else’s', () => {
    const path = folder()
    const lock = lockDirectory(path)
    taken(lock)
    const others = JSON.stringify({ pid: 1, startTime: null, bootId: null })
    lockedBy(path, others)
    lock.release()
    expect(readFileSync(join(path, 'lock'), 'utf8')).toBe(others)
  })

  it('is released wherever it is: also when another process has moved it by mistake', () => {
    const path = folder()
    const lock = lockDirectory(path)
    taken(lock)
    fs.renameSync(join(path, 'lock'), join(path, 'lock-moved-1'))
    expect(lockDirectory(path)).toMatchObject(refused(/this process/))
    lock.release()
    expect(readdirSync(path)).toEqual([])
  })

  it('is on disk before it has its name', () => {
    const fsync = vi.spyOn(fs, 'fsyncSync')
    const link = vi.spyOn(fs, 'linkSync')
    taken(lockDirectory(folder()))
    expect([fsync.mock.calls.length, link.mock.calls.length]).toEqual([1, 1])
    expect(fsync.mock.invocationCallOrder[0]).toBeLessThan(link.mock.invocationCallOrder[0]!)
  })

  it('counts a process as running where the system tells nothing but that it is there', async () => {
    const real = fs.readFileSync
    vi.spyOn(fs, 'readFileSync').mockImplementation(((name: string, encoding: 'utf8') => {
      if (name.startsWith('/proc/')) throw Object.assign(new Error('ENOENT'), { code: 'ENOENT' })
      return real(name, encoding)
    }) as typeof fs.readFileSync)
    const { pid } = await living()
    const ended = await dead()
    expect(ownIdentity()).toEqual({ pid: process.pid, startTime: null, bootId: null })
    expect(hasEnded({ pid, startTime: 1, bootId: 'another' })).toBe(false)
    expect(hasEnded({ ...ended, bootId: null })).toBe(true)
  })

  it('removes what killed processes left behind while they locked', async () => {
    const path = folder()
    const stale = JSON.stringify({ ...(await dead()), bootId })
    writeFileSync(join(path, 'lock-new-1'), stale)
    writeFileSync(join(path, 'lock-moved-1'), stale)
    taken(lockDirectory(path))
    expect(readdirSync(path)).toEqual(['lock'])
  })
})

/** Runs `act` right before the next time the lock file is renamed, as another process might. */
function beforeMoving(act: () => void): void {
  const real = fs.renameSync
  vi.spyOn(fs, 'renameSync').mockImplementationOnce((from, to) => {
    act()
    real(from, to)
  })
}

describe('two that take over one stale lock', () => {
  it('do not stumble over each other: what the faster one swept away is no error', async () => {
    const path = folder()
    lockedBy(path, { ...(await dead()), bootId })
    const real = fs.readFileSync
    let faster = null as DirectoryLock | null
    vi.spyOn(fs, 'readFileSync').mockImplementation(((name: string, encoding: 'utf8') => {
      if (faster === null && String(name).includes('lock-moved-')) {
        faster = { ok: false, code: 'ERR_DISK_IO', message: 'under way' }
        faster = lockDirectory(path)
      }
      return real(name, encoding)
    }) as typeof fs.readFileSync)
    expect(lockDirectory(path)).toMatchObject(refused(/this process/))
    taken(faster)
    expect(readdirSync(path)).toEqual(['lock'])
  })

  it('do not both get it: the slower one puts back what it had moved', async () => {
    const path = folder()
    lockedBy(path, { ...(await dead()), bootId })
    let faster = null as DirectoryLock | null
    beforeMoving(() => (faster = lockDirectory(path)))
    expect(lockDirectory(path)).toMatchObject(refused(/which runs|this process/))
    taken(faster)
    expect(readdirSync(path)).toEqual(['lock'])
    expect(lockDirectory(path)).toMatchObject(refused(/this process/))
    faster.release()
    expect(readdirSync(path)).toEqual([])
  })

  it('nor does a third that comes while it is moved: it finds it where it was put', async () => {
    const path = folder()
    lockedBy(path, { ...(await dead()), bootId })
    let first = null as DirectoryLock | null
    let third = null as DirectoryLock | null
    beforeMoving(() => (first = lockDirectory(path)))
    const real = fs.readFileSync
    vi.spyOn(fs, 'readFileSync').mockImplementation(((name: string, encoding: 'utf8') => {
      if (first !== null && third === null && String(name).includes('lock-moved-')) {
        third = { ok: false, code: 'ERR_DISK_IO', message: 'under way' }
        third = lockDirectory(path)
      }
      return real(name, encoding)
    }) as typeof fs.readFileSync)
    expect(lockDirectory(path)).toMatchObject({ ok: false })
    taken(first)
    expect(third).toMatchObject(refused(/this process/))
    vi.restoreAllMocks()
    expect(lockDirectory(path)).toMatchObject({ ok: false })
    first.release()
    taken(lockDirectory(path))
  })
})
