/**
 * What group commit is worth on a real disk: concurrent writers that each wait for their record, on the log, against a loop that appends
 * a record and syncs it. `npx tsc -p tsconfig.tools.json && node .tools/bench/group-commit.js --dir DIR`, where DIR lies on the disk to
 * be measured. Both take turns, because a disk's speed drifts; what counts is the ratio within one pair.
 */

import * as fs from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { noteFile } from '../src/storage/log/format.ts'
import { createDataDirectory } from '../src/storage/node/create-data-directory.ts'
import { nodeFileSystem, type FileSystem } from '../src/storage/node/file-system.ts'
import { openNodeDirectory } from '../src/storage/node/node-directory.ts'
import { openDataDirectory } from '../src/storage/node/open-data-directory.ts'

const rounds = 5
const roundMs = 1000
const writers = 64
const record = new Uint8Array(128).fill(7)

interface Syncs {
  segment: number
  note: number
  directory: number
}

const { values } = parseArgs({ options: { dir: { type: 'string' } } })
if (values.dir === undefined) {
  process.stderr.write('name a directory on the disk to be measured: --dir DIR\n')
  process.exit(2)
}
const folder = fs.mkdtempSync(join(values.dir, 'group-commit-'))
try {
  await run()
} finally {
  fs.rmSync(folder, { recursive: true, force: true })
}

async function run(): Promise<void> {
  const ratios: number[] = []
  print(
    `Node ${process.versions.node}, ${writers} writers, records of ${record.length} bytes, ${rounds} rounds of ${roundMs} ms each`,
  )
  for (let round = 0; round < rounds; round++) {
    const plain = plainLoop(join(folder, `plain-${round}`))
    const { perSecond, records, syncs, cpuUs } = await groupCommit(join(folder, `log-${round}`))
    ratios.push(perSecond / plain)
    const all = syncs.segment + syncs.note + syncs.directory
    print(
      `plain ${rate(plain)}, log ${rate(perSecond)} records/s, ratio ${(perSecond / plain).toFixed(1)}; records a sync: ` +
        `${(records / syncs.segment).toFixed(1)} (segments), ${(records / syncs.note).toFixed(1)} (note), ` +
        `${(records / all).toFixed(1)} (all); ${(cpuUs / records).toFixed(2)} µs CPU a record`,
    )
  }
  ratios.sort((left, right) => left - right)
  print(`median ratio ${ratios[rounds >> 1]!.toFixed(1)} (${ratios[0]!.toFixed(1)} to ${ratios.at(-1)!.toFixed(1)})`)
}

/** Records a second. In one thread: nothing is faster without gathering. */
function plainLoop(path: string): number {
  const descriptor = fs.openSync(path, 'w')
  const start = performance.now()
  let records = 0
  for (; performance.now() - start < roundMs; records++) {
    fs.writeSync(descriptor, record, 0, record.length, records * record.length)
    fs.fdatasyncSync(descriptor)
  }
  const seconds = (performance.now() - start) / 1000
  fs.closeSync(descriptor)
  fs.unlinkSync(path)
  return records / seconds
}

async function groupCommit(path: string): Promise<{ perSecond: number; records: number; syncs: Syncs; cpuUs: number }> {
  const syncs: Syncs = { segment: 0, note: 0, directory: 0 }
  const files = counting(syncs)
  const identity = { network: new Uint8Array(32), replica: 1 }
  await createDataDirectory(path, identity)
  let waiting: { sequence: number; resolve: () => void }[] = []
  const data = await openDataDirectory(path, {
    ...identity,
    openDirectory: (log) => openNodeDirectory(log, files),
    listener: {
      durable: (upTo) => {
        const all = waiting
        waiting = []
        for (const one of all) {
          if (one.sequence <= upTo) one.resolve()
          else waiting.push(one)
        }
      },
      full: fatal,
      failed: fatal,
    },
  })
  Object.assign(syncs, { segment: 0, note: 0, directory: 0 })
  let records = 0
  let flushIsDue = false
  // As a replica does: once in a turn, after everybody has had his.
  const flush = (): void => {
    flushIsDue = false
    data.log.flush()
  }
  const start = performance.now()
  const startCpu = process.cpuUsage()
  const writer = async (): Promise<void> => {
    while (performance.now() - start < roundMs) {
      const sequence = data.log.append(record)
      if (!flushIsDue) {
        flushIsDue = true
        queueMicrotask(flush)
      }
      await new Promise<void>((resolve) => waiting.push({ sequence, resolve }))
      records++
    }
  }
  await Promise.all(Array.from({ length: writers }, writer))
  const seconds = (performance.now() - start) / 1000
  const { user, system } = process.cpuUsage(startCpu)
  await data.close()
  fs.rmSync(path, { recursive: true })
  return { perSecond: records / seconds, records, syncs, cpuUs: user + system }
}

function counting(syncs: Syncs): FileSystem {
  const notes = new Set<number>()
  return {
    ...nodeFileSystem,
    openSync(path, flags, mode) {
      const descriptor = nodeFileSystem.openSync(path, flags, mode)
      if (path.endsWith(`/${noteFile}`)) notes.add(descriptor)
      else notes.delete(descriptor)
      return descriptor
    },
    fdatasync(descriptor, answer) {
      if (notes.has(descriptor)) syncs.note++
      else syncs.segment++
      nodeFileSystem.fdatasync(descriptor, answer)
    },
    fsync(descriptor, answer) {
      syncs.directory++
      nodeFileSystem.fsync(descriptor, answer)
    },
  }
}

function fatal(error: { message: string }): never {
  throw new Error(error.message)
}

function rate(value: number): string {
  return Math.round(value).toLocaleString('en')
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}
