// What the folder holds is what a kill leaves: here it is opened anew, as the next process would.

import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Done, FileError } from '../../../src/storage/log/file-port.ts'
import { createRandom } from '../../../src/kernel/random.ts'
import { FileContents, sectorBytes, tear } from './file-contents.ts'
import { VolatileDirectory, type VolatileCounts } from './volatile-directory.ts'

let folder = ''
let counts: VolatileCounts | null = null

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'quorate-volatile-'))
  counts = null
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function open(leaksPerThousand = 0, seed = '1'): VolatileDirectory {
  const counted = (newest: VolatileCounts): void => void (counts = newest)
  return new VolatileDirectory(folder, { seed, syncMs: { min: 0, max: 1 }, leaksPerThousand, counted })
}

function done(act: (done: Done) => void): Promise<FileError | null> {
  return new Promise((resolve) => act(resolve))
}

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)
const bytesOf = (words: string): Uint8Array => new TextEncoder().encode(words)

function contentsOf(directory: VolatileDirectory, name: string): string {
  const read = directory.read(name, 0, 1000)
  if (!read.ok) throw new Error(read.error.message)
  return text(read.bytes)
}

async function create(name: string, words: string): Promise<void> {
  writeFileSync(join(folder, name), words)
}

describe('a directory that loses power with its process', () => {
  it('shows the newest, and keeps a write in memory until its file is synced', async () => {
    await create('one', 'before')
    const directory = open()
    const file = directory.open('one')
    await done((answer) => file.write(0, bytesOf('after.'), answer))
    expect(contentsOf(directory, 'one')).toBe('after.')
    expect(contentsOf(open(), 'one')).toBe('before')
    await done((answer) => file.sync(answer))
    expect(contentsOf(open(), 'one')).toBe('after.')
  })

  it('answers a sync only when the file holds what was written', async () => {
    await create('one', '')
    const file = open().open('one')
    let isAnswered = false
    file.write(0, bytesOf('x'), () => {})
    const synced = done((answer) => file.sync(answer)).then(() => (isAnswered = true))
    await Promise.resolve()
    expect([isAnswered, readFileSync(join(folder, 'one'), 'utf8')]).toEqual([false, ''])
    await synced
    expect(readFileSync(join(folder, 'one'), 'utf8')).toBe('x')
  })

  it('keeps a truncation in memory until its file is synced, in its order among the writes', async () => {
    await create('one', 'long and torn')
    const directory = open()
    const file = directory.open('one')
    await done((answer) => file.truncate(4, answer))
    await done((answer) => file.write(4, bytesOf('er'), answer))
    expect([contentsOf(directory, 'one'), contentsOf(open(), 'one')]).toEqual(['longer', 'long and torn'])
    await done((answer) => file.sync(answer))
    expect(contentsOf(open(), 'one')).toBe('longer')
  })

  it('loses a created file, synced or not, until the directory is synced', async () => {
    const directory = open()
    const file = directory.open('new')
    await done((answer) => file.write(0, bytesOf('synced'), answer))
    await done((answer) => file.sync(answer))
    await done((answer) => file.write(6, bytesOf(' and not'), answer))
    expect(directory.list()).toEqual(['new'])
    expect(open().list()).toEqual([])
    await done((answer) => directory.sync(answer))
    expect(contentsOf(open(), 'new')).toBe('synced')
    await done((answer) => file.sync(answer))
    expect(contentsOf(open(), 'new')).toBe('synced and not')
  })

  it('brings a removed file back until the directory is synced', async () => {
    await create('old', 'kept')
    const directory = open()
    expect(await done((answer) => directory.remove('old', answer))).toBeNull()
    expect(directory.list()).toEqual([])
    expect(contentsOf(open(), 'old')).toBe('kept')
    await done((answer) => directory.sync(answer))
    expect(open().list()).toEqual([])
  })

  it('shows a file created in the place of a removed one without what that one held', async () => {
    await create('same', 'of before')
    const directory = open()
    await done((answer) => directory.remove('same', answer))
    const file = directory.open('same')
    expect(directory.size('same')).toBe(0)
    await done((answer) => file.write(0, bytesOf('new'), answer))
    await done((answer) => file.sync(answer))
    await done((answer) => directory.sync(answer))
    expect(contentsOf(open(), 'same')).toBe('new')
  })

  it('counts what a kill would take', async () => {
    await create('one', '')
    const directory = open()
    const file = directory.open('one')
    await done((answer) => file.write(0, bytesOf('123'), answer))
    directory.open('two')
    expect(counts).toMatchObject({ unsyncedWrites: 1, unsyncedBytes: 3, unsyncedNames: 1, created: 1 })
    await done((answer) => file.sync(answer))
    await done((answer) => directory.sync(answer))
    expect(counts).toMatchObject({ unsyncedWrites: 0, unsyncedBytes: 0, unsyncedNames: 0, syncs: 1, directorySyncs: 1 })
  })

  it('saves some of it unasked, whole or torn, and all of it at the sync', async () => {
    const words = 'x'.repeat(3 * sectorBytes)
    const lengths = new Set<number>()
    for (let seed = 0; seed < 20; seed++) {
      await create('one', '')
      const file = open(1000, String(seed)).open('one')
      await done((answer) => file.write(0, bytesOf(words), answer))
      lengths.add(readFileSync(join(folder, 'one'), 'utf8').length)
      await done((answer) => file.sync(answer))
      expect(readFileSync(join(folder, 'one'), 'utf8')).toBe(words)
    }
    expect(lengths.size).toBeGreaterThan(3)
    expect(counts!.leaks).toBeGreaterThan(0)
  })

  it('saves names unasked too', async () => {
    await create('old', '')
    const directory = open(1000)
    directory.open('new')
    await done((answer) => directory.remove('old', answer))
    expect(readdirSync(folder)).toEqual(['new'])
  })

  it('ends with what is not synced left behind, and answers nothing more', async () => {
    await create('one', 'before')
    const directory = open()
    const file = directory.open('one')
    await done((answer) => file.write(0, bytesOf('after.'), answer))
    let isAnswered = false
    file.sync(() => (isAnswered = true))
    await directory.close()
    file.write(0, bytesOf('late'), () => (isAnswered = true))
    await new Promise((resolve) => setTimeout(resolve, 5))
    expect(isAnswered).toBe(false)
    expect(() => directory.open('one')).toThrow(/is closed/)
  })
})

describe('torn writes', () => {
  it('are parts of the write at their own places', () => {
    const bytes = Uint8Array.from({ length: 2000 }, (_, index) => 1 + (index % 250))
    const random = createRandom('tear')
    for (let round = 0; round < 200; round++) {
      const contents = new FileContents()
      for (const part of tear({ offset: 100, bytes }, random)) contents.apply(part)
      const view = contents.view()
      expect(view.length).toBeLessThanOrEqual(2100)
      expect(view.every((byte, index) => byte === 0 || byte === bytes[index - 100])).toBe(true)
    }
  })
})
