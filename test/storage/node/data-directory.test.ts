// The data directory: made once and durably, opened by one, closed for good.

import * as fs from 'node:fs'
import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { createDataDirectory } from '../../../src/storage/node/create-data-directory.ts'
import { lockDirectory } from '../../../src/storage/node/directory-lock.ts'
import { openNodeDirectory } from '../../../src/storage/node/node-directory.ts'
import { nodeFileSystem } from '../../../src/storage/node/file-system.ts'
import { create, identity, open } from './data-directories.ts'
import { faultyFiles, systemError } from './faulty-files.ts'
import { temporaryFolders } from './temporary-folder.ts'

vi.mock('node:fs', async (original) => ({ ...(await original<typeof fs>()) }))
afterEach(() => {
  vi.restoreAllMocks()
})

const folder = temporaryFolders()
const code = (value: string): unknown => expect.objectContaining({ name: 'DataDirectoryError', code: value })

/** Nobody has it: the next one gets it. */
function expectUnlocked(path: string): void {
  expect(readdirSync(path).filter((name) => name !== 'peers')).toEqual(['log'])
  const lock = lockDirectory(path)
  expect(lock.ok).toBe(true)
  if (lock.ok) lock.release()
}

describe('making a data directory', () => {
  it('makes everything above it, for its owner only, and a log with which a replica starts', async () => {
    const path = await create(join(folder(), 'a', 'b', 'data'))
    expect([readdirSync(path), readdirSync(join(path, 'log')).sort()]).toEqual([
      ['log'],
      ['identity', 'log-0000000001', 'synced'],
    ])
    const files = ['.', 'log', 'log/identity', 'log/synced', 'log/log-0000000001']
    expect(files.map((file) => statSync(join(path, file)).mode & 0o077)).toEqual(files.map(() => 0))
    const data = await open(path)
    expect([data.incarnation, data.tornBytes, data.texts()]).toEqual([1, 0, []])
    await data.close()
  })

  it('makes every new name durable: each folder above one is synced, from the inside out', async () => {
    const paths = new Map<number, string>()
    const synced: string[] = []
    const real = { openSync: fs.openSync, fsyncSync: fs.fsyncSync }
    vi.spyOn(fs, 'openSync').mockImplementation((path, flags, mode) => {
      const descriptor = real.openSync(path, flags, mode)
      paths.set(descriptor, String(path))
      return descriptor
    })
    vi.spyOn(fs, 'fsyncSync').mockImplementation((descriptor) => {
      synced.push(paths.get(descriptor)!)
      real.fsyncSync(descriptor)
    })
    const top = folder()
    const path = join(top, 'a', 'data')
    await createDataDirectory(path, identity)
    expect(synced).toEqual([path, join(top, 'a'), top])
    synced.length = 0
    const existing = folder()
    await createDataDirectory(existing, identity)
    expect(synced).toEqual([existing])
    vi.spyOn(fs, 'fsyncSync').mockImplementation(() => fail('EIO'))
    await expect(createDataDirectory(join(dirname(path), 'other'), identity)).rejects.toThrow(code('ERR_DISK_IO'))
  })

  it('leaves no descriptors when the disk is full, and what is half made is not overwritten', async () => {
    const descriptors = new Set<number>()
    const real = { openSync: fs.openSync, closeSync: fs.closeSync }
    vi.spyOn(fs, 'openSync').mockImplementation((...call) => {
      const descriptor = real.openSync(...call)
      descriptors.add(descriptor)
      return descriptor
    })
    vi.spyOn(fs, 'closeSync').mockImplementation((descriptor) => {
      descriptors.delete(descriptor)
      real.closeSync(descriptor)
    })
    const write = vi.spyOn(fs, 'writeSync').mockImplementation(() => fail('ENOSPC'))
    const path = folder()
    await expect(create(path)).rejects.toThrow(code('ERR_DISK_FULL'))
    expect([write.mock.calls.length, descriptors.size]).toEqual([1, 0])
    await expect(create(path)).rejects.toThrow(code('ERR_DATA_DIRECTORY_NOT_EMPTY'))
    await expect(open(path)).rejects.toThrow(code('ERR_LOG_CORRUPT'))
  })

  it('takes an empty directory, and refuses one in which anything is, even a log', async () => {
    const empty = folder()
    await create(empty)
    await expect(create(empty)).rejects.toThrow(code('ERR_DATA_DIRECTORY_NOT_EMPTY'))
    const used = folder()
    writeFileSync(join(used, 'notes.txt'), 'mine')
    await expect(create(used)).rejects.toThrow(code('ERR_DATA_DIRECTORY_NOT_EMPTY'))
    expect(readdirSync(used)).toEqual(['notes.txt'])
    await expect(create(join(used, 'notes.txt'))).rejects.toThrow(code('ERR_DATA_DIRECTORY_NOT_EMPTY'))
    await expect(create(join(used, 'notes.txt', 'data'))).rejects.toThrow(code('ERR_DISK_IO'))
  })

  it('is done by one of two that try at once', async () => {
    const path = join(folder(), 'data')
    const tries = await Promise.allSettled([createDataDirectory(path, identity), createDataDirectory(path, identity)])
    expect(tries.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    await (await open(path)).close()
  })
})

describe('opening a data directory', () => {
  it('gives back what was written, counts its starts, and goes on where it was', async () => {
    const path = await create(folder())
    const first = await open(path)
    await first.write('a', 'b')
    await first.close()
    const second = await open(path)
    expect([second.incarnation, second.tornBytes, second.texts()]).toEqual([2, 0, ['a', 'b']])
    for (let group = 0; group < 5; group++) await second.write('x'.repeat(100), 'y'.repeat(100))
    await second.close()
    const third = await open(path)
    expect([third.incarnation, third.texts().length]).toEqual([3, 12])
    expect(readdirSync(join(path, 'log')).length).toBeGreaterThan(4)
    third.log.cut(12, () => third.listener.durable(Infinity))
    await third.listener.until(Infinity)
    expect(third.texts().at(-1)).toBe('y'.repeat(100))
    await third.close()
    const fourth = await open(path)
    expect(fourth.texts().length).toBeLessThan(12)
    await fourth.close()
  })

  it('is refused when there is none, and makes none', async () => {
    const path = join(folder(), 'missing')
    await expect(open(path)).rejects.toThrow(code('ERR_DATA_DIRECTORY_MISSING'))
    await expect(open(path)).rejects.toThrow(
      /has never run, quorate init --member makes it; if it is lost, start with --rejoin/,
    )
    expect(() => statSync(path)).toThrow()
    const empty = folder()
    await expect(open(empty)).rejects.toThrow(code('ERR_DATA_DIRECTORY_MISSING'))
    expect(readdirSync(empty)).toEqual([])
    const file = join(empty, 'file')
    writeFileSync(file, '')
    await expect(open(file)).rejects.toThrow(code('ERR_DISK_IO'))
  })

  it('is refused while it is open, and allowed when it is closed, once or twice', async () => {
    const path = await create(folder())
    const data = await open(path)
    await expect(open(path)).rejects.toThrow(code('ERR_DIRECTORY_LOCKED'))
    await data.write('a')
    const closing = data.close()
    expect(data.close()).toBe(closing)
    await closing
    expectUnlocked(path)
    const again = await open(path)
    // Late, and of one who has nothing here any more.
    await data.close()
    await expect(open(path)).rejects.toThrow(code('ERR_DIRECTORY_LOCKED'))
    await again.close()
  })

  it('is refused for another replica, another network, an empty log and a damaged one; each time the lock is free', async () => {
    const path = await create(folder())
    const log = join(path, 'log')
    await expect(open(path, { replica: 4 })).rejects.toThrow(code('ERR_LOG_FOREIGN_DIRECTORY'))
    expectUnlocked(path)
    await expect(open(path, { network: new Uint8Array(32) })).rejects.toThrow(code('ERR_LOG_FOREIGN_DIRECTORY'))
    expectUnlocked(path)
    writeFileSync(join(log, 'identity'), 'damaged')
    await expect(open(path)).rejects.toThrow(code('ERR_LOG_CORRUPT'))
    expectUnlocked(path)
    rmSync(log, { recursive: true })
    mkdirSync(log)
    await expect(open(path)).rejects.toThrow(code('ERR_LOG_EMPTY_DIRECTORY'))
    expectUnlocked(path)
  })

  it.each([
    ['a size that cannot be told', { statSync: () => fail('EIO') }, 'ERR_DISK_IO'],
    ['a list that cannot be told', { readdirSync: () => fail('EIO') }, 'ERR_DISK_IO'],
    ['a write that fails', { writeSync: () => fail('EIO') }, 'ERR_DISK_IO'],
    ['a full disk', { writeSync: () => fail('ENOSPC') }, 'ERR_DISK_FULL'],
    ['a sync that fails', { fdatasync: failing }, 'ERR_DISK_IO'],
  ] as const)('is refused at %s, and leaves neither lock nor descriptors', async (_what, faults, expected) => {
    const path = await create(folder())
    const files = faultyFiles(faults)
    const openDirectory = (log: string) => openNodeDirectory(log, files)
    await expect(open(path, { openDirectory })).rejects.toThrow(code(expected))
    expect(files.descriptors.size).toBe(0)
    expectUnlocked(path)
    await (await open(path)).close()
  })

  it('ends with the reason of its signal, before and while it reads, and the lock is free', async () => {
    const path = await create(folder())
    const data = await open(path)
    for (let group = 0; group < 20; group++) await data.write('x'.repeat(250))
    await data.close()
    const reason = new Error('enough')
    await expect(open(path, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    await expect(open(join(path, 'missing'), { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    const controller = new AbortController()
    const files = faultyFiles()
    const openDirectory = (log: string) => openNodeDirectory(log, files)
    const opening = open(path, { openDirectory, signal: controller.signal })
    controller.abort(reason)
    await expect(opening).rejects.toBe(reason)
    // It was still being read.
    expect([files.calls, files.descriptors.size]).toEqual([[], 0])
    expectUnlocked(path)
    // Not the fault of whoever asks too late.
    const late = new AbortController()
    const again = await open(path, { signal: late.signal })
    late.abort(reason)
    await again.write('after')
    await again.close()
  })

  it('ends with the reason of a signal that came while the log was being mended', async () => {
    const path = await create(folder())
    const controller = new AbortController()
    const reason = new Error('enough')
    const files = faultyFiles({
      fdatasync(descriptor, done) {
        controller.abort(reason)
        nodeFileSystem.fdatasync(descriptor, done)
      },
    })
    const openDirectory = (log: string) => openNodeDirectory(log, files)
    await expect(open(path, { openDirectory, signal: controller.signal })).rejects.toBe(reason)
    expect(files.descriptors.size).toBe(0)
    expectUnlocked(path)
  })
})

describe('an open data directory', () => {
  it('keeps what does not fit on a full disk, and goes on in place when there is room', async () => {
    const path = await create(folder())
    let isFull = false
    const files = faultyFiles({
      writeSync(descriptor, bytes, offset, length, position) {
        // As disks do: some of it goes in, and then nothing does.
        if (isFull && length <= 10) fail('ENOSPC')
        return nodeFileSystem.writeSync(descriptor, bytes, offset, isFull ? length - 10 : length, position)
      },
    })
    const data = await open(path, { openDirectory: (log) => openNodeDirectory(log, files) })
    await data.write('before')
    isFull = true
    const trouble = data.listener.untilTrouble()
    const written = data.write('during')
    await trouble
    expect(data.listener.fulls).toMatchObject([{ code: 'ERR_DISK_FULL' }])
    expect(data.texts()).toEqual(['before'])
    isFull = false
    data.log.probe()
    await written
    await data.close()
    const again = await open(path)
    expect(again.texts()).toEqual(['before', 'during'])
    await again.close()
  })

  it('fails for good when a sync fails: nothing is durable afterwards, and it still closes', async () => {
    const path = await create(folder())
    let isBroken = false
    const files = faultyFiles({
      fdatasync: (descriptor, done) =>
        isBroken ? failing(descriptor, done) : nodeFileSystem.fdatasync(descriptor, done),
    })
    const data = await open(path, { openDirectory: (log) => openNodeDirectory(log, files) })
    await data.write('before')
    isBroken = true
    const trouble = data.listener.untilTrouble()
    const last = data.listener.durables.at(-1)
    data.log.append(new Uint8Array(5))
    data.log.flush()
    await trouble
    isBroken = false
    data.log.append(new Uint8Array(5))
    data.log.flush()
    data.log.probe()
    await data.close()
    expect(data.listener.failures).toMatchObject([{ code: 'ERR_DISK_IO' }])
    expect(data.listener.durables.at(-1)).toBe(last)
    expectUnlocked(path)
  })

  it('lets nobody in before what is under way has ended', async () => {
    const path = await create(folder())
    let finish: (() => void) | null = null
    let isSlow = false
    const files = faultyFiles({
      fdatasync(descriptor, done) {
        if (isSlow && finish === null) finish = () => done(null)
        else nodeFileSystem.fdatasync(descriptor, done)
      },
    })
    const data = await open(path, { openDirectory: (log) => openNodeDirectory(log, files) })
    isSlow = true
    data.log.append(new Uint8Array(5))
    data.log.flush()
    const before = data.listener.durables.length
    await new Promise((resolve) => setImmediate(resolve))
    const closed = data.close()
    await new Promise((resolve) => setImmediate(resolve))
    await expect(open(path)).rejects.toThrow(code('ERR_DIRECTORY_LOCKED'))
    finish!()
    await closed
    expect(data.listener.durables.length).toBe(before)
    expectUnlocked(path)
  })
})

function fail(reason: string): never {
  throw systemError(reason)
}

function failing(_descriptor: number, done: (error: NodeJS.ErrnoException) => void): void {
  queueMicrotask(() => done(systemError('EIO')))
}
