// The file port on real files: order, answers, errors, and nothing left open.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { crc32 as zlibCrc32 } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { crc32 as portableCrc32 } from '../../../src/storage/log/crc32.ts'
import { readBytesMax, type Done, type FileError } from '../../../src/storage/log/file-port.ts'
import { crc32 } from '../../../src/storage/node/crc32.ts'
import { openNodeDirectory, type NodeDirectory } from '../../../src/storage/node/node-directory.ts'
import { writeAtOnceBytesMax } from '../../../src/storage/node/node-file.ts'
import { waitingOperationsMax } from '../../../src/storage/node/operation-chain.ts'
import { faultyFiles, systemError, type FaultyFiles } from './faulty-files.ts'
import { temporaryFolders } from './temporary-folder.ts'

const folder = temporaryFolders()

function opened(faults: Parameters<typeof faultyFiles>[0] = {}): {
  path: string
  directory: NodeDirectory
  files: FaultyFiles
} {
  const path = folder()
  const files = faultyFiles(faults)
  return { path, directory: openNodeDirectory(path, files), files }
}

function answer(start: (done: Done) => void): Promise<FileError | null> {
  return new Promise((resolve) => start(resolve))
}

const bytes = (length: number, value: number): Uint8Array => new Uint8Array(length).fill(value)

describe('reading', () => {
  it('gives names, sizes and pieces of files, and fewer bytes at the end', () => {
    const { path, directory, files } = opened()
    writeFileSync(join(path, 'log-1'), 'abcdef')
    writeFileSync(join(path, '.Hidden file'), '')
    mkdirSync(join(path, 'folder'))
    expect(directory.list().sort()).toEqual(['.Hidden file', 'folder', 'log-1'])
    expect([directory.size('log-1'), directory.size('log-2')]).toEqual([6, 0])
    expect(directory.read('log-1', 4, 100)).toEqual({ ok: true, bytes: new TextEncoder().encode('ef') })
    expect(directory.read('log-1', 6, 100)).toEqual({ ok: true, bytes: new Uint8Array(0) })
    expect(files.descriptors.size).toBe(0)
  })

  it('goes on after a short read', () => {
    const { path, directory } = opened({
      readSync(descriptor, into, offset, length, position) {
        return faultyFiles().readSync(descriptor, into, offset, Math.min(length, 2), position)
      },
    })
    writeFileSync(join(path, 'log-1'), 'abcdef')
    expect(directory.read('log-1', 1, 4)).toEqual({ ok: true, bytes: new TextEncoder().encode('bcde') })
  })

  it('answers with an error, and leaves nothing open', () => {
    const { path, directory, files } = opened({
      readSync() {
        throw systemError('EIO')
      },
    })
    writeFileSync(join(path, 'log-1'), 'abcdef')
    expect(directory.read('log-1', 0, 4)).toMatchObject({ ok: false, error: { code: 'ERR_DISK_IO' } })
    expect(directory.read('missing', 0, 4)).toMatchObject({ ok: false, error: { code: 'ERR_DISK_IO' } })
    expect(files.descriptors.size).toBe(0)
  })

  it('throws when a size or a list cannot be told: nothing and empty would be believed', () => {
    const { directory } = opened({
      statSync() {
        throw systemError('EIO')
      },
      readdirSync() {
        throw systemError('EIO')
      },
    })
    expect(() => directory.size('log-1')).toThrow(expect.objectContaining({ code: 'ERR_DISK_IO' }))
    expect(() => directory.list()).toThrow(expect.objectContaining({ code: 'ERR_DISK_IO' }))
  })

  it('refuses a read above the bound', () => {
    const { directory } = opened()
    expect(() => directory.read('log-1', 0, readBytesMax + 1)).toThrow(RangeError)
  })
})

describe('names', () => {
  it.each(['', '.', '..', '../log', 'a/b', 'Log', 'log.1', 'log-1\n', 'a\0'])('%j is refused', (name) => {
    const { directory } = opened()
    expect(() => directory.open(name)).toThrow(RangeError)
    expect(() => directory.remove(name, () => {})).toThrow(RangeError)
    expect(() => directory.read(name, 0, 1)).toThrow(RangeError)
    expect(() => directory.size(name)).toThrow(RangeError)
  })
})

describe('writing', () => {
  it('takes effect and answers in the order of the calls, large and small, cut and synced', async () => {
    const { path, directory, files } = opened()
    const file = directory.open('log-1')
    const order: number[] = []
    const large = writeAtOnceBytesMax + 1
    file.write(0, bytes(large, 1), () => order.push(1))
    file.write(0, bytes(10, 2), () => order.push(2))
    file.sync(() => order.push(3))
    file.truncate(20, () => order.push(4))
    file.write(20, bytes(large, 5), () => order.push(5))
    file.write(30, bytes(10, 6), () => order.push(6))
    file.truncate(40, () => order.push(7))
    await answer((done) => file.sync(done))
    expect(order).toEqual([1, 2, 3, 4, 5, 6, 7])
    expect(files.calls).toEqual([
      'write',
      'writeSync',
      'fdatasync',
      'ftruncate',
      'write',
      'writeSync',
      'ftruncate',
      'fdatasync',
    ])
    const expected = [...bytes(10, 2), ...bytes(10, 1), ...bytes(10, 5), ...bytes(10, 6)]
    expect([...readFileSync(join(path, 'log-1'))]).toEqual(expected)
    await directory.close()
  })

  it('never answers from within a call', async () => {
    const { directory } = opened()
    const file = directory.open('log-1')
    let isWithin = true
    const answered: boolean[] = []
    const start = (done: Done): void => {
      isWithin = true
      file.write(0, bytes(1, 1), (error) => {
        answered.push(isWithin)
        done(error)
      })
      isWithin = false
    }
    await answer(start)
    // Also when the call comes from an answer.
    await answer((done) => file.sync(() => start(done)))
    expect(answered).toEqual([false, false])
    await directory.close()
  })

  it('keeps the answer to a write at once before that of what was asked for later', async () => {
    const { directory } = opened({ fdatasync: (_descriptor, answer) => answer(null) })
    const file = directory.open('log-1')
    const order: string[] = []
    file.write(0, bytes(1, 1), () => order.push('write'))
    await answer((done) =>
      file.sync((error) => {
        order.push('sync')
        done(error)
      }),
    )
    expect(order).toEqual(['write', 'sync'])
    await directory.close()
  })

  it('goes on after short writes until all is written', async () => {
    const { path, directory, files } = opened({
      writeSync: (descriptor, from, offset, length, position) =>
        faultyFiles().writeSync(descriptor, from, offset, Math.min(length, 7), position),
      write: (descriptor, from, offset, length, position, done) =>
        faultyFiles().write(descriptor, from, offset, Math.min(length, 30_000), position, done),
    })
    const file = directory.open('log-1')
    const small = Uint8Array.from({ length: 50 }, (_, index) => index)
    const large = Uint8Array.from({ length: writeAtOnceBytesMax + 50 }, (_, index) => index % 251)
    expect(await answer((done) => file.write(0, small, done))).toBeNull()
    expect(await answer((done) => file.write(50, large, done))).toBeNull()
    expect(Buffer.compare(readFileSync(join(path, 'log-1')), Buffer.concat([small, large]))).toBe(0)
    expect(files.calls.length).toBeGreaterThan(10)
    await directory.close()
  })

  it('ends when the system takes nothing and says nothing', async () => {
    const { directory } = opened({
      writeSync: () => 0,
      write: (_descriptor, _from, _offset, _length, _position, done) => done(null, 0),
    })
    const file = directory.open('log-1')
    expect(await answer((done) => file.write(0, bytes(1, 1), done))).toMatchObject({ code: 'ERR_DISK_IO' })
    const large = bytes(writeAtOnceBytesMax + 1, 1)
    expect(await answer((done) => file.write(0, large, done))).toMatchObject({ code: 'ERR_DISK_IO' })
    await directory.close()
  })

  it.each([
    ['ENOSPC', 'ERR_DISK_FULL'],
    ['EDQUOT', 'ERR_DISK_FULL'],
    ['EIO', 'ERR_DISK_IO'],
    ['EFBIG', 'ERR_DISK_IO'],
  ])('answers %s with %s, small and large, and writes on when there is room', async (reason, code) => {
    let failing = true
    const real = faultyFiles()
    const { directory } = opened({
      writeSync(...call) {
        if (failing) throw systemError(reason)
        return real.writeSync(...call)
      },
      write(...call) {
        if (failing) queueMicrotask(() => call[5](systemError(reason), 0))
        else real.write(...call)
      },
    })
    const file = directory.open('log-1')
    expect(await answer((done) => file.write(0, bytes(10, 1), done))).toMatchObject({ code })
    expect(await answer((done) => file.write(0, bytes(writeAtOnceBytesMax + 1, 1), done))).toMatchObject({ code })
    failing = false
    expect(await answer((done) => file.write(0, bytes(10, 1), done))).toBeNull()
    expect(await answer((done) => file.write(0, bytes(writeAtOnceBytesMax + 1, 1), done))).toBeNull()
    await directory.close()
  })

  it('answers every operation of a file that cannot be opened with the reason', async () => {
    const { directory, files } = opened({
      openSync() {
        throw systemError('ENOSPC')
      },
    })
    const file = directory.open('log-1')
    expect(await answer((done) => file.write(0, bytes(1, 1), done))).toMatchObject({ code: 'ERR_DISK_FULL' })
    expect(await answer((done) => file.sync(done))).toMatchObject({ code: 'ERR_DISK_FULL' })
    expect(files.calls).toEqual([])
    await directory.close()
  })

  it('fails when too many operations wait behind a disk that does not answer', async () => {
    const { directory } = opened({ fdatasync: () => {} })
    const file = directory.open('log-1')
    const errors: unknown[] = []
    for (let operation = 0; operation <= waitingOperationsMax; operation++) file.sync((error) => errors.push(error))
    await turn()
    expect(errors).toEqual([])
    file.sync((error) => errors.push(error))
    expect(errors).toEqual([])
    await turn()
    expect(errors).toMatchObject([{ code: 'ERR_DISK_IO' }])
  })
})

describe('a sync that failed (C37)', () => {
  it.each(['EIO', 'ENOSPC', 'EDQUOT'])(
    'with %s ends the file: nothing answers ok again, not even reopened',
    async (reason) => {
      let failing = true
      const real = faultyFiles()
      const { directory, files } = opened({
        fdatasync(descriptor, done) {
          if (failing) queueMicrotask(() => done(systemError(reason)))
          else real.fdatasync(descriptor, done)
        },
      })
      const file = directory.open('log-1')
      const other = directory.open('log-2')
      expect(await answer((done) => file.sync(done))).toMatchObject({ code: 'ERR_DISK_IO' })
      failing = false
      for (const handle of [file, directory.open('log-1')]) {
        expect(await answer((done) => handle.sync(done))).toMatchObject({ code: 'ERR_DISK_IO' })
        expect(await answer((done) => handle.write(0, bytes(1, 1), done))).toMatchObject({ code: 'ERR_DISK_IO' })
        expect(await answer((done) => handle.truncate(0, done))).toMatchObject({ code: 'ERR_DISK_IO' })
      }
      expect(files.calls).toEqual(['fdatasync'])
      expect(await answer((done) => other.sync(done))).toBeNull()
      await directory.close()
    },
  )

  it('ends the syncing of the directory too, and leaves nothing open', async () => {
    let failing = true
    const real = faultyFiles()
    const { directory, files } = opened({
      fsync(descriptor, done) {
        if (failing) queueMicrotask(() => done(systemError('ENOSPC')))
        else real.fsync(descriptor, done)
      },
    })
    expect(await answer((done) => directory.sync(done))).toMatchObject({ code: 'ERR_DISK_IO' })
    failing = false
    expect(await answer((done) => directory.sync(done))).toMatchObject({ code: 'ERR_DISK_IO' })
    expect(files.calls).toEqual(['fsync'])
    expect(files.descriptors.size).toBe(0)
  })
})

describe('the directory', () => {
  it('creates, removes and syncs names in the order of the calls', async () => {
    const { directory, files } = opened()
    directory.open('log-1')
    directory.open('log-2')
    const order: string[] = []
    directory.remove('log-1', (error) => order.push(`removed ${error}`))
    directory.sync((error) => order.push(`synced ${error}`))
    expect(await answer((done) => directory.remove('log-1', done))).toMatchObject({ code: 'ERR_DISK_IO' })
    expect(order).toEqual(['removed null', 'synced null'])
    expect(files.calls).toEqual(['unlink', 'fsync', 'unlink'])
    expect(directory.list()).toEqual(['log-2'])
    expect(files.descriptors.size).toBe(2)
    await directory.close()
    expect(files.descriptors.size).toBe(0)
  })

  it('cannot be synced when it is gone', async () => {
    const directory = openNodeDirectory(join(folder(), 'missing'))
    expect(await answer((done) => directory.sync(done))).toMatchObject({ code: 'ERR_DISK_IO' })
  })
})

describe('closing', () => {
  it('waits for what runs, drops what waits, and then nothing answers', async () => {
    let finish = (): void => {}
    const { directory, files } = opened({ fdatasync: (_descriptor, done) => (finish = () => done(null)) })
    const file = directory.open('log-1')
    const answers: string[] = []
    file.write(0, bytes(1, 1), () => answers.push('write'))
    file.sync(() => answers.push('sync'))
    file.write(1, bytes(1, 2), () => answers.push('late write'))
    file.close()
    file.close()
    file.write(2, bytes(1, 3), () => answers.push('write after close'))
    let isClosed = false
    const closed = directory.close().then(() => (isClosed = true))
    await turn()
    expect([files.descriptors.size, isClosed]).toEqual([1, false])
    finish()
    await closed
    await turn()
    expect(files.descriptors.size).toBe(0)
    expect(files.calls).toEqual(['writeSync', 'fdatasync'])
    expect(answers).toEqual([])
  })

  it('lets nothing through afterwards: the number of its descriptor may be another file’s by then', async () => {
    const { directory, files } = opened()
    const file = directory.open('log-1')
    file.close()
    expect(files.descriptors.size).toBe(0)
    file.write(0, bytes(1, 1), () => {})
    file.truncate(0, () => {})
    file.sync(() => {})
    await directory.close()
    directory.sync(() => {})
    directory.remove('log-1', () => {})
    await turn()
    expect(files.calls).toEqual([])
  })

  it('waits for a removal and a sync of the directory', async () => {
    let finish = (): void => {}
    const { directory, files } = opened({ fsync: (_descriptor, done) => (finish = () => done(null)) })
    const answers: string[] = []
    directory.open('log-1')
    directory.sync(() => answers.push('sync'))
    directory.remove('log-1', () => answers.push('remove'))
    let isClosed = false
    const closed = directory.close().then(() => (isClosed = true))
    await turn()
    expect(isClosed).toBe(false)
    finish()
    await closed
    expect([files.descriptors.size, answers]).toEqual([0, []])
    expect(() => directory.open('log-1')).toThrow(/is closed/)
  })
})

describe('the checksum', () => {
  it('is that of the log, whole and continued', () => {
    const text = new TextEncoder().encode('one checksum for all hosts')
    expect(crc32(text, 0)).toBe(portableCrc32(text))
    expect(crc32(text.subarray(5), crc32(text.subarray(0, 5), 0))).toBe(zlibCrc32(text))
  })
})
