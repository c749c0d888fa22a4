// Goal: a lost log is kept, and replaced by one that abstains; nothing else ever comes of it. Method: real folders, damaged in every way
// that counts, and the rejoining stopped at each of its calls of the operating system.

import * as fs from 'node:fs'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { openNodeDirectory } from '../../../src/storage/node/node-directory.ts'
import { setAsideMax } from '../../../src/storage/node/renew-log.ts'
import { create, open } from './data-directories.ts'
import { faultyFiles, systemError } from './faulty-files.ts'
import { temporaryFolders } from './temporary-folder.ts'

vi.mock('node:fs', async (original) => ({ ...(await original<typeof fs>()) }))
afterEach(() => {
  vi.restoreAllMocks()
})

const folder = temporaryFolders()
const code = (value: string): unknown => expect.objectContaining({ name: 'DataDirectoryError', code: value })
const rejoin = { rejoin: true } as const

/** With two starts and a few records. */
async function used(): Promise<string> {
  const path = await create(folder())
  for (const record of ['a', 'b']) {
    const data = await open(path)
    await data.write(record)
    await data.close()
  }
  return path
}

/** Without what was seen of the others. */
const names = (path: string): string[] =>
  readdirSync(path)
    .filter((name) => name !== 'peers')
    .sort()

const damages: [string, (path: string) => void][] = [
  ['a log whose folder is gone', (path) => rmSync(join(path, 'log'), { recursive: true })],
  ['a log whose folder is empty', (path) => emptied(join(path, 'log'))],
  ['a data directory that is empty', (path) => emptied(path)],
  ['a segment that is cut', (path) => writeFileSync(join(path, 'log', 'log-0000000001'), 'short')],
  ['a segment that is gone', (path) => rmSync(join(path, 'log', 'log-0000000001'))],
  ['a note that is gone', (path) => rmSync(join(path, 'log', 'synced'))],
  ['an identity that is gone', (path) => rmSync(join(path, 'log', 'identity'))],
  ['an identity that is damaged', (path) => writeFileSync(join(path, 'log', 'identity'), 'damaged')],
  [
    'a log that is no folder',
    (path) => (rmSync(join(path, 'log'), { recursive: true }), writeFileSync(join(path, 'log'), 'x')),
  ],
]

function emptied(path: string): void {
  rmSync(path, { recursive: true })
  mkdirSync(path)
}

describe('rejoining', () => {
  it.each(damages)('keeps %s as it is, and goes on without a vote for ever', async (_what, damage) => {
    const path = await used()
    damage(path)
    const before = contents(join(path, 'log'))
    await expect(open(path)).rejects.toThrow(/start with --rejoin|ERR_DISK_IO|cannot be/)
    const data = await open(path, rejoin)
    expect(data).toMatchObject({ abstains: true, rejoined: expect.stringMatching(/^rejoined without a vote \(/) })
    expect(data.texts()).toEqual([])
    await data.write('c')
    await data.close()
    if (before === null) expect(names(path)).toEqual(['log'])
    else expect(contents(join(path, 'log.set-aside-1'))).toEqual(before)
    const again = await open(path)
    expect(again).toMatchObject({ abstains: true, rejoined: null })
    expect(again.texts()).toEqual(['c'])
    await again.close()
  })

  it('makes a data directory that is gone with its disk', async () => {
    const path = join(folder(), 'a', 'data')
    const data = await open(path, rejoin)
    expect(data.abstains).toBe(true)
    await data.close()
    expect([statSync(path).mode & 0o077, statSync(join(path, 'log')).mode & 0o077]).toEqual([0, 0])
  })

  it('changes nothing where the log is sound, and says so', async () => {
    const path = await used()
    const data = await open(path, rejoin)
    expect(data).toMatchObject({ abstains: false, incarnation: 3 })
    expect(data.rejoined).toBe('there was nothing to rejoin: the log is sound, and nothing was changed')
    expect(data.texts()).toEqual(['a', 'b'])
    await data.close()
    expect(names(path)).toEqual(['log'])
  })

  it('refuses the directory of another replica or network, sound or not, and one of another release', async () => {
    const path = await used()
    rmSync(join(path, 'log', 'log-0000000001'))
    const before = contents(path)
    const foreign = code('ERR_LOG_FOREIGN_DIRECTORY')
    await expect(open(path, { ...rejoin, replica: 4 })).rejects.toThrow(foreign)
    await expect(open(path, { ...rejoin, network: new Uint8Array(32) })).rejects.toThrow(foreign)
    expect(contents(path)).toEqual(before)
    const letters = folder()
    mkdirSync(join(letters, 'log'))
    writeFileSync(join(letters, 'log', 'letter'), 'dear')
    await expect(open(letters, rejoin)).rejects.toThrow(foreign)
  })

  it('does not take what this user may not read for lost', async () => {
    const path = await used()
    const files = faultyFiles({
      openSync: (file, flags, mode) =>
        file.endsWith('log-0000000001') ? fail('EACCES') : fs.openSync(file, flags, mode),
    })
    const real = fs.openSync
    vi.spyOn(fs, 'openSync').mockImplementation((file, flags, mode) =>
      String(file).endsWith('log-0000000001') && flags === 'r' ? fail('EACCES') : real(file, flags, mode),
    )
    const openDirectory = (log: string) => openNodeDirectory(log, files)
    await expect(open(path, { ...rejoin, openDirectory })).rejects.toThrow(/EACCES.*nothing was set aside/)
    vi.restoreAllMocks()
    expect(names(path)).toEqual(['log'])
    const data = await open(path)
    expect(data).toMatchObject({ abstains: false })
    await data.close()
  })

  it('sets a few logs aside, and then asks for room', async () => {
    const path = await used()
    for (let time = 1; time <= setAsideMax; time++) {
      rmSync(join(path, 'log', 'identity'))
      await (await open(path, rejoin)).close()
      expect(existsSync(join(path, `log.set-aside-${time}`))).toBe(true)
    }
    rmSync(join(path, 'log', 'identity'))
    const before = contents(path)
    await expect(open(path, rejoin)).rejects.toThrow(/move them to another disk/)
    expect(contents(path)).toEqual(before)
  })

  it('begins above every incarnation that the replica had', async () => {
    const path = await used()
    // A clock that has gone wrong: the note still knows.
    vi.spyOn(Date, 'now').mockReturnValue(0)
    rmSync(join(path, 'log', 'log-0000000001'))
    const data = await open(path, rejoin)
    expect(data.incarnation).toBeGreaterThan(2)
    await data.close()
    vi.mocked(Date.now).mockReturnValue(1_000_000)
    emptied(path)
    const wiped = await open(path, rejoin)
    expect(wiped.incarnation).toBe(1_000_001)
    await wiped.close()
  })
})

describe('a rejoining that is interrupted', () => {
  it('leaves at each step what was refused, or the log that abstains; never one that votes', async () => {
    const outcomes = new Set<string>()
    for (const [what, damage] of damages.slice(0, 4)) {
      for (let step = 0; ; step++) {
        const path = await used()
        damage(path)
        const before = contents(join(path, 'log'))
        const wasDone = await interrupted(step, async () => (await open(path, rejoin)).close())
        const kept = existsSync(join(path, 'log.set-aside-1')) ? 'log.set-aside-1' : 'log'
        const now = existsSync(join(path, 'log')) && existsSync(join(path, 'log', 'identity'))
        outcomes.add(`${kept === 'log' ? 'in place' : 'aside'}, ${now ? 'a log' : 'no log'}`)
        if (before !== null && !(now && kept === 'log' && what.includes('is empty')))
          expect(contents(join(path, kept)), `${what}, step ${step}`).toEqual(before)
        // Without the word it is refused, or it abstains.
        const voice = await open(path).then(
          async (data) => (await data.close(), data.abstains ? 'abstains' : 'votes'),
          () => 'refused',
        )
        expect(['refused', 'abstains'], `${what}, step ${step}`).toContain(voice)
        // With it, it goes on.
        const data = await open(path, rejoin)
        expect(data.abstains).toBe(true)
        await data.close()
        expect(names(path).filter((name) => !/^log(\.set-aside-\d)?$/.test(name))).toEqual([])
        if (wasDone) break
      }
    }
    expect([...outcomes].sort()).toEqual(['aside, a log', 'aside, no log', 'in place, a log', 'in place, no log'])
  })

  it('has each step on disk before the next: the new log whole, the old one moved, the new one in its place', async () => {
    const path = await used()
    rmSync(join(path, 'log', 'identity'))
    const journal: string[] = []
    const paths = new Map<number, string>()
    const real = { openSync: fs.openSync, fsyncSync: fs.fsyncSync, fsync: fs.fsync, renameSync: fs.renameSync }
    vi.spyOn(fs, 'openSync').mockImplementation((file, flags, mode) => {
      const descriptor = real.openSync(file, flags, mode)
      paths.set(descriptor, basename(String(file)))
      return descriptor
    })
    vi.spyOn(fs, 'fsyncSync').mockImplementation((descriptor) => {
      journal.push(`sync ${paths.get(descriptor)}`)
      real.fsyncSync(descriptor)
    })
    vi.spyOn(fs, 'fsync').mockImplementation((descriptor, answer) => {
      journal.push(`sync ${paths.get(descriptor)}`)
      real.fsync(descriptor, answer)
    })
    vi.spyOn(fs, 'renameSync').mockImplementation((from, to) => {
      journal.push(`${basename(String(from))} becomes ${basename(String(to))}`)
      real.renameSync(from, to)
    })
    await (await open(path, rejoin)).close()
    const data = `sync ${basename(path)}`
    expect(journal.slice(journal.indexOf('sync log.new')).slice(0, 5)).toEqual([
      'sync log.new',
      'log becomes log.set-aside-1',
      data,
      'log.new becomes log',
      data,
    ])
  })
})

/** Runs until so many calls have changed something; from then on the process does nothing any more. True: it came to its end. */
async function interrupted(steps: number, run: () => Promise<void>): Promise<boolean> {
  let left = steps
  const dead = (): boolean => left-- <= 0
  const real = { ...fs }
  const step = <Call extends unknown[], Answer>(act: (...call: Call) => Answer) => {
    return (...call: Call): Answer => (dead() ? fail('EIO') : act(...call))
  }
  vi.spyOn(fs, 'mkdirSync').mockImplementation(step(real.mkdirSync) as typeof fs.mkdirSync)
  vi.spyOn(fs, 'renameSync').mockImplementation(step(real.renameSync))
  vi.spyOn(fs, 'rmSync').mockImplementation(step(real.rmSync))
  vi.spyOn(fs, 'fsyncSync').mockImplementation(step(real.fsyncSync))
  vi.spyOn(fs, 'writeSync').mockImplementation(step(real.writeSync) as typeof fs.writeSync)
  for (const name of ['fsync', 'fdatasync'] as const) {
    vi.spyOn(fs, name).mockImplementation((descriptor, answer) => {
      if (dead()) queueMicrotask(() => answer(systemError('EIO')))
      else real[name](descriptor, answer)
    })
  }
  try {
    await run()
    return true
  } catch {
    return false
  } finally {
    vi.restoreAllMocks()
  }
}

/** Names and bytes of all that lies there; null for nothing. */
function contents(path: string): unknown {
  if (!existsSync(path)) return null
  if (statSync(path).isFile()) return readFileSync(path, 'hex')
  return Object.fromEntries(names(path).map((name) => [name, contents(join(path, name))]))
}

function fail(reason: string): never {
  throw systemError(reason)
}
