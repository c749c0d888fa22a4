// Goal: a resumed sweep counts exactly what was finished, and a file that cannot vouch for that is refused. Method: files, good and bad.

import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { UsageError } from '../../../src/cli/options.ts'
import { openResume } from '../../../src/cli/sweep/resume.ts'
import type { SweepOptions } from '../../../src/cli/sweep/run-chunk.ts'
import { emptySummary, type Summary } from '../../../src/cli/sweep/summary.ts'

const options: SweepOptions = { protocol: 'raft', replicas: 3, faults: 'all' }
const chunk = { from: 1, to: 10 }
const failure = { seed: 3, invariant: 'agreement', explanation: 'two blocks' }
const summary: Summary = {
  ...emptySummary(),
  seeds: 10,
  passed: 9,
  violated: 1,
  failures: [failure],
  coverage: { crashes: 4 },
}

let folder: string
let path: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'quorate-resume-'))
  path = join(folder, 'sweep.jsonl')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const doneIn = (where: string): unknown => openResume(where, options, 'sources').done

describe('a sweep’s file', () => {
  it('gives back what was added, and keeps what is added later', () => {
    openResume(path, options, 'sources').add(chunk, summary)
    const again = openResume(path, options, 'sources')
    expect(again.done).toEqual([{ chunk, summary }])
    again.add({ from: 11, to: 20 }, summary)
    expect(doneIn(path)).toEqual([
      { chunk, summary },
      { chunk: { from: 11, to: 20 }, summary },
    ])
  })

  it('is begun in folders that do not exist yet, and in an empty file', () => {
    const deep = join(folder, 'a', 'b', 'sweep.jsonl')
    openResume(deep, options, 'sources').add(chunk, summary)
    expect(doneIn(deep)).toHaveLength(1)
    writeFileSync(path, '')
    openResume(path, options, 'sources').add(chunk, summary)
    expect(doneIn(path)).toHaveLength(1)
  })

  it('loses no more than the line that was being written when the process was killed', () => {
    openResume(path, options, 'sources').add(chunk, summary)
    const whole = readFileSync(path, 'utf8')
    appendFileSync(path, '{"chunk":{"from":11,"to":20},"summ')
    const resumed = openResume(path, options, 'sources')
    expect(resumed.done).toEqual([{ chunk, summary }])
    expect(readFileSync(path, 'utf8')).toBe(whole)
    resumed.add({ from: 11, to: 20 }, summary)
    expect(doneIn(path)).toHaveLength(2)
  })
})

describe('a file is refused', () => {
  const finished = JSON.stringify({ chunk, summary })
  const head = JSON.stringify({ options, sources: 'sources' })

  it.each([
    ['with other options', `${JSON.stringify({ options: { ...options, replicas: 5 }, sources: 'sources' })}\n`],
    ['with a stricter check', `${JSON.stringify({ options: { ...options, twiceEvery: 1 }, sources: 'sources' })}\n`],
    ['of other sources', `${JSON.stringify({ options, sources: 'others' })}\n`],
    ['that is no JSON', 'seeds: 1\n'],
    ['whose head is torn', head.slice(0, 20)],
    ['whose head is a list', '[1]\n'],
    ['with a line of something else', `${head}\n{"a":1}\n`],
    ['with a damaged line in the middle', `${head}\n${finished.slice(0, 30)}\n${finished}\n`],
    ['with a number that is none', `${head}\n${finished.replace('"passed":9', '"passed":null')}\n`],
    ['with a count that is none', `${head}\n${finished.replace('"crashes":4', '"crashes":"4"')}\n`],
    ['with a failure that has no words', `${head}\n${finished.replace('"two blocks"', '7')}\n`],
    ['with a chunk that is none', `${head}\n${finished.replace('"from":1,', '"from":1.5,')}\n`],
  ])('%s, and left as it is', (_name, text) => {
    writeFileSync(path, text)
    expect(() => doneIn(path)).toThrow(UsageError)
    expect(readFileSync(path, 'utf8')).toBe(text)
  })

  it('that is a folder, or below a file', () => {
    expect(() => doneIn(folder)).toThrow(UsageError)
    writeFileSync(path, '')
    expect(() => doneIn(join(path, 'sweep.jsonl'))).toThrow(/must be a file that can be read and written/)
  })

  it('but accepted without these faults', () => {
    writeFileSync(path, `${head}\n${finished}\n`)
    expect(doneIn(path)).toEqual([{ chunk, summary }])
  })
})
