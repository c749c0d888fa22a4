// Whatever operation of the disk fails, and whenever: the log fails once and for good, and a start after the power loss that follows
// finds all that was reported durable.

import { describe, expect, it } from 'vitest'
import { createRandom } from '../../../src/kernel/random.ts'
import { crc32 } from '../../../src/storage/log/crc32.ts'
import type { FileError } from '../../../src/storage/log/file-port.ts'
import type { Log } from '../../../src/storage/log/log.ts'
import { openLog } from '../../../src/storage/log/open-log.ts'
import { FailingDirectory, failure } from '../failing-directory.ts'
import { LogBench, text } from './log-bench.ts'

interface Life {
  directory: FailingDirectory
  log: Log | null
  durable: number[]
  failures: FileError[]
  /** What had been reported when it failed. */
  durableAtFailure: number
  hasCut: boolean
}

/** Opens a log that has a tail to settle, writes over several segments, cuts, and writes on. */
function live(bench: LogBench, failing: number): Life {
  const directory = new FailingDirectory(bench, failing)
  const life: Life = { directory, log: null, durable: [], failures: [], durableAtFailure: 0, hasCut: false }
  const recovered = bench.recover()
  if (!recovered.ok) throw new Error(recovered.message)
  const failed = (error: FileError): void => {
    life.durableAtFailure = life.durable.at(-1) ?? 0
    life.failures.push(error)
  }
  const full = (): void => {
    throw new Error('a failing disk is not a full one')
  }
  const listener = { durable: (upTo: number) => life.durable.push(upTo), full, failed }
  openLog({ directory, crc32, listener, limits: bench.limits }, recovered, (log) => (life.log = log), failed)
  bench.run()
  const { log } = life
  if (log === null) return life
  for (let record = 0; record < 8; record++) {
    log.append(text(`record ${record}`))
    log.flush()
    bench.run()
    if (record === 5) log.cut(log.durable - 2, () => (life.hasCut = true))
    bench.run()
  }
  return life
}

/** What a power loss leaves: records above the note, where the disk was so kind, and a torn one behind them. */
function bench(seed: number): { bench: LogBench; durable: number } {
  const made = new LogBench(createRandom(`failing ${seed}`), { segmentBytesMax: 120 })
  made.initialize()
  const log = made.open()
  for (let record = 0; record < 4; record++) log.append(text(`before ${record}`))
  log.flush()
  made.run()
  log.append(text('on its way'))
  log.flush()
  made.run(1)
  const { durable } = log
  made.disk.crash()
  const last = made.disk
    .list()
    .sort()
    .findLast((name) => name.startsWith('log-'))!
  made.disk.open(last).write(made.disk.size(last), Uint8Array.of(1, 2, 3), () => {})
  made.run()
  return { bench: made, durable }
}

describe('an operation of the disk that fails', () => {
  it.each([0, 1, 2, 3, 4, 5])('ends the log once, and costs nothing that was reported, seed %i', (seed) => {
    const whole = live(bench(seed).bench, -1)
    expect(whole).toMatchObject({ failures: [], hasCut: true })
    for (let failing = 0; failing < whole.directory.operations; failing++) {
      const { bench: given, durable: before } = bench(seed)
      const life = live(given, failing)
      const where = `operation ${failing}`
      expect([life.directory.hasFailed, life.failures], where).toEqual([true, [failure]])
      expect(life.durable.at(-1) ?? 0, where).toBe(life.durableAtFailure)
      given.disk.crash()
      const log = given.open()
      const known = Math.max(before, life.durableAtFailure)
      expect(log.durable, where).toBeGreaterThanOrEqual(known)
      expect(known === before || [...log.records()].some(({ sequence }) => sequence === known), where).toBe(true)
    }
  })

  it('is one of many: opening, groups, segments, notes and a cut', () => {
    expect(live(bench(0).bench, -1).directory.operations).toBeGreaterThan(40)
  })
})
