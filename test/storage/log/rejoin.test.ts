// A log that is lost is replaced by one that abstains for good, only at an operator's word, and only if it is lost.

import { describe, expect, it } from 'vitest'
import { crc32 } from '../../../src/storage/log/crc32.ts'
import { identityFile, noteFile, noteSlotBytes, segmentFile } from '../../../src/storage/log/format.ts'
import { initializeLog } from '../../../src/storage/log/initialize.ts'
import type { LogRefusal, LogRefusalCode, RecoveredLog } from '../../../src/storage/log/recovery.ts'
import { incarnationMax, planStart, refuseOldCopy, unusedIncarnation } from '../../../src/storage/log/rejoin.ts'
import { createRandom } from '../../../src/kernel/random.ts'
import { identity, LogBench, text } from './log-bench.ts'

function recovered(bench: LogBench): RecoveredLog {
  const log = bench.recover()
  if (!log.ok) throw new Error(log.message)
  return log
}

describe('the voice of a log', () => {
  it('is the one it was made with, through any number of starts and records', () => {
    for (const voice of ['votes', 'abstains'] as const) {
      const bench = new LogBench()
      bench.initialize(voice)
      for (let start = 0; start < 3; start++) {
        expect(recovered(bench).abstains).toBe(voice === 'abstains')
        const log = bench.open()
        log.append(text('a'))
        log.flush()
        bench.run()
      }
    }
  })

  it('is never `votes` when the making of one that abstains was interrupted, at any step and with any loss', () => {
    for (let seed = 0; seed < 20; seed++) {
      for (let steps = 0; steps < 14; steps++) {
        const bench = new LogBench(createRandom(`rejoin ${seed}`))
        initializeLog({ directory: bench.disk, crc32, ...identity, voice: 'abstains', incarnation: 7 }, () => {})
        bench.run(steps)
        bench.disk.crash()
        const log = bench.recover()
        if (log.ok) expect(log).toMatchObject({ abstains: true, incarnation: 7 })
        else expect(planStart(log, true).kind).toBe('renew')
      }
    }
  })

  it('is not read from a flipped byte', () => {
    const bench = new LogBench()
    bench.initialize('abstains')
    const bytes = contents(bench, identityFile)
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = Uint8Array.from(bytes)
      flipped[bit >> 3]! ^= 1 << (bit & 7)
      put(bench, identityFile, flipped)
      expect(bench.recover()).toMatchObject({ ok: false, code: 'ERR_LOG_CORRUPT' })
    }
  })
})

describe('a log of another format', () => {
  it('is told by its version, whatever its length, and is neither corrupt nor lost', () => {
    const bench = new LogBench()
    bench.initialize()
    // Format 1: without the voice. Format 9: with something that nobody knows yet.
    for (const [version, size] of [
      [1, 36],
      [9, 100],
    ] as const) {
      const bytes = new Uint8Array(size + 4)
      bytes[0] = version
      new DataView(bytes.buffer).setUint32(size, crc32(bytes.subarray(0, size), 0), true)
      put(bench, identityFile, bytes)
      const refusal = bench.recover()
      expect(refusal).toMatchObject({ ok: false, code: 'ERR_LOG_FORMAT_VERSION' })
      expect((refusal as LogRefusal).message).toContain(`format version ${version}, this release reads 2`)
      expect(planStart(refusal, true)).toEqual({ kind: 'refuse', refusal })
    }
  })
})

describe('a start', () => {
  const refusal = (code: LogRefusalCode): LogRefusal => ({ ok: false, code, message: 'a sentence' })

  it('opens a sound log as it is, with the word and without', () => {
    const bench = new LogBench()
    bench.initialize()
    const log = recovered(bench)
    for (const rejoin of [true, false]) expect(planStart(log, rejoin)).toEqual({ kind: 'open', recovered: log })
  })

  it('renews what is lost, and only at the word', () => {
    for (const code of [
      'ERR_LOG_EMPTY_DIRECTORY',
      'ERR_LOG_CORRUPT',
      'ERR_LOG_UNREADABLE',
      'ERR_LOG_OUTDATED',
    ] as const) {
      expect(planStart(refusal(code), false)).toEqual({ kind: 'refuse', refusal: refusal(code) })
      expect(planStart(refusal(code), true)).toEqual({ kind: 'renew', why: refusal(code) })
    }
  })

  it('refuses what belongs to somebody else or to another release, also at the word', () => {
    for (const code of ['ERR_LOG_FOREIGN_DIRECTORY', 'ERR_LOG_FORMAT_VERSION'] as const) {
      expect(planStart(refusal(code), true)).toEqual({ kind: 'refuse', refusal: refusal(code) })
    }
  })

  it('names the next step in every refusal', () => {
    const empty = new LogBench()
    const corrupt = new LogBench()
    corrupt.initialize()
    put(corrupt, segmentFile(1), new Uint8Array(3))
    const nameless = new LogBench()
    nameless.initialize()
    nameless.disk.remove(identityFile, () => {})
    nameless.run()
    for (const bench of [empty, corrupt, nameless]) {
      const log = bench.recover()
      expect(log).toMatchObject({ ok: false, message: expect.stringContaining('start with --rejoin') })
      expect(planStart(log, true).kind).toBe('renew')
    }
  })
})

describe('an old copy', () => {
  it('is refused when others have seen its last start or a newer one, and lost', () => {
    const bench = new LogBench()
    bench.initialize()
    expect(refuseOldCopy(bench.recover(), 0)).toMatchObject({ ok: true, incarnation: 0 })
    bench.open()
    bench.open()
    const log = recovered(bench)
    expect(log.incarnation).toBe(2)
    for (const seen of [0, 1]) expect(refuseOldCopy(log, seen)).toBe(log)
    for (const seen of [2, 3]) {
      const refused = refuseOldCopy(log, seen)
      expect(refused).toMatchObject({ ok: false, code: 'ERR_LOG_OUTDATED' })
      expect(planStart(refused, true).kind).toBe('renew')
      expect(planStart(refused, false).kind).toBe('refuse')
    }
  })

  it('is not what a refusal for another reason turns into', () => {
    const foreign: LogRefusal = { ok: false, code: 'ERR_LOG_FOREIGN_DIRECTORY', message: 'of another' }
    expect(refuseOldCopy(foreign, 3)).toBe(foreign)
  })
})

describe('the incarnation of a new log', () => {
  it('is one that no start has had: above the note, above what others have seen, and not below the clock', () => {
    const bench = new LogBench()
    bench.initialize('votes', 40)
    bench.open()
    bench.open()
    const old = { directory: bench.disk, crc32 }
    // The note may not know of the last start.
    expect(unusedIncarnation(old, { wallMs: 0, seen: 0 })).toBeGreaterThanOrEqual(42)
    expect(unusedIncarnation(old, { wallMs: 0, seen: 90 })).toBeGreaterThan(90)
    expect(unusedIncarnation(old, { wallMs: 1234.5, seen: 90 })).toBe(1234)
    expect(unusedIncarnation(null, { wallMs: -5, seen: 0 })).toBe(1)
    put(bench, noteFile, new Uint8Array(2 * noteSlotBytes))
    expect(unusedIncarnation(old, { wallMs: 77, seen: 0 })).toBe(77)
    expect(unusedIncarnation(old, { wallMs: Number.MAX_SAFE_INTEGER, seen: 0 })).toBe(incarnationMax)
  })

  it('is counted on from by the starts that follow, and is not an old copy', () => {
    const bench = new LogBench()
    const incarnation = unusedIncarnation(null, { wallMs: 1000, seen: 5000 })
    bench.initialize('abstains', incarnation)
    expect(refuseOldCopy(bench.recover(), 5000).ok).toBe(true)
    expect([bench.open().incarnation, bench.open().incarnation]).toEqual([incarnation + 1, incarnation + 2])
  })
})

function contents(bench: LogBench, name: string): Uint8Array {
  const read = bench.disk.read(name, 0, 1 << 20)
  if (!read.ok) throw new Error(read.error.message)
  return read.bytes
}

function put(bench: LogBench, name: string, bytes: Uint8Array): void {
  const file = bench.disk.open(name)
  file.truncate(0, () => {})
  bench.run()
  file.write(0, bytes, () => {})
  bench.run()
  file.sync(() => {})
  bench.run()
}
