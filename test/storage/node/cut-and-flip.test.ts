/**
 * A small log of several groups in three segments, as power losses and failing disks may leave it: cut at every byte of its last segment,
 * on real files, and with every bit of every file flipped, in memory. Whatever was noted as synced comes back or is refused; what lies
 * above is cut to whole records or comes back too.
 */

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  noteFile,
  noteSlotBytes,
  decodeNote,
  recordHeaderBytes,
  segmentFile,
  segmentHeaderBytes,
  type Note,
} from '../../../src/storage/log/format.ts'
import { openLog } from '../../../src/storage/log/open-log.ts'
import type { Log } from '../../../src/storage/log/log.ts'
import { recoverLog, type LogRefusal } from '../../../src/storage/log/recovery.ts'
import { crc32 } from '../../../src/storage/node/crc32.ts'
import { openDataDirectory } from '../../../src/storage/node/open-data-directory.ts'
import { create, identity, limits, Listener, open, textOf } from './data-directories.ts'
import { MemoryDirectory } from './memory-directory.ts'
import { temporaryFolders } from './temporary-folder.ts'

type Files = ReadonlyMap<string, Uint8Array>
/** What was found, or why it is refused. */
type Outcome = { ok: true; texts: string[]; tornBytes: number } | { ok: false; code: string; message: string }

const folder = temporaryFolders()
const groups = [['a1', 'a2', 'a3'], ['b1'], ['c1', 'c2', 'c3'], ['d1', 'd2'], ['e1'], ['f1', 'f2', 'f3']]
const texts = groups.flat().map((name) => name.padEnd(20, name))
const lastSegment = segmentFile(3)

/** The files after each group, with its note. */
const states: Files[] = []
/** Everything durable, noted up to the end. */
let whole: Files
/** As a loss of power leaves it: the last group has been written, the note says what was known before it. */
let behind: Files
/** Of both, by what is in the note. */
let noted: { whole: Note; behind: Note }

beforeAll(async () => {
  const path = await create(folder())
  const data = await open(path)
  for (const group of groups) {
    await data.write(...group.map((name) => name.padEnd(20, name)))
    // The note may wait for the sync of the one before; nobody else waits for it.
    while (newestNote(readFiles(path)).endSequence !== data.log.durable) await turn()
    states.push(readFiles(path))
  }
  await data.close()
  whole = states.at(-1)!
  behind = new Map([...whole, [noteFile, states.at(-2)!.get(noteFile)!]])
  noted = { whole: newestNote(whole), behind: newestNote(behind) }
})

describe('the log that is cut and flipped', () => {
  it('has three segments, several groups in the last, and a note that can be one group behind', () => {
    expect([...whole.keys()].sort()).toEqual(['identity', segmentFile(1), segmentFile(2), lastSegment, noteFile])
    expect([noted.whole.endSegment, noted.behind.endSegment]).toEqual([3, 3])
    expect(noted.whole.endSequence - noted.behind.endSequence).toBe(3)
    expect(noted.behind.endOffset).toBeGreaterThan(segmentHeaderBytes)
    expect(noted.whole.endOffset).toBe(whole.get(lastSegment)!.length)
    // The first sequence is the start's own record.
    expect(noted.whole.endSequence).toBe(texts.length + 1)
  })
})

describe('cut at every byte of its last segment', () => {
  it('is refused, with file and byte, when all of it had been noted as synced', async () => {
    for (let length = 0; length < whole.get(lastSegment)!.length; length++) {
      const outcome = await openOnDisk(withFile(whole, lastSegment, (bytes) => bytes.subarray(0, length)))
      expectCorrupt(outcome, `cut to ${length}`)
    }
  })

  it('is cut to whole records above what had been noted, and refused below', async () => {
    const bytes = behind.get(lastSegment)!
    const ends = recordEnds(bytes)
    for (let length = 0; length < bytes.length; length++) {
      const outcome = await openOnDisk(withFile(behind, lastSegment, (all) => all.subarray(0, length)))
      if (length < noted.behind.endOffset) {
        expectCorrupt(outcome, `cut to ${length}`)
        continue
      }
      const kept = ends.filter((end) => end <= length)
      const lost = ends.length - kept.length
      const expected = { ok: true, texts: texts.slice(0, texts.length - lost), tornBytes: length - kept.at(-1)! }
      expect(outcome, `cut to ${length}`).toEqual(expected)
    }
  })

  it('loses a segment that was being made, and nothing else', async () => {
    // The first group of the last segment, while the note still names the segment before.
    const index = states.findIndex((files) => files.has(lastSegment))
    const making = new Map([...states[index]!, [noteFile, states[index - 1]!.get(noteFile)!]])
    const before = newestNote(making).endSequence - 1
    for (let length = 0; length < segmentHeaderBytes; length++) {
      const outcome = await openOnDisk(withFile(making, lastSegment, (bytes) => bytes.subarray(0, length)))
      expect(outcome, `cut to ${length}`).toEqual({ ok: true, texts: texts.slice(0, before), tornBytes: length })
    }
  })
})

describe('with any bit of any file flipped', () => {
  it('is refused, with file and byte, or complete: nothing that had been noted is missing', async () => {
    const refused = await flipAll(whole, async (name, outcome, what) => {
      // The other slot of the note says enough.
      if (outcome.ok) expect([name, outcome.texts], what).toEqual([noteFile, texts])
      else expectCorrupt(outcome, what, name)
    })
    expect(refused).toEqual([...whole.keys()].filter((name) => name !== noteFile).sort())
  })

  it('loses only whole records from the flip on, where nothing had been noted', async () => {
    const { endOffset, endSequence } = noted.behind
    const cut = new Set<string>()
    await flipAll(behind, async (name, outcome, what, byte) => {
      if (!outcome.ok) {
        expectCorrupt(outcome, what, name)
        expect(name === lastSegment && byte >= endOffset, what).toBe(false)
        return
      }
      expect(outcome.texts, what).toEqual(texts.slice(0, outcome.texts.length))
      // One less: the start's own record has a sequence too.
      expect(outcome.texts.length, what).toBeGreaterThanOrEqual(endSequence - 1)
      if (outcome.texts.length === texts.length) return
      cut.add(name)
      const ends = recordEnds(behind.get(lastSegment)!)
      const before = ends.filter((end) => end <= byte).length
      expect(texts.length - outcome.texts.length, what).toBe(ends.length - before)
    })
    expect([...cut]).toEqual([lastSegment])
  })
})

/** Flips each bit in turn, and opens. Returns the names of the files of which every flip was refused. */
async function flipAll(
  files: Files,
  check: (name: string, outcome: Outcome, what: string, byte: number) => Promise<void>,
): Promise<string[]> {
  const alwaysRefused: string[] = []
  for (const [name, bytes] of files) {
    let opened = 0
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const byte = bit >> 3
      const flipped = withFile(files, name, (all) => all.map((old, at) => (at === byte ? old ^ (1 << (bit & 7)) : old)))
      const outcome = await openInMemory(flipped)
      if (outcome.ok) opened++
      await check(name, outcome, `${name}, byte ${byte}, bit ${bit & 7}`, byte)
    }
    if (opened === 0) alwaysRefused.push(name)
  }
  return alwaysRefused.sort()
}

function expectCorrupt(outcome: Outcome, what: string, name: string = lastSegment): void {
  if (outcome.ok) expect.fail(`${what}: it was opened with ${outcome.texts.length} records`)
  const sentence = new RegExp(`^${name} is corrupt at byte \\d+: [^.]+$`)
  expect([outcome.code, outcome.message], what).toEqual(['ERR_LOG_CORRUPT', expect.stringMatching(sentence)])
}

async function openOnDisk(files: Files): Promise<Outcome> {
  const path = folder()
  mkdirSync(join(path, 'log'))
  for (const [name, bytes] of files) writeFileSync(join(path, 'log', name), bytes)
  try {
    const data = await openDataDirectory(path, { ...identity, listener: new Listener(), limits })
    const found = [...data.log.records()].map((record) => textOf(record.bytes))
    await data.close()
    return { ok: true, texts: found, tornBytes: data.tornBytes }
  } catch (error) {
    const { code, message } = error as LogRefusal
    return { ok: false, code, message }
  }
}

async function openInMemory(files: Files): Promise<Outcome> {
  const directory = new MemoryDirectory(files)
  const recovery = recoverLog({ directory, crc32, expected: identity })
  let step = recovery.next()
  while (step.done !== true) step = recovery.next()
  const recovered = step.value
  if (!recovered.ok) return recovered
  const listener = new Listener()
  const log = await new Promise<Log>((resolve, reject) =>
    openLog({ directory, crc32, listener, limits }, recovered, resolve, reject),
  )
  const found = [...log.records()].map((record) => textOf(record.bytes))
  return { ok: true, texts: found, tornBytes: recovered.tornBytes }
}

function readFiles(path: string): Files {
  const log = join(path, 'log')
  return new Map(readdirSync(log).map((name) => [name, new Uint8Array(readFileSync(join(log, name)))]))
}

function withFile(files: Files, name: string, change: (bytes: Uint8Array) => Uint8Array): Files {
  return new Map([...files, [name, change(files.get(name)!)]])
}

function newestNote(files: Files): Note {
  const bytes = files.get(noteFile)!
  const slots = [0, 1].flatMap(
    (slot) => decodeNote(bytes.slice(slot * noteSlotBytes, (slot + 1) * noteSlotBytes), crc32) ?? [],
  )
  return slots.sort((left, right) => right.counter - left.counter)[0]!
}

/** The segment's header ends the first, each record another. */
function recordEnds(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const ends = [segmentHeaderBytes]
  for (let offset = segmentHeaderBytes; offset < bytes.length;) {
    offset += recordHeaderBytes + view.getUint32(offset, true)
    ends.push(offset)
  }
  return ends
}
